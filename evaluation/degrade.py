"""Makes poor pictures of good ones, as a camera does: far away, out of focus, dark, noisy, packed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from core.geometry import iou
from core.types import F64, Faces, Image
from evaluation.finder import Finder, Located

# What is drawn for each picture, evenly between the two; together they give every quality.
HEIGHT = (16.0, 72.0)  # px of the face in the picture of the camera; in the logarithm
BLUR = (0.2, 1.2)  # px there, standard deviation of the Gaussian
DARKER = (0.0, 2.0)  # stops, for one picture in two
NOISE = (1.0, 8.0)  # grey levels, standard deviation
JPEG = (40, 95)  # quality
ENLARGED = 0.33  # share of the pictures that are brought back to their size, as players do
SAME_FACE = 0.4  # least overlap of a face found with the one that is there


def degrade(image: Image, height: float, generator: np.random.Generator) -> Image:
    """A poor picture of that scene, in which the face was `height` pixels tall."""
    wanted = math.exp(generator.uniform(*np.log(HEIGHT)))
    scale = min(wanted / height, 1.0)
    poor = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    poor = cv2.GaussianBlur(poor, (0, 0), generator.uniform(*BLUR))
    gain = 2.0 ** -generator.uniform(*DARKER) if generator.random() < 0.5 else 1.0
    noisy = poor * gain + generator.normal(0, generator.uniform(*NOISE), poor.shape)
    grey = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    packed = np.asarray(
        cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(generator.integers(*JPEG))])[1]
    )
    poor = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    if generator.random() < ENLARGED:
        poor = cv2.resize(poor, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(poor, np.uint8)


def degraded(face: Located, finder: Finder, times: int, generator: np.random.Generator) -> Iterator[Located]:
    """That face in so many poor pictures, as the detector finds it; without those it misses."""
    box = face.faces.boxes[0]
    for _ in range(times):
        poor = degrade(face.sample.image, float(box[3] - box[1]), generator)
        found = _same(finder.faces(poor), box * (poor.shape[1] / face.sample.image.shape[1]))
        if len(found):
            yield Located(replace(face.sample, image=poor), found)


def _same(faces: Faces, box: F64) -> Faces:
    """The face that lies on the box, one row or none."""
    overlaps = iou(box[None], faces.boxes)[0]
    best = np.argsort(-overlaps, kind="stable")[:1]
    return faces.take(best[overlaps[best] >= SAME_FACE])
