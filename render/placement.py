"""Where labels go: near their face, within the frame, never on one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.geometry import area
from core.types import F64, Array

# Anchors of a label about its box, the best first: (x, y) of the box, in sides, and the share
# of the label that lies left of and above that point.
_ANCHORS = np.array(
    [
        (0.0, 0.0, 0.0, 1.0),  # above, flush left
        (0.0, 1.0, 0.0, 0.0),  # below, flush left
        (1.0, 0.0, 1.0, 1.0),  # above, flush right
        (1.0, 1.0, 1.0, 0.0),  # below, flush right
        (0.5, 0.0, 0.5, 1.0),  # above, centred
        (0.5, 1.0, 0.5, 0.0),  # below, centred
        (1.0, 0.0, 0.0, 0.0),  # right, top
        (0.0, 0.0, 1.0, 0.0),  # left, top
        (1.0, 1.0, 0.0, 1.0),  # right, bottom
        (0.0, 1.0, 1.0, 1.0),  # left, bottom
        (0.0, 0.0, 0.0, 0.0),  # inside, top
        (0.0, 1.0, 0.0, 1.0),  # inside, bottom
    ]
)
_ANCHOR_COSTS = np.array([0.0, 0.3, 0.1, 0.4, 0.05, 0.35, 0.6, 0.7, 0.65, 0.75, 0.8, 0.9])
_FORM_COSTS = np.array([0.0, 1.2, 2.4, 4.0])
_COVER_COST = 3.0  # for the first pixel of a face under a label
_COVERED_COST = 8.0  # times the share of the label that lies on faces
_NEIGHBOUR_COST = 0.9  # for standing where another label would like to be
_SHORT = 0.05  # a choice must be better by this to be preferred to the present one
_PATIENCE = 0.5  # seconds that a better choice must last before a label goes there


@dataclass(frozen=True, slots=True)
class Place:
    """Where a label was put: form of its text, left and top in pixels."""

    form: int
    x: int
    y: int


@dataclass(slots=True)
class _Habit:
    """What a label did last, and since when it could have done better (seconds)."""

    choice: int
    better_since: float | None = None


class Placement:
    """Finds places for the labels of one source, and keeps them where they are while it can.

    A label leaves its place at once when that is taken or out of the frame; for a better one
    only after that has been free for half a second. Rows are served in their order.
    """

    def __init__(self, gap: int) -> None:
        """`gap`: pixels between a label and whatever is next to it."""
        self._gap = gap
        self._habits: dict[int, _Habit] = {}

    def place(
        self, ids: Sequence[int], boxes: F64, sizes: Array, taken: F64, scene: tuple[int, int, float]
    ) -> list[Place | None]:
        """A place for each label, None where there is no room even for its shortest form.

        Args:
            ids: N tracks.
            boxes: float64 (N, 4), their faces, pixels.
            sizes: int (N, F, 2), width and height of each form of each label, the fullest first.
            taken: float64 (K, 4), where no label may go.
            scene: width and height of the frame in pixels; seconds.
        """
        self._habits = {i: self._habits[i] for i in ids if i in self._habits}
        rectangles = self._candidates(boxes, sizes, scene)
        costs = self._costs(rectangles, boxes, sizes, scene)
        places: list[Place | None] = []
        for row, track in enumerate(ids):
            blocked = (_shared(self._spaced(rectangles[row]), taken) > 0).any(axis=1)
            choice = self._choose(track, np.where(blocked, np.inf, costs[row]), scene[2])
            if choice is None:
                places.append(None)
                continue
            x, y = rectangles[row, choice, :2].astype(int).tolist()
            places.append(Place(choice // len(_ANCHORS), x, y))
            taken = np.concatenate([taken, rectangles[row, choice : choice + 1]])
        return places

    def _candidates(self, boxes: F64, sizes: Array, scene: tuple[int, int, float]) -> F64:
        """(N, F * A, 4) whole pixels: each form at each anchor, pushed sideways into the frame."""
        boxes = _seen(boxes, scene[1], self._gap)
        corners = boxes[:, None, None, :2] - self._gap
        sides = boxes[:, None, None, 2:] - boxes[:, None, None, :2] + 2 * self._gap
        extents = sizes[:, :, None].astype(np.float64)
        low: F64 = np.rint(corners + _ANCHORS[:, :2] * sides - _ANCHORS[:, 2:] * extents)
        low[..., 0] = np.clip(low[..., 0], 0, np.maximum(scene[0] - extents[..., 0], 0))
        rectangles: F64 = np.concatenate([low, low + extents], axis=3)
        return rectangles.reshape((len(boxes), sizes.shape[1] * len(_ANCHORS), 4))

    def _costs(self, rectangles: F64, boxes: F64, sizes: Array, scene: tuple[int, int, float]) -> F64:
        """(N, F * A), infinite where a label would leave the frame."""
        forms = sizes.shape[1]
        costs: F64 = np.tile((_FORM_COSTS[:forms, None] + _ANCHOR_COSTS).reshape(-1), (len(boxes), 1))
        flat = rectangles.reshape(-1, 4)
        covered = (_shared(flat, boxes).sum(axis=1) / np.maximum(area(flat), 1)).reshape(costs.shape)
        costs += np.where(covered > 0, _COVER_COST + _COVERED_COST * covered, 0)
        others = (_shared(flat, self._first_choices(boxes, sizes)) > 0).reshape(*costs.shape, len(boxes))
        others &= ~np.eye(len(boxes), dtype=bool)[:, None]
        costs += _NEIGHBOUR_COST * others.sum(axis=2)
        costs[(rectangles[..., :2] < 0).any(axis=2) | (rectangles[..., 2:] > scene[:2]).any(axis=2)] = np.inf
        return costs

    def _first_choices(self, boxes: F64, sizes: Array) -> F64:
        """(N, 4): where the shortest form of each label would like to be."""
        foot = boxes[:, :2] - self._gap
        low = np.stack([foot[:, 0], foot[:, 1] - sizes[:, -1, 1]], axis=1)
        choices: F64 = np.concatenate([low, low + sizes[:, -1]], axis=1)
        return choices

    def _spaced(self, rectangles: F64) -> F64:
        spaced: F64 = rectangles + self._gap * np.array([-1, -1, 1, 1])
        return spaced

    def _choose(self, track: int, costs: F64, time: float) -> int | None:
        best = int(np.argmin(costs))
        if not np.isfinite(costs[best]):
            self._habits.pop(track, None)
            return None
        habit = self._habits.get(track)
        if habit is None or not np.isfinite(costs[habit.choice]):
            self._habits[track] = _Habit(best)
            return best
        if costs[habit.choice] <= costs[best] + _SHORT:
            habit.better_since = None
            return habit.choice
        if habit.better_since is None:
            habit.better_since = time
        if time - habit.better_since < _PATIENCE:
            return habit.choice
        self._habits[track] = _Habit(best)
        return best


def _seen(boxes: F64, height: int, gap: int) -> F64:
    """The boxes (N, 4), but of faces that reach over the upper or lower edge what lies within.

    Else there were no place inside of a face that fills the frame.
    """
    seen = boxes.copy()
    partly = (boxes[:, 3] > 0) & (boxes[:, 1] < height)
    seen[partly, 1::2] = np.clip(boxes[partly, 1::2], gap, max(height - gap, gap))
    return seen


def _shared(a: F64, b: F64) -> F64:
    """(N, M) area that each of `a` shares with each of `b`, pixels squared."""
    width = np.minimum(a[:, None, 2], b[:, 2]) - np.maximum(a[:, None, 0], b[:, 0])
    height = np.minimum(a[:, None, 3], b[:, 3]) - np.maximum(a[:, None, 1], b[:, 1])
    shared: F64 = np.maximum(width, 0) * np.maximum(height, 0)
    return shared
