"""FairFace: `fairface_label_train.csv` and `fairface_label_val.csv` beside `train/` and `val/`.

Columns file, age, gender, race, service_test; nine age groups; seven races. Source: Kärkkäinen and
Joo, "FairFace", WACV 2021, and https://github.com/joojs/fairface
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from evaluation.layouts.entry import Entry, Set, entry
from evaluation.layouts.place import Place
from evaluation.samples import NAN

LOOKED_FOR = "a .csv with the columns file, age, gender, race, service_test (FairFace)"
# Written as `Latino_Hispanic`, `East Asian`, ...
RACES = ("white", "black", "latino", "east asian", "southeast asian", "indian", "middle eastern")
GROUPS = ((0, 2), (3, 9), (10, 19), (20, 29), (30, 39), (40, 49), (50, 59), (60, 69), (70, 100))
TESTS = ("val",)  # what published figures are about
COLUMNS = "file,age,gender,race"


def sets(place: Place) -> list[Set]:
    """The set, if there is such a .csv."""
    tables = [name for name in place.names if name.lower().endswith(".csv")]
    heads = {name: place.text(name) for name in tables if "label" in name.lower()}
    entries = [
        found
        for name, text in heads.items()
        if text.startswith(COLUMNS)
        for found in _entries(place, name, text)
    ]
    return [Set("fairface", entries, RACES, GROUPS)] if entries else []


def _entries(place: Place, table: str, text: str) -> Iterator[Entry]:
    folder = PurePosixPath(table).parent
    known = set(place.pictures)
    for row in csv.DictReader(text.splitlines(), restval=""):
        file = (folder / row["file"]).as_posix()
        if file in known:
            low, high = _group(row["age"])
            race = row["race"].lower().removesuffix("_hispanic")
            yield entry(
                place,
                file,
                key=row["file"],
                age_low=low,
                age_high=high,
                female={"female": 1.0, "male": 0.0}.get(row["gender"].lower(), NAN),
                race=RACES.index(race) if race in RACES else -1,
                split=PurePosixPath(row["file"]).parts[0],
                tests=TESTS,
            )


def _group(text: str) -> tuple[float, float]:
    """`20-29`, `more than 70` or `70+`; anything else is not known."""
    if text.strip().lower() in ("more than 70", "70+"):
        return 70.0, 100.0
    found = re.fullmatch(r"\s*(\d+)-(\d+)\s*", text)
    years = (float(found[1]), float(found[2])) if found else (NAN, NAN)
    return years if years[0] <= years[1] else (NAN, NAN)
