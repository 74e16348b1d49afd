"""Cuts a network's face out of a cached one, a little differently each time, and spoils it as cameras do."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from core.types import F32, U8, Array, Crop
from training.cache import SHIFT, ZOOM

TURN = 6.0  # degrees, deviation of the roll
GROWTH = 0.09  # deviation of the logarithm of the size
MOVE = 0.03  # deviation of the place, in sides of the crop
BARE = 0.25  # share of faces that are shown as the bare picture of their set
SPOILT = {"dark": 0.5, "grey": 0.1, "small": 0.2, "blur": 0.15, "noise": 0.12, "jpeg": 0.15, "hidden": 0.2}


@dataclass(frozen=True, slots=True)
class View:
    """How a face is cut out of the cached one: w = a z + b, complex, pixels from the first one's edge."""

    a: complex
    b: complex

    def matrix(self, factor: float) -> Array:
        """For OpenCV, which counts from the middle of the first pixel."""
        a, half = self.a * factor, 0.5 + 0.5j
        b = self.b * factor + a * half - half
        return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def upright(crop: Crop, side: int) -> View:
    """The network's own cut out of a cached face of this side: what the stream does."""
    a = crop.zoom / ZOOM * crop.size / side
    b = crop.size * ((0.5 + 0.5j) + 1j * crop.shift) - a * side * ((0.5 + 0.5j) + 1j * SHIFT)
    return View(complex(a), b)


def bare(corner: F32, crop: Crop) -> View:
    """The whole picture of the set as the network's crop, from a row of `Labels.bare`."""
    x, y, along_x, along_y = corner.tolist()
    a = crop.size / complex(along_x, along_y)
    return View(a, -a * complex(x, y))


def shaken(view: View, size: int, rng: np.random.Generator) -> View:
    """The same turned, scaled, moved, and mirrored every second time."""
    turn = np.exp(1j * np.radians(TURN) * rng.normal()) * np.exp(GROWTH * rng.normal())
    middle = size * (0.5 + 0.5j)
    b = (view.b - middle) * turn + middle + size * MOVE * complex(rng.normal(), rng.normal())
    return View(complex(view.a * turn), complex(b))


def taken(pixels: U8, view: View, size: int) -> U8:
    """Cut (size, size, 3) out of one cached face; shrinking is averaged."""
    factor = 2 if abs(view.a) < 0.7 else 1
    side = size * factor
    chip = cv2.warpAffine(pixels, view.matrix(factor), (side, side), flags=cv2.INTER_LINEAR)
    if factor > 1:
        chip = cv2.resize(chip, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(chip, np.uint8)


def spoil(chip: U8, rng: np.random.Generator) -> U8:
    """Light, colour, blur, size, noise, compression and things before the face, each now and then."""
    size = chip.shape[0]
    does = {name: rng.random() < share for name, share in SPOILT.items()}
    if does["dark"]:
        chip = _light(chip, rng)
    if does["grey"]:
        chip = np.asarray(cv2.cvtColor(cv2.cvtColor(chip, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)
    if does["blur"]:
        chip = np.asarray(cv2.GaussianBlur(chip, (0, 0), float(rng.uniform(0.5, 2.0)) * size / 112), np.uint8)
    if does["small"]:
        side = int(rng.uniform(20, 64))
        chip = np.asarray(cv2.resize(chip, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    if does["noise"]:
        grain = rng.standard_normal(chip.shape, np.float32) * np.float32(rng.uniform(2, 14))
        chip = np.clip(chip + grain, 0, 255).astype(np.uint8)
    if does["jpeg"]:
        code = cv2.imencode(".jpg", chip, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 80))])[1]
        chip = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    if chip.shape[0] != size:
        chip = np.asarray(cv2.resize(chip, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)
    return _hidden(chip, rng) if does["hidden"] else chip


def _light(chip: U8, rng: np.random.Generator) -> U8:
    gamma, gain, lift = np.exp(0.35 * rng.normal()), np.exp(0.2 * rng.normal()), 12 * rng.normal()
    curve = 255 * gain * (np.arange(256) / 255) ** gamma + lift
    tint = np.exp(0.05 * rng.normal(size=3))  # a white balance that is a little off
    table = np.clip(curve[:, None] * tint, 0, 255).astype(np.uint8).reshape(1, 256, 3)
    return np.asarray(cv2.LUT(chip, table), np.uint8)


def _hidden(chip: U8, rng: np.random.Generator) -> U8:
    size = chip.shape[0]
    height, width = (rng.uniform(0.1, 0.4, 2) * size).astype(int)
    top, left = int(rng.uniform(0, size - height)), int(rng.uniform(0, size - width))
    chip = chip.copy()
    chip[top : top + height, left : left + width] = rng.integers(0, 256, 3)
    return chip


def view_of(
    pixels: U8,
    corner: F32,
    crop: Crop,
    rng: np.random.Generator | None,
    bare_share: float = BARE,
    *,
    spoilt: float = 1.0,
) -> U8:
    """One training picture of a cached face, or, without `rng`, exactly what the stream would cut."""
    view = upright(crop, pixels.shape[0])
    if rng is None:
        return taken(pixels, view, crop.size)
    if rng.random() < bare_share:
        view = bare(corner, crop)
    chip = taken(pixels, shaken(view, crop.size, rng), crop.size)
    if spoilt == 1 or rng.random() < spoilt:  # no draw for 1, so that older runs can be repeated
        chip = spoil(chip, rng)
    return chip[:, ::-1] if rng.random() < 0.5 else chip
