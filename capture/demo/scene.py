"""Where everything is on the picture, frame by frame, without drawing it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from capture.demo.cutouts import Cutout
from capture.demo.film import COLUMN, FACE, FRAMES, PARAPET, SHUTTER, SIZE, WALL, Film
from capture.demo.hall import Mural
from core.types import F64


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """How a texture lies on the picture.

    Attributes:
        matrix: float64 (2, 3), pixels of the texture (the mural: metres) to pixels of the frame.
        drift: (x, y), px, how far it moves while the shutter is open.
        distance: m from the camera.
    """

    matrix: F64
    drift: tuple[float, float]
    distance: float

    @property
    def scale(self) -> float:
        """Pixels of the frame for one of the texture."""
        return math.hypot(self.matrix[0, 0], self.matrix[1, 0])

    def apply(self, points: F64) -> F64:
        """Points (..., 2) of the texture, on the frame."""
        result: F64 = points @ self.matrix[:, :2].T + self.matrix[:, 2]
        return result

    def undo(self, points: F64) -> F64:
        """Points (..., 2) of the frame, on the texture."""
        result: F64 = (points - self.matrix[:, 2]) @ np.linalg.inv(self.matrix[:, :2]).T
        return result


class Scene:
    """The geometry of the film."""

    def __init__(self, film: Film, cutouts: Mapping[str, Cutout], mural: Mural) -> None:
        self._film = film
        self._cutouts = cutouts
        self._mural = mural

    def people(self, index: int) -> dict[str, Pose]:
        """Everybody in front of the wall, the farthest first."""
        poses = {name: self._person(name, index) for name in self._film.walks}
        return dict(sorted(poses.items(), key=lambda item: -item[1].distance))

    def wall(self, index: int, corner: tuple[float, float]) -> Pose:
        """Metres right and down from `corner` (m, y up) of the wall."""
        x, y = corner
        scale = self._film.focal[index] / WALL
        return self._pose(scale, 0.0, (0.0, 0.0), (x, y, WALL), index)

    def mural(self, index: int) -> Pose:
        """Metres right and down from the mural's upper left corner."""
        return self.wall(index, self._mural.corner)

    def column(self, index: int) -> tuple[float, float]:
        """The columns of pixels between which the column stands."""
        x, z, width = COLUMN
        middle, _ = self._point((x, 0.0, z), index)
        half = self._film.focal[index] * width / z / 2
        return middle - half, middle + half

    def parapet(self, index: int) -> tuple[float, float, float]:
        """Its upper edge (row of pixels), px a metre of it, and the m at the picture's left edge."""
        z, top = PARAPET
        scale = float(self._film.focal[index] / z)
        row = float(self._film.horizon[index] - scale * top)
        return row, scale, float(self._film.camera_x[index] - SIZE[0] / 2 / scale)

    def sideways(self, distance: float, index: int) -> float:
        """How far things at rest at a distance (m) move across while the shutter is open, px."""
        return self._drift((0.0, 0.0, distance), (0.0, 0.0, distance), index)[0]

    def _person(self, name: str, index: int) -> Pose:
        walk, cutout = self._film.walks[name], self._cutouts[name]
        x1, _, x2, y2 = cutout.box
        scale = self._film.focal[index] * FACE / walk.z[index] / (y2 - cutout.box[1])
        place = (walk.x[index], walk.y[index], walk.z[index])
        before, after = max(index - 1, 0), min(index + 1, FRAMES - 1)
        ends = [(walk.x[i], walk.y[i], walk.z[i]) for i in (before, after)]
        pose = self._pose(scale, walk.roll[index], ((x1 + x2) / 2, y2), place, index)
        return Pose(pose.matrix, self._drift(ends[0], ends[1], index), float(walk.z[index]))

    def _pose(
        self,
        scale: float,
        roll: float,
        anchor: tuple[float, float],
        place: tuple[float, float, float],
        index: int,
    ) -> Pose:
        """The texture whose `anchor` is at `place` in the hall, turned clockwise by `roll` degrees."""
        c, s = scale * math.cos(math.radians(roll)), scale * math.sin(math.radians(roll))
        linear = np.array([[c, -s], [s, c]])
        shift = np.array(self._point(place, index)) - linear @ np.array(anchor)
        return Pose(np.column_stack([linear, shift]), self._drift(place, place, index), place[2])

    def _point(self, place: tuple[float, float, float], index: int) -> tuple[float, float]:
        """Column and row of a place (x, y, z) in the hall."""
        x, y, z = place
        scale = self._film.focal[index] / z
        return (
            float(SIZE[0] / 2 + scale * (x - self._film.camera_x[index])),
            float(self._film.horizon[index] - scale * y),
        )

    def _drift(
        self, start: tuple[float, float, float], end: tuple[float, float, float], index: int
    ) -> tuple[float, float]:
        """Movement on the picture while the shutter is open, from the frames before and after."""
        before, after = max(index - 1, 0), min(index + 1, FRAMES - 1)
        a, b = self._point(start, before), self._point(end, after)
        share = SHUTTER / (after - before)
        return (b[0] - a[0]) * share, (b[1] - a[1]) * share
