"""How far a face can be trusted, 0 to 1, before any network has seen it."""

from __future__ import annotations

import cv2
import numpy as np

from core.types import F32, F64, U8, Array, Crop, Faces, Image
from estimators.align import TEMPLATE, cut

# How far the nose tip stands out before eyes and mouth, in distances between the eyes.
NOSE_DEPTH = 0.42
CROP = Crop("aligned", 48, 1.0, 0.0, "grey")

# Each part of the quality rises or falls in a straight line between two values:
SIZE = (12.0, 72.0)  # px, height of the box: useless, enough
SCORE = (0.3, 0.8)  # of the detector
TURN = (80.0, 20.0)  # degrees off the camera
SHARPNESS = (0.04, 0.25)  # see `sharpness`
DARK = (15.0, 70.0)  # mean grey level
BRIGHT = (250.0, 215.0)
CLIPPED = (0.6, 0.1)  # share of pixels burnt out or drowned


def quality(image: Image, faces: Faces) -> F32:
    """Product of five parts, each 0 to 1: size, detector's score, head turn, sharpness, light.

    Every part is monotone: a larger, surer, more frontal, sharper or better lit face is never
    trusted less. A part that cannot be known (no landmarks, so no turn) counts as 1.

    Returns:
        float32 (M,).
    """
    if len(faces) == 0:
        return np.zeros(0, np.float32)
    crops = cut(image, faces, CROP)[..., 0]
    heights = faces.boxes[:, 3] - faces.boxes[:, 1]
    parts = ramp(heights, *SIZE) * ramp(faces.scores.astype(np.float64), *SCORE) * turn(faces)
    parts = parts * ramp(sharpness(crops), *SHARPNESS) * light(crops)
    return np.nan_to_num(parts).astype(np.float32)


def ramp(values: F64, worst: float, best: float) -> F64:
    """0 at `worst` and beyond, 1 at `best` and beyond, a straight line between.

    >>> ramp(np.array([10.0, 15.0, 30.0]), 10, 20).tolist()
    [0.0, 0.5, 1.0]
    """
    return np.minimum(np.maximum((values - worst) / (best - worst), 0), 1)


def turn(faces: Faces) -> F64:
    """1 for a face towards the camera, 0 for a profile; float64 (M,)."""
    yaws, pitches = pose(faces.landmarks)
    away = np.degrees(np.arccos(np.cos(np.radians(yaws)) * np.cos(np.radians(pitches))))
    return np.where(np.isfinite(away), ramp(away, *TURN), 1.0)


def yaw(landmarks: F32) -> F64:
    """Degrees that each head is turned, float64 (M,); see `pose`."""
    return pose(landmarks)[0]


def pose(landmarks: F32) -> tuple[F64, F64]:
    """Yaw and pitch of each head from its five points, whatever its roll.

    The nose tip stands out before the plane of eyes and mouth, so a turn moves it sideways
    against them by a known depth times the tangent. Individual noses differ: expect 5 to 10
    degrees of error.

    Args:
        landmarks: float32 (M, 5, 2).

    Returns:
        degrees, float64 (M,) each; yaw over 0 turns to the right of the picture, pitch over 0
        looks up; NaN where points are missing or eyes and mouth fall together.
    """
    points = np.where(np.isfinite(landmarks), landmarks, np.nan).astype(np.float64)
    across, width, height, nose = (points.view(np.complex128)[..., 0] @ _PARTS).T
    length = np.abs(across)
    known = length > 1e-9
    upright = across.conj() / np.where(known, length, 1)  # turns the roll back
    upright[~known] = np.nan
    width, height, nose = (width * upright).real, (height * upright).imag, nose * upright
    # A profile has hardly any width left: atan2 keeps the answer at 90 degrees there.
    yaws = np.arctan2(nose.real, np.maximum(NOSE_DEPTH * width, 0))
    upwards = _NOSE_REST * height - nose.imag
    pitches = np.arctan2(upwards, np.maximum(NOSE_DEPTH / _HEIGHT_TO_WIDTH * height, 0))
    return np.degrees(yaws), np.degrees(pitches)


def sharpness(crops: U8) -> F64:
    """Variance of the Laplacian, in shares of the variance of the grey levels.

    Measured on crops of one size and divided by the contrast, so that neither the size of the
    face in the picture nor its light counts here; blur, noise-free, lowers it towards 0.

    Args:
        crops: uint8 (M, size, size).

    Returns:
        float64 (M,); 0.2 to 0.8 for a sharp face at 48 px.

    Source: Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000.
    """
    edges = np.array([_variance(cv2.Laplacian(crop, cv2.CV_32F)) for crop in crops], np.float64)
    contrast = np.array([_variance(crop) for crop in crops], np.float64)
    result: F64 = edges / (contrast + 25.0)
    return result


def _variance(picture: Array) -> float:
    return float(cv2.meanStdDev(picture)[1][0, 0]) ** 2


def light(crops: U8) -> F64:
    """1 for a well lit face, 0 for one that is black or burnt out; uint8 (M, size, size)."""
    pixels = crops.reshape(len(crops), -1)
    means = pixels.mean(axis=1)
    clipped = ((pixels <= 3) | (pixels >= 252)).mean(axis=1)
    result: F64 = ramp(means, *DARK) * ramp(means, *BRIGHT) * ramp(clipped, *CLIPPED)
    return result


# Of the frontal template: eyes to mouth in eye distances, and where the nose rests below the
# middle between eyes and mouth, in heights.
_EYES = TEMPLATE[:2].mean(axis=0)
_MOUTH = TEMPLATE[3:].mean(axis=0)
_HEIGHT_TO_WIDTH = float((_MOUTH - _EYES)[1] / (TEMPLATE[1, 0] - TEMPLATE[0, 0]))
_NOSE_REST = float((TEMPLATE[2, 1] - (_EYES[1] + _MOUTH[1]) / 2) / (_MOUTH - _EYES)[1])
# What `pose` needs of the five points, a column each: across the face (eyes and mouth), between
# the eyes, from eyes to mouth, and from the middle of those to the nose.
_PARTS = np.array(
    [
        [-1, -1, -0.5, -0.25],
        [1, 1, -0.5, -0.25],
        [0, 0, 0, 1],
        [-1, 0, 0.5, -0.25],
        [1, 0, 0.5, -0.25],
    ],
    np.complex128,
)
