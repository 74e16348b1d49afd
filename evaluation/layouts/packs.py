"""Packs: a .csv of labels, and beside it a .tar of the same name (or the pictures, loose).

Told apart by their columns: UTKFace's have `race`, All-Age-Faces' `eye_l_x`, FER2013's `sheet`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.types import F32, Image
from evaluation.layouts.entry import UNOPENED, Entry, Set, entry
from evaluation.layouts.place import Place
from evaluation.samples import NAN, VOTES, Sample

LOOKED_FOR = "a .csv with the columns file, age, gender or sheet, row, col, emotion, beside a .tar"
TILE = 48  # px, side of a face of FER2013
FERPLUS = [*VOTES[:-1], "nf"]
POINTS = [f"{point}_{axis}" for point in ("eye_l", "eye_r", "nose", "mouth_l", "mouth_r") for axis in "xy"]
Row = dict[str, str]


def sets(place: Place) -> list[Set]:
    """The packs of a folder, each under the name of its .csv."""
    if not place.path.is_dir():
        return []
    found = (_pack(path) for path in sorted(place.path.glob("*.csv")))
    return [one for one in found if one is not None]


def _pack(path: Path) -> Set | None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        columns = set(rows.fieldnames or ())
        if columns >= {"file", "age", "gender", "age_min", "age_max"}:
            return Set(path.stem, list(_people(_pictures(path), rows)))
        if columns >= {"sheet", "row", "col", "emotion"}:
            return Set(path.stem, list(_moods(_pictures(path), rows)))
    return None


def _pictures(path: Path) -> Place:
    archive = path.with_suffix(".tar")
    return Place(archive if archive.is_file() else path.parent)


def _people(place: Place, rows: Iterator[Row]) -> Iterator[Entry]:
    for row in rows:
        yield entry(
            place,
            row["file"],
            age=_number(row["age"]),
            female=_number(row["gender"]),
            race=int(row["race"]) if row.get("race") else -1,
            landmarks=_landmarks(row),
            split=row.get("official_split", ""),
            sound=row.get("conflict") != "1",
        )


def _landmarks(row: Row) -> F32 | None:
    if not row.get("eye_l_x"):
        return None
    return np.array([float(row[key]) for key in POINTS], np.float32).reshape(5, 2)


def _moods(place: Place, rows: Iterator[Row]) -> Iterator[Entry]:
    sheet = lru_cache(maxsize=1)(place.image)  # the rows come sheet by sheet
    for row in rows:
        top, left = TILE * int(row["row"]), TILE * int(row["col"])

        def tile(name: str = row["sheet"], top: int = top, left: int = left) -> Image | None:
            whole = sheet(name)
            return (
                None if whole is None else np.ascontiguousarray(whole[top : top + TILE, left : left + TILE])
            )

        labels = Sample(
            row["orig"],
            UNOPENED,
            mood=int(row["emotion"]),
            votes=tuple(int(row[f"ferplus_{name}"]) for name in FERPLUS) if "ferplus_nf" in row else (),
            split=row["split"],
            sound=row.get("emotion_ambiguous") != "1" and row.get("near_public_test") != "1",
            key=f"{row['sheet']}/{row['row']}/{row['col']}",  # several rows may show one picture
        )
        yield Entry(labels, tile)


def _number(text: str) -> float:
    return float(text) if text else NAN
