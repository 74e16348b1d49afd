"""What is true of a frame of the demo: whose face is where, and how much of it can be seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capture.demo.film import COLUMN, SIZE
from capture.demo.scene import Pose
from capture.demo.stage import Stage
from core.types import F64, U8

Mask = NDArray[np.bool_]

_GRID = np.stack(np.meshgrid(*[np.linspace(-1, 1, 17)] * 2), axis=-1).reshape(-1, 2)
_DISC = _GRID[np.hypot(*_GRID.T) <= 1]  # points of a face, from the middle of its box


@dataclass(frozen=True, slots=True, eq=False)
class TrueFace:
    """One face of the demo in one frame.

    Attributes:
        name: who, the same throughout the film: collins, hopper, obama, biden, or solvay-01 to
            solvay-29 from left to right on the mural.
        box: float64 (4,), x1 y1 x2 y2 in pixels of the frame, forehead to chin; may lie outside.
        landmarks: float64 (5, 2), x y in pixels: eyes, nose, mouth corners, image-left first.
        visible: share of the face that nothing and nobody hides and that is within the frame.
        blur: px, how far it moves while the shutter is open.
    """

    name: str
    box: F64
    landmarks: F64
    visible: float
    blur: float

    @property
    def size(self) -> float:
        """Its height, px."""
        return float(self.box[3] - self.box[1])


def true_faces(stage: Stage, index: int) -> tuple[TrueFace, ...]:
    """Every face of the cast in frame `index`, also those that are hidden or outside."""
    people = stage.scene.people(index)
    mural = stage.scene.mural(index)
    marks = {
        name: (pose, stage.cutouts[name].box, stage.cutouts[name].points) for name, pose in people.items()
    }
    for i, (box, points) in enumerate(zip(stage.mural.boxes, stage.mural.points, strict=True), 1):
        marks[f"solvay-{i:02}"] = (mural, box, points)
    view = _View(
        parapet=stage.scene.parapet(index)[0],
        column=stage.scene.column(index),
        people=[(pose, stage.cutouts[name].matte) for name, pose in people.items()],
    )
    return tuple(_face(name, *marks[name], view) for name in sorted(marks))


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """What can stand before a face in one frame.

    Attributes:
        parapet: the row of pixels of its upper edge.
        column: the columns of pixels between which it stands.
        people: how each lies on the picture, and the share of each pixel that they cover.
    """

    parapet: float
    column: tuple[float, float]
    people: list[tuple[Pose, U8]]

    def shows(self, points: F64, distance: float) -> Mask:
        """Whether each of the points (N, 2) of the frame, at a distance (m), is hidden by nothing nearer."""
        shown: Mask = np.all((points >= 0) & (points < SIZE), axis=1) & (points[:, 1] < self.parapet)
        if distance > COLUMN[1]:
            shown &= (points[:, 0] < self.column[0]) | (points[:, 0] > self.column[1])
        for pose, matte in self.people:
            if pose.distance < distance and shown.any():
                shown[shown] = ~_covered(matte, pose.undo(points[shown]))
        return shown


def _face(name: str, pose: Pose, box: F64, points: F64, view: _View) -> TrueFace:
    middle = pose.apply((box[:2] + box[2:]) / 2)
    half = pose.scale * (box[2:] - box[:2]) / 2
    return TrueFace(
        name=name,
        box=np.concatenate([middle - half, middle + half]),
        landmarks=pose.apply(points),
        visible=float(np.mean(view.shows(middle + half * _DISC, pose.distance))),
        blur=float(np.hypot(*pose.drift)),
    )


def _covered(matte: U8, points: F64) -> Mask:
    """Whether each of the points (N, 2) of a cut-out lies on the person."""
    height, width = matte.shape
    x, y = np.rint(points).astype(int).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    covered: Mask = inside & (matte[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)] > 127)
    return covered
