"""H.264 in MP4 or Matroska that stays playable when the program is killed or the disk is full."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.container import Flags

from core.errors import SinkError
from core.types import Image
from outputs.original import Sound
from outputs.textfile import WholeFile, failure

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

log = logging.getLogger(__name__)

TICKS = 90_000  # a second; Matroska rounds to 1 ms by itself
LARGEST = 16_384  # pixels a side that H.264 holds
_KEY_INTERVAL = 1.0  # s between pictures that a player can jump to

# Each second a fragment (MP4) or cluster (Matroska) is complete on disk. A fragment must begin with
# a picture, hence frag_keyframe: one that a packet of the sound begins (frag_duration) has its first
# picture moved by 3 ms. delay_moov lets the file say that the sound begins before or after the
# pictures; without it AAC came 22 ms early.
_CONTAINERS: dict[str, tuple[str, dict[str, str]]] = {
    ".mp4": (
        "mp4",
        {
            "movflags": "frag_keyframe+delay_moov",
            "video_track_timescale": str(TICKS),
            "movie_timescale": str(TICKS),
        },
    ),
    ".mkv": ("matroska", {"cluster_time_limit": "500"}),
}
# At the end of a film its MP4 is rewritten in place as an ordinary one, from an index that is kept in
# memory. A camera has no end: its index took 68 bytes a picture, and that of its fragments alone
# 30 bytes a second, which no reader needs: all go from fragment to fragment.
_ENDLESS, _ENDING = "+skip_trailer", "+hybrid_fragmented"
# bitexact: no library version and no random id. The sound is in order already, so a packet must
# not wait in memory for a sound track that may have ended.
_ALWAYS = {"flush_packets": "1", "fflags": "+bitexact", "max_interleave_delta": "1"}
# zerolatency keeps no picture back, which a kill would lose (default: 11 of them, 2 s at
# 5 frames/s). 6 s of 720p at crf 23: 1416 KiB by default, 1768 with it, 1961 with a key picture
# each second too. forced-idr: a picture marked as a key one can be jumped to.
_X264 = {"preset": "veryfast", "crf": "23", "tune": "zerolatency", "forced-idr": "1"}
_THREADS = 2  # fixed: the bytes depend on it
# What the conversion from BGR does is also said: the matrix of SMPTE 170M (BT.601, 6), the
# primaries and curve of BT.709 (1), limited range (1). Players that do not read it assume the same.
_COLOUR = {"colorspace": 6, "color_primaries": 1, "color_trc": 1, "color_range": 1}


@dataclass(frozen=True, slots=True)
class Form:
    """What a player has to know of the pictures of a video.

    Attributes:
        size: (width, height) of each.
        rate: about how many a second come; a hint for the encoder and players.
        pixel: width of a pixel by its height.
    """

    size: tuple[int, int]
    rate: Fraction
    pixel: Fraction = Fraction(1)


class Encoder:
    """One video file with pictures at given times and perhaps the source's sound."""

    def __init__(self, path: Path, form: Form, sound: Sound | None, endless: bool = False) -> None:
        """Open the file and write its head.

        Args:
            path: ends in .mp4 or .mkv.
            form: of every picture.
            sound: copied if the container can hold it.
            endless: pictures may come for weeks, so that nothing may be kept of each.

        Raises:
            SinkError: the file cannot be written, or not with such pictures.
        """
        self._path = path
        self._endless = endless
        self._pixels = pixel_format(form.size)
        self._key_due = 0
        self._latest = float("nan")  # s, the picture encoded last
        self._until = float("nan")  # s, the last one that is whole on disk
        try:
            self._file = WholeFile(path)
        except OSError as error:
            raise failure(path, error) from error
        self._whole = 0  # bytes on disk that a player can use
        self._heard = float("-inf")  # s, when the latest packet of the sound is decoded
        self._audio: AudioStream | None = None
        try:
            self._begin(form, sound)
        except (OSError, ValueError, av.FFmpegError) as error:
            raise self._give_up(error) from error

    def add(self, picture: Image, pts: int) -> None:
        """Encode a picture, uint8 (H, W, 3) BGR, shown from `pts`, in ticks, rising."""
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=self._pixels)
        frame.pts, frame.time_base = pts, Fraction(1, TICKS)
        if pts >= self._key_due:
            frame.pict_type = av.video.frame.PictureType.I
            self._key_due = pts + int(_KEY_INTERVAL * TICKS)
        try:
            for packet in self._video.encode(frame):
                self._mux(packet)
        except (OSError, av.FFmpegError) as error:
            raise self._give_up(error) from error
        self._latest = pts / TICKS

    def add_sound(self, packet: Packet[AudioStream]) -> None:
        """Copy a packet of the sound."""
        if self._audio is None or self._file.closed:
            return
        if (packet.pts or 0) < 0 and self._container.format.name == "matroska":
            return  # it has no times before 0 and would move the pictures instead
        heard = float((packet.dts or 0) * (packet.time_base or 0))
        if heard <= self._heard:
            return  # a film's sound may be longer than its pictures, which another part follows
        self._heard = heard
        packet.stream = self._audio
        try:
            self._mux(packet)
        except ValueError as error:  # refused by the container; the pictures go on
            log.warning("%s: the sound breaks off: %s", self._path, error)
            self._audio = None
        except OSError as error:
            raise self._give_up(error) from error

    def close(self) -> None:
        """Finish the file. Idempotent; nothing after a failure, the file is as good as it gets."""
        if self._file.closed:
            return
        try:
            for packet in self._video.encode(None):
                self._mux(packet)
            self._container.close()
        except (OSError, av.FFmpegError) as error:
            raise self._give_up(error) from error
        self._file.close()

    def _begin(self, form: Form, sound: Sound | None) -> None:
        try:
            self._open(form, sound)
        except (ValueError, av.FFmpegError):  # not the disk's errors, which are plain OSErrors
            if sound is None:
                raise
            codec = sound.stream.codec_context.name
            log.warning("%s: no sound: this kind of file cannot hold '%s'", self._path, codec)
            self._file.seek(0)
            self._file.truncate()
            self._open(form, None)

    def _open(self, form: Form, sound: Sound | None) -> None:
        name, options = _CONTAINERS[self._path.suffix.lower()]
        if "movflags" in options:
            kind = _ENDLESS if self._endless else _ENDING
            options = {**options, "movflags": options["movflags"] + kind}
        # A file of ours: PyAV writes no ending to a file that is closed, so that after a
        # failure the whole fragments stand as they are.
        self._container = av.open(self._file, "w", format=name, container_options={**_ALWAYS, **options})
        self._video = add_pictures(self._container, form, self._pixels)
        self._video.codec_context.thread_count = _THREADS
        self._audio = _copied(self._container, sound.stream) if sound else None
        self._container.start_encoding()
        # delay_moov switches it off, but the AAC of an MPEG-TS is framed as MP4 does not have it.
        reframe: Any = Flags.auto_bsf.value  # PyAV's own hints: not a number
        self._container.flags |= reframe

    def _mux(self, packet: Packet[AudioStream] | Packet[VideoStream]) -> None:
        self._container.mux(packet)
        if self._file.tell() > self._whole:
            self._whole, self._until = self._file.tell(), self._latest

    def _give_up(self, error: Exception) -> SinkError:
        """Keep what a player can use and close; the words for what went wrong."""
        if not self._file.closed:
            with suppress(OSError):  # a device has no length; what failed before is what is said
                self._file.truncate(self._whole)
            self._file.close()
        return failure(self._path, error, self._until)


def _copied(container: OutputContainer, sound: AudioStream) -> AudioStream:
    """The stream for a copy of a sound track."""
    copy = container.add_stream_from_template(sound)
    if copy.layout.name.endswith(" channels"):
        # AVI and Matroska need not say which speaker each channel is for, MP4 must: the usual one.
        copy.codec_context.layout = f"{copy.layout.nb_channels}c"
    return copy


def add_pictures(container: OutputContainer, form: Form, pixels: str) -> VideoStream:
    """The stream of pictures of a container, in ticks; `pixels` as the encoder wants them."""
    video = container.add_stream(
        "libx264",
        rate=form.rate,
        options=_X264,
        width=form.size[0],
        height=form.size[1],
        pix_fmt=pixels,
        time_base=Fraction(1, TICKS),
    )
    for name, value in _COLOUR.items():
        setattr(video.codec_context, name, value)
    if form.pixel != 1:
        video.codec_context.sample_aspect_ratio = form.pixel
    return video


def pixel_format(size: tuple[int, int]) -> str:
    """H.264's usual 4:2:0 needs even sides; 4:4:4 keeps the exact size of others."""
    return "yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p"
