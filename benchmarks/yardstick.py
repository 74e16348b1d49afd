"""The published tracker as it is usually programmed: filterpy, a table of IoU, SciPy. The 1 of our figures.

Written from the paper: Bewley et al., "Simple online and realtime tracking", ICIP 2016.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.geometry import iou
from core.types import F64

MAX_AGE, MIN_HITS, MIN_IOU = 1, 3, 0.3


class Yardstick:
    """One filter of seven states a track; ids count from 1."""

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._frame = self._ids = 0

    def rows(self, detections: F64) -> F64:
        """Track one frame: float64 (N, 5), x1 y1 x2 y2 score, to (M, 5), x1 y1 x2 y2 id, newest first."""
        self._frame += 1
        predicted = np.array([track.predict() for track in self._tracks]).reshape(-1, 4)
        pairs, fresh = associate(detections[:, :4], predicted)
        for row, column in pairs:
            self._tracks[column].update(detections[row, :4])
        for row in fresh:
            self._ids += 1
            self._tracks.append(_Track(detections[row, :4], self._ids))
        shown = [
            np.append(track.box(), track.id)
            for track in reversed(self._tracks)
            if track.unseen < 1 and (track.streak >= MIN_HITS or self._frame <= MIN_HITS)
        ]
        self._tracks = [track for track in self._tracks if track.unseen <= MAX_AGE]
        return np.array(shown).reshape(-1, 5)


def associate(found: F64, predicted: F64) -> tuple[list[tuple[int, int]], list[int]]:
    """Pairs of (detection, track), and the detections that begin tracks."""
    from scipy.optimize import linear_sum_assignment

    if not len(found) or not len(predicted):
        return [], list(range(len(found)))
    overlaps = iou(found, predicted)
    near = overlaps > MIN_IOU
    if near.sum(axis=0).max() == near.sum(axis=1).max() == 1:
        rows, columns = np.nonzero(near)
    else:
        rows, columns = linear_sum_assignment(-overlaps)
    pairs = list(zip(rows.tolist(), columns.tolist(), strict=True))
    alone = np.setdiff1d(np.arange(len(found)), rows).tolist()
    released = [row for row, column in pairs if overlaps[row, column] < MIN_IOU]
    return [pair for pair in pairs if overlaps[pair] >= MIN_IOU], alone + released


class _Track:
    def __init__(self, box: F64, number: int) -> None:
        from filterpy.kalman import KalmanFilter

        self.id, self.unseen, self.streak = number, 0, 0
        self._filter: Any = KalmanFilter(dim_x=7, dim_z=4)
        self._filter.F = np.eye(7) + np.diag([1.0] * 3, 4)
        self._filter.H = np.eye(4, 7)
        self._filter.Q = np.diag([1.0, 1, 1, 1, 0.01, 0.01, 0.0001])
        self._filter.R = np.diag([1.0, 1, 10, 10])
        self._filter.P = np.diag([10.0] * 4 + [1e4] * 3)
        self._filter.x[:4] = _measure(box)

    def predict(self) -> F64:
        if self._filter.x[6] + self._filter.x[2] <= 0:
            self._filter.x[6] = 0.0
        self._filter.predict()
        self.streak = 0 if self.unseen else self.streak
        self.unseen += 1
        return self.box()

    def update(self, box: F64) -> None:
        self.unseen = 0
        self.streak += 1
        self._filter.update(_measure(box))

    def box(self) -> F64:
        x, y, area, ratio = self._filter.x[:4, 0]
        w = np.sqrt(area * ratio)
        h = area / w
        return np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2])


def _measure(box: F64) -> F64:
    """float64 (4, 1): centre x and y, area, ratio."""
    w, h = box[2:] - box[:2]
    return np.array([[box[0] + w / 2], [box[1] + h / 2], [w * h], [w / h]])
