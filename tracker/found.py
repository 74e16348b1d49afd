"""The usable detections of one frame."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np

from core.types import F64, Faces
from tracker.motion import Box

SMALLEST, LARGEST = 1e-3, 1e7  # px, sides and coordinates beyond which a box is no face


class Found:
    """N detections from left to right, so that their order in `Faces` does not matter.

    Attributes:
        boxes, scores: of each, scores at most 1.
        rows: which row of `Faces` each is.
        table: float64 (N, 4), the boxes again; made when first asked for.
    """

    __slots__ = ("_table", "boxes", "rows", "scores")

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
                usable.append(((x1, y1, x2, y2), score if score < 1 else 1.0, row))
        if len(usable) > 1:
            usable.sort()
        self.boxes: list[Box] = [box for box, _, _ in usable]
        self.scores: list[float] = [score for _, score, _ in usable]
        self.rows: list[int] = [row for _, _, row in usable]
        self._table: F64 | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def table(self) -> F64:
        """The boxes as an array."""
        if self._table is None:
            self._table = np.array(self.boxes, np.float64).reshape(-1, 4)
        return self._table

    def take(self, faces: Sequence[int]) -> list[tuple[int, Box, float]]:
        """Number, box and score of some."""
        return [(j, self.boxes[j], self.scores[j]) for j in faces]
