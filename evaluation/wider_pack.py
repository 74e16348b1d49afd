"""Reads the labels of WIDER FACE as packed beside its pictures: one row a face."""

from __future__ import annotations

import csv
import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import ConfigError, SourceError
from core.types import F64, Array, Image
from evaluation.layouts.entry import UNOPENED
from evaluation.layouts.packs import marked
from evaluation.layouts.place import Place

log = logging.getLogger(__name__)
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
    """Each labelled picture of a folder with one wider*.csv and its .tar or pictures, by name.

    One that is not there or cannot be read is empty, with a warning: its labels count.

    Args:
        data: the folder.
        part: all, tune or report (see `part_of`).

    Raises:
        ConfigError: the folder has no wider*.csv, or several, or one that is not understood.
        SourceError: there is no such folder, or none of the pictures is there.
    """
    if not data.is_dir():
        raise SourceError(f"{data}: there is no such folder.")
    tables = sorted(data.glob("wider*.csv"))
    if len(tables) != 1:
        raise ConfigError(f"{data}: expected one wider*.csv, found {len(tables)}.")
    rows = _rows(tables[0])
    archive = tables[0].with_suffix(".tar")
    place = Place(archive if archive.is_file() else data)
    names = sorted(name for name in rows if part in ("all", part_of(name)))
    if set(names).isdisjoint(place.names):
        raise SourceError(
            f"{data}: of the pictures that {tables[0].name} names, none of the part '{part}' is there."
        )
    for name in names:
        image = place.image(name)
        if image is None:
            log.warning("%s: cannot be read as a picture; its faces count as missed.", name)
        yield UNOPENED if image is None else image, _labels(rows[name])


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
                face = _sides(row), [marked(row, level) for level in LEVELS]
            except ValueError as error:
                raise ConfigError(f"{path}, line {reader.line_num}: {error}.") from error
            faces.setdefault(row["file"], []).append(face)
    return faces


def _sides(row: Mapping[str, str]) -> list[float]:
    sides = [float(row[side]) for side in SIDES]
    if not np.isfinite(sides).all():  # a width under 0 is in the pack: a face cut off by its picture
        raise ValueError(f"expected the pixels of a box, got {','.join(row[side] for side in SIDES)}")
    return sides


def part_of(name: str) -> str:
    """`tune` for a third of the pictures, on which settings may be chosen; else `report`."""
    return "tune" if hashlib.sha256(name.encode()).digest()[0] % 3 == 0 else "report"


def _labels(faces: list[Face]) -> Labels:
    boxes = np.array([sides for sides, _ in faces])
    boxes[:, 2:] += boxes[:, :2]
    counted = np.array([counts for _, counts in faces])
    return Labels(boxes, {level: counted[:, nth] for nth, level in enumerate(LEVELS)})
