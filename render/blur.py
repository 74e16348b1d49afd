"""Makes faces unrecognisable."""

from __future__ import annotations

import cv2
import numpy as np

from core.types import F32, F64, Image

GROWTH = 1.6  # ellipse's axes to the box's sides: 1.42 holds its corners, the rest is for doubt
_BLOCKS = 8  # across the ellipse and its rim, whatever the size of the face
_SMOOTHING = 1.0  # blocks, standard deviation
_EDGE = 0.15  # width of the soft rim outside the ellipse, in its radii


def blur(picture: Image, boxes: F64) -> None:
    """Replace each face by a few smooth patches of its mean colours, in place.

    What is left of a face are about 4 x 4 mean colours, smoothed into one another, at any size:
    detail under a quarter of the face is averaged away and cannot be computed back.

    Args:
        picture: uint8 (H, W, 3), writable.
        boxes: float64 (K, 4), x1 y1 x2 y2, pixels; rows with NaN and empty ones are passed over.
    """
    for box in boxes[np.isfinite(boxes).all(axis=1)]:
        _blur_one(picture, box)


def enlarge(boxes: F64, growth: float = GROWTH) -> F64:
    """Boxes (K, 4) about the same centres, their sides `growth` times as long."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) * growth / 2
    grown: F64 = np.concatenate([centre - half, centre + half], axis=1)
    return grown


def _blur_one(picture: Image, box: F64) -> None:
    height, width = picture.shape[:2]
    ellipse = enlarge(box[None])[0]
    rim = enlarge(ellipse[None], 1 + _EDGE)[0]
    x1, y1 = np.floor(np.clip(rim[:2], 0, (width, height))).astype(int)
    x2, y2 = np.ceil(np.clip(rim[2:], 0, (width, height))).astype(int)
    if x2 <= x1 or y2 <= y1:
        return
    region = picture[y1:y2, x1:x2]
    inside = _weights(ellipse, (x1, y1, x2, y2))
    cv2.blendLinear(_patches(region), region, inside, 1 - inside, region)


def _patches(region: Image) -> Image:
    """The region from its mean colours; a block is never smaller than 4 pixels."""
    height, width = region.shape[:2]
    blocks = (max(1, min(_BLOCKS, width // 4)), max(1, min(_BLOCKS, height // 4)))
    small = cv2.resize(region, blocks, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small, (0, 0), _SMOOTHING, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _weights(ellipse: F64, region: tuple[int, int, int, int]) -> F32:
    """float32 (h, w): 1 within the ellipse inscribed in the box, falling to 0 over its rim."""
    x1, y1, x2, y2 = region
    centre, radii = (ellipse[:2] + ellipse[2:]) / 2, np.maximum((ellipse[2:] - ellipse[:2]) / 2, 0.5)
    x = ((np.arange(x1, x2) + 0.5 - centre[0]) / radii[0]).astype(np.float32)
    y = ((np.arange(y1, y2) + 0.5 - centre[1]) / radii[1]).astype(np.float32)
    distance = np.sqrt(x[None] ** 2 + y[:, None] ** 2)
    weights: F32 = np.clip((1 + _EDGE - distance) / _EDGE, 0, 1)
    return weights
