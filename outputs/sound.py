"""The sound of a source's file, packet by packet, moved to the time of its pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

import av

from core.types import SourceInfo

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet

log = logging.getLogger(__name__)

_EPSILON = 1e-6  # s
_PREROLL = 0.1  # s of sound before the first picture, which its decoder needs to start; not heard


class Sound:
    """The packets of the first sound track; second 0 is the source's first picture."""

    def __init__(self, container: InputContainer, start: float) -> None:
        """Take an open file that has sound; `start` seconds of it were skipped by request."""
        self.stream: AudioStream = container.streams.audio[0]
        self._container = container
        self._name = container.name
        self._origin = _first_picture(container, start)
        self._end = _last_picture(container) - self._origin
        self._packets = self._read(start)
        self._next: Packet[AudioStream] | None = next(self._packets, None)

    def until(self, time: float) -> Iterator[Packet[AudioStream]]:
        """The packets not yet given that begin before `time`, seconds."""
        while self._next is not None and _begin(self._next) < time:
            yield self._next
            self._next = next(self._packets, None)

    def tail(self, time: float, step: float) -> Iterator[Packet[AudioStream]]:
        """The rest after the last picture, shown at `time` for `step` seconds.

        All of it if that was the file's last picture too, else what belongs to the picture.
        """
        whole = time + 1.5 * step >= self._end
        return self.until(float("inf") if whole else time + step)

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        self._next = None
        self._container.close()

    def _read(self, start: float) -> Iterator[Packet[AudioStream]]:
        """Packets from the first picture on, in its time; a broken file just ends."""
        try:
            if start > 0:
                self._container.seek(int((self._origin - _PREROLL) * av.time_base))
            last = None
            for packet in self._container.demux(self.stream):
                if packet.dts is None or packet.pts is None or packet.time_base is None:
                    continue
                shift = round(self._origin / packet.time_base)
                packet.pts -= shift
                packet.dts -= shift
                if _begin(packet) < -_PREROLL or (last is not None and packet.dts <= last):
                    continue
                last = packet.dts
                yield packet
        except av.FFmpegError as error:
            log.warning("%s: its sound breaks off: %s", self._name, error.strerror)


def open_sound(info: SourceInfo | None) -> Sound | None:
    """The sound of a source, or None where there is none or it cannot be read."""
    if info is None or info.path is None or info.kind != "video":
        return None
    try:
        container = av.open(str(info.path))
    except (av.FFmpegError, OSError) as error:
        log.warning("%s: its sound cannot be read: %s", info.name, error)
        return None
    if not container.streams.audio or not container.streams.video:
        container.close()
        return None
    return Sound(container, info.start)


def _begin(packet: Packet[AudioStream]) -> float:
    return float((packet.pts or 0) * (packet.time_base or 0))


def _first_picture(container: InputContainer, start: float) -> float:
    """When the first picture that was not skipped is shown, seconds on the file's clock."""
    video = container.streams.video[0]
    base = float(video.time_base or 0)
    first = (video.start_time or 0) * base
    if start <= 0:
        return first
    target = first + start - _EPSILON
    container.seek(int(target * av.time_base))
    best = float("inf")
    for packet in container.demux(video):
        if packet.pts is None or packet.dts is None:
            continue
        if packet.dts * base > best:  # pictures are stored before they are shown, never after
            break
        if packet.pts * base >= target:
            best = min(best, packet.pts * base)
    return target if best == float("inf") else best


def _last_picture(container: InputContainer) -> float:
    """When the file's pictures end, seconds on its clock; infinite if not known."""
    video = container.streams.video[0]
    if video.duration is not None and video.time_base is not None:
        return float(((video.start_time or 0) + video.duration) * video.time_base)
    return container.duration / av.time_base if container.duration else float("inf")
