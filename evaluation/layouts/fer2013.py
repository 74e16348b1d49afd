"""FER2013: `fer2013.csv` (emotion, pixels, Usage), or folders named for the expression.

The names of Usage are the contest's: Training, PublicTest and PrivateTest.
`fer2013new.csv` beside it brings FER+'s votes, row by row in the same order; for folders, by the
names fer0000000.png that it gives. Sources: Goodfellow et al., arXiv 1307.0414; Barsoum et al.,
arXiv 1608.01041, and https://github.com/microsoft/FERPlus
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

import numpy as np

from core.types import Image
from evaluation.layouts.entry import UNOPENED, Entry, Set, entry
from evaluation.layouts.folders import MOODS, by_folder, part
from evaluation.layouts.packs import FERPLUS, TILE
from evaluation.layouts.place import Place
from evaluation.samples import OFFICIAL, Sample

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
    split = prefix if prefix in OFFICIAL else USAGE.get(part(file), "")
    return entry(place, file, mood=mood, split=split, votes=votes.get(f"{path.stem}.png", ()))


def _table(place: Place) -> Iterator[Entry]:
    for name in place.names:
        if not name.endswith(".csv"):
            continue
        head, *lines = place.bytes(name).splitlines(keepends=True) or [b""]
        columns = [column.strip() for column in head.decode("utf-8-sig", "replace").split(",")]
        if sorted(columns) == ["Usage", "emotion", "pixels"]:
            votes = [said for _, said in _votes(place)]
            start = len(head)
            for number, line in enumerate(lines):
                cells = dict(zip(columns, line.decode("ascii").strip().split(","), strict=True))
                labels = Sample(
                    f"fer{number:07d}",
                    UNOPENED,
                    mood=int(cells["emotion"]),
                    votes=votes[number] if votes else (),
                    split=cells["Usage"].strip(),
                )
                yield Entry(labels, partial(_pixels, place, name, start, len(line), columns.index("pixels")))
                start += len(line)


def _pixels(place: Place, name: str, start: int, size: int, column: int) -> Image:
    """The picture of the row of these bytes: 290 MB of text are not kept."""
    pixels = place.bytes(name, start, size).split(b",")[column].split()
    grey = np.array(pixels, np.uint8).reshape(TILE, TILE, 1)
    return np.repeat(grey, 3, axis=2)


def _votes(place: Place) -> Iterator[tuple[str, Votes]]:
    """The name and the votes of each row of FER+, if it is there."""
    for name in place.names:
        if PurePosixPath(name).name == VOTES:
            for row in csv.reader(place.text(name).splitlines()[1:]):
                yield row[1], tuple(int(vote) for vote in row[2 : 2 + len(FERPLUS)])
