"""Network cameras and streams, by PyAV: RTSP, HTTP (MJPEG, HLS) and what else FFmpeg speaks."""

from __future__ import annotations

import errno
import logging
import math
import socket
import time
from collections.abc import Iterator
from functools import partial
from typing import cast
from urllib.parse import urlsplit

import av
import numpy as np
from av import error as av_error
from av.codec.hwaccel import HWAccel
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from capture import encryption
from capture.connection import FIRST_PICTURE, Grab, Lost
from capture.decode import Decoder, Holes, Painter, picture_stream
from capture.frozen import digest
from capture.live import Live
from capture.refusal import explain, refusal, said
from core.errors import SourceError
from core.settings import CaptureConfig
from core.types import U8, SourceInfo

log = logging.getLogger(__name__)

_UNDECODABLE = 50  # packets in a row; fewer may build on a picture that was lost
# Their demuxers make presentation times up from a frame rate that they guess.
_WITHOUT_TIMES = ("mpjpeg", "mjpeg", "h264", "hevc")


def open_network(
    info: SourceInfo, address: str | int, config: CaptureConfig, *, wall: float = math.nan
) -> Live:
    """The stream at `address`; its wall time is the clock's, so `wall` is not asked."""
    del wall
    connect = partial(Stream, str(address), info.address, config)
    return Live(info, connect, config)


class Stream:
    """One connection to a network stream."""

    def __init__(self, address: str, shown: str, config: CaptureConfig) -> None:
        """Connect.

        Args:
            address: with user and password.
            shown: without, for messages.
            config: its time-outs, transport and hardware.

        Raises:
            Lost: no connection, with the reason in words.
        """
        self._shown = shown
        self._stall = config.stall_timeout
        _resolve_name(address, shown)
        began = time.monotonic()
        try:
            self._container = av.open(
                address,
                timeout=(config.open_timeout, config.stall_timeout),
                options=_options(address, config),
                metadata_errors="replace",
                hwaccel=_hardware(config.hardware),
            )
        except (FFmpegError, OSError, ValueError) as error:
            raise refusal(error, address, shown, config, time.monotonic() - began) from None
        try:
            self._stream = picture_stream(self._container, shown)
        except SourceError:
            self._container.close()
            raise
        self.codec = self._stream.codec_context.name
        if config.hardware != "none" and not self._stream.codec_context.is_hwaccel:
            words = "%s: this machine has no '%s' to decode %s by; the CPU does it."
            log.warning(words, shown, config.hardware, self.codec)
        self._finite = bool(self._container.duration and self._container.duration > 0)
        self._timed = self._container.format.name not in _WITHOUT_TIMES
        self._decoder = Decoder()
        # Encrypted, FFmpeg has RTSP by TCP only.
        by_udp = config.transport == "udp" and not encryption.is_encrypted(address)
        self._holes = Holes() if by_udp else None
        if by_udp and self.codec == "hevc":
            # Else it leaves out what builds on a missing picture in silence, and nobody counts it.
            self._stream.codec_context.options = {"err_detect": "explode"}
            log.warning(
                "%s: sends H.265 by UDP: pictures damaged by lost packets are not told; use tcp.", shown
            )
        self._painter = Painter()
        self._pictures = self._decoder.pictures(self._packets())
        self._due = time.monotonic() + FIRST_PICTURE  # until when the next picture must come
        self._shown_any = False

    @property
    def errors(self) -> int:
        """Broken packets so far."""
        return self._decoder.errors

    def grab(self) -> Grab | None:
        """The next picture; None at the end of a recording."""
        began = time.monotonic()
        try:
            picture = next(self._pictures, None)
        except (FFmpegError, OSError) as error:
            raise self._broke_off(error, time.monotonic() - began) from None
        if picture is None:
            if self._finite:
                return None
            raise Lost(f"{self._shown}: the other side ended the stream.", "ended")
        # FFmpeg holds a picture until the next one begins; a time-out lets it out, long after it was taken.
        if self._shown_any and time.monotonic() - began >= 0.9 * self._stall:
            raise Lost(f"{self._shown}: gave no picture for {self._stall:g} s.", "stalled")
        self._shown_any = True
        self._due = time.monotonic() + self._stall
        presentation = float(picture.time) if self._timed and picture.time is not None else math.nan
        if self._holes is not None and self._holes.after(presentation) and not picture.key_frame:
            self._decoder.damaged = True  # those that follow build on a picture that never came
        paint = partial(self._painter.paint, picture)
        return Grab(paint, presentation, self._decoder.damaged, bool(picture.key_frame), _digest(picture))

    def close(self) -> None:
        """Hang up."""
        self._pictures.close()  # it holds this, which holds it, and only a collector of garbage would tell
        self._container.close()

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        for packet in self._container.demux(self._stream):
            yield packet
            if time.monotonic() > self._due:  # packets come all the time, but no picture
                if self._decoder.failed_in_a_row >= _UNDECODABLE:
                    raise Lost(f"{self._shown}: sends nothing that can be decoded.", "undecodable")
                words = "sends, but no picture comes of it; have it send a key frame every 1 to 2 s."
                raise Lost(f"{self._shown}: {words}", "stalled")

    def _broke_off(self, error: Exception, waited: float) -> Lost:
        if isinstance(error, av_error.ExitError | TimeoutError) or waited >= 0.9 * self._stall:
            return Lost(f"{self._shown}: gave no picture for {self._stall:g} s.", "stalled")
        return Lost(f"{self._shown}: the connection broke ({said(error)}).", "broken")


