"""Reads the labels of WIDER FACE as packed beside its pictures: one row a face."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from core.errors import ConfigError
from evaluation.layouts.packs import marked
from evaluation.widerface import LEVELS, Labels

SIDES = ("x", "y", "w", "h")
Face = tuple[list[float], list[bool]]  # numbers of SIDES, pixels; whether it counts, by LEVELS


def labels(path: Path) -> dict[str, Labels]:
    """The faces of each picture, by its name in the archive or folder beside the table.

    Raises:
        ConfigError: the table is not understood.
    """
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
    return {name: _labels(rows) for name, rows in faces.items()}


def _sides(row: Mapping[str, str]) -> list[float]:
    sides = [float(row[side]) for side in SIDES]
    if not np.isfinite(sides).all():  # a width under 0 is in the pack: a face cut off by its picture
        raise ValueError(f"expected the pixels of a box, got {','.join(row[side] for side in SIDES)}")
    return sides


def _labels(faces: list[Face]) -> Labels:
    counted = np.array([counts for _, counts in faces])
    return Labels.of_sides(
        np.array([sides for sides, _ in faces]), {level: counted[:, nth] for nth, level in enumerate(LEVELS)}
    )
