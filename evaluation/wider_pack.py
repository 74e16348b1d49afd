"""Reads the labels of WIDER FACE as packed beside its pictures: one row a face."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import ConfigError
from core.types import F64, Array, Image
from evaluation.pictures import pictures

LEVELS = ("easy", "medium", "hard")


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
        ConfigError: the folder has no wider*.csv, or several.
        SourceError: the pictures are missing.
    """
    tables = sorted(data.glob("wider*.csv"))
    if len(tables) != 1:
        raise ConfigError(f"{data}: expected one wider*.csv, found {len(tables)}.")
    rows: dict[str, list[dict[str, str]]] = {}
    with tables[0].open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["file"], []).append(row)
    archive = tables[0].with_suffix(".tar")
    for name, image in pictures(archive if archive.is_file() else data):
        if name in rows and part in ("all", part_of(name)):
            yield image, _labels(rows[name])


def part_of(name: str) -> str:
    """`tune` for a third of the pictures, on which settings may be chosen; else `report`."""
    return "tune" if hashlib.sha256(name.encode()).digest()[0] % 3 == 0 else "report"


def _labels(rows: list[dict[str, str]]) -> Labels:
    boxes = np.array([[float(row[key]) for key in ("x", "y", "w", "h")] for row in rows])
    boxes[:, 2:] += boxes[:, :2]
    return Labels(boxes, {level: np.array([row[level] == "1" for row in rows]) for level in LEVELS})
