"""What a run measures of itself while it goes on; written by one thread, read by any."""

from __future__ import annotations

from bisect import bisect_left

from core.status import BOUNDS

_SPAN = 5  # whole seconds that a rate looks back on


class Rate:
    """How often something happens, over the last five whole seconds."""

    def __init__(self) -> None:
        self._counts = [0] * (_SPAN + 2)
        self._seconds = [-1] * (_SPAN + 2)
        self._first = -1

    def add(self, now: float, count: int = 1) -> None:
        """It happened `count` times at `now`, seconds that never fall."""
        second = int(now)
        place = second % len(self._counts)
        if self._seconds[place] != second:
            self._counts[place], self._seconds[place] = 0, second
        self._counts[place] += count
        if self._first < 0:
            self._first = second

    def per_second(self, now: float) -> float:
        """Times a second; the second that runs does not count yet."""
        last = int(now) - 1
        began = max(last - _SPAN + 1, self._first)
        if self._first < 0 or began > last:
            return 0.0
        pairs = zip(self._seconds, self._counts, strict=True)
        return sum(count for second, count in pairs if began <= second <= last) / (last - began + 1)


class Histogram:
    """Counts of durations by the classes of `core.status.BOUNDS`."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds
