"""Draws the film, frame by frame."""

from __future__ import annotations

import math

import cv2
import numpy as np

from capture.demo import hall
from capture.demo.cutouts import LEVELS, MARGIN, SHADOW, read_cast, read_cutout
from capture.demo.film import COLUMN, FRAMES, PARAPET, SIZE, WALL, read_film
from capture.demo.scene import Pose, Scene
from core.types import F64, U8, Image

SEED = 1927
SHADE = 110  # of 255, darkness of a shadow's core
Part = tuple[int, int, int, int]  # of the frame, x1 y1 x2 y2, pixels
FALL = (0.4, 0.25)  # faces, a shadow lies that far to the right of and below who casts it


class Stage:
    """Draws any frame; the same index gives the same bytes."""

    def __init__(self) -> None:
        cast = read_cast()
        generator = np.random.default_rng(SEED)
        self.cutouts = {entry["name"]: read_cutout(entry) for entry in cast["actors"]}
        self.mural = hall.hang_mural(cast["mural"])
        film = read_film()
        self.scene = Scene(film, self.cutouts, self.mural)
        self._wall = hall.paint_wall(self.mural)
        self._column = hall.carve_column()
        self._parapet = hall.build_parapet()
        self._vignette = hall.vignette()
        self._grain = hall.grain(generator)
        self._shifts = generator.integers(0, 64, (FRAMES, 2))
        self._light = film.light

    def draw(self, index: int) -> Image:
        """Frame `index` of the film, uint8 (720, 1280, 3) BGR."""
        picture = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
        floor = min(math.ceil(self.scene.parapet(index)[0]) + 1, SIZE[1])
        self._draw_wall(picture, index, floor)
        people = self.scene.people(index)
        for name, pose in people.items():
            if pose.distance > COLUMN[1]:
                self._draw_person(picture, name, pose, floor)
        self._draw_column(picture, index)
        for name, pose in people.items():
            if pose.distance <= COLUMN[1]:
                self._draw_person(picture, name, pose, floor)
        self._draw_parapet(picture, index)
        return self._expose(picture, index)

    def _draw_wall(self, picture: Image, index: int, floor: int) -> None:
        """The photograph sharp and to the pixel, the wall with its frame around it."""
        pose = self.scene.mural(index)
        rim = 0.03  # m, up to here the photograph's edge and the frame around it are the wall's
        corners = pose.apply(np.array([[rim, rim], [self.mural.size[0] - rim, self.mural.size[1] - rim]]))
        left, top = np.clip(np.ceil(corners[0]), 0, (SIZE[0], floor)).astype(int).tolist()
        right, bottom = np.clip(np.floor(corners[1]), (left, top), (SIZE[0], floor)).astype(int).tolist()
        metre = self.mural.levels[0].shape[1] / self.mural.size[0]
        level = LEVELS[_level(pose.scale / metre)]
        photograph = _levelled(_scaled(pose.matrix, 1 / metre), level)
        self._put(picture, self.mural.levels[LEVELS.index(level)], photograph, (left, top, right, bottom))
        plaster = _scaled(self.scene.wall(index, (hall.LEFT, hall.TOP)).matrix, 1 / hall.DENSITY)
        for part in (
            (0, 0, SIZE[0], top),
            (0, bottom, SIZE[0], floor),
            (0, top, left, bottom),
            (right, top, SIZE[0], bottom),
        ):
            self._put(picture, self._wall, plaster, part)
        _blur(picture[:floor], (self.scene.sideways(WALL, index), 0.0))

    @staticmethod
    def _put(picture: Image, texture: U8, matrix: F64, part: Part) -> None:
        left, top, right, bottom = part
        if right > left and bottom > top:
            picture[top:bottom, left:right] = _warp(texture, matrix, part, cv2.BORDER_REPLICATE)

    def _draw_person(self, picture: Image, name: str, pose: Pose, floor: int) -> None:
        cutout = self.cutouts[name]
        self._draw_shadow(picture, name, pose, floor)
        part = _part(pose.matrix, cutout.size, floor, pose.drift)
        if part is None:
            return
        level = _level(pose.scale)
        warped = _warp(cutout.levels[level], _levelled(pose.matrix, LEVELS[level]), part)
        _blur(warped, pose.drift)
        _lay(picture, warped, part)

    def _draw_shadow(self, picture: Image, name: str, pose: Pose, floor: int) -> None:
        """Darken what is behind somebody, to the right and below."""
        cutout = self.cutouts[name]
        face = pose.scale * (cutout.box[3] - cutout.box[1])
        matrix = _scaled(pose.matrix, 1 / SHADOW)
        matrix[:, 2] += np.array(FALL) * face - matrix[:, :2] @ np.array([MARGIN, MARGIN])
        height, width = cutout.shadow.shape
        part = _part(matrix, (width, height), floor, (0.0, 0.0))
        if part is None:
            return
        left, top, right, bottom = part
        cover = _warp(cutout.shadow, matrix, part, cv2.BORDER_REPLICATE)
        keep = cv2.cvtColor(cv2.convertScaleAbs(cover, alpha=-SHADE / 255, beta=255), cv2.COLOR_GRAY2BGR)
        behind = picture[top:bottom, left:right]
        cv2.multiply(behind, keep, dst=behind, scale=1 / 255)

    def _draw_column(self, picture: Image, index: int) -> None:
        left, right = self.scene.column(index)
        drift = self.scene.sideways(COLUMN[1], index)
        start, end = max(math.floor(left - abs(drift)), 0), min(math.ceil(right + abs(drift)), SIZE[0])
        if end <= start:
            return
        scale = (right - left) / self._column.shape[1]
        matrix = np.array([[scale, 0, left + scale / 2 - 0.5], [0, 1, 0]])
        row = _warp(self._column, matrix, (start, 0, end, 1))
        _blur(row, (drift, 0.0))
        _lay(picture, cv2.repeat(row, SIZE[1], 1).astype(np.uint8), (start, 0, end, SIZE[1]))

    def _draw_parapet(self, picture: Image, index: int) -> None:
        row, scale, metres = self.scene.parapet(index)
        top = math.floor(row)
        if top >= SIZE[1]:
            return
        step = scale / hall.PARAPET_DENSITY
        matrix = np.array([[step, 0, -(metres % 0.8) * scale], [0, step, row]])
        warped = _warp(self._parapet, matrix, (0, top, *SIZE), cv2.BORDER_WRAP)
        _blur(warped, (self.scene.sideways(PARAPET[0], index), 0.0))
        share = top + 1 - row  # of its first row of pixels
        warped[0] = cv2.addWeighted(warped[0], share, picture[top], 1 - share, 0)
        picture[top:] = warped

    def _expose(self, picture: Image, index: int) -> Image:
        """The lens darkens the corners, the lamps have their strength and colour, the sensor its noise."""
        shade, gain = self._vignette, self._light[index]
        if np.any(gain != 1):
            shade = np.asarray(cv2.multiply(shade, np.append(gain, 0.0)), np.uint8)
        cv2.multiply(picture, shade, dst=picture, scale=1 / hall.FULL)
        x, y = self._shifts[index]
        more, less = (tile[y : y + SIZE[1], x : x + SIZE[0]] for tile in self._grain)
        cv2.subtract(cv2.add(picture, more, dst=picture), less, dst=picture)
        return picture


