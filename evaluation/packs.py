"""Reads the packs of labelled faces: a .csv of labels beside a .tar of pictures."""

from __future__ import annotations

import csv
import hashlib
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from core.protocols import Detector
from core.types import F32, Faces, Image
from estimators.align import BOX_MARGIN, TEMPLATE, fit_similarity

NAN = float("nan")
Row = dict[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """One face of a pack.

    Attributes:
        name: of the picture.
        image: uint8 (H, W, 3) BGR.
        faces: the face, one row; none if the detector missed it.
        age: years; female: 1 for a woman, 0 for a man; NaN: not labelled.
        mood: index into `core.types.EMOTIONS`, -1: not labelled.
    """

    name: str
    image: Image
    faces: Faces
    age: float = NAN
    female: float = NAN
    mood: int = -1

    @property
    def tuning(self) -> bool:
        """Whether numbers may be fitted on it; the others are for reporting."""
        return _hash(self.name) % 2 == 0


def read_utkface(data: Path, limit: int, detector: Detector) -> Iterator[Labelled]:
    """UTKFace: tight 160 px chips, so they get a black margin before a detector looks."""
    rows = _labels(data / "utkface_public.csv", "file", limit)
    for row, image in _pictures(data / "utkface_public.tar", rows):
        half = image.shape[0] // 2
        padded = np.asarray(cv2.copyMakeBorder(image, half, half, half, half, cv2.BORDER_CONSTANT), np.uint8)
        faces = central(detector.detect([padded])[0], padded.shape[0] / 2)
        yield Labelled(row["file"], padded, faces, float(row["age"]), _number(row["gender"]))


def read_aaf(data: Path, limit: int) -> Iterator[Labelled]:
    """All-Age-Faces, by the landmarks that come with it."""
    keys = [f"{p}_{axis}" for p in ("eye_l", "eye_r", "nose", "mouth_l", "mouth_r") for axis in "xy"]
    for row, image in _pictures(data / "aaf_public.tar", _labels(data / "aaf_public.csv", "file", limit)):
        points = np.array([float(row[key]) for key in keys], np.float32).reshape(1, 5, 2)
        yield Labelled(row["file"], image, boxed(points), float(row["age"]), _number(row["gender"]))


def read_fer(data: Path, limit: int) -> Iterator[Labelled]:
    """The public test set of FER2013: each 48 px tile is a face's box."""
    rows = _labels(data / "fer2013_public.csv", "orig", 10**9)
    rows = [row for row in rows if row["split"] == "PublicTest" and row["emotion_ambiguous"] != "1"][:limit]
    tile = Faces(np.array([[0.0, 0, 48, 48]]), np.ones(1, np.float32), np.full((1, 5, 2), NAN, np.float32))
    sheets: dict[str, list[Row]] = {}
    for row in rows:
        sheets.setdefault(row["sheet"], []).append(row)
    for wanted, sheet in _pictures(data / "fer2013_public.tar", [{"file": name} for name in sheets]):
        for row in sheets[wanted["file"]]:
            top, left = 48 * int(row["row"]), 48 * int(row["col"])
            image = np.ascontiguousarray(sheet[top : top + 48, left : left + 48])
            yield Labelled(row["orig"], image, tile, mood=int(row["emotion"]))


def central(faces: Faces, middle: float) -> Faces:
    """The face nearest the middle of a square picture, one row or none."""
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


def _labels(path: Path, key: str, limit: int) -> list[Row]:
    """The rows of sound labels, the first by the hash of their names."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("conflict", "0") != "1"]
    return sorted(rows, key=lambda row: _hash("order " + row[key]))[:limit]


def _pictures(path: Path, rows: Sequence[Row]) -> Iterator[tuple[Row, Image]]:
    with tarfile.open(path) as archive:
        members = {member.name: member for member in archive}
        for row in rows:
            file = archive.extractfile(members[row["file"]])
            image = cv2.imdecode(np.frombuffer(file.read() if file else b"", np.uint8), cv2.IMREAD_COLOR)
            yield row, np.asarray(image, np.uint8)


def _number(text: str) -> float:
    return float(text) if text else NAN


def _hash(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16)
