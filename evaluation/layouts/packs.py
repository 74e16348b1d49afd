"""Packs: a .csv of labels, and beside it a .tar of the same name (or the pictures, loose).

Told apart by their columns: UTKFace's have `race`, All-Age-Faces' `eye_l_x`, FER2013's `sheet`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.errors import ConfigError
from core.types import EMOTIONS, F32, Image
from evaluation.layouts.entry import UNOPENED, Entry, Set, entry
from evaluation.layouts.place import Place
from evaluation.samples import NAN, RACES, VOTES, Sample

LOOKED_FOR = (
    "a .csv with the columns file, age, gender, age_min, age_max, or sheet, row, col, emotion, beside a .tar"
)
OLDEST = 120  # years; another label has mixed up its columns
TILE = 48  # px, side of a face of FER2013
FERPLUS = [*VOTES[:-1], "nf"]
TESTS = ("PublicTest", "PrivateTest")  # what FER2013's contest kept
POINTS = [f"{point}_{axis}" for point in ("eye_l", "eye_r", "nose", "mouth_l", "mouth_r") for axis in "xy"]
MARKS = {"0": False, "1": True, "0.0": False, "1.0": True}
Row = dict[str, str]


def sets(place: Place) -> list[Set]:
    """The packs of a folder, each under the name of its .csv."""
    if not place.path.is_dir():
        return []
    found = (_pack(path) for path in sorted(place.path.glob("*.csv")) if path.is_file())
    return [one for one in found if one is not None]


def _pack(path: Path) -> Set | None:
    # Any table may lie beside the packs, in whatever characters.
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.DictReader(file, restval="")
        columns = set(rows.fieldnames or ())
        kinds = (
            (_people, {"file", "age", "gender", "age_min", "age_max"}),
            (_moods, {"sheet", "row", "col", "emotion"}),
        )
        for reader, wanted in kinds:
            if columns >= wanted:
                try:
                    return Set(path.stem, list(reader(_pictures(path), rows)))
                except (ValueError, LookupError) as error:
                    raise ConfigError(f"{path}, line {rows.line_num}: {error}.") from error
    return None


def _pictures(path: Path) -> Place:
    archive = path.with_suffix(".tar")
    return Place(archive if archive.is_file() else path.parent)


def _people(place: Place, rows: Iterator[Row]) -> Iterator[Entry]:
    for row in rows:
        yield entry(
            place,
            row["file"],
            key=row["file"],
            age=_age(row["age"]),
            female=_female(row["gender"]),
            race=_index(row, "race", len(RACES)),
            landmarks=_landmarks(row),
            split=row.get("official_split", ""),
            sound=not marked(row, "conflict"),
        )


def _landmarks(row: Row) -> F32 | None:
    if not row.get("eye_l_x"):
        return None
    missing = [key for key in POINTS if not row.get(key)]
    if missing:
        raise ValueError(f"expected five landmarks or none, but there is no {missing[0]}")
    points = np.array([float(row[key]) for key in POINTS], np.float32).reshape(5, 2)
    if not (np.isfinite(points).all() and np.ptp(points, axis=0).any()):
        raise ValueError("expected five landmarks or none, but no face can be cut out by these")
    return points


def _moods(place: Place, rows: Iterator[Row]) -> Iterator[Entry]:
    sheet = lru_cache(maxsize=1)(place.image)  # the rows come sheet by sheet
    for row in rows:
        top, left = TILE * int(row["row"]), TILE * int(row["col"])

        def tile(name: str = row["sheet"], top: int = top, left: int = left) -> Image | None:
            whole = sheet(name)
            part = None if whole is None else whole[top : top + TILE, left : left + TILE]
            return None if part is None or part.shape[:2] != (TILE, TILE) else np.ascontiguousarray(part)

        # Several rows may show one picture. `dup_group` joins a few more, nearly equal ones (four groups
        # with parts in both train and tune), but the shipped networks learned by these parts.
        key = f"{row['sheet']}/{row['row']}/{row['col']}"
        labels = Sample(
            row.get("orig") or key,
            UNOPENED,
            mood=_index(row, "emotion", len(EMOTIONS)),
            votes=tuple(int(row[f"ferplus_{name}"]) for name in FERPLUS) if "ferplus_nf" in row else (),
            split=row.get("split", ""),
            tests=TESTS,
            sound=not (marked(row, "emotion_ambiguous") or marked(row, "near_public_test")),
            key=key,
        )
        yield Entry(labels, tile)


def marked(row: Row, name: str) -> bool:
    """Whether a cell says 1; as a table program writes it, too, where other cells of the column are empty.

    Raises:
        ValueError: it is no mark.
    """
    text = row.get(name) or "0"
    if text not in MARKS:
        raise ValueError(f"expected for {name} 0, 1 or nothing, got '{text}'")
    return MARKS[text]


def _number(text: str) -> float:
    return float(text) if text else NAN


def _age(text: str) -> float:
    age = _number(text)
    if age < 0 or age > OLDEST:
        raise ValueError(f"expected for age years from 0 to {OLDEST} or nothing, got '{text}'")
    return age


def _female(text: str) -> float:
    if text and text not in MARKS:
        raise ValueError(f"expected for gender 0, 1 or nothing, got '{text}'")
    return _number(text)


def _index(row: Row, name: str, count: int) -> int:
    """The class that a cell names by its number; -1 for none."""
    text = row.get(name) or "-1"
    if float(text) not in range(-1, count):
        raise ValueError(f"expected for {name} a number from 0 to {count - 1} or nothing, got '{text}'")
    return int(float(text))
