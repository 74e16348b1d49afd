"""Finds the one face that a labelled picture is about, as the program finds faces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from core.protocols import Detector
from core.types import F32, Faces, Image
from estimators.align import BOX_MARGIN, TEMPLATE, fit_similarity
from evaluation.samples import Sample

# How the picture is shown to the detector, until a face is found in it: (enlarged, border in long
# sides). As it is comes first: on 400 pictures of each pack YuNet missed 0.7 % of FER2013's 48 px
# tiles so and none of the others, and a border made neither landmarks nor answers better.
VIEWS = ((1, 0.0), (2, 0.0), (1, 0.5), (2, 0.5))


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """A labelled picture and its face, one row; none if it was not found."""

    sample: Sample
    faces: Faces


class Finder:
    """A detector, and a second glance at tight or small pictures in which it finds nobody."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def locate(self, samples: Iterable[Sample]) -> Iterator[Located]:
        """Each sample with its face."""
        for sample in samples:
            yield Located(sample, self.find(sample.image))

    def find(self, image: Image) -> Faces:
        """The face nearest the centre, one row or none, in pixels of the picture."""
        return central(self.faces(image), image)

    def faces(self, image: Image) -> Faces:
        """All faces, in pixels of the picture.

        Only the detector sees the enlarged copies and borders: faces are cut out of the picture
        as it is.
        """
        for scale, border in VIEWS:
            margin = round(border * max(image.shape[:2]))
            (faces,) = self._detector.detect([_view(image, scale, margin)])
            if len(faces):
                return _back(faces, scale, margin)
        return Faces.none()


def central(faces: Faces, image: Image) -> Faces:
    """The face nearest the centre of the picture, one row or none."""
    middle = np.array(image.shape[1::-1]) / 2
    away = np.hypot(*((faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2 - middle).T)
    return faces.take(np.argsort(away, kind="stable")[:1])


def boxed(points: F32) -> Faces:
    """Faces (score 0.9) for landmarks (M, 5, 2) without boxes: where a detector would put them."""
    scale, shift = fit_similarity(points.astype(np.float64), TEMPLATE)
    middle, height = (0.5 + 0.5j - shift) / scale, 1 / np.abs(scale) / BOX_MARGIN
    half = height[:, None] * np.array([[0.38, 0.5]])
    centre = np.stack([middle.real, middle.imag], axis=1)
    boxes = np.concatenate([centre - half, centre + half], axis=1)
    return Faces(boxes, np.full(len(points), 0.9, np.float32), points.astype(np.float32))


def _view(image: Image, scale: int, margin: int) -> Image:
    if margin:
        image = np.asarray(
            cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_CONSTANT), np.uint8
        )
    if scale > 1:
        image = np.asarray(
            cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8
        )
    return image


def _back(faces: Faces, scale: int, margin: int) -> Faces:
    """Faces of the view in pixels of the picture."""
    points = faces.landmarks / np.float32(scale) - np.float32(margin)
    return Faces(faces.boxes / scale - margin, faces.scores, points)
