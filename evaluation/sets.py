"""Public sets of sequences: whose scores their detections have, and how TrackEval prepares their truth."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

# Detectors of people and of faces whose scores mean different things, and which preset each is for.
DETECTORS = {"yolox": "people", "frcnn": "people", "face": "faces", "tara": "faces"}
# Rules by which TrackEval prepares the truth; `plain`: every box of it counts, as long as it is marked.
BENCHMARKS = ("MOT15", "MOT17", "plain")
# The detector and the benchmark of a set; those of a set that is not here have to be guessed.
SETS = {
    "MOT17": ("yolox", "MOT17"),
    "MOT15": ("frcnn", "MOT15"),
    "2DMOT2015": ("frcnn", "MOT15"),
    "DanceTrack": ("yolox", "plain"),
    "TARA": ("tara", "plain"),
    "ASW": ("face", "plain"),
    "HT21": ("face", "plain"),
    "SIM": ("face", "plain"),
}
USUAL = {"people": "yolox", "faces": "face"}  # detector, by the preset

# As a set, or the names of its sequences, begin: MOT17-02-FRCNN, dancetrack0004, asw-086dGT4UwTA, ASW25@3.
_BEGINNING = re.compile(r"(MOT17|MOT15|2DMOT2015|DanceTrack|TARA|ASW|HT21|SIM(?=\d))(?![a-z])", re.IGNORECASE)
# A folder further up: /home/tara is somebody's home.
_FOLDER = re.compile(r"(?i:MOT17|MOT15|2DMOT2015|DanceTrack)|TARA|ASW\d*|HT21")
_BY_LOWER = {name.lower(): name for name in SETS}


class SetSettings(NamedTuple):
    """How a set is tracked and scored.

    Attributes:
        preset: what the boxes are.
        detector: whose scores they have.
        benchmark: by whose rules the truth is prepared.
    """

    preset: str
    detector: str
    benchmark: str


def known(name: str) -> str | None:
    """The public set that the name of a set or of a sequence begins with.

    >>> known("MOT17@3"), known("dancetrack0004"), known("ASW25"), known("tarantula")
    ('MOT17', 'DanceTrack', 'ASW', None)
    """
    found = _BEGINNING.match(name)
    return _BY_LOWER[found[1].lower()] if found else None


def set_of(folder: Path) -> str:
    """The set of a sequence in a folder, by the folder's path; a link counts as what it is called, first.

    A public set is known by the folder that holds the sequence, by the sequence's own name, or by a folder
    further up; else the set is called as the folder that holds the sequence.

    >>> [set_of(Path("/x") / path) for path in ("ASW5/asw-1", "train/MOT17-09", "MOT15/train/Venice", "a/b")]
    ['ASW5', 'MOT17', 'MOT15', 'a']
    """
    plain = Path(os.path.normpath(folder.absolute()))
    for path in (plain, folder.resolve()):
        if known(path.parent.name):
            return path.parent.name
        if by_name := known(path.name):  # never MOT15, whose sequences have names of all kinds
            return by_name
        for part in reversed(path.parts[:-2]):
            if _FOLDER.fullmatch(part):
                return part
    return plain.parent.name


def settings_for(
    group: str, preset: str | None = None, detector: str | None = None, benchmark: str | None = None
) -> SetSettings:
    """What is asked for, and where it is None what the set has, or usually a set of faces.

    >>> tuple(settings_for("MOT17@3")), tuple(settings_for("TARA", "people"))
    (('people', 'yolox', 'MOT17'), ('people', 'yolox', 'plain'))
    """
    usual, rules = SETS.get(known(group) or "", (USUAL["faces"], "plain"))
    if detector is None:
        detector = usual if preset in (None, DETECTORS[usual]) else USUAL[preset]
    return SetSettings(preset or DETECTORS[detector], detector, benchmark or rules)
