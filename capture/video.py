"""Video files, by PyAV: every frame, upright, at the time that the container says."""

from __future__ import annotations

import errno
import logging
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain

import av
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from capture import encryption
from capture.clock import Playback
from capture.decode import Decoder, Painter, picture_stream
from capture.refusal import said, why
from core.errors import SourceError
from core.geometry import pixel_shape
from core.settings import CaptureConfig
from core.types import Frame, SourceInfo, Stamp

log = logging.getLogger(__name__)

_BROKEN_READS = 50  # in a row; then nothing more is expected of the file
_EARLIER = (0.0, 5.0, 30.0)  # s before the wanted time; MPEG-TS finds no key frame right before it
_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)  # creation times before this are clocks never set


def open_video(
    info: SourceInfo, address: str | int, config: CaptureConfig, *, wall: float = math.nan
) -> Video:
    """The film that `info` names by its path, or else `address`."""
    # `file:` keeps FFmpeg from taking what stands before a colon in the name for a protocol.
    return Video(info, f"file:{info.path}" if info.path else str(address), config, wall)


class Video:
    """A video file, or a recorded one behind an HTTP address.

    `Stamp.time` counts from the file's first frame, also when reading begins later;
    `Stamp.index` counts the frames handed out, so with `from` its 0 is the first of those.
    """

    def __init__(self, info: SourceInfo, address: str, config: CaptureConfig, wall: float) -> None:
        """Open the file and decode its first frame.

        Args:
            info: what is known of it.
            address: what FFmpeg opens.
            config: `begin` and `end` in seconds, `open_timeout` and `stall_timeout` for HTTP.
            wall: UTC seconds of the file's first frame; NaN: its creation time, if it has one.

        Raises:
            SourceError: it is no video, or has no picture at or after `begin`.
        """
        self.info = info
        self._broken_reads = 0
        self._address = address
        self._config = config
        self._decoder = Decoder()
        self._painter = Painter()
        self._index = 0
        self._reached = 0.0
        self._zero = 0.0  # s, the first frame's by the file's own clock
        self._container, self._stream = self._open()
        try:
            self._wall = _creation_time(self._container) if math.isnan(wall) else wall
            self._frames: Iterator[Frame] = self._between(*self._seek())
            self._frames = chain([self._first()], self._frames)
        except BaseException:
            self.close()
            raise

    @property
    def decode_errors(self) -> int:
        """Broken packets so far."""
        return self._decoder.errors + self._broken_reads

    @property
    def length(self) -> float:
        """Seconds between `begin` and the end (or `end`); NaN if the file does not say."""
        whole = self._duration()
        end = whole if self._config.end is None else min(self._config.end, whole)
        return max(end - self._config.begin, 0.0)

    @property
    def codec(self) -> str:
        """Name of the coding, as FFmpeg calls it."""
        return self._stream.codec_context.name

    def read(self) -> Frame | None:
        """The next frame; None at the end.

        Raises:
            SourceError: the file ends before its end; all that was readable has been handed out.
        """
        return next(self._frames, None)

    def close(self) -> None:
        """Let go of the file."""
        self._frames = iter(())
        self._container.close()

    def _open(self) -> tuple[InputContainer, VideoStream]:
        limits = None if self.info.path else (self._config.open_timeout, self._config.stall_timeout)
        certificates = self._config.certificates
        options = encryption.options(self._address, certificates)
        if self.info.path:
            options["max_reload"] = "1"  # of a playlist that tells no end: else FFmpeg waits for more of it
        try:
            container = av.open(self._address, timeout=limits, options=options, metadata_errors="replace")
        except (FFmpegError, ValueError) as error:
            _, words = encryption.why_not(self._address, certificates) or ("", self._why_not(error))
            raise SourceError(f"{self.info.address}: {words}") from None
        try:
            stream = picture_stream(container, self.info.address)
        except SourceError:
            container.close()
            raise
        return container, stream

    def _why_not(self, error: Exception) -> str:
        """Why it does not open, and what to do; without the address, which may hold a password."""
        if isinstance(error, InvalidDataError):
            return (
                "is not a video that can be read (not a video at all, or its beginning or index is missing)."
            )
        if self.info.path is None:
            return why(error, 0.0, min(self._config.open_timeout, self._config.stall_timeout))[0]
        if isinstance(error, PermissionError):
            return "must not be read; check its rights."
        if isinstance(error, OSError) and error.errno == errno.EMFILE:
            return f"does not open: {said(error)}; name its folder, whose videos are read in turn."
        return f"does not open: {said(error)}; copy or record it again."

    def _first(self) -> Frame:
        frame = next(self._frames, None)
        if frame is not None:
            return frame
        begin, whole = self._config.begin, self._duration()
        if begin > 0 and self._reached > 0:
            length = self._reached if math.isnan(whole) else whole
            raise SourceError(
                f"{self.info.address}: there is no frame between 'from' {begin:g} s and 'to'; "
                f"the video is {length:.1f} s long."
            )
        raise SourceError(
            f"{self.info.address}: holds no picture that can be decoded; record or copy it again."
        )

    def _seek(self) -> tuple[Playback, Iterator[VideoFrame]]:
        """The clock, and the frames from a key frame at or before `begin` on."""
        pictures = self._decoder.pictures(self._packets())
        first = next(pictures, None)
        if first is None:
            return Playback(), iter(())
        begin, zero = self._config.begin, _time(first)
        self._zero = 0.0 if math.isnan(zero) else zero
        if begin == 0 or math.isnan(zero):
            return Playback(), chain([first], pictures)
        for earlier in _EARLIER:
            target = zero + begin - earlier
            if target <= zero or not self._jump(target):
                break
            pictures = self._decoder.pictures(self._packets())
            landed = next(pictures, None)
            if landed is not None and _time(landed) <= zero + begin:
                return Playback(zero), chain([landed], pictures)
        self._container.close()
        self._container, self._stream = self._open()
        return Playback(zero), self._decoder.pictures(self._packets())

    def _jump(self, time: float) -> bool:
        base = self._stream.time_base
        if not base:
            return False
        try:
            self._container.seek(int(time / base), stream=self._stream, backward=True)
        except FFmpegError:
            return False
        return True

    def _between(self, clock: Playback, pictures: Iterator[VideoFrame]) -> Iterator[Frame]:
        """The frames from `begin` up to, but without, `end`."""
        end = math.inf if self._config.end is None else self._config.end
        for picture in pictures:
            time = clock.time(_time(picture))
            self._reached = time + _duration(picture)
            if time >= end - 1e-6:
                return
            if time >= self._config.begin - 1e-6:
                yield self._frame(picture, time)
        self._check_the_end()

    def _frame(self, picture: VideoFrame, time: float) -> Frame:
        image = self._painter.paint(picture)
        size = (image.shape[1], image.shape[0])
        stamp = Stamp(self.info.name, self._index, time, self._wall + time, size)
        self._index += 1
        pixel = float(pixel_shape(self._stream.sample_aspect_ratio, picture.rotation))
        return Frame(stamp, image, damaged=self._decoder.damaged, pixel=pixel)

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        """The packets of the video stream, and at last the empty one that flushes the decoder."""
        failed = 0
        while True:
            try:
                for packet in self._container.demux(self._stream):
                    yield packet
                    failed = 0 if packet.size else failed
                return
            except InvalidDataError:
                failed += 1
                self._broken_reads += 1
                if failed >= _BROKEN_READS:
                    return
            except FFmpegError as error:
                log.warning("%s: reading failed: %s", self.info.address, error.strerror)
                return

    def _check_the_end(self) -> None:
        """Raise if the file ended before the end that it announces."""
        whole = self._duration()
        if whole - self._reached > max(0.5, 0.01 * whole):
            raise SourceError(
                f"{self.info.address}: breaks off after {self._reached:.1f} s of {whole:.1f} s; "
                "the file is cut short or damaged. What was readable has been used."
            )

    def _duration(self) -> float:
        """Seconds in all; NaN if not known."""
        stream, container = self._stream, self._container
        # Matroska says only when its pictures end, by a clock that need not begin at 0.
        matroska = "matroska" in container.format.name
        if stream.duration and stream.time_base and not matroska:
            return float(stream.duration * stream.time_base)
        # The container's is that of its longest stream, which may be the sound.
        if container.duration and len(container.streams) == 1:
            whole = container.duration / av.time_base
        else:
            whole = _matroska_duration(stream)
        return whole - self._zero if matroska else whole


def _time(picture: VideoFrame) -> float:
    return math.nan if picture.time is None else float(picture.time)


def _duration(picture: VideoFrame) -> float:
    return float(picture.duration * picture.time_base) if picture.duration and picture.time_base else 0.0


def _matroska_duration(stream: VideoStream) -> float:
    hours, _, rest = stream.metadata.get("DURATION", "").partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return math.nan


def _creation_time(container: InputContainer) -> float:
    """UTC seconds since 1970 at which the recording began, as its maker says; NaN if not known."""
    try:
        made = datetime.fromisoformat(container.metadata.get("creation_time", ""))
    except ValueError:
        return math.nan
    made = made if made.tzinfo else made.replace(tzinfo=UTC)
    return made.timestamp() if made > _OLDEST else math.nan
