"""The hall: the wall with its spotlights and frames, the mural, the column, the parapet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from capture.demo.cutouts import pyramid, read_picture
from capture.demo.film import MURAL, SIZE
from core.types import F32, F64, U8, Image

DENSITY = 190  # px a metre of the wall's texture
LEFT, TOP = -6.2, 3.55  # m, the texture's upper left corner
WIDTH, HEIGHT = 12.4, 3.9  # m
RIM = 0.085  # m, width of the mural's frame
PLASTER = (104, 112, 88)  # BGR
PARAPET_DENSITY = 700  # px a metre
FULL = 230  # full light in the vignette; leaves room for light over 1
NOISE = 1.6  # standard deviation, levels of 255


@dataclass(frozen=True, slots=True, eq=False)
class Mural:
    """The photograph that hangs on the wall.

    Attributes:
        boxes: float64 (N, 4), its faces, m on the wall (x right, y DOWN from the photograph's top left).
        points: float64 (N, 5, 2), likewise.
        corner: (x, y), m, its top left corner in the hall (y up).
        size: (width, height), m.
        levels: uint8 (h, w, 3) each, the photograph at falling sizes.
    """

    boxes: F64
    points: F64
    corner: tuple[float, float]
    size: tuple[float, float]
    levels: tuple[U8, ...]


def hang_mural(entry: dict[str, Any]) -> Mural:
    """The mural of the cast, printed in a warm black and lit from above."""
    first, last = entry["rows"]
    picture = read_picture(entry["picture"])[first:last]
    metres = MURAL[2] / picture.shape[1]
    height = picture.shape[0] * metres
    boxes = np.array([face["box"] for face in entry["faces"]], np.float64)
    points = np.array([face["points"] for face in entry["faces"]], np.float64)
    return Mural(
        boxes=(boxes - [0, first, 0, first]) * metres,
        points=(points - [0, first]) * metres,
        corner=(MURAL[0] - MURAL[2] / 2, MURAL[1] + height / 2),
        size=(MURAL[2], height),
        levels=pyramid(_print(picture)),
    )


def _print(picture: Image) -> U8:
    """A warm print: paper that is not quite white, ink that is not quite black, lit from above."""
    levels = np.arange(256, dtype=np.float32)[:, None] / 255
    paper, ink = np.array([196, 216, 226], np.float32), np.array([26, 27, 30], np.float32)
    tones = np.rint(ink + (paper - ink) * levels**0.95).astype(np.uint8)
    toned = cv2.LUT(picture, tones.reshape(256, 1, 3))
    down = np.linspace(1.06, 0.86, len(picture), dtype=np.float32)
    across = 1 - 0.16 * np.abs(np.linspace(-1, 1, picture.shape[1], dtype=np.float32)) ** 3
    lamp = np.rint(np.clip(down[:, None] * across, 0, 1) * 255).astype(np.uint8)
    return _times(np.asarray(toned, np.uint8), lamp)


def paint_wall(mural: Mural) -> U8:
    """The whole wall: plaster, cornice, pools of light, frames; (h, w, 3) BGR at `DENSITY`."""
    x = _metres(round(WIDTH * DENSITY), DENSITY) + LEFT
    y = TOP - _metres(round(HEIGHT * DENSITY), DENSITY)
    wall = np.empty((len(y), len(x), 3), np.uint8)
    wall[:] = PLASTER
    pools = cv2.resize(_pools(x[::4], y[::4]), (len(x), len(y)), interpolation=cv2.INTER_LINEAR)
    wall = _times(wall, np.rint(pools * 255).astype(np.uint8))
    for high, tall, tone in ((3.55, 0.34, 0.55), (3.2, 0.035, 1.25), (3.165, 0.02, 0.5)):
        rows = slice(_row(high), _row(high - tall))
        wall[rows] = np.clip(wall[rows] * tone, 0, 255).astype(np.uint8)
    _hang(wall, mural.corner, mural.size, mural.levels[2])
    for centre, size, drawing in _drawings():
        _hang(wall, (centre - size[0] / 2, 1.55 + size[1] / 2), size, drawing)
    return wall


def _pools(x: F32, y: F32) -> F32:
    """Light of spots in the ceiling on the wall, as a share of full light."""
    light = np.full((len(y), len(x)), 0.46, np.float32)
    for spot in (-5.2, -3.55, -1.55, 0.0, 1.55, 3.55, 5.2):
        depth = np.clip(3.45 - y, 0.02, None)[:, None]
        spread = 0.28 + 0.52 * depth
        light += 0.5 * np.exp(-(((x - spot) / spread) ** 2) - (depth / 2.1) ** 2) * np.clip(depth * 4, 0, 1)
    return np.clip(light, 0, 1)


def _row(y: float) -> int:
    return round((TOP - y) * DENSITY)


def _hang(wall: U8, corner: tuple[float, float], size: tuple[float, float], picture: U8) -> None:
    """Hang a picture in a walnut frame with a shadow under it; in place."""
    left, top = round((corner[0] - LEFT) * DENSITY), _row(corner[1])
    width, height, rim = round(size[0] * DENSITY), round(size[1] * DENSITY), round(RIM * DENSITY)
    room = 3 * rim
    around = wall[top - room : top + height + room, left - room : left + width + room]
    shade = np.zeros(around.shape[:2], np.uint8)
    cv2.rectangle(shade, (room - rim, room), (room + width + rim + 4, room + height + rim + 14), 150, -1)
    around[:] = _times(around, 255 - cv2.GaussianBlur(shade, (0, 0), rim * 0.55).astype(np.uint8))
    frame = wall[top - rim : top + height + rim, left - rim : left + width + rim]
    frame[:] = (30, 40, 58)
    frame[:2] = frame[:, :2] = (62, 84, 112)
    wall[top : top + height, left : left + width] = cv2.resize(
        picture, (width, height), interpolation=cv2.INTER_AREA
    )


def _drawings() -> list[tuple[float, tuple[float, float], U8]]:
    """Pictures without faces: (middle, m; (width, height), m; BGR). Waves, orbits, a spiral, a sky."""
    y, x = np.mgrid[-1:1:240j, -1:1:240j].astype(np.float32)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    waves = 0.5 + 0.25 * (np.cos(22 * np.hypot(x - 0.45, y + 1)) + np.cos(22 * np.hypot(x + 0.45, y + 1)))
    orbits = sum(np.exp(-(((np.hypot(x, y * (1 + k / 3)) - 0.25 * k) / 0.012) ** 2)) for k in (1, 2, 3))
    spiral = 0.5 + 0.5 * np.cos(3 * angle - 9 * np.log(radius + 0.05))
    generator = np.random.default_rng(1927)
    sky = np.zeros((240, 240), np.float32)
    sky[generator.integers(0, 240, 90), generator.integers(0, 240, 90)] = generator.uniform(2, 9, 90)
    sky = np.clip(cv2.GaussianBlur(sky, (0, 0), 1.3), 0, 1)
    inks = (
        (-3.55, (1.3, 1.3), waves, (150, 176, 196), (96, 72, 40)),
        (-5.2, (1.0, 1.3), sky, (64, 44, 30), (190, 210, 220)),
        (3.55, (1.3, 1.3), np.clip(orbits, 0, 1), (170, 196, 208), (52, 62, 150)),
        (5.2, (1.0, 1.3), spiral, (160, 186, 200), (92, 104, 52)),
    )
    return [(at, size, _mix(share, paper, ink)) for at, size, share, paper, ink in inks]


def _mix(share: F32, paper: tuple[int, ...], ink: tuple[int, ...]) -> U8:
    blend = np.array(paper) + (np.array(ink) - np.array(paper)) * share[..., None] * 0.9
    return np.asarray(np.rint(blend), np.uint8)


def carve_column() -> U8:
    """One row of a fluted column, (1, 256, 4): BGR times cover, and cover; its rims are soft."""
    across = np.linspace(-1, 1, 256, dtype=np.float32)
    round_light = np.sqrt(np.clip(1 - across**2, 0, 1)) * 0.75 + 0.25
    flutes = 0.88 + 0.12 * np.cos(np.arcsin(np.clip(across, -1, 1)) * 14)
    side = 1 - 0.25 * across
    colour = np.array([150, 172, 186], np.float32) * (round_light * flutes * side * 0.8)[:, None]
    cover = np.clip((1 - np.abs(across)) * 40, 0, 1)[:, None]
    row = np.concatenate([np.clip(colour, 0, 255) * cover, 255 * cover], axis=1)
    return np.asarray(np.rint(row)[None], np.uint8)


def build_parapet() -> U8:
    """0.8 m of walnut panels under a rail of brass, as wide as it repeats; (h, w, 3) BGR."""
    down = _metres(round(0.75 * PARAPET_DENSITY), PARAPET_DENSITY)
    across = _metres(round(0.8 * PARAPET_DENSITY), PARAPET_DENSITY)
    wood = np.array([34, 48, 74], np.float32) * (1.15 - 0.6 * np.clip(down / 0.5, 0, 1))[:, None]
    inset = np.exp(-(((across - 0.4) % 0.8 - 0.4) ** 2) / 0.012**2)
    panel = wood[:, None] * (1 - 0.55 * inset)[None, :, None]
    round_rail = np.clip(np.sin(np.pi * np.clip(down / 0.046, 0, 1)), 0, 1) ** 0.8
    glint = np.exp(-(((down - 0.014) / 0.006) ** 2))
    brass = np.array([62, 120, 158], np.float32) * (0.25 + 0.75 * round_rail)[:, None] + 90 * glint[:, None]
    texture = np.where((down < 0.046)[:, None, None], brass[:, None], panel)
    texture[(down >= 0.046) & (down < 0.07)] *= 0.45
    return np.asarray(cv2.GaussianBlur(np.clip(texture, 0, 255), (0, 0), 1.5), np.uint8)


def vignette() -> U8:
    """(h, w, 3), `FULL` times the share of light that reaches each place of the picture."""
    width, height = SIZE
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    fall = 1 - 0.2 * np.clip((x**2 * 0.8 + y**2 * 0.6), 0, 2) ** 1.5
    return np.asarray(np.rint(FULL * np.repeat(np.clip(fall, 0, 1)[..., None], 3, axis=2)), np.uint8)


def grain(generator: np.random.Generator) -> tuple[U8, U8]:
    """Sensor noise to add and to take away, 64 px larger than the picture so that it can be shifted."""
    width, height = SIZE
    noise = np.rint(NOISE * generator.standard_normal((height + 64, width + 64, 3), np.float32))
    return np.clip(noise, 0, 9).astype(np.uint8), np.clip(-noise, 0, 9).astype(np.uint8)


def _metres(count: int, density: int) -> F32:
    """Where the pixels of a row lie, m from its start."""
    return ((np.arange(count) + 0.5) / density).astype(np.float32)


def _times(image: U8, share: U8) -> U8:
    """The image times a grey share of 255."""
    return np.asarray(cv2.multiply(image, cv2.cvtColor(share, cv2.COLOR_GRAY2BGR), scale=1 / 255), np.uint8)
