"""What the program says of pictures without labels: a line for each, for the face nearest the centre.

A face that is not found, and a field that no network fills, stays empty.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.errors import ConfigError
from core.registry import unknown
from core.types import EMOTIONS, Array, Evidence, Faces
from evaluation.finder import Finder
from evaluation.judge import Judge, believe
from evaluation.layouts.place import Place
from evaluation.models import default, network_arguments, open_detector, open_models, role_arguments
from evaluation.options import apart, table
from evaluation.progress import watched

log = logging.getLogger(__name__)
ROLES = ("age", "gender", "emotion")
MOODS = tuple(f"p_{name}" for name in EMOTIONS)
COLUMNS = ("file", "found", "x1", "y1", "x2", "y2", "score", "age", "age_low", "age_high", "female", *MOODS)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this task."""
    parser.add_argument("--images", type=Path, required=True, help="folder or .tar of pictures")
    parser.add_argument("--out", type=Path, required=True, help="the .csv to write")
    parser.add_argument(
        "--models", type=role_arguments, default={}, help="age=ID,gender=ID,emotion=ID (the program's own)"
    )
    network_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Write a line for each picture, in the order of their names.

    Raises:
        ConfigError: a role that is not told, or --out is one of the pictures.
        SourceError, WeightsError, DeviceError: the pictures or a network cannot be used.
        SinkError: the lines cannot be written.
    """
    for role in options.models:
        if role not in ROLES:
            raise ConfigError(unknown("--models", role, dict.fromkeys(ROLES)))
    names = {role: options.models.get(role) or default(role) for role in ROLES}
    finder = None if options.aligned else Finder(open_detector(options.detector, options.device)[0])
    judge = Judge(open_models(names, options.device), finder)
    place = Place.of_pictures(options.images)
    files = place.pictures
    apart(options.out, place.paths(files))
    with table(options.out) as rows:
        rows.writerow(COLUMNS)
        for name in watched(files, len(files), "predict"):
            rows.writerow([name, *_answer(judge, place, name)])


def _answer(judge: Judge, place: Place, name: str) -> Iterator[str]:
    image = place.image(name)
    if image is None:
        log.warning("%s: cannot be read as a picture.", name)
    look = judge.look(image) if image is not None else None
    if look is None or len(look.faces) == 0:
        yield "0"
        yield from [""] * (len(COLUMNS) - 2)
        return
    yield "1"
    yield from _cells(look.faces, believe(look.said))


def _cells(faces: Faces, belief: Evidence) -> Iterator[str]:
    columns: list[tuple[Array, int]] = [(faces.boxes, 2), (faces.scores, 4)]
    columns += [(belief.age_mean, 2), (belief.age_low, 2), (belief.age_high, 2)]
    columns += [(belief.female, 5), (belief.emotion, 5)]
    for column, places in columns:
        for value in np.ravel(column).tolist():
            yield f"{value:.{places}f}" if np.isfinite(value) else ""
