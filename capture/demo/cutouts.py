"""The people of the demo, cut out of their pictures, and the mural; read from `cast.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from core.errors import SourceError
from core.types import F32, F64, U8, Array, Image

HERE = Path(__file__).parent
PICTURES = HERE / "pictures"
LEVELS = tuple(2 ** (-k / 2) for k in range(6))  # sizes at which textures are kept ready
SHADOW = 0.25  # size at which a shadow is kept: it is soft anyway
MARGIN = 16  # px of the shadow, room for its softness above, left and right


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """Somebody without background.

    Attributes:
        box: float64 (4,), the face, x1 y1 x2 y2 in pixels of the full size.
        points: float64 (5, 2), its landmarks, likewise.
        size: (width, height) of the full size, pixels.
        levels: uint8 (h, w, 4) each, smaller and smaller by `LEVELS`; BGR already multiplied by
            the fourth channel, which is the share of the pixel that the person covers.
        shadow: uint8 (h, w), the soft shape at `SHADOW` of the full size, with a `MARGIN`.
    """

    box: F64
    points: F64
    size: tuple[int, int]
    levels: tuple[U8, ...]
    shadow: U8

    @property
    def matte(self) -> U8:
        """The share that the person covers, at full size."""
        matte: U8 = self.levels[0][..., 3]
        return matte


def read_cast() -> dict[str, Any]:
    """`cast.yaml` as it stands."""
    with (HERE / "cast.yaml").open(encoding="utf-8") as file:
        cast: dict[str, Any] = yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return cast


def read_picture(name: str, reduce: int = 1) -> Image:
    """A picture of the demo in BGR, at 1 or 1/2 of its size.

    Raises:
        SourceError: the file is gone or broken.
    """
    flags = cv2.IMREAD_COLOR if reduce == 1 else cv2.IMREAD_REDUCED_COLOR_2
    return _read(name, flags)


def read_cutout(entry: dict[str, Any]) -> Cutout:
    """One of the `actors` of the cast, ready to be drawn."""
    reduce = int(entry["reduce"])
    matte = _read(entry["matte"], cv2.IMREAD_GRAYSCALE)
    picture = read_picture(entry["picture"], reduce)[: matte.shape[0], : matte.shape[1]]
    if "blank" in entry:
        x1, y1, x2, y2 = entry["blank"]
        picture[y1:y2, x1:x2] = cv2.blur(picture[y1:y2, x1:x2], (41, 15))
    box, points = (np.array(entry[key], np.float64) / reduce for key in ("box", "points"))
    cover = (matte / np.float32(255)).astype(np.float32)
    full = _shade(*_lengthen(_clean(picture, matte), cover, entry, box), entry, box)
    height, width = full.shape[:2]
    return Cutout(box, points, (width, height), pyramid(full), _shadow(full[..., 3]))


def pyramid(full: U8) -> tuple[U8, ...]:
    """The texture at all `LEVELS`, each made from the one before."""
    height, width = full.shape[:2]
    levels = [full]
    for ratio in LEVELS[1:]:
        size = (round(width * ratio), round(height * ratio))
        levels.append(np.asarray(cv2.resize(levels[-1], size, interpolation=cv2.INTER_AREA), np.uint8))
    return tuple(levels)


def _read(name: str, flags: int) -> U8:
    path = PICTURES / name
    image = cv2.imread(str(path), flags) if path.is_file() else None
    if image is None:
        raise SourceError(f"{path}: this picture of the demo is missing or broken; fetch the project again.")
    return np.asarray(image, np.uint8)


def _clean(picture: Image, matte: U8) -> F32:
    """The picture with the colours of its old background taken out of the person's rim."""
    core = cv2.erode((matte > 247).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    near = cv2.GaussianBlur(core, (0, 0), 4)[..., None]
    inside = cv2.GaussianBlur(picture * core[..., None], (0, 0), 4) / np.maximum(near, 1e-4)
    rim = np.clip((1 - matte.astype(np.float32)[..., None] / 255) * 2.5, 0, 1) * (near > 1e-3)
    return (picture * (1 - rim) + inside * rim).astype(np.float32)


def _lengthen(colour: F32, cover: F32, entry: dict[str, Any], box: F64) -> tuple[F32, F32]:
    """Continue a coat below the picture's edge where the picture ends too high.

    The new rows repeat the cloth's rows of `cloth`, back and forth, so that no seam shows.
    """
    if "cloth" not in entry:
        return colour, cover
    first, last = entry["cloth"]
    rows = np.arange(round(box[3] + 2.45 * (box[3] - box[1])) - last)
    turn = 2 * (last - first)
    source = last - 1 - np.minimum(rows % turn, turn - 1 - rows % turn)
    repeated = np.concatenate([np.arange(last), source])
    edge = np.concatenate([np.arange(last), np.full(len(rows), last - 1)])
    return colour[repeated], cover[edge]


def _shade(colour: F32, cover: F32, entry: dict[str, Any], box: F64) -> U8:
    """BGR times cover, and cover: graded to the hall's light, which comes from above."""
    height = box[3] - box[1]
    below = (np.arange(len(colour)) - box[3]) / height  # 0 at the chin, in faces
    falloff = 1 - 0.38 * np.clip(below / 2.2, 0, 1) ** 1.2
    grade = np.array(entry.get("grade", [1, 1, 1]), np.float32)
    lit = np.clip(colour * grade * falloff[:, None, None], 0, 255)
    full = np.concatenate([lit * cover[..., None], 255 * cover[..., None]], axis=2)
    return np.asarray(np.rint(full), np.uint8)


def _shadow(cover: Array) -> U8:
    small = cv2.resize(cover, None, fx=SHADOW, fy=SHADOW, interpolation=cv2.INTER_AREA)
    framed = cv2.copyMakeBorder(small, MARGIN, 0, MARGIN, MARGIN, cv2.BORDER_CONSTANT)
    return np.asarray(cv2.GaussianBlur(framed, (0, 0), MARGIN * 0.4), np.uint8)
