"""How well faces or people are tracked: HOTA, IDF1, MOTA and identity switches, beside other trackers.

Either --data (or --simulate): tracks the detections of sequences whose truth is known, and scores them.
Or --detections: tracks the detections of one sequence, and writes the tracks.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from evaluation.contest import Contest, hold, report, write_tracks
from evaluation.mot import read_mot
from evaluation.options import is_number, made, natural, whole
from evaluation.peers import Setting, make_peer
from evaluation.scores import load_trackeval
from evaluation.sequence import Sequence, drop, tell, thin
from evaluation.sets import BENCHMARKS, DETECTORS
from evaluation.simulate import simulate
from evaluation.track_file import track_file

SCORED = ("drop", "irregular", "clock", "hints", "peer", "jobs")
# Options that not every way knows, and which each of them does. They have no default: None is "not given".
WAYS = {
    "data": ("sequences", "benchmark", *SCORED),
    "simulate": ("seeds", "fps", *SCORED),
    "detections": ("boxes", "size", "frames", "fps", "times", "cuts", "compatibility"),
}
Add = Callable[..., Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this task."""
    add = parser.add_argument
    add("--preset", choices=["faces", "people"], help="what the boxes are (by the detector)")
    add(
        "--detector",
        choices=list(DETECTORS),
        help="whose scores they have (with --data by the set, else face)",
    )
    add(
        "--every",
        type=whole,
        default=1,
        metavar="K",
        help="the tracker sees frames 1, 1+K, 1+2K ... only (1)",
    )
    add(
        "--out",
        type=Path,
        help="folder for the report and the tracks; with --detections the file of the tracks",
    )
    _data_arguments(parser.add_argument_group("sequences with truth").add_argument)
    _file_arguments(parser.add_argument_group("one sequence without").add_argument)


def _data_arguments(add: Add) -> None:
    add(
        "--data", type=Path, help="folder or .tar.xz of a sequence in MOTChallenge form, of a set, or of sets"
    )
    add("--sequences", help="sets with commas; SET:6 its first six, SET/NAME one (all)")
    add("--benchmark", choices=BENCHMARKS, help="whose rules prepare the truth (by the set, else plain)")
    add("--simulate", action="store_const", const=True, help="made-up sequences of faces in place of --data")
    add("--seeds", help="of the made-up sequences, such as 0-9 or 3,5 (0-9)")
    add("--drop", type=whole, metavar="N", help="keep frames 1, 1+N, 1+2N ... only (1)")
    add("--irregular", type=natural, metavar="SEED", help="keep each frame with a probability of a third")
    add(
        "--clock",
        choices=["real", "mean", "frames"],
        help="times that trackers are told: the real ones, evenly spaced, or 1/fps a frame (real)",
    )
    add(
        "--hints",
        action=argparse.BooleanOptionalAction,
        help="tell of cuts (told); peers begin anew there",
    )
    add("--peer", action="append", metavar="NAME", help="a tracker to measure beside ours; repeat")
    add("--jobs", type=whole, help="processes (1)")


def _file_arguments(add: Add) -> None:
    add("--detections", type=Path, help="rows of frame, id, four numbers of a box, score")
    add("--boxes", choices=["ltwh", "xyxy"], help="left, top, width, height; or two corners")
    add("--size", metavar="WxH", help="of the picture, pixels")
    add("--frames", type=whole, help="how many there are")
    add("--fps", help="frames a second; with --simulate several, with commas (5,10,15,30)")
    add("--times", type=Path, help="file of each frame's time in seconds, a line each; in place of --fps")
    add("--cuts", help="frames, from 1, that are the first after a cut, with commas")
    add("--compatibility", metavar="RULES", help="SORT as it was published: max_age=1,min_hits=3,iou=0.3")


def run(options: argparse.Namespace) -> None:
    """Track, and score or write.

    Raises:
        ConfigError: options that do not go together, or data that is not understood.
        SourceError: an archive that cannot be read.
        SinkError: the report or the tracks cannot be written.
    """
    ways = [way for way in WAYS if getattr(options, way) is not None]
    if len(ways) != 1:
        raise ConfigError("track: give --data, --simulate or --detections, one of them.")
    for name in sorted({name for own in WAYS.values() for name in own}.difference(WAYS[ways[0]])):
        if (value := getattr(options, name)) is not None:
            raise ConfigError(
                f"track: --{'no-' if value is False else ''}{name} does not go with --{ways[0]}."
            )
    if options.detections is not None:
        track_file(options)
    else:
        measure(options)


def measure(options: argparse.Namespace) -> None:
    """Let everybody track sequences whose truth is known; print the scores, and write them under --out."""
    began = time.perf_counter()
    if options.peer and options.every > 1:
        raise ConfigError("track: other trackers look at each frame; leave out --peer or --every.")
    _prepare(options)
    contest = Contest(
        options.preset,
        options.detector,
        options.benchmark,
        hints=options.hints is not False,
        every=options.every,
        peers=tuple(dict.fromkeys(options.peer or ())),
    )
    outcomes = hold(read(options), contest, options.jobs or 1)
    found = report(outcomes, contest, began)
    print(replace(found, tables=found.tables[:1]).text())
    if options.out is not None:
        found.write(options.out)
        write_tracks(options.out / "tracks", outcomes)


def _prepare(options: argparse.Namespace) -> None:
    """Find out before anybody runs what would stop them in the end."""
    load_trackeval()
    for name in options.peer or ():
        make_peer(name, Setting(30.0))
    made(options.out)


def read(options: argparse.Namespace) -> list[Sequence]:
    """The sequences that the options ask for."""
    if options.simulate:
        rates = _rates("5,10,15,30" if options.fps is None else options.fps)
        seeds = _seeds("0-9" if options.seeds is None else options.seeds)
        sequences = [simulate(seed, rate) for rate in rates for seed in seeds]
    else:
        sequences = read_mot(options.data, options.sequences or "")
    if options.drop is not None and options.drop > 1:
        sequences = [drop(sequence, options.drop) for sequence in sequences]
    if options.irregular is not None:
        sequences = [thin(sequence, options.irregular) for sequence in sequences]
    if options.clock not in (None, "real"):
        sequences = [tell(sequence, options.clock) for sequence in sequences]
    return sequences


def _seeds(text: str) -> list[int]:
    """Each once."""
    seeds: list[int] = []
    for word in text.split(","):
        first, dash, last = word.partition("-")
        if not (is_number(first) and (is_number(last) and int(first) <= int(last) if dash else True)):
            raise ConfigError(f"--seeds {text}: expected numbers, such as 0-9 or 3,5, got '{word}'.")
        seeds += range(int(first), int(last or first) + 1)
    return list(dict.fromkeys(seeds))


def _rates(text: str) -> list[float]:
    """Each once."""
    try:
        return list(dict.fromkeys(map(float, text.split(","))))
    except ValueError as error:
        raise ConfigError(f"--fps {text}: expected numbers with commas, such as 5,10,15,30.") from error
