"""The film behind a source: its clock, and its sound moved to the time of our pictures."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from core.geometry import pixel_shape
from core.types import SourceInfo

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

log = logging.getLogger(__name__)

_SAID = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
_PREROLL = 0.1  # s of sound before the first picture, which its decoder needs to start; not heard


@dataclass(frozen=True, slots=True)
class Original:
    """What is copied from a film beside its pictures.

    Attributes:
        address: for PyAV.
        zero: seconds on the file's clock of its first picture, which is second 0 of the source.
        end: seconds on the file's clock at which its last picture ends; infinite if not known.
        rate: pictures a second, on average; 0 if not known.
        pixel: width of a pixel by its height, upright; not 1 of DV, DVD and some recorders.
        sound: whether it has any.
    """

    address: str
    zero: float
    end: float
    rate: Fraction
    pixel: Fraction
    sound: bool


def original(info: SourceInfo | None) -> Original | None:
    """The film behind a source, or None where there is none that can be read."""
    if info is None or info.path is None or info.kind != "video":
        return None
    address = f"file:{info.path}"
    try:
        with _open(address) as container:
            video = _pictures(container)
            rate = video.average_rate or Fraction(0)
            sound = bool(container.streams.audio)
            first = _first(container, video)
            zero = float(first.time or 0) if first is not None else 0.0
            pixel = pixel_shape(video.sample_aspect_ratio, 0 if first is None else first.rotation)
            return Original(address, zero, _end(container, video), rate, pixel, sound)
    except (av.FFmpegError, OSError, StopIteration) as error:
        log.warning("%s: its sound cannot be read: %s", info.name, error)
        return None


class Sound:
    """The packets of a film's first sound track, in the time of the file that we write."""

    def __init__(self, film: Original, first: float, at: float = 0.0) -> None:
        """Open the film.

        Args:
            film: with sound.
            first: seconds, the source's time of the first picture.
            at: seconds, where that picture stands in our file; what is there before is another part's.
        """
        self._container = _open(film.address)
        self.stream: AudioStream = self._container.streams.audio[0]
        self._origin = film.zero + first - at
        self._earliest = at if at > 0 else -_PREROLL
        self._end = film.end - self._origin
        self._name = film.address
        self._packets = self._read(film.zero + first if first > 1 else None)
        self._next = next(self._packets, None)

    def until(self, time: float) -> Iterator[Packet[AudioStream]]:
        """The packets not yet given that begin before `time`, seconds."""
        while self._next is not None and _begin(self._next) < time:
            yield self._next
            self._next = next(self._packets, None)

    def tail(self, time: float, step: float) -> Iterator[Packet[AudioStream]]:
        """The rest after the last picture, shown at `time` for `step` seconds.

        All of it if that was the film's last picture too, else what belongs to the picture.
        """
        whole = time + 1.5 * step >= self._end
        return self.until(float("inf") if whole else time + step)

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        self._next = None
        self._container.close()

    def _read(self, begin: float | None) -> Iterator[Packet[AudioStream]]:
        """Packets from the first picture on, at `begin` on the film's clock; a broken file just ends."""
        try:
            if begin is not None:
                self._container.seek(int((begin - _PREROLL) * av.time_base))
            last = None
            for packet in self._container.demux(self.stream):
                if packet.dts is None or packet.pts is None or packet.time_base is None:
                    continue
                shift = round(self._origin / packet.time_base)
                packet.pts -= shift
                packet.dts -= shift
                if _begin(packet) < self._earliest or (last is not None and packet.dts <= last):
                    continue
                last = packet.dts
                yield packet
        except av.FFmpegError as error:
            log.warning("%s: its sound breaks off: %s", self._name, error.strerror)


def _open(address: str) -> InputContainer:
    return av.open(address, metadata_errors="replace")


def _begin(packet: Packet[AudioStream]) -> float:
    return float((packet.pts or 0) * (packet.time_base or 0))


def _pictures(container: InputContainer) -> VideoStream:
    """The film's own pictures, not the cover of its box."""
    streams = [s for s in container.streams.video if "attached_pic" not in str(s.disposition)]
    best = container.streams.best("video")
    return next((s for s in streams if s is best), None) or next(iter(streams))


def _first(container: InputContainer, video: VideoStream) -> VideoFrame | None:
    for packet in container.demux(video):
        try:
            frames = [frame for frame in packet.decode() if frame.time is not None]
        except av.FFmpegError:
            continue
        if frames:
            return frames[0]
    return None


def _end(container: InputContainer, video: VideoStream) -> float:
    if video.duration is not None and video.time_base is not None:
        return float(((video.start_time or 0) + video.duration) * video.time_base)
    # Matroska says it in words, 00:00:03.040000000; the container itself may end with the sound.
    if said := _SAID.fullmatch(video.metadata.get("DURATION", "")):
        hours, minutes, seconds = map(float, said.groups())
        return 3600 * hours + 60 * minutes + seconds
    start, length = container.start_time or 0, container.duration
    return (start + length) / av.time_base if length else float("inf")
