"""Time of frames: seconds since a source's first frame, always rising."""

from __future__ import annotations

import math

_USUAL_STEP = 1 / 25  # s; until the source has shown its own
LEAST_STEP = 0.001  # s; between frames that claim the same time
_CATCH_UP = 2.0  # s that what waited in a stalled network may take to come
_LATE = 1.0  # s that a live frame may be off its arrival
_SET = 2.0  # s that two clocks may differ; a machine without a battery wakes up years behind
_NEW_TIMELINE = 1.0  # s; a fall of more is another recording appended, or a clock that was set


class Playback:
    """Presentation times of a file, made into seconds since its first frame.

    A frame without a presentation time comes one step after the frame before. A time that
    does not rise is put just after it; one that falls far begins a new timeline there.
    """

    def __init__(self, first: float = math.nan) -> None:
        """`first`: presentation time of the file's first frame, if it is known already."""
        self._first = first
        self._last = -math.inf
        self._step = _USUAL_STEP

    def time(self, presentation: float) -> float:
        """Seconds since the first frame, of the next frame in order; NaN: it bears no time."""
        after = max(self._last + self._step, 0.0)
        if math.isnan(presentation):
            return self._note(after)
        if math.isnan(self._first):
            self._first = presentation - after
        time = presentation - self._first
        if time <= self._last - _NEW_TIMELINE:
            self._first = presentation - after
            time = after
        return self._note(max(time, self._last + LEAST_STEP))

    def _note(self, time: float) -> float:
        if LEAST_STEP < time - self._last < _NEW_TIMELINE:
            self._step = time - self._last
        self._last = time
        return time


class LiveClock:
    """Times of a live source: its own presentation times, shifted onto our clock.

    Arrival times alone come in bursts over Wi-Fi, which a tracker reads as huge speeds. So a
    frame's time is its presentation time plus the smallest (arrival - presentation) seen on
    this connection, or its arrival where that is missing or off by more than a second.

    Attributes:
        behind: the last frame waited in a stalled network; newer ones follow at once.
    """

    def __init__(self) -> None:
        self._shift = math.inf
        self._last = -math.inf
        self._arrival = math.inf  # of the frame before
        self._catching_up = -math.inf  # until when a burst may last, arrival
        self.behind = False

    def reconnect(self) -> None:
        """Another connection: its presentation times start anywhere."""
        self._shift = math.inf

    def time(self, presentation: float, arrival: float) -> float:
        """Time of the next frame, or its arrival if it is `behind`; seconds since the source was opened."""
        waited, self._arrival = arrival - self._arrival, arrival
        time = arrival
        self.behind = False
        if not math.isnan(presentation):
            self._shift = min(self._shift, arrival - presentation)
            time = presentation + self._shift
            if arrival - time > _LATE:
                if waited > _LATE:
                    self._catching_up = arrival + _CATCH_UP
                self.behind = arrival < self._catching_up
                if self.behind:
                    return arrival
                # The camera's clock was set, runs slow, or what came after a pause stays late: begin anew.
                self._shift = arrival - presentation
                time = arrival
        self._catching_up = -math.inf
        self._last = max(time, self._last + LEAST_STEP)
        return self._last


class WallClock:
    """UTC of a source's times, which pass evenly, by the machine's clock, which may be set."""

    def __init__(self) -> None:
        self._shift = math.nan

    def hear(self, time: float, wall: float) -> bool:
        """What the machine's clock says at a source's `time`, both in seconds; True if it was set since."""
        shift = wall - time
        moved = not math.isnan(self._shift) and abs(shift - self._shift) > _SET
        if moved or math.isnan(self._shift):
            self._shift = shift
        return moved

    def at(self, time: float) -> float:
        """UTC seconds since 1970 of a source's time; NaN before anything was heard."""
        return time + self._shift
