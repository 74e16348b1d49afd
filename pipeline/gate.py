"""What the detector need not look at: a still scene without anybody, and areas that are ignored."""

from __future__ import annotations

import cv2
import numpy as np

from capture.scene import thumbnail
from core.types import F32, F64, Faces, Frame

_LEAST = 1.0  # s between two looks at a scene where nothing moves
_MOVED = 6.0  # grey levels that the thumbnail must change by, after some smoothing: noise of the dark is less
_PARTS = 4  # px of the thumbnail that must change so: a face is larger than that long before it can be judged


class Gate:
    """Tells whether anything has moved since the last look that found nobody."""

    def __init__(self) -> None:
        self._empty: F32 | None = None  # thumbnail of the last look, if that found nobody
        self._looked = -np.inf

    def looked(self, frame: Frame, anybody: bool) -> None:
        """Take note of a look of the detector."""
        self._empty = None if anybody or frame.damaged else thumbnail(frame.image)
        self._looked = frame.stamp.time

    def is_still(self, frame: Frame) -> bool:
        """Is this what nobody was found in less than a second ago?"""
        if self._empty is None or frame.cut or frame.stamp.time - self._looked >= _LEAST:
            return False
        change = cv2.blur(thumbnail(frame.image) - self._empty, (3, 3))
        return int((np.abs(change) > _MOVED).sum()) < _PARTS


def outside(areas: tuple[F64, ...], faces: Faces, size: tuple[int, int]) -> tuple[Faces, Faces]:
    """Those faces whose middle lies in none of the areas; and all, in an order that begins with these.

    Args:
        areas: float64 (K, 2) each, the corners of a polygon in shares of the picture.
        faces: of a picture.
        size: of that picture, (width, height) px.
    """
    middles = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2 / size
    keep = [
        row
        for row, middle in enumerate(middles.tolist())
        if all(cv2.pointPolygonTest(area.astype(np.float32), middle, False) < 0 for area in areas)
    ]
    if len(keep) == len(faces):
        return faces, faces
    ignored = [row for row in range(len(faces)) if row not in keep]
    return faces.take(np.array(keep, np.int64)), faces.take(np.array([*keep, *ignored], np.int64))
