"""Adience: tab-separated `fold_0_data.txt` ... `fold_4_data.txt` beside `faces/` or `aligned/`.

A picture is `faces/USER/coarse_tilt_aligned_face.FACE.IMAGE` or
`aligned/USER/landmark_aligned_face.FACE.IMAGE`; the aligned ones are taken where both are there.
Ages are eight groups; some rows hold one year or another range, which is taken as it stands.
Source: Eidinger, Enbar, Hassner, "Age and gender estimation of unfiltered faces", TIFS 2014, and
https://talhassner.github.io/home/projects/Adience/Adience-data.html
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from evaluation.layouts.entry import Entry, Set, entry
from evaluation.layouts.place import Place
from evaluation.samples import NAN

LOOKED_FOR = "tables fold_0_data.txt ... with user_id, face_id, original_image, age, gender (Adience)"
TABLE = re.compile(r"(?:fold_(?:frontal_)?(\d)_data)\.txt")
PREFIXES = ("landmark_aligned_face", "coarse_tilt_aligned_face")
GROUPS = ((0, 2), (4, 6), (8, 13), (15, 20), (25, 32), (38, 43), (48, 53), (60, 100))


def sets(place: Place) -> list[Set]:
    """The set, if there are such tables; the frontal ones, parts of the others, only if alone."""
    named = {name: TABLE.fullmatch(PurePosixPath(name).name) for name in place.names}
    tables = {name: match[1] for name, match in named.items() if match is not None}
    whole = {name: fold for name, fold in tables.items() if "frontal" not in name} or tables
    entries = [found for name, fold in whole.items() for found in _entries(place, name, fold)]
    return [Set("adience", entries, groups=GROUPS)] if entries else []


def _entries(place: Place, table: str, fold: str) -> Iterator[Entry]:
    files = {"/".join(PurePosixPath(name).parts[-2:]): name for name in place.pictures}
    for row in csv.DictReader(place.text(table).splitlines(), delimiter="\t", restval=""):
        tail = f"{row['face_id']}.{row['original_image']}"
        wanted = (f"{row['user_id']}/{prefix}.{tail}" for prefix in PREFIXES)
        file = next((files[name] for name in wanted if name in files), None)
        if file is not None:
            low, high = _group(row["age"])
            female = {"f": 1.0, "m": 0.0}.get(row["gender"], NAN)
            key = f"{row['user_id']}/{tail}"
            yield entry(place, file, key=key, age_low=low, age_high=high, female=female, split=fold)


def _group(text: str) -> tuple[float, float]:
    """`(25, 32)`, `35` or `None`."""
    years = [float(number) for number in re.findall(r"\d+", text)]
    return (years[0], years[-1]) if years else (NAN, NAN)
