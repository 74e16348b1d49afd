"""Holds frames back a little, so that each is shown with what became known just after it."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass

import numpy as np

from core.types import F64, Evidence, Frame, Result, Tracks
from render.knowledge import Knowledge, Moment

log = logging.getLogger(__name__)

HELD_BYTES = 256_000_000  # of pixels a source: 92 frames of 720p, 10 of 4K
MEMORY = 0.5  # seconds that a lost face stays covered where it was last seen, at least


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A frame and all that is known of it by the time it is shown.

    Attributes:
        frame, result: as they were pushed.
        tracks: the ids in this frame; also those confirmed later, from their first detection
            on; where a face was missed, on the line between its sights.
        evidence: the latest belief about each row of `tracks`.
        cover: float64 (K, 4), pixels: where there is, or may be, a face; empty if not asked for.
    """

    frame: Frame
    result: Result
    tracks: Tracks
    evidence: Evidence
    cover: F64


class Hindsight:
    """Frames of one source, out in the order they came in, `delay` seconds later.

    Memory: the frames of `delay` seconds, at most HELD_BYTES of them; larger ones leave sooner.
    """

    def __init__(self, delay: float, *, covering: bool) -> None:
        """`delay` in seconds; `covering`: also say where faces are to be covered."""
        self._delay = delay
        self._covering = covering
        self._held: deque[tuple[Frame, Moment]] = deque()
        self._knowledge = Knowledge(max(delay, MEMORY))
        self._full = False

    def push(self, frame: Frame, result: Result) -> list[Shown]:
        """Take a frame and what was found in it; the frames whose time has come."""
        self._held.append((frame, self._knowledge.add(result, frame.cut)))
        due = sum(moment.time <= frame.stamp.time - self._delay + 1e-9 for _, moment in self._held)
        return self._release(max(due, len(self._held) - self._room(frame)))

    def flush(self) -> list[Shown]:
        """The frames that are still held; the source is over."""
        return self._release(len(self._held))

    def _room(self, frame: Frame) -> int:
        room = max(1, HELD_BYTES // frame.image.nbytes)
        if len(self._held) > room and not self._full:
            self._full = True
            seconds = frame.stamp.time - self._held[1][1].time
            log.warning(
                "%s: its pictures are large; they are shown with what is known %.2f s later, not %.2f s.",
                frame.stamp.source,
                seconds,
                self._delay,
            )
        return room

    def _release(self, count: int) -> list[Shown]:
        shown = [self._show(*self._held.popleft()) for _ in range(count)]
        if shown:
            self._knowledge.forget(shown[-1].result.stamp.time)
        return shown

    def _show(self, frame: Frame, moment: Moment) -> Shown:
        tracks, evidence = self._knowledge.about(moment)
        cover = self._knowledge.cover(moment, tracks) if self._covering else np.zeros((0, 4))
        return Shown(frame, moment.result, tracks, evidence, cover)