def _digest(picture: VideoFrame) -> int:
    """Of its brightness; -1 where that has no plane of its own."""
    layout = picture.format
    if layout.is_rgb or not (layout.is_planar or len(layout.components) == 1):
        return -1
    plane = picture.planes[0]
    pixels: U8 = np.frombuffer(cast("bytes", plane), np.uint8)  # it is a buffer, which its type does not say
    rows = pixels.reshape(-1, plane.line_size)
    width = picture.width * (2 if layout.components[0].bits > 8 else 1)  # bytes
    return digest(rows[: picture.height, :width])


def _hardware(name: str) -> HWAccel | None:
    """What decodes instead of the CPU, if it is there; whether it takes the coding shows later."""
    if name == "none":
        return None
    try:
        found = HWAccel(device_type=name, allow_software_fallback=True)
        av.CodecContext.create("h264", "r", hwaccel=found)  # it fails here, not as it is made
        return found
    except (FFmpegError, OSError, ValueError, RuntimeError):
        return None


def _options(address: str, config: CaptureConfig) -> dict[str, str]:
    """See the table of measured options; unknown ones are ignored by each protocol."""
    # Of the socket; covers what PyAV's own does not. To RTMP it means: wait to be called.
    limit = {} if address.lower().startswith("rtmp") else {"timeout": str(round(config.stall_timeout * 1e6))}
    return {
        **limit,
        **encryption.options(address, config.certificates),
        "rtsp_transport": config.transport,
        "analyzeduration": "500000",
        "fpsprobesize": "0",  # first picture after 0.3 s instead of 1.1
    }


def _resolve_name(address: str, shown: str) -> None:
    """FFmpeg does not tell an unknown name from other failures, so it is looked up first."""
    try:
        host = urlsplit(address).hostname
        if host:
            socket.getaddrinfo(host, None)
    except ValueError:
        raise explain(av_error.ArgumentError(errno.EINVAL, ""), shown, 0.0, 0.0) from None
    except (socket.gaierror, UnicodeError):
        if host != urlsplit(shown).hostname:  # part of a password with '/' or '@' in it
            raise explain(av_error.ArgumentError(errno.EINVAL, ""), shown, 0.0, 0.0) from None
        words = f"the name '{host}' is not known on this network; check it, or use the number."
        raise Lost(f"{shown}: {words}", "unreachable") from None
