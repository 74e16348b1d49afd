"""Reads the labels of WIDER FACE as packed beside its pictures: one row a face."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import ConfigError, SourceError
from core.types import F64, Array, Image
from evaluation.layouts.place import Place
from evaluation.pictures import pictures

LEVELS = ("easy", "medium", "hard")
SIDES = ("x", "y", "w", "h")
Face = tuple[list[float], list[bool]]  # numbers of SIDES, pixels; whether it counts, by LEVELS


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The faces of one picture.

    Attributes:
        boxes: float64 (M, 4), x1 y1 x2 y2, pixels.
        counted: level -> bool (M,), the face counts there; else it is neither hit nor false alarm.
    """

    boxes: F64
    counted: dict[str, Array]

    @property
    def heights(self) -> F64:
        """Of the faces, pixels. float64 (M,)."""
        return self.boxes[:, 3] - self.boxes[:, 1]


def read(data: Path, part: str = "all") -> Iterator[tuple[Image, Labels]]:
    """Each labelled picture of a folder with one wider*.csv and its .tar or pictures.

    Args:
        data: the folder.
        part: all, tune or report (see `part_of`).

    Raises:
        ConfigError: the folder has no wider*.csv, or several, or one that is not understood.
        SourceError: there is no such folder, or the pictures are missing.
    """
    if not data.is_dir():
        raise SourceError(f"{data}: there is no such folder.")
    tables = sorted(data.glob("wider*.csv"))
    if len(tables) != 1:
        raise ConfigError(f"{data}: expected one wider*.csv, found {len(tables)}.")
    rows, found = _rows(tables[0]), False
    archive = tables[0].with_suffix(".tar")
    for name, image in pictures(Place(archive if archive.is_file() else data)):
        if name in rows and part in ("all", part_of(name)):
            found = True
            yield image, _labels(rows[name])
    if not found:
        raise SourceError(
            f"{data}: of the pictures that {tables[0].name} names, none of the part '{part}' is there."
        )


def _rows(path: Path) -> dict[str, list[Face]]:
    """The faces of each picture."""
    faces: dict[str, list[Face]] = {}
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.DictReader(file, restval="")
        for name in ("file", *SIDES, *LEVELS):
            if name not in (reader.fieldnames or ()):
                raise ConfigError(f"{path}, line 1: there is no column '{name}'.")
        for row in reader:
            try:
                face = [float(row[side]) for side in SIDES], [row[level] == "1" for level in LEVELS]
            except ValueError as error:
                raise ConfigError(f"{path}, line {reader.line_num}: {error}.") from error
            faces.setdefault(row["file"], []).append(face)
    return faces


def part_of(name: str) -> str:
    """`tune` for a third of the pictures, on which settings may be chosen; else `report`."""
    return "tune" if hashlib.sha256(name.encode()).digest()[0] % 3 == 0 else "report"


def _labels(faces: list[Face]) -> Labels:
    boxes = np.array([sides for sides, _ in faces])
    boxes[:, 2:] += boxes[:, :2]
    counted = np.array([counts for _, counts in faces])
    return Labels(boxes, {level: counted[:, nth] for nth, level in enumerate(LEVELS)})
