"""Factories of test input: made-up faces, frames and walks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from core.types import F64, Faces, Frame, Stamp


def stamp(index: int = 0, time: float | None = None, source: str = "door", size=(640, 360)) -> Stamp:
    """A stamp at 25 frames/s unless `time` says otherwise."""
    return Stamp(source, index, index / 25 if time is None else time, float("nan"), size)


def frame(index: int = 0, time: float | None = None, size=(640, 360), value: int = 90, **more) -> Frame:
    """A plain grey picture."""
    width, height = size
    return Frame(stamp(index, time, size=size), np.full((height, width, 3), value, np.uint8), **more)


def landmarks(boxes: F64):
    """Five points where a frontal face has them, for boxes (N, 4)."""
    points = np.array([[0.3, 0.38], [0.7, 0.38], [0.5, 0.58], [0.34, 0.78], [0.66, 0.78]])
    size = boxes[:, 2:] - boxes[:, :2]
    return (boxes[:, None, :2] + points[None] * size[:, None]).astype(np.float32)


def faces(*boxes: Sequence[float], score: float = 0.9) -> Faces:
    """Frontal faces at those boxes (x1, y1, x2, y2)."""
    array = np.array(boxes, np.float64).reshape(-1, 4)
    return Faces(array, np.full(len(array), score, np.float32), landmarks(array))


def walk(
    rate: float, seconds: float, start: float = 0.0, x: float = 100.0, speed: float = 40.0, size: float = 50.0
) -> Iterator[tuple[float, Faces]]:
    """(time, faces) of one face going right at `speed` px/s, seen `rate` times a second."""
    for i in range(round(seconds * rate)):
        time = start + i / rate
        left = x + speed * time
        yield time, faces((left, 100.0, left + size, 100.0 + 1.25 * size))
