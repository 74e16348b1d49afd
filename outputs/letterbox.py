"""Pictures of another size fitted into the first one's."""

from __future__ import annotations

import numpy as np

from core.types import Image


def letterbox(picture: Image, size: tuple[int, int]) -> Image:
    """The picture, uint8 (H, W, 3), as large as fits into `size` (width, height), on black."""
    width, height = size
    if picture.shape[:2] == (height, width):
        return picture
    import cv2

    scale = min(width / picture.shape[1], height / picture.shape[0])
    inner = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(picture, inner, interpolation=how)
    return canvas
