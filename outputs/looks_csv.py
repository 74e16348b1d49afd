"""CSV of every look: what the networks said of one face, beside what is believed of its track."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from core.types import EMOTIONS, F32, GENDERS, YEARS, Estimates, Evidence, Image, Result, SourceInfo
from outputs.rows import Value, tidy
from outputs.textfile import TextFile
from outputs.visits_csv import csv_line

_LOOK = ("quality", "age", "age_std", "female", *(f"p_{name}" for name in EMOTIONS))
_BELIEF = (
    *("age", "age_low", "age_high", "gender", "female", "emotion"),
    *(f"p_{name}" for name in EMOTIONS),
    *("quality", "looks"),
)
COLUMNS = ("source", "frame", "t", "id", *_LOOK, *(f"belief_{name}" for name in _BELIEF), "file")


class LooksCsv:
    """Writes a row for each raw look, for research; an empty cell means not known."""

    wants: Literal["data", "raw", "drawn"] = "data"

    def __init__(self, path: Path, _sources: Mapping[str, SourceInfo]) -> None:
        self._file = TextFile(path)
        self._file.write(csv_line(COLUMNS), 0.0)

    def write(self, result: Result, picture: Image | None) -> None:  # noqa: ARG002  the protocol's
        """Add the looks of one frame."""
        stamp, rows = result.stamp, {track: i for i, track in enumerate(result.evidence.ids.tolist())}
        lines = [
            csv_line(
                (
                    *(stamp.source, stamp.index, tidy("t", stamp.time), track),
                    *_look(result.looks, i),
                    *_belief(result.evidence, rows[track]),
                    stamp.file,
                )
            )
            for i, track in enumerate(result.looked.tolist())
        ]
        self._file.write("".join(lines), stamp.time)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _look(looks: Estimates, i: int) -> list[Value]:
    mean, deviation = moments(looks.age[i])
    said = (float(looks.quality[i]), mean, deviation, float(looks.female[i]), *looks.emotion[i].tolist())
    return [tidy(name, value) for name, value in zip(_LOOK, said, strict=True)]


def _belief(evidence: Evidence, i: int) -> list[Value]:
    moods = evidence.emotion[i].tolist()
    held: tuple[str | float, ...] = (
        *(float(evidence.age_mean[i]), float(evidence.age_low[i]), float(evidence.age_high[i])),
        *(GENDERS[evidence.gender[i]], float(evidence.female[i])),
        "" if math.isnan(moods[0]) else EMOTIONS[moods.index(max(moods))],
        *moods,
        *(float(evidence.quality[i]), float(evidence.looks[i])),
    )
    return [tidy(name, value) for name, value in zip(_BELIEF, held, strict=True)]


def moments(age: F32) -> tuple[float, float]:
    """Mean and standard deviation, years, of a distribution (101,) over the years 0 to 100.

    >>> moments(np.eye(101, dtype=np.float32)[30])
    (30.0, 0.0)
    """
    weights = age.astype(np.float64) / age.sum(dtype=np.float64)
    mean = float(weights @ YEARS)
    return mean, math.sqrt(float(weights @ (YEARS - mean) ** 2))
