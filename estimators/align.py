"""Cuts faces out of a picture as a network was trained to see them."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from core.types import F64, U8, Crop, Faces, Image

C128 = NDArray[np.complex128]

# Where eyes, nose and mouth corners lie in a face of side 1: the five points of the 112 px
# template of Deng et al., "ArcFace", CVPR 2019 (image-left first).
TEMPLATE: F64 = (
    np.array(
        [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
    )
    / 112
)
# Side of the aligned face (zoom 1) in sides of a detector's box, for faces without landmarks.
BOX_MARGIN = 1.12
ANTIALIAS_BELOW = 0.7  # scale under which linear sampling skips pixels
MOST_OVERSAMPLING = 8


def cut(image: Image, faces: Faces, crop: Crop) -> U8:
    """Cut each face out of its picture.

    Args:
        image: uint8 (H, W, 3) BGR; what lies outside of it is black.
        faces: M faces in pixels of the image; those without usable landmarks are cut by
            their box, those without a usable box are black.
        crop: how the network wants them.

    Returns:
        uint8 (M, size, size, 3), or (M, size, size, 1) for grey.
    """
    channels = 1 if crop.colour == "grey" else 3
    crops = np.zeros((len(faces), crop.size, crop.size, channels), np.uint8)
    for row, (scale, shift) in enumerate(zip(*placement(faces, crop), strict=True)):
        if np.isfinite(scale) and np.isfinite(shift):
            crops[row] = _colour(_warp(image, complex(scale), complex(shift), crop.size), crop.colour)
    return crops


def squared(image: Image, faces: Faces, pixel: float) -> tuple[Image, Faces]:
    """The picture and its faces stretched so that pixels are squares, as the networks know them.

    Args:
        image: uint8 (H, W, 3).
        faces: in pixels of the image.
        pixel: width of a pixel by its height.
    """
    if pixel == 1:
        return image, faces
    size = round(image.shape[1] * max(pixel, 1.0)), round(image.shape[0] * max(1 / pixel, 1.0))
    by = np.array([size[0] / image.shape[1], size[1] / image.shape[0]])
    stretched = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return stretched, replace(
        faces, boxes=faces.boxes * np.tile(by, 2), landmarks=faces.landmarks * by.astype(np.float32)
    )


def placement(faces: Faces, crop: Crop) -> tuple[C128, C128]:
    """Similarity from the picture to the crop of each face, as complex numbers.

    A point x + iy of the picture falls on scale * (x + iy) + shift of the crop; coordinates
    count from the edge of the first pixel, in the crop too.

    Returns:
        scale and shift, complex128 (M,); NaN where neither landmarks nor box can be used.
    """
    if crop.kind == "box":
        return _by_box(faces, crop)
    target = ((TEMPLATE - 0.5) * crop.zoom + 0.5 + (0.0, crop.shift)) * crop.size
    scale, shift = fit_similarity(faces.landmarks.astype(np.float64), target)
    usable = np.isfinite(scale) & (np.abs(scale) > 0)
    if not usable.all():
        boxes = _by_box(faces, crop)
        scale, shift = np.where(usable, scale, boxes[0]), np.where(usable, shift, boxes[1])
    return scale, shift


def fit_similarity(points: F64, target: F64) -> tuple[C128, C128]:
    """Rotation, scale and shift that bring each set of points nearest to the target.

    In the plane a similarity is w = a z + b over the complex numbers, so least squares has a
    closed form: no singular value decomposition, the same optimum without reflections.

    Args:
        points: float64 (M, K, 2).
        target: float64 (K, 2).

    Returns:
        a and b, complex128 (M,); NaN where points are missing or all in one place.

    Source: Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", PAMI 1991.
    """
    z = np.where(np.isfinite(points), points, np.nan).view(np.complex128)[..., 0]
    w = target.view(np.complex128)[:, 0]
    middle, centre = w.mean(), z.mean(axis=1)
    away = z - centre[:, None]
    spread = (away.real**2 + away.imag**2).sum(axis=1)
    known = spread > 1e-6
    a = np.einsum("mk,k->m", away.conj(), w - middle) / np.where(known, spread, 1)
    a[~known] = np.nan
    return a, middle - a * centre


def _by_box(faces: Faces, crop: Crop) -> tuple[C128, C128]:
    low, high = faces.boxes[:, :2], faces.boxes[:, 2:]
    sides = (high - low).max(axis=1) if len(faces) else np.zeros(0)
    sides = sides * (BOX_MARGIN if crop.kind == "aligned" else 1.0) / crop.zoom
    scale: C128 = (crop.size / np.where(sides > 0, sides, np.nan)).astype(np.complex128)
    centre = (low + high) / 2
    shift: C128 = crop.size * complex(0.5, 0.5 + crop.shift) - scale * (centre[:, 0] + 1j * centre[:, 1])
    return scale, shift


def _warp(image: Image, scale: complex, shift: complex, size: int) -> Image:
    factor = 1
    if abs(scale) < ANTIALIAS_BELOW:
        factor = min(math.ceil(1 / abs(scale)), MOST_OVERSAMPLING)
    a, half = scale * factor, 0.5 + 0.5j
    b = shift * factor + a * half - half  # OpenCV counts from the centre of the first pixel
    matrix = np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
    side = size * factor
    warped = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR)
    if factor > 1:
        warped = cv2.resize(warped, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(warped, np.uint8)


def _colour(picture: Image, colour: str) -> U8:
    if colour == "grey":
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)[..., None]
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8) if colour == "rgb" else picture