def _scaled(matrix: F64, factor: float) -> F64:
    """The matrix for a texture whose pixels are `factor` of its units."""
    result = matrix.copy()
    result[:, :2] *= factor
    return result


def _level(scale: float) -> int:
    """The smallest size of a texture that is not smaller than it will be shown."""
    return max(i for i, level in enumerate(LEVELS) if i == 0 or level >= scale * 0.95)


def _levelled(matrix: F64, level: float) -> F64:
    """The matrix for the texture at a level: pixel centres move by half a pixel."""
    result = _scaled(matrix, 1 / level)
    result[:, 2] += matrix[:, :2] @ np.full(2, 0.5 / level - 0.5)
    return result


def _part(matrix: F64, size: tuple[int, int], floor: int, drift: tuple[float, float]) -> Part | None:
    """The part of the frame, above row `floor`, on which a texture of this size may show."""
    width, height = size
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ matrix[:, :2].T + matrix[:, 2]
    room = np.ceil(np.abs(drift)) + 1
    left, top = np.maximum(np.floor(corners.min(axis=0) - room), 0).astype(int)
    right, bottom = np.ceil(corners.max(axis=0) + room).astype(int)
    right, bottom = min(int(right), SIZE[0]), min(int(bottom), SIZE[1], floor)
    return (int(left), int(top), right, bottom) if right > left and bottom > top else None


def _warp(texture: U8, matrix: F64, part: Part, border: int = cv2.BORDER_CONSTANT) -> U8:
    """The texture as it shows on a part (x1, y1, x2, y2) of the frame; `matrix` maps it to the frame."""
    left, top, right, bottom = part
    moved = matrix.copy()
    moved[:, 2] -= (left, top)
    back = cv2.invertAffineTransform(moved)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (right - left, bottom - top)
    return cv2.warpAffine(texture, back, size, flags=flags, borderMode=border).astype(np.uint8, copy=False)


def _blur(picture: U8, drift: tuple[float, float]) -> None:
    """Smear a picture by its movement, px; in place."""
    sides = [2 * round(abs(d) / 2) + 1 for d in drift]
    if max(sides) > 1:
        cv2.blur(picture, sides, dst=picture, borderType=cv2.BORDER_REPLICATE)


def _lay(picture: Image, layer: U8, part: Part) -> None:
    """Lay BGR times cover, and cover, on a part of the picture; in place."""
    left, top, right, bottom = part
    below = picture[top:bottom, left:right]
    keep = cv2.cvtColor(255 - layer[..., 3], cv2.COLOR_GRAY2BGR)
    dimmed = cv2.multiply(below, keep, scale=1 / 255)
    picture[top:bottom, left:right] = cv2.add(dimmed, cv2.cvtColor(layer, cv2.COLOR_BGRA2BGR))
