"""RAF-DB, basic: `EmoLabel/list_patition_label.txt` beside `Image/aligned`; or folders 1 to 7.

A line is `train_00001.jpg 5`; the picture is `train_00001_aligned.jpg`, or the original one where
there are no aligned ones. Source: Li, Deng, Du, "Reliable crowdsourcing and deep
locality-preserving learning for expression recognition in the wild", CVPR 2017, and
http://www.whdeng.cn/raf/model1.html
"""

from __future__ import annotations

from pathlib import PurePosixPath

from evaluation.layouts.entry import Entry, Set, entry
from evaluation.layouts.folders import MOODS, by_folder, part
from evaluation.layouts.place import Place

LOOKED_FOR = "list_patition_label.txt beside Image/aligned, or class folders 1 to 7 (RAF-DB)"
LIST = "list_patition_label.txt"  # the set's own spelling
LABELS = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
TESTS = ("test",)
CLASSES = {str(i + 1): MOODS[name] for i, name in enumerate(LABELS)}


def sets(place: Place) -> list[Set]:
    """The set, if its list or its folders are there; a folder 0 is another set's."""
    entries = [
        found for name in place.names if PurePosixPath(name).name == LIST for found in _list(place, name)
    ]
    if not entries:
        found = by_folder(place, {**CLASSES, "0": -1})
        if -1 not in found.values():
            entries = [_entry(place, file, mood, part(file)) for file, mood in found.items()]
    return [Set("rafdb", entries)] if entries else []


def _list(place: Place, name: str) -> list[Entry]:
    entries = []
    for line in place.text(name).splitlines():
        picture, _, label = line.partition(" ")
        stem = PurePosixPath(picture).stem
        file = place.by_stem.get(f"{stem}_aligned") or place.by_stem.get(stem)
        if file is not None:
            split = "train" if stem.startswith("train") else "test"
            entries.append(_entry(place, file, CLASSES[label.strip()], split))
    return entries


def _entry(place: Place, file: str, mood: int, split: str) -> Entry:
    # The aligned picture and the original one, listed or in a folder, are of one part.
    key = PurePosixPath(file).stem.removesuffix("_aligned")
    return entry(place, file, key=key, mood=mood, split=split, tests=TESTS)
