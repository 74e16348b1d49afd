"""The way each id has gone, as far as it is remembered."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np

from core.types import F64

EXACT = 1e-6  # seconds; two times closer than that are one
_SPAN = 0.15  # seconds at either end of a path from which its speed is read


@dataclass(slots=True)
class Path:
    """Where one id was seen, in rising time; all within one shot.

    Attributes:
        shot: number of the shot.
        times: seconds.
        boxes: float64 (4,) each, pixels.
    """

    shot: int
    times: list[float] = field(default_factory=list)
    boxes: list[F64] = field(default_factory=list)

    def add(self, time: float, box: F64) -> None:
        """A sight at its end."""
        self.times.append(time)
        self.boxes.append(box)

    def prepend(self, time: float, box: F64) -> None:
        """A sight that was recognised as this id's only later."""
        self.times.insert(0, time)
        self.boxes.insert(0, box)

    def at(self, time: float) -> F64 | None:
        """The box (4,) at that time, between two sights on the straight line; None outside."""
        after = bisect_left(self.times, time - EXACT)
        if after == len(self.times):
            return None
        if abs(self.times[after] - time) <= EXACT:
            return self.boxes[after]
        if after == 0:
            return None
        share = (time - self.times[after - 1]) / (self.times[after] - self.times[after - 1])
        return (1 - share) * self.boxes[after - 1] + share * self.boxes[after]

    def beyond(self, time: float, reach: float) -> F64 | None:
        """Before its first or after its last sight, by `reach` seconds at most: where it may be.

        The box that holds both where it was seen and where it would be at its last speed.
        """
        late = time > self.times[-1]
        end = -1 if late else 0
        gap = time - self.times[end]
        if abs(gap) <= EXACT or abs(gap) > reach + EXACT or not (late or time < self.times[0]):
            return None
        moved = self.boxes[end] + gap * self._velocity(late)
        seen = self.boxes[end]
        return np.concatenate([np.minimum(seen[:2], moved[:2]), np.maximum(seen[2:], moved[2:])])

    def forget(self, time: float) -> None:
        """Drop the sights before that time, but for the last of them."""
        drop = max(0, bisect_left(self.times, time) - 1)
        del self.times[:drop], self.boxes[:drop]

    def _velocity(self, late: bool) -> F64:
        """Of the centre, as a change of box (4,) a second, from the sights at one end."""
        times, boxes = (self.times[::-1], self.boxes[::-1]) if late else (self.times, self.boxes)
        other = next((i for i, t in enumerate(times) if abs(t - times[0]) >= _SPAN - EXACT), len(times) - 1)
        if other == 0:
            return np.zeros(4)
        change = (boxes[other] - boxes[0]) / (times[other] - times[0])
        return np.tile((change[:2] + change[2:]) / 2, 2)
