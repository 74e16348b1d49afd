"""A data set as its reader gives it: what is labelled how, before any picture is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from core.types import Image
from evaluation.layouts.place import Place
from evaluation.samples import RACES, Sample

UNOPENED: Image = np.zeros((0, 0, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Entry:
    """One labelled picture that is not opened yet.

    Attributes:
        labels: a sample without its picture.
        open: brings the picture; None if it cannot be read.
    """

    labels: Sample
    open: Callable[[], Image | None]


@dataclass(frozen=True, slots=True)
class Set:
    """A data set that was recognised.

    Attributes:
        name: of the layout, or of the pack.
        entries: its labelled pictures, in the order in which they are best opened.
        races: what the indices of `Sample.race` stand for.
        groups: the age groups (first and last year) in which labels are given; empty if in years.
    """

    name: str
    entries: Sequence[Entry]
    races: tuple[str, ...] = RACES
    groups: tuple[tuple[float, float], ...] = ()


def entry(place: Place, file: str, *, key: str = "", **labels: Any) -> Entry:
    """The entry of a picture that is a file of its own; its name is the file's.

    Its key, unless one is given, is the file's name without folders: so its part is the same however
    the folders are called and at whichever of them `--data` points.
    """
    key = key or PurePosixPath(file).name
    return Entry(Sample(file, UNOPENED, key=key, **labels), partial(place.image, file))
