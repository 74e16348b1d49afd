"""How often somebody looks for faces, which decides how long a face may stay unseen."""

from __future__ import annotations

from collections import deque
from math import inf

LONGEST = 10.0  # s between two looks; more is an outage, not a habit


class Looks:
    """The times of the last few looks."""

    def __init__(self) -> None:
        self._last = -inf
        self._intervals: deque[float] = deque(maxlen=7)
        self.usual = 0.0

    def add(self, time: float) -> None:
        """There is a look now; `usual` becomes the median time between the last few, seconds."""
        interval = time - self._last
        self._last = time
        if 0 < interval <= LONGEST:
            self._intervals.append(interval)
            self.usual = sorted(self._intervals)[len(self._intervals) // 2]

    def patience(self, gap: float) -> float:
        """`gap` seconds, or two and a half looks where looks are rare.

        After a first look nobody knows how rare they are, so the second may be long in coming.
        """
        return max(gap, 2.5 * self.usual if self._intervals else LONGEST)
