"""What the folder of a picture says: its class, and its part of the set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from core.types import EMOTIONS
from evaluation.layouts.place import Place

UNTOLD = -1  # an expression that the program does not tell, such as contempt
MOODS = {name: i for i, name in enumerate(EMOTIONS)} | {
    "anger": 0,
    "disgusted": 1,
    "fearful": 2,
    "happiness": 3,
    "sadness": 4,
    "surprised": 5,
    "contempt": UNTOLD,
}
PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
PARTS |= {"val": "val", "valid": "val", "validation": "val"}


def by_folder(place: Place, classes: Mapping[str, int]) -> dict[str, int]:
    """The pictures whose folder is named for a class, and that class."""
    found = ((file, PurePosixPath(file).parent.name.lower()) for file in place.pictures)
    return {file: classes[folder] for file, folder in found if folder in classes}


def within(file: str) -> str:
    """The file's name with the class's folder before it: file names may come again in every class.

    >>> within("archive/train/angry/im0.png")
    'angry/im0.png'
    """
    return "/".join(PurePosixPath(file).parts[-2:])


def part(file: str) -> str:
    """train, val or test, if a folder of its path says so."""
    folders = PurePosixPath(file.lower()).parent.parts
    names = (PARTS.get(folder.removesuffix("_set").removesuffix("_class")) for folder in folders)
    return next((name for name in names if name is not None), "")
