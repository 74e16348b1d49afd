"""SORT as it was published, in frames: for comparing with results that others have reported.

Source: Bewley et al., "Simple online and realtime tracking", ICIP 2016: the filter's state is
(cx, cy, area, ratio) with a velocity for all but the ratio. Its noise couples each of them with its
own velocity alone, so that the filter falls into four small ones in closed form.
"""

from __future__ import annotations

from math import nan, sqrt
from typing import NamedTuple

import numpy as np

from core.geometry import iou
from core.types import F64
from tracker.assignment import by_scipy
from tracker.motion import Box

SCALAR_PAIRS = 200  # above it, NumPy compares all boxes with all sooner than a loop does


class Rules(NamedTuple):
    """Settings of the published program; all in frames, by definition.

    Attributes:
        max_age: frames unseen before a track is dropped.
        min_hits: detections in a row, after the first, before a track is reported.
        min_iou: least overlap for a detection to continue a track.
        first_id: of the first track.
    """

    max_age: int = 1
    min_hits: int = 3
    min_iou: float = 0.3
    first_id: int = 1


class Published:
    """Takes one frame's detections at a time; call it for empty frames, too."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._filters: list[_Filter] = []
        self._next_id = rules.first_id
        self._frame = 0

    def rows(self, detections: F64) -> F64:
        """Track one frame.

        Args:
            detections: float64 (N, 5), x1 y1 x2 y2 score, pixels; the score is not used. Rows without a
                finite box of positive size are passed over.

        Returns:
            float64 (M, 5), x1 y1 x2 y2 id, newest track first.
        """
        self._frame += 1
        boxes = _usable(detections)
        predicted = [(each, each.predict()) for each in self._filters]
        predicted = [(each, box) for each, box in predicted if box[0] == box[0]]  # not NaN
        self._filters = [each for each, _ in predicted]
        pairs, fresh = _associate(boxes, [box for _, box in predicted], self._rules.min_iou)
        for row, column in pairs:
            self._filters[column].update(boxes[row])
        for row in fresh:
            self._filters.append(_Filter(boxes[row], self._next_id))
            self._next_id += 1
        return self._report()

    def _report(self) -> F64:
        rules = self._rules
        warm = self._frame <= rules.min_hits
        shown = [
            (*each.box(), float(each.id))
            for each in reversed(self._filters)
            if each.unseen < 1 and (warm or each.streak >= rules.min_hits)
        ]
        self._filters = [each for each in self._filters if each.unseen <= rules.max_age]
        return np.array(shown, np.float64).reshape(-1, 5)


def _usable(detections: F64) -> list[Box]:
    rows = np.asarray(detections, np.float64)
    if rows.size == 0:
        return []
    if rows.ndim != 2 or rows.shape[1] != 5:
        raise ValueError(f"detections: expected float64 (N, 5), got {rows.shape}")
    return [
        (x1, y1, x2, y2)
        for x1, y1, x2, y2, _ in rows.tolist()
        if 0 < x2 - x1 < 1e9 and 0 < y2 - y1 < 1e9 and abs(x1) < 1e9 and abs(y1) < 1e9
    ]


def _associate(
    found: list[Box], predicted: list[Box], least: float
) -> tuple[list[tuple[int, int]], list[int]]:
    """Pairs of (detection, track), and the detections that begin tracks, in order."""
    if not found or not predicted:
        return [], list(range(len(found)))
    overlaps = _overlaps(found, predicted)
    rows, columns = np.nonzero(overlaps > least)
    plain = len(rows) > 0 and len(set(rows.tolist())) == len(set(columns.tolist())) == len(rows)
    if not plain:
        rows, columns = by_scipy(-overlaps)
    pairs = list(zip(rows.tolist(), columns.tolist(), strict=True))
    alone = set(range(len(found))).difference(rows.tolist())
    released = [i for i, j in pairs if overlaps[i, j] < least]
    return [(i, j) for i, j in pairs if overlaps[i, j] >= least], sorted(alone) + released


def _overlaps(found: list[Box], predicted: list[Box]) -> F64:
    if len(found) * len(predicted) > SCALAR_PAIRS:
        return iou(np.array(found), np.array(predicted))
    table = []
    for ax1, ay1, ax2, ay2 in found:
        area = (ax2 - ax1) * (ay2 - ay1)
        for bx1, by1, bx2, by2 in predicted:
            width, height = min(ax2, bx2) - max(ax1, bx1), min(ay2, by2) - max(ay1, by1)
            shared = width * height if width > 0 and height > 0 else 0.0
            table.append(shared / (area + (bx2 - bx1) * (by2 - by1) - shared))
    return np.array(table).reshape(len(found), len(predicted))


class _Pair:
    """One coordinate and its velocity per frame, with their variances."""

    __slots__ = ("cross", "measurement", "noise", "speed", "speed_variance", "value", "variance")

    def __init__(self, value: float, noise: float, measurement: float) -> None:
        self.value, self.speed = value, 0.0
        self.variance, self.cross, self.speed_variance = 10.0, 0.0, 1e4
        self.noise, self.measurement = noise, measurement

    def predict(self) -> None:
        self.value += self.speed
        self.variance += 2 * self.cross + self.speed_variance + 1
        self.cross += self.speed_variance
        self.speed_variance += self.noise

    def update(self, value: float) -> None:
        off = value - self.value
        whole = self.variance + self.measurement
        gain, rate = self.variance / whole, self.cross / whole
        self.value += gain * off
        self.speed += rate * off
        self.speed_variance -= rate * self.cross
        self.variance *= 1 - gain
        self.cross *= 1 - gain


class _Filter:
    """One track: its state, how long unseen, and how many detections in a row."""

    __slots__ = ("area", "id", "ratio", "ratio_variance", "streak", "unseen", "x", "y")

    def __init__(self, box: Box, number: int) -> None:
        x, y, area, self.ratio = _measure(box)
        self.x, self.y = _Pair(x, 0.01, 1.0), _Pair(y, 0.01, 1.0)
        self.area = _Pair(area, 0.0001, 10.0)
        self.ratio_variance = 10.0
        self.id = number
        self.unseen = self.streak = 0

    def predict(self) -> Box:
        if self.area.speed + self.area.value <= 0:
            self.area.speed = 0.0
        self.x.predict()
        self.y.predict()
        self.area.predict()
        self.ratio_variance += 1
        if self.unseen > 0:
            self.streak = 0
        self.unseen += 1
        return self.box()

    def update(self, box: Box) -> None:
        x, y, area, ratio = _measure(box)
        self.x.update(x)
        self.y.update(y)
        self.area.update(area)
        gain = self.ratio_variance / (self.ratio_variance + 10)
        self.ratio += gain * (ratio - self.ratio)
        self.ratio_variance *= 1 - gain
        self.unseen = 0
        self.streak += 1

    def box(self) -> Box:
        """The box of the state; NaN where it has none."""
        square = self.area.value * self.ratio
        if square <= 0:
            return nan, nan, nan, nan
        w = sqrt(square)
        h = self.area.value / w
        x, y = self.x.value, self.y.value
        return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def _measure(box: Box) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box
    w, h = x2 - x1, y2 - y1
    return x1 + w / 2, y1 + h / 2, w * h, w / h
