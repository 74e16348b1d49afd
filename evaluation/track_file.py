"""Tracks the detections of one file, and writes the tracks into another."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from math import nan
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from core.errors import ConfigError
from core.settings import CompatibilityConfig
from core.types import F64
from evaluation.follow import follow, make_published, make_tracker, write_lines, write_rows
from evaluation.mot import by_frame, corners, read_table
from evaluation.options import apart, is_number, written
from evaluation.sequence import BOX, FASTEST, LONGEST, SLOWEST, Sequence
from evaluation.sets import settings_for

log = logging.getLogger(__name__)
NEEDED = ("boxes", "size", "frames", "out")
LATEST = 1e12  # s; beyond, 1/10 ms are lost to rounding
RULES = {"max_age": "max_age", "min_hits": "min_hits", "iou": "iou_threshold"}  # words of --compatibility


def track_file(options: argparse.Namespace) -> None:
    """Track `--detections` and write `--out`.

    Raises:
        ConfigError: an option that is missing or not understood, or a line that is not, or a file that
            would be read and written.
        SinkError: the tracks cannot be written.
    """
    missing = [name for name in NEEDED if getattr(options, name) is None]
    if missing:
        raise ConfigError(f"--detections: give --{missing[0]}, too.")
    if (options.fps is None) == (options.times is None):
        raise ConfigError("--detections: give either --fps or --times.")
    apart(options.out, [options.detections, *([options.times] if options.times else [])])
    compatibility = None if options.compatibility is None else parse_compatibility(options.compatibility)
    if compatibility is not None:
        _check_published(options)
    sequence = read_detections(options)
    with written(options.out):
        if compatibility is None:
            preset, detector, _ = settings_for("", options.preset, options.detector)
            tracker = make_tracker(preset, detector)
            write_rows(options.out, follow(sequence, tracker, hints=True, every=options.every))
        else:
            write_lines(options.out, published_lines(sequence, compatibility))


def _check_published(options: argparse.Namespace) -> None:
    """SORT as it was published knows boxes and nothing else."""
    if options.every > 1:
        raise ConfigError("--compatibility: SORT as it was published looks at each frame; leave out --every.")
    for name in ("preset", "detector", "cuts"):
        if getattr(options, name) is not None:
            log.warning("--%s has no effect on SORT as it was published (--compatibility).", name)


def read_detections(options: argparse.Namespace) -> Sequence:
    """The sequence that the options describe; without truth."""
    frames = options.frames
    if frames > LONGEST:
        raise ConfigError(f"--frames {frames}: expected {LONGEST} or fewer.")
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
                time = nan
            if not -LATEST <= time <= LATEST or (times and time < times[-1]):
                said = line.strip()[:60]
                raise ConfigError(
                    f"{path}, line {number}: expected seconds, not before the last, got '{said}'."
                )
            times.append(time)
    if len(times) != frames:
        raise ConfigError(f"{path}: expected the times of {frames} frames, a line each, found {len(times)}.")
    return np.array(times)


def parse_compatibility(text: str) -> CompatibilityConfig:
    """The settings that are named, and the usual ones.

    Raises:
        ConfigError: one that does not exist or is out of its range.

    >>> parse_compatibility("min_hits=2,iou=0.5")
    CompatibilityConfig(max_age=1, min_hits=2, iou_threshold=0.5)
    """
    given: dict[str, str] = {}
    for word in filter(None, text.split(",")):
        name, _, value = word.partition("=")
        if name not in RULES or RULES[name] in given:
            raise ConfigError(
                f"--compatibility {text}: expected max_age=1,min_hits=3,iou=0.3 or some of it, got '{word}'."
            )
        given[RULES[name]] = value
    try:
        return CompatibilityConfig.model_validate(given)
    except ValidationError as error:
        detail = error.errors()[0]
        name = next(name for name, field in RULES.items() if field == detail["loc"][0])
        said = detail["msg"].removeprefix("Input should be ").partition(",")[0]
        raise ConfigError(
            f"--compatibility {text}: expected for {name} {said}, got '{name}={detail['input']}'."
        ) from error


def published_lines(sequence: Sequence, compatibility: CompatibilityConfig) -> Iterator[str]:
    """frame,x1,y1,x2,y2,id of SORT as it was published, in its own order of rows."""
    rows = make_published(compatibility)
    for frame, (boxes, scores) in enumerate(((f.boxes, f.scores) for f in sequence.detections), start=1):
        for x1, y1, x2, y2, track in rows(np.column_stack([boxes, scores])).tolist():
            yield f"{frame},{x1:.17g},{y1:.17g},{x2:.17g},{y2:.17g},{track:.0f}\n"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from error


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not SLOWEST <= rate <= FASTEST:
        raise ConfigError(f"--fps {text}: expected frames a second, {SLOWEST:g} to {FASTEST:g}.")
    return rate


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (is_number(width) and is_number(height) and int(width) * int(height) > 0):
        raise ConfigError(f"--size {text[:40]}: expected WIDTHxHEIGHT, such as 1280x720.")
    return int(width), int(height)


def _cuts(text: str, frames: int) -> frozenset[int]:
    cuts = set()
    for word in filter(None, text.split(",")):
        if not (is_number(word.strip()) and 1 <= int(word) <= frames):
            raise ConfigError(
                f"--cuts {text[:40]}: expected frames from 1 to {frames} with commas, got '{word[:40]}'."
            )
        cuts.add(int(word) - 1)
    return frozenset(cuts)
