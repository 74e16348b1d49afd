"""Cuts the faces of data sets out once, for training: `python -m training cache`.

Sets are recognised by themselves; docs/evaluation.md describes their layouts. Faces are found as the
program finds them, by YuNet, and cut with room around them, so that training can shift, turn and
scale them. The cache holds pictures of people: keep it as the data sets want it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

from core.errors import ConfigError
from core.types import Faces
from evaluation.finder import Finder
from evaluation.layouts import chosen, opened, sets
from evaluation.layouts.entry import Entry, Set
from evaluation.models import open_detector
from evaluation.options import whole
from evaluation.progress import watched
from evaluation.samples import RACES, Sample
from training.cache import build

MOST = 256  # px, side of a cached face; smaller where a set's pictures are smaller than half of it
# What recipes call a set, whether it comes as a pack or in the layout it was published in.
NAMES = {"allagefaces": "aaf"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this task."""
    add = parser.add_argument
    add("--data", type=Path, required=True, help="folder or .tar of labelled faces, or of packs")
    add("--out", type=Path, required=True, help="folder of the cache")
    add("--layout", default="auto", help="auto (the default), or a layout's or pack's name")
    add("--limit", type=whole, help="pictures of each set, drawn by hash")


def run(options: argparse.Namespace) -> None:
    """Cut out every set there; a line each.

    Raises:
        ConfigError: nothing recognised, or no picture of a set can be read.
        SourceError, WeightsError: the data or the detector cannot be used.
        SinkError: the cache cannot be written.
    """
    detector, _, _ = open_detector("yunet", "cpu")
    for found in sets(options.data, options.layout):
        name = NAMES.get(found.name, found.name.removesuffix("_public"))
        entries = chosen(found.entries, options.limit)
        faces = _found(found, entries, Finder(detector), name)
        first = next(faces, None)
        if first is None:
            raise ConfigError(
                f"{options.data}: none of the {len(entries)} labelled pictures of {name} can be read. "
                "Fetch or unpack the set again."
            )
        side = min(MOST, 2 * max(first[0].image.shape[:2]))
        labels = build(name, chain([first], faces), options.out, side)
        parts = ", ".join(f"{(labels.part == part).sum()} {part}" for part in ("train", "tune", "report"))
        print(
            f"{name}: {len(labels)} faces of {side} px, {parts}; found {labels.found.mean():.4f}", flush=True
        )


def _found(one: Set, entries: list[Entry], finder: Finder, name: str) -> Iterator[tuple[Sample, Faces]]:
    """Each sample and its face; its race by our names, none where the set's name is not among them."""
    ours = [RACES.index(race) if race in RACES else -1 for race in one.races]
    for sample in opened(watched(entries, len(entries), name)):
        race = ours[sample.race] if sample.race >= 0 else -1
        yield replace(sample, race=race), finder.find(sample.image)
