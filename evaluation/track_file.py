"""Tracks the detections of one file, and writes the tracks into another."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import inf, isfinite
from pathlib import Path

import numpy as np

from core.errors import ConfigError, SinkError
from core.types import F64
from evaluation.contest import choose
from evaluation.follow import follow, make_published, make_tracker, write_lines, write_rows
from evaluation.mot import by_frame, corners, read_table
from evaluation.sequence import BOX, Sequence

log = logging.getLogger(__name__)
NEEDED = ("boxes", "size", "frames", "out")


def track_file(options: argparse.Namespace) -> None:
    """Track `--detections` and write `--out`.

    Raises:
        ConfigError: an option that is missing or not understood, or a line that is not.
        SinkError: the tracks cannot be written.
    """
    missing = [name for name in NEEDED if getattr(options, name) is None]
    if missing:
        raise ConfigError(f"--detections: give --{missing[0]}, too.")
    if (options.fps is None) == (options.times is None):
        raise ConfigError("--detections: give either --fps or --times.")
    rules = None if options.compatibility is None else parse_rules(options.compatibility)
    if rules is not None and options.every > 1:
        raise ConfigError("--compatibility: SORT as it was published looks at each frame; leave out --every.")
    sequence = read_detections(options)
    try:
        if rules is None:
            tracker = make_tracker(*choose("", options.preset, options.detector))
            write_rows(options.out, follow(sequence, tracker, hints=True, every=options.every))
        else:
            write_lines(options.out, published_lines(sequence, rules))
    except OSError as error:
        raise SinkError(f"{options.out}: cannot be written ({error.strerror}).") from error


def read_detections(options: argparse.Namespace) -> Sequence:
    """The sequence that the options describe; without truth."""
    frames = options.frames
    found = read_table(_text(options.detections), str(options.detections), 7, frames)
    if options.boxes == "ltwh":
        found[:, BOX] = corners(found[:, BOX])
    times = (
        np.arange(frames) / _rate(options.fps) if options.times is None else read_times(options.times, frames)
    )
    return Sequence(
        group="",
        name=options.detections.stem,
        fps=0.0 if options.fps is None else _rate(options.fps),
        size=_size(options.size),
        times=times,
        detections=by_frame(found, frames),
        cuts=_cuts(options.cuts or "", frames),
        truth=np.zeros((0, 9)),
    )


def read_times(path: Path, frames: int) -> F64:
    """Seconds of each frame, a line each.

    Raises:
        ConfigError: a line that is no time or is before the one above, or not a line a frame.
    """
    times: list[float] = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if line.strip():
            try:
                time = float(line)
            except ValueError:
                time = inf
            if not isfinite(time) or (times and time < times[-1]):
                said = line.strip()[:60]
                raise ConfigError(
                    f"{path}, line {number}: expected seconds, not before the last, got '{said}'."
                )
            times.append(time)
    if len(times) != frames:
        raise ConfigError(f"{path}: expected the times of {frames} frames, a line each, found {len(times)}.")
    return np.array(times)


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings of SORT as it was published, in frames and IoU."""

    max_age: int = 1
    min_hits: int = 3
    iou: float = 0.3


def parse_rules(text: str) -> Rules:
    """The settings that are named, and the usual ones.

    >>> parse_rules("min_hits=2,iou=0.5")
    Rules(max_age=1, min_hits=2, iou=0.5)
    """
    usual: dict[str, int | float] = asdict(Rules())
    given = dict(usual)
    for word in filter(None, text.split(",")):
        name, _, value = word.partition("=")
        try:
            given[name] = type(usual[name])(value)
        except (KeyError, ValueError):
            given[name] = -1
        if not 0 <= given[name] < inf:
            raise ConfigError(f"--compatibility {text}: expected max_age=1,min_hits=3,iou=0.3, got '{word}'.")
    return Rules(int(given["max_age"]), int(given["min_hits"]), given["iou"])


def published_lines(sequence: Sequence, rules: Rules) -> Iterator[str]:
    """frame,x1,y1,x2,y2,id of SORT as it was published, in its own order of rows."""
    if sequence.cuts:
        log.warning("--compatibility: SORT as it was published knows no cuts; --cuts has no effect.")
    rows = make_published(rules.max_age, rules.min_hits, rules.iou)
    for frame, (boxes, scores) in enumerate(((f.boxes, f.scores) for f in sequence.detections), start=1):
        for x1, y1, x2, y2, track in rows(np.column_stack([boxes, scores])).tolist():
            yield f"{frame},{x1:.17g},{y1:.17g},{x2:.17g},{y2:.17g},{track:.0f}\n"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from error


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < inf:
        raise ConfigError(f"--fps {text}: expected frames a second, over 0.")
    return rate


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) * int(height) > 0):
        raise ConfigError(f"--size {text}: expected WIDTHxHEIGHT, such as 1280x720.")
    return int(width), int(height)


def _cuts(text: str, frames: int) -> frozenset[int]:
    cuts = set()
    for word in filter(None, text.split(",")):
        if not (word.strip().isdecimal() and 1 <= int(word) <= frames):
            raise ConfigError(f"--cuts {text}: expected frames from 1 to {frames} with commas, got '{word}'.")
        cuts.add(int(word) - 1)
    return frozenset(cuts)
