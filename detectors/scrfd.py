"""SCRFD: for a file that the user brings; the authors' own are not for commercial use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.cards import Card
from core.errors import StageError
from core.session import Session
from core.settings import DetectorConfig
from core.types import F32, Array, Faces, Image
from detectors.letterbox import batches
from detectors.rows import PROBE, keep, misfit

STRIDES = (8, 16, 32)
ANCHORS = 2  # a cell
COLUMNS = (1, 4, 10)  # of scores, distances and points
THRESHOLD = 0.3  # low on purpose: the tracker weighs the doubtful ones


class Scrfd:
    """Face detector with nine outputs: scores, distances and points at strides 8, 16 and 32.

    Takes the exports with free sides and those of one fixed size. The outputs are told by their
    shape, since every export names them otherwise.

    Source: Guo et al., "Sample and computation redistribution for efficient face detection",
    ICLR 2022.
    """

    def __init__(self, config: DetectorConfig, card: Card, session: Session) -> None:
        self._config = config
        self._input = card.input
        self._session = session
        self._threshold = THRESHOLD if config.threshold is None else config.threshold
        self._fixed = _fixed(card, session)
        self._try(card)

    def detect(self, images: Sequence[Image]) -> list[Faces]:
        """The faces of each image, in that image's own pixels, best first."""
        found = [Faces.none()] * len(images)
        for places, batch, where in batches(images, self._config.size, self._input, self._fixed):
            for i, place in enumerate(places):
                # One by one: these exports melt the pictures of a batch into one.
                levels = by_level(self._session.run(batch[i : i + 1]))
                faces = decode(levels, where.canvas, self._threshold)
                found[place] = keep(faces, where, self._config)
        return found

    def _try(self, card: Card) -> None:
        width, height = self._fixed or PROBE
        expected = "nine outputs: scores, distances and points with two anchors a cell"
        try:
            levels = by_level(self._session.run(np.zeros((1, 3, height, width), np.float32)))
        except (StageError, ValueError) as error:
            raise misfit(card, expected, str(error)) from error
        rows = [len(scores) for scores, _, _ in levels]
        wanted = [ANCHORS * (width // stride) * (height // stride) for stride in STRIDES]
        if rows != wanted:
            raise misfit(card, f"{wanted} rows at strides {STRIDES}", f"{rows}")


def by_level(outputs: list[Array]) -> list[tuple[F32, F32, F32]]:
    """(scores (A,), distances (A, 4), points (A, 10)) of each level, finest first.

    Raises:
        ValueError: these are not nine outputs of such shapes.
    """
    kinds: list[list[Array]] = []
    for columns in COLUMNS:
        rows = [np.reshape(o, (-1, columns)) for o in outputs if o.shape[-1] == columns]
        kinds.append(sorted(rows, key=len, reverse=True))
    shapes = ", ".join(str(output.shape) for output in outputs)
    if len(outputs) != 9 or any(len(kind) != 3 for kind in kinds):
        raise ValueError(f"outputs of shape {shapes}")
    return [(s[:, 0], d, p) for s, d, p in zip(*kinds, strict=True)]


def decode(levels: list[tuple[F32, F32, F32]], canvas: tuple[int, int], threshold: float) -> Faces:
    """The rows over the threshold, in canvas pixels, doubles and all.

    Args:
        levels: what `by_level` gives: distances to left, top, right and bottom and x y of five
            points, all from the cell's corner, in strides.
        canvas: (width, height), pixels, multiples of 32.
        threshold: least score.
    """
    parts: list[Faces] = []
    for stride, (scores, distances, points) in zip(STRIDES, levels, strict=True):
        rows = np.flatnonzero(scores >= threshold)
        y, x = np.divmod(rows // ANCHORS, canvas[0] // stride)
        corner = np.stack([x, y], axis=1) * float(stride)
        reach = distances[rows].astype(np.float64) * stride
        boxes = np.concatenate([corner - reach[:, :2], corner + reach[:, 2:]], axis=1)
        spots = corner[:, None] + points[rows].reshape(-1, 5, 2) * stride
        parts.append(Faces(boxes, scores[rows], spots.astype(np.float32)))
    return Faces(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.landmarks for part in parts]),
    )


def _fixed(card: Card, session: Session) -> tuple[int, int] | None:
    """(width, height) if the network takes but one size."""
    shape = next(iter(session.inputs.values()))
    if len(shape) != 4 or (isinstance(shape[1], int) and shape[1] != 3):
        raise misfit(card, "input (N, 3, H, W)", f"input {shape}")
    height, width = shape[2:]
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None
