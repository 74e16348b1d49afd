"""CK+: `Emotion/S005/001/S005_001_00000011_emotion.txt` beside `cohn-kanade-images/S005/001/*.png`.

The label is that of the last picture of the sequence, at its peak; sequences without one are left
out. Or, as often passed on, pictures of that name in folders named for the expression (`CK+48`).
Contempt is a label, but no mood of the program. Source: Lucey et al., "The extended Cohn-Kanade
dataset (CK+)", CVPR workshops 2010.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from evaluation.layouts.entry import Entry, Set, entry
from evaluation.layouts.folders import MOODS, by_folder
from evaluation.layouts.place import Place

LOOKED_FOR = (
    "Emotion/**/S005_001_00000011_emotion.txt beside pictures of that name, or in class folders (CK+)"
)
NAME = re.compile(r"S\d{3}_\d{3}_\d{8}")
LABELS = ("neutral", "anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")


def sets(place: Place) -> list[Set]:
    """The set, if pictures are named and labelled like that."""
    entries = _by_text(place) or [
        entry(place, file, mood=mood)
        for file, mood in by_folder(place, MOODS).items()
        if NAME.fullmatch(PurePosixPath(file).stem)
    ]
    return [Set("ckplus", entries)] if entries else []


def _by_text(place: Place) -> list[Entry]:
    entries = []
    for label in place.names:
        stem = PurePosixPath(label).name.removesuffix("_emotion.txt")
        if label.endswith("_emotion.txt") and NAME.fullmatch(stem) and stem in place.by_stem:
            mood = MOODS[LABELS[int(float(place.text(label)))]]
            entries.append(entry(place, place.by_stem[stem], mood=mood))
    return entries
