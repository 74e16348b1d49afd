"""YuNet: the small one, default on a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from core.cards import Card
from core.session import Session
from core.settings import DetectorConfig
from core.types import F32, F64, Faces, Image
from detectors.letterbox import batches
from detectors.rows import PROBE, corners, keep, probe

STRIDES = (8, 16, 32)
THRESHOLD = 0.3  # low on purpose: the tracker weighs the doubtful ones
OUTPUTS = ("scores", "boxes", "points")


class YuNet:
    """Face detector of 53 thousand parameters; strides 8, 16 and 32, one anchor a cell.

    Source: Wu, Peng, Yu, "YuNet: a tiny millisecond-level face detector", MIR 2023.
    """

    def __init__(self, config: DetectorConfig, card: Card, session: Session) -> None:
        self._config = config
        self._input = card.input
        self._session = session
        self._threshold = THRESHOLD if config.threshold is None else config.threshold
        a = int(sum(cells(PROBE)))
        probe(session, card, {"scores": (1, a), "boxes": (1, 4, a), "points": (1, 10, a)})

    def detect(self, images: Sequence[Image]) -> list[Faces]:
        """The faces of each image, in that image's own pixels, best first."""
        found = [Faces.none()] * len(images)
        for places, batch, where in batches(images, self._config.size, self._input):
            scores, boxes, points = self._session.run(batch, list(OUTPUTS))
            for i, place in enumerate(places):
                faces = decode(scores[i], boxes[i], points[i], where.canvas, self._threshold)
                found[place] = keep(faces, where, self._config)
        return found


def decode(scores: F32, boxes: F32, points: F32, canvas: tuple[int, int], threshold: float) -> Faces:
    """The rows over the threshold, in canvas pixels, doubles and all.

    Args:
        scores: float32 (A,), of every cell: stride 8 row by row, then 16, then 32.
        boxes: float32 (4, A), centre from the cell's corner in strides, log of size in strides.
        points: float32 (10, A), x y of five points from the cell's corner in strides.
        canvas: (width, height), pixels, multiples of 32.
        threshold: least score.
    """
    rows = np.flatnonzero(scores >= threshold)
    corners_of_cells, pitches = grid(canvas)
    corner, pitch = corners_of_cells[rows], pitches[rows]
    raw = boxes[:, rows].T
    found = corners((corner + raw[:, :2]) * pitch, np.exp(raw[:, 2:].astype(np.float64)) * pitch)
    spots = (corner[:, None] + points[:, rows].T.reshape(-1, 5, 2)) * pitch[:, None]
    return Faces(found, scores[rows], spots.astype(np.float32))


@lru_cache(maxsize=16)  # one for each size of picture; building it costs as much as a whole decoding
def grid(canvas: tuple[int, int]) -> tuple[F64, F64]:
    """Of every cell: its corner x y in strides (A, 2), and its stride in pixels (A, 1)."""
    corner, pitch = [], []
    for stride in STRIDES:
        width, height = canvas[0] // stride, canvas[1] // stride
        y, x = np.divmod(np.arange(width * height), width)
        corner.append(np.stack([x, y], axis=1).astype(np.float64))
        pitch.append(np.full((width * height, 1), float(stride)))
    return np.concatenate(corner), np.concatenate(pitch)


def cells(canvas: tuple[int, int]) -> list[int]:
    """How many cells each level has on a canvas (width, height)."""
    return [(canvas[0] // stride) * (canvas[1] // stride) for stride in (8, 16, 32)]
