"""Boxes and trails, smooth-edged, with a dark rim that shows them on any ground."""

from __future__ import annotations

import cv2
import numpy as np

from core.types import F64, Array, Image
from render.panel import DARK, Colour

_SHIFT = 4  # OpenCV draws to a sixteenth of a pixel
_FAR = 20_000  # pixels; OpenCV's fixed-point lines wrap around beyond 2**15


def draw_corners(picture: Image, box: F64, colour: Colour, thickness: int) -> None:
    """Four corner brackets of the box (4,)."""
    x1, y1, x2, y2 = box
    arm = min(0.26 * min(x2 - x1, y2 - y1), 14 * thickness)
    lines = [
        [(x1, y1 + arm), (x1, y1), (x1 + arm, y1)],
        [(x2 - arm, y1), (x2, y1), (x2, y1 + arm)],
        [(x2, y2 - arm), (x2, y2), (x2 - arm, y2)],
        [(x1 + arm, y2), (x1, y2), (x1, y2 - arm)],
    ]
    _stroke(picture, np.array(lines), colour, thickness)


def draw_dashes(picture: Image, box: F64, colour: Colour, thickness: int) -> None:
    """A thin dashed outline of the box (4,): where a face is thought to be."""
    thin = max(1, thickness // 2)
    corners = box[[[0, 1], [2, 1], [2, 3], [0, 3], [0, 1]]]
    lines = [_dashes(corners[i], corners[i + 1], 5.0 * thickness) for i in range(4)]
    _stroke(picture, np.concatenate(lines), colour, thin)


def draw_trail(picture: Image, points: F64, colour: Colour, thickness: int) -> None:
    """Where a face has come from: (T, 2) pixels, the oldest first; it swells towards the newest."""
    fixed = _fixed(points)
    pieces = min(thickness + 1, 4)
    cuts = np.linspace(0, len(points) - 1, pieces + 1).astype(int)
    for piece in range(pieces):
        part = fixed[cuts[piece] : cuts[piece + 1] + 1]
        if len(part) > 1:
            width = max(1, round(thickness * (piece + 1) / pieces))
            cv2.polylines(picture, [part], False, colour, width, cv2.LINE_AA, _SHIFT)


def _dashes(start: F64, end: F64, dash: float) -> F64:
    """(K, 2, 2): pieces of about that length along a line, as long as the gaps between them."""
    count = max(1, min(40, int(np.hypot(*(end - start)) / (2 * dash))))
    steps = np.linspace(0, 1, 2 * count + 1)[:-1].reshape(-1, 2) + 0.25 / count
    dashes: F64 = start + steps[..., None] * (end - start)
    return dashes


def _stroke(picture: Image, lines: F64, colour: Colour, thickness: int) -> None:
    """Lines (K, T, 2) of T points each, over a dark rim."""
    fixed = list(_fixed(lines))
    rim = thickness + 2 * max(1, thickness // 3)
    cv2.polylines(picture, fixed, False, DARK, rim, cv2.LINE_AA, _SHIFT)
    cv2.polylines(picture, fixed, False, colour, thickness, cv2.LINE_AA, _SHIFT)


def _fixed(points: F64) -> Array:
    fixed: Array = np.rint(np.minimum(np.maximum(points, -_FAR), _FAR) * 2**_SHIFT).astype(np.int32)
    return fixed
