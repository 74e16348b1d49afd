"""The usable detections of one frame."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np

from core.types import F64, Faces
from tracker.association import Scored
from tracker.motion import Box

SMALLEST, LARGEST = 1e-3, 1e7  # px, sides and coordinates beyond which a box is no face


class Found:
    """N detections from left to right, so that their order in `Faces` does not matter.

    Attributes:
        boxes, scores: of each, scores at most 1.
        rows: which row of `Faces` each is.
        table: float64 (4, N), the boxes again; made when first asked for.
    """

    __slots__ = ("_faces", "_table", "boxes", "rows", "scores")

    _table: F64 | None

    def __init__(self, faces: Faces) -> None:
        """Take the rows that have a finite box of positive size and a finite score."""
        usable = []
        for row, ((x1, y1, x2, y2), score) in enumerate(
            zip(faces.boxes.tolist(), faces.scores.tolist(), strict=True)
        ):
            # Each comparison is false for NaN.
            if (
                x2 - x1 >= SMALLEST
                and y2 - y1 >= SMALLEST
                and x1 >= -LARGEST
                and y1 >= -LARGEST
                and x2 <= LARGEST
                and y2 <= LARGEST
                and isfinite(score)
            ):
                usable.append((x1, y1, x2, y2, score if score < 1 else 1.0, row))
        if len(usable) > 1:
            usable.sort()
        boxes: list[Box] = []
        scores: list[float] = []
        rows: list[int] = []
        for x1, y1, x2, y2, score, row in usable:
            boxes.append((x1, y1, x2, y2))
            scores.append(score)
            rows.append(row)
        self.boxes, self.scores, self.rows = boxes, scores, rows
        self._faces, self._table = faces, None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def table(self) -> F64:
        """The boxes as an array."""
        if self._table is None:
            rows = np.array(self.rows, np.int64)
            self._table = np.array(self._faces.boxes.take(rows, 0).T, order="C")
        return self._table

    def take(self, faces: Sequence[int]) -> list[Scored]:
        """Number, box and score of some."""
        boxes, scores = self.boxes, self.scores
        return [(j, boxes[j], scores[j]) for j in faces]
