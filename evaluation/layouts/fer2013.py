"""FER2013: `fer2013.csv` (emotion, pixels, Usage), or folders named for the expression.

The names of Usage are the contest's: Training, PublicTest and PrivateTest.
`fer2013new.csv` beside it brings FER+'s votes, row by row in the same order; for folders, by the
names fer0000000.png that it gives. Sources: Goodfellow et al., arXiv 1307.0414; Barsoum et al.,
arXiv 1608.01041, and https://github.com/microsoft/FERPlus

The table shows many pictures several times: equal ones share a key, and so a part. They are not
of the part that our pack has them in, whose cells are numbered otherwise.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath

import numpy as np

from core.types import EMOTIONS, Image
from evaluation.layouts.entry import UNOPENED, Entry, Set, entry
from evaluation.layouts.folders import MOODS, by_folder, part, within
from evaluation.layouts.packs import FERPLUS, TESTS, TILE
from evaluation.layouts.place import Place
from evaluation.samples import Sample

LOOKED_FOR = "a .csv with the columns emotion, pixels, Usage, or folders angry, happy, sad ... (FER2013)"
VOTES = "fer2013new.csv"
USAGE = {"train": "Training", "val": "PublicTest", "test": "PrivateTest"}  # by the folder's name
Votes = tuple[int, ...]


def sets(place: Place) -> list[Set]:
    """The set, if its table or its folders are there; contempt is another set's."""
    entries = list(_table(place))
    if not entries:
        found = by_folder(place, MOODS)
        if all(mood >= 0 for mood in found.values()):
            votes = {name: said for name, said in _votes(place) if name}
            entries = [_picture(place, file, mood, votes) for file, mood in found.items()]
    return [Set("fer2013", entries)] if entries else []


def _picture(place: Place, file: str, mood: int, votes: dict[str, Votes]) -> Entry:
    path = PurePosixPath(file)
    prefix = path.stem.partition("_")[0]
    split = prefix if prefix in USAGE.values() else USAGE.get(part(file), "")
    said = votes.get(f"{path.stem}.png", ())
    return entry(place, file, key=within(file), mood=mood, split=split, tests=TESTS, votes=said)


def _table(place: Place) -> Iterator[Entry]:
    for name in place.names:
        if not name.endswith(".csv"):
            continue
        head, *lines = place.bytes(name).rstrip().splitlines(keepends=True) or [b""]
        columns = [column.strip() for column in head.decode("utf-8-sig", "replace").split(",")]
        if sorted(columns) == ["Usage", "emotion", "pixels"]:
            yield from _rows(place, name, len(head), lines, columns)


def _rows(place: Place, name: str, start: int, lines: Sequence[bytes], columns: list[str]) -> Iterator[Entry]:
    votes = [said for _, said in _votes(place)]
    told = [_told(line, columns) for line in lines]
    tested = {key for _, split, key in told if split in TESTS}
    for number, (line, (mood, split, key)) in enumerate(zip(lines, told, strict=True)):
        labels = Sample(
            f"fer{number:07d}",
            UNOPENED,
            mood=mood,
            votes=votes[number] if votes else (),
            split=split,
            tests=TESTS,
            sound=split in TESTS or key not in tested,
            key=key,
        )
        yield Entry(labels, partial(_pixels, place, name, start, len(line), columns.index("pixels")))
        start += len(line)


def _told(line: bytes, columns: list[str]) -> tuple[int, str, str]:
    """The mood of a row, its part of the set, and a key that equal pictures share."""
    cells = dict(zip(columns, line.decode("ascii").strip().split(","), strict=True))
    key = hashlib.sha256(cells["pixels"].strip().encode()).hexdigest()
    mood = int(cells["emotion"])
    if mood not in range(len(EMOTIONS)):
        raise ValueError(f"expected for emotion a number from 0 to {len(EMOTIONS) - 1}, got '{mood}'")
    return mood, cells["Usage"].strip(), key


def _pixels(place: Place, name: str, start: int, size: int, column: int) -> Image | None:
    """The picture of the row of these bytes, None if it is none: 290 MB of text are not kept."""
    pixels = place.bytes(name, start, size).split(b",")[column].split()
    try:
        grey = np.array(pixels, np.uint8).reshape(TILE, TILE, 1)
    except (ValueError, OverflowError):  # too few, or not 0 to 255
        return None
    return np.repeat(grey, 3, axis=2)


def _votes(place: Place) -> Iterator[tuple[str, Votes]]:
    """The name and the votes of each row of FER+, if it is there."""
    for name in place.names:
        if PurePosixPath(name).name == VOTES:
            for row in csv.reader(place.text(name).splitlines()[1:]):
                yield row[1], tuple(int(vote) for vote in row[2 : 2 + len(FERPLUS)])
