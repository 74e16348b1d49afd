"""AffectNet, in the three forms in which it is passed on.

`train_set/images/N.jpg` beside `train_set/annotations/N_exp.npy` (and `val_set`); `training.csv`
and `validation.csv` with `subDirectory_filePath`, the face's box and `expression`; or folders 0 to
7, or named for the expression. 0 neutral, 1 happy, 2 sad, 3 surprise, 4 fear, 5 disgust, 6 anger,
7 contempt; 8 to 10 are no expressions. Contempt is a label, but no mood of the program. Source:
Mollahosseini, Hasani, Mahoor, "AffectNet", IEEE Transactions on Affective Computing 2019.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath

import numpy as np

from core.types import Image
from evaluation.layouts.entry import UNOPENED, Entry, Set, entry
from evaluation.layouts.folders import MOODS, PARTS, by_folder, part, within
from evaluation.layouts.place import Place
from evaluation.samples import Sample

LOOKED_FOR = (
    "annotations/N_exp.npy beside images/N.jpg, a .csv with subDirectory_filePath and expression, "
    "or class folders 0 to 7 or with contempt (AffectNet)"
)
LABELS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
CLASSES = {str(i): MOODS[name] for i, name in enumerate(LABELS)}
TESTS = ("val", "test")  # published figures are about val; who passes the set on may call it test
BORDER = 0.5  # sides of the face's box that are kept around it


def sets(place: Place) -> list[Set]:
    """The set, if one of its forms is there."""
    entries = _annotated(place) or _tables(place)
    if not entries:
        found = by_folder(place, CLASSES) or by_folder(place, MOODS)
        entries = [
            entry(place, file, key=within(file), mood=mood, split=part(file), tests=TESTS)
            for file, mood in found.items()
        ]
    return [Set("affectnet", entries)] if entries else []


def _annotated(place: Place) -> list[Entry]:
    pictures = {str(PurePosixPath(name).with_suffix("")): name for name in place.pictures}
    entries = []
    for name in place.names:
        if name.endswith("_exp.npy"):
            label = str(np.load(io.BytesIO(place.bytes(name))).item())
            file = pictures.get(name.removesuffix("_exp.npy").replace("annotations/", "images/"))
            if file is not None and label in CLASSES:
                mood = CLASSES[label]
                entries.append(entry(place, file, mood=mood, split=part(file), tests=TESTS))
    return entries


def _tables(place: Place) -> list[Entry]:
    tables = [name for name in place.names if name.endswith(".csv")]
    texts = {PurePosixPath(name).stem: place.text(name) for name in tables}
    wanted = {stem: text for stem, text in texts.items() if text.startswith("subDirectory_filePath")}
    return [found for stem, text in wanted.items() for found in _rows(place, stem, text)]


def _rows(place: Place, table: str, text: str) -> Iterator[Entry]:
    files = {"/".join(PurePosixPath(name).parts[-2:]): name for name in place.pictures}
    for row in csv.DictReader(text.splitlines()):
        file = files.get(row["subDirectory_filePath"])
        if file is not None and row["expression"] in CLASSES:
            mood = CLASSES[row["expression"]]
            box = [float(row[f"face_{key}"]) for key in ("x", "y", "width", "height")]
            split, key = PARTS.get(table, ""), row["subDirectory_filePath"]
            yield Entry(
                Sample(file, UNOPENED, mood=mood, split=split, tests=TESTS, key=key),
                partial(_cut, place, file, box),
            )


def _cut(place: Place, file: str, box: list[float]) -> Image | None:
    """The face's box with a border: whole photographs may show other people."""
    image = place.image(file)
    left, top, width, height = box
    if image is None or width <= 0:
        return image
    ends = np.array([left - BORDER * width, top - BORDER * height, width, height])
    ends[2:] = ends[:2] + (1 + 2 * BORDER) * ends[2:]
    x1, y1, x2, y2 = ends.clip(0, [*image.shape[1::-1], *image.shape[1::-1]]).astype(int).tolist()
    return np.ascontiguousarray(image[y1:y2, x1:x2])
