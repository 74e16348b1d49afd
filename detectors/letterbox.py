"""Pictures onto canvases that a network can take, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from core.cards import Input
from core.types import F32, F64, Image

STRIDE = 32  # the coarsest cell of every detector here: canvas sides are multiples of it
LARGEST = 2.0  # enlargement


@dataclass(frozen=True, slots=True)
class Fit:
    """How pictures of one size lie on their canvas: at the top left, zeros elsewhere.

    Attributes:
        picture: (width, height) of the picture on the canvas, pixels.
        canvas: (width, height) of the canvas, pixels.
        scale: float64 (2,), canvas pixels for one pixel of the frame, along x and y.
    """

    picture: tuple[int, int]
    canvas: tuple[int, int]
    scale: F64


def fit(size: tuple[int, int], longest: int, fixed: tuple[int, int] | None = None) -> Fit:
    """How a picture of that size goes onto a canvas.

    Its long side becomes `longest`; but a small picture is at most doubled: that helps faces
    under 20 pixels (docs/detectors.md), and more would only cost. The aspect ratio stays, so
    16:9 takes 640x384.

    Args:
        size: (width, height) of the picture.
        longest: pixels of the long side that the network sees.
        fixed: (width, height) of the canvas, for a network that takes no other.

    >>> fit((1280, 720), 640).canvas
    (640, 384)
    """
    width, height = size
    room = fixed or (longest, longest)
    scale = min(LARGEST, longest / max(size), room[0] / width, room[1] / height)
    picture = (max(1, round(width * scale)), max(1, round(height * scale)))
    canvas = fixed or (_up(picture[0]), _up(picture[1]))
    return Fit(picture, canvas, np.array([picture[0] / width, picture[1] / height]))


def batches(
    images: Sequence[Image], longest: int, wants: Input, fixed: tuple[int, int] | None = None
) -> Iterator[tuple[list[int], F32, Fit]]:
    """Pictures of one size together: their places in the list, their canvases, their fit.

    The canvases are float32 (N, 3, H, W), channels and values as the network wants them.
    """
    sizes: dict[tuple[int, int], list[int]] = {}
    for i, image in enumerate(images):
        sizes.setdefault((image.shape[1], image.shape[0]), []).append(i)
    for size, places in sizes.items():
        where = fit(size, longest, fixed)
        batch = np.zeros((len(places), 3, where.canvas[1], where.canvas[0]), np.float32)
        for canvas, place in zip(batch, places, strict=True):
            _fill(canvas, images[place], where, wants)
        yield places, batch, where


def _fill(canvas: F32, image: Image, where: Fit, wants: Input) -> None:
    width, height = where.picture
    if (image.shape[1], image.shape[0]) != where.picture:
        image = np.asarray(cv2.resize(image, where.picture, interpolation=cv2.INTER_LINEAR), np.uint8)
    corner = canvas[:, :height, :width]
    # Plane by plane: half the time of one transposing assignment.
    planes = cv2.split(image)
    for channel, plane in zip(corner, planes if wants.colour == "bgr" else planes[::-1], strict=True):
        channel[:] = plane
    if any(wants.mean):
        corner -= np.array(wants.mean, np.float32)[:, None, None]
    if wants.scale != 1:
        corner /= np.float32(wants.scale)


def _up(side: int) -> int:
    return -(-side // STRIDE) * STRIDE
