"""The drawings of `video`: intervals that hold, errors, and what saying "unknown" buys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from core.types import Array
from evaluation.groups import FEW, band_names
from evaluation.plots import lines, points
from evaluation.report import Figure, Plot
from evaluation.video_figures import Surest

UNIT = (0.0, 1.0)
LEAST = 5  # tracks that a curve begins with


def drawings(
    by_group: Mapping[str, Mapping[str, Figure]], counts: Mapping[str, int], sure: Surest
) -> Iterator[Plot]:
    """The plots of tracks whose truth is known."""
    bands = [name for name in band_names() if f"age {name}" in by_group]
    labels = [name + "*" * (counts[f"age {name}"] < FEW) for name in bands]
    rows = [by_group[f"age {name}"] for name in bands]
    note = f"Tracks by true age. Lines: 95 % intervals. *: under {FEW} tracks."
    held = {"": [row["age_in_90"] for row in rows]}
    yield Plot("90 % intervals that hold", points(labels, held, "years", "share", 0.9), note)
    errors = {"mean error": [row["age_mae"] for row in rows], "bias": [row["age_bias"] for row in rows]}
    yield Plot("Error of the age", points(labels, errors, "years", "years", 0.0), note)
    if len(sure.right) > LEAST:
        yield _curve("Gender", sure.right, "right", (0.5, 1.0), "Surest tracks answered, the others unknown.")
        up = (0.0, float(_running(sure.errors).max()) * 1.1)
        yield _curve("Age", sure.errors, "mean error, years", up, "Narrowest intervals answered first.")


def _curve(what: str, values: Array, up: str, span: tuple[float, float], note: str) -> Plot:
    shares = np.arange(LEAST, len(values) + 1) / len(values)
    drawn = lines({"": (shares, _running(values))}, "share of tracks answered", up, (UNIT, span))
    return Plot(f"{what}: accuracy against coverage", drawn, note)


def _running(values: Array) -> Array:
    """Mean of the first so many, from LEAST on."""
    means: Array = np.cumsum(values)[LEAST - 1 :] / np.arange(LEAST, len(values) + 1)
    return means
