"""What the program believes after each look of a file: the very fusion of the stream, without pictures.

Each row of --looks is one look at one track: track,t,age,age_std,female,p_angry,...,p_neutral,quality. An
empty cell is not known. `age_std` is the standard deviation of the look's whole error, years.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from core.errors import ConfigError
from core.settings import EvidenceConfig
from core.types import EMOTIONS, GENDERS, I64, SEEN, Estimates, Evidence, Faces, Tracks
from estimators.evidence import Fusion
from estimators.network import gaussian
from evaluation.options import apart, table

MOODS = tuple(f"p_{mood}" for mood in EMOTIONS)
TAKEN = ("track", "t", "age", "age_std", "female", *MOODS, "quality")
GIVEN = ("track", "t", "age", "age_low", "age_high", "gender", "female", *MOODS)
OFF_BY = 0.05  # that the moods' probabilities may sum to more or less than 1, for rounding
LARGEST = 1e6  # years; whoever says more has mixed up his columns
_ROW: I64 = np.zeros(1, np.int64)


def always_seen(n: int) -> Tracks:
    """N tracks that are seen all the time."""
    rows, time = np.arange(n), np.zeros(n)
    return Tracks(
        rows + 1, np.zeros((n, 4)), np.full(n, SEEN, np.uint8), Faces.none(n), rows, time, time, time == 0
    )


@dataclass(slots=True)
class Track:
    """One track of the file: its fusion, and the time of its last row, seconds."""

    fusion: Fusion
    time: float = -math.inf
    rows: Tracks = field(default_factory=partial(always_seen, 1))


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this task."""
    parser.add_argument("--looks", type=Path, required=True, help="the .csv to read")
    parser.add_argument(
        "--out", type=Path, required=True, help="the .csv to write: the belief after each row"
    )


def run(options: argparse.Namespace) -> None:
    """Fuse the looks of a file, in its order.

    Raises:
        ConfigError: a file or a row that is not understood, or a file that would be read and written.
        SinkError: the beliefs cannot be written.
    """
    apart(options.out, [options.looks])
    beliefs = list(fuse(options.looks))
    with table(options.out) as rows:
        rows.writerow(GIVEN)
        rows.writerows(beliefs)


def fuse(path: Path) -> Iterator[list[str]]:
    """The cells of `GIVEN` after each row of the file."""
    tracks: dict[str, Track] = {}
    for number, row in _rows(path):
        try:
            time = _number(row, "t")
            if not row["track"]:
                raise ValueError("expected for track a name, got nothing")
            track = tracks.setdefault(row["track"], Track(Fusion(EvidenceConfig())))
            if math.isnan(time) or time < track.time:
                raise ValueError(f"expected for t a time not before the track's last, got '{row['t']}'")
            track.time = time
            belief = track.fusion.update(track.rows, _ROW, look(row), time)
        except ValueError as error:
            raise ConfigError(f"{path}, line {number}: {error}.") from None
        yield [row["track"], row["t"], *cells(belief)]


def look(row: Mapping[str, str]) -> Estimates:
    """What one row says.

    Raises:
        ValueError: a cell that is no number or out of its range.
    """
    said = Estimates.none(1)
    said.quality[0] = _number(row, "quality", 0, 1)
    said.female[0] = _number(row, "female", 0, 1)
    age, deviation = _number(row, "age", -LARGEST, LARGEST), _number(row, "age_std", 0, LARGEST)
    if not math.isnan(age + deviation):
        said.age[:] = gaussian(np.array([age]), np.array([deviation]))
    moods = np.array([_number(row, name, 0, 1) for name in MOODS])
    if not np.isnan(moods).all():
        if not abs(moods.sum() - 1) <= OFF_BY:
            raise ValueError(f"expected for {MOODS[0]} to {MOODS[-1]} probabilities that sum to 1, or none")
        said.emotion[0] = moods / moods.sum()
    return said


def cells(belief: Evidence) -> list[str]:
    """The belief about the one track, as text; empty is not known."""
    ages = (belief.age_mean, belief.age_low, belief.age_high)
    return [
        *(_text(float(column[0]), 4) for column in ages),
        GENDERS[int(belief.gender[0])],
        _text(float(belief.female[0]), 6),
        *(_text(share, 6) for share in belief.emotion[0].tolist()),
    ]


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The number of each line, and its cells by column."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="", skipinitialspace=True)
            missing = [name for name in TAKEN if name not in (reader.fieldnames or ())]
            if missing:
                raise ConfigError(
                    f"{path}, line 1: expected the columns {','.join(TAKEN)}; no '{missing[0]}'."
                )
            for row in reader:
                if None in row:
                    raise ConfigError(
                        f"{path}, line {reader.line_num}: has more cells than there are columns."
                    )
                yield reader.line_num, row
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path}: is no table of UTF-8 text with commas ({error}).") from error


def _number(row: Mapping[str, str], name: str, low: float = -math.inf, high: float = math.inf) -> float:
    """The number in a cell; NaN for an empty one."""
    text = row[name].strip()
    try:
        value = float(text or "nan")
    except ValueError:
        value = math.inf
    if math.isinf(value) or value < low or value > high:
        wanted = f"{low:g} to {high:g}" if high < LARGEST else "a number" if low < 0 else f"{low:g} or more"
        raise ValueError(f"expected for {name} {wanted}, got '{text[:40]}'")
    return value


def _text(value: float, digits: int) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"
