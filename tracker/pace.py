"""How often somebody looks for faces, which decides how long a face may stay unseen."""

from __future__ import annotations

from collections import deque
from math import inf

LONGEST = 10.0  # s between two looks; more is an outage, not a habit
KEPT = 8  # looks


class Pace:
    """The times of the last few looks, the newest first."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=KEPT)
        self._intervals: deque[float] = deque(maxlen=KEPT - 1)

    def add(self, time: float) -> None:
        """There is a look now."""
        interval = time - self._times[0] if self._times else inf
        if interval:
            self._times.appendleft(time)
        if 0 < interval <= LONGEST:
            self._intervals.append(interval)

    @property
    def usual(self) -> float:
        """Median time between two of them, seconds; 0 before there are two."""
        intervals = self._intervals
        return sorted(intervals)[len(intervals) // 2] if intervals else 0.0

    def since(self, looks: int) -> float:
        """When the look so many looks before the last one was; the oldest known if there were fewer."""
        times = self._times
        return times[looks if looks < len(times) else -1] if times else -inf

    def patience(self, gap: float, looks: float) -> float:
        """`gap` seconds, or so many usual looks where looks are rare.

        After a first look nobody knows how rare they are, so the second may be long in coming.
        """
        usual = self.usual
        return max(gap, looks * usual if usual else LONGEST)
