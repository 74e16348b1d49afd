"""All-Age-Faces: the file's name is `NNNNNAYY.jpg`, a serial number and the age.

Numbers up to 07380 are women, those from 07381 on men. `image sets/train.txt` and `val.txt` list
`NNNNNAYY gender`. Of `original images` and `aglined faces` (the archive's own spelling) the original
ones are taken where both are there. The key of a picture is that of our pack, which the shipped
networks learned from: a picture is of the same part in both, whatever the lists say. Source: https://github.com/JingchunCheng/All-Age-Faces-Dataset
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from evaluation.layouts.entry import Set, entry
from evaluation.layouts.place import Place

LOOKED_FOR = "pictures named NNNNNAYY (All-Age-Faces)"
NAME = re.compile(r"(\d{5})A(\d{2})")
LAST_WOMAN = 7380
ALIGNED = re.compile(r"aligned|aglined", re.IGNORECASE)


def sets(place: Place) -> list[Set]:
    """The set, if any picture is named like that."""
    originals = [file for file in place.pictures if ALIGNED.search(file) is None]
    parts = _parts(place)
    entries = []
    for file in originals or place.pictures:
        stem = PurePosixPath(file).stem
        name = NAME.fullmatch(stem)
        if name is not None:
            female, key = float(int(name[1]) <= LAST_WOMAN), f"aaf/{stem}.webp"
            split = parts.get(stem, "")
            entries.append(entry(place, file, key=key, age=float(name[2]), female=female, split=split))
    return [Set("allagefaces", entries)] if entries else []


def _parts(place: Place) -> dict[str, str]:
    """train or val of each name that the lists know."""
    return {
        PurePosixPath(line.split()[0]).stem: PurePosixPath(file).stem
        for file in place.names
        if PurePosixPath(file).name in ("train.txt", "val.txt")
        for line in place.text(file).splitlines()
        if line.strip()
    }
