"""RetinaFace with MobileNetV2: the accurate one, default with a GPU."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.cards import Card
from core.session import Session
from core.settings import DetectorConfig
from core.types import F32, Faces, Image
from detectors.letterbox import batches
from detectors.rows import PROBE, corners, keep, probe

STRIDES = np.array([8, 16, 32])
SIDES = np.array([[16, 32], [64, 128], [256, 512]])  # of the two square anchors of a cell, by level
CENTRE, SIZE = 0.1, 0.2  # the variances by which the network's numbers were divided in training
THRESHOLD = 0.2  # low on purpose: the tracker weighs the doubtful ones
OUTPUTS = ("scores", "boxes", "points")


class RetinaFace:
    """Face detector of 1.6 million parameters; strides 8, 16 and 32, two anchors a cell.

    Source: Deng et al., "RetinaFace: single-shot multi-level face localisation in the wild",
    CVPR 2020; anchors and variances of the upstream project named on its card.
    """

    def __init__(self, config: DetectorConfig, card: Card, session: Session) -> None:
        self._config = config
        self._input = card.input
        self._session = session
        self._threshold = THRESHOLD if config.threshold is None else config.threshold
        a = sum(anchors(PROBE))
        probe(session, card, {"scores": (1, a), "boxes": (1, a, 4), "points": (1, a, 10)})

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
        scores: float32 (A,), of every anchor: by level, row, column, then the two sizes.
        boxes: float32 (A, 4), centre from the anchor's and log of size, in its sides, scaled.
        points: float32 (A, 10), x y of five points, likewise.
        canvas: (width, height), pixels, multiples of 32.
        threshold: least score.
    """
    rows = np.flatnonzero(scores >= threshold)
    ends = np.cumsum(anchors(canvas))
    level = np.searchsorted(ends, rows, side="right")
    cell, kind = np.divmod(rows - np.concatenate([[0], ends])[level], 2)
    stride = STRIDES[level]
    y, x = np.divmod(cell, canvas[0] // stride)
    middle = (np.stack([x, y], axis=1) + 0.5) * stride[:, None]
    side = SIDES[level, kind].astype(np.float64)[:, None]
    raw = boxes[rows].astype(np.float64)
    found = corners(middle + CENTRE * raw[:, :2] * side, np.exp(SIZE * raw[:, 2:]) * side)
    spots = middle[:, None] + CENTRE * points[rows].reshape(-1, 5, 2) * side[:, None]
    return Faces(found, scores[rows], spots.astype(np.float32))


def anchors(canvas: tuple[int, int]) -> list[int]:
    """How many anchors each level has on a canvas (width, height)."""
    return [2 * (canvas[0] // stride) * (canvas[1] // stride) for stride in (8, 16, 32)]
