"""The plots of a report on labelled faces."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.types import F64
from evaluation.figures import Ages, Classes, Found
from evaluation.groups import FEW, band_names
from evaluation.measures import confusion, quotient
from evaluation.plots import lines, points, shades
from evaluation.report import Figure, Plot

UNIT = (0.0, 1.0)
LEVELS: F64 = np.arange(0.1, 1.0, 0.1)
KEPT: F64 = np.linspace(0.02, 1, 50)  # shares of the faces, the surest first
NOTHING = Figure(np.nan, np.nan, np.nan)


def drawings(title: str, found: Found) -> Iterator[Plot]:
    """The plots that belong to ages, or to classes."""
    if len(found.cases.said) < 2:
        return
    if isinstance(found.cases, Ages):
        yield from _of_ages(title, found, found.cases)
    else:
        yield from _of_classes(title, found, found.cases)


def _of_ages(title: str, found: Found, cases: Ages) -> Iterator[Plot]:
    if not np.isfinite(cases.true).all():
        return
    yield _by_band(f"Error by true age: {title}", found, {"mean error": "mae", "bias": "bias"}, "years", 0.0)
    yield _by_band(f"90 % intervals that hold: {title}", found, {"": "interval_holds"}, "share", 0.9)
    held = np.array([_held(found, cases, level) for level in LEVELS])
    yield Plot(
        f"Calibration of the ages: {title}",
        lines({"": (LEVELS, held)}, "promised", "held", (UNIT, UNIT), diagonal=True),
        "Share of true ages inside of the central interval that promises so much; the dashed line is honest.",
    )
    order = np.argsort(cases.high - cases.low, kind="stable")
    kept = _kept(np.abs(cases.error)[order])
    yield Plot(
        f"Error against coverage: {title}",
        lines(
            {"": (KEPT, kept)},
            "share of faces, narrowest intervals first",
            "years",
            (UNIT, (0, float(kept.max()) * 1.1)),
        ),
        "Mean error if only so many faces get an age.",
    )


def _of_classes(title: str, found: Found, cases: Classes) -> Iterator[Plot]:
    ones = np.ones((1, len(cases.true)))
    counts = confusion(cases.true, cases.said, len(cases.names), ones)[0]
    yield Plot(
        f"Confusion: {title}", shades(cases.names, counts), "Of each true class (row), the shares said."
    )
    bins = np.clip((cases.sure * 10).astype(int), 0, 9)
    onto = np.eye(10)[bins]
    sure, right = (quotient(column @ onto, onto.sum(axis=0)) for column in (cases.sure, cases.right * 1.0))
    used = onto.sum(axis=0) > 0
    yield Plot(
        f"Calibration: {title}",
        lines({"": (sure[used], right[used])}, "said probability", "right", (UNIT, UNIT), diagonal=True),
        "Ten bins of the probability of the answer; on the dashed line, 0.8 is right eight times in ten.",
    )
    kept = _kept(cases.right[np.argsort(-cases.sure, kind="stable")] * 1.0)
    low = float(np.floor(min(kept.min(), 0.95) * 10) / 10)
    yield Plot(
        f"Accuracy against coverage: {title}",
        lines({"": (KEPT, kept)}, "share of faces, the surest first", "right", (UNIT, (low, 1.0))),
        "What saying `unknown` of the others buys.",
    )
    if any(name.startswith("age ") for name in found.groups):
        yield _by_band(f"Right by true age: {title}", found, {"": "accuracy"}, "share")


def _by_band(what: str, found: Found, wanted: dict[str, str], up: str, aim: float | None = None) -> Plot:
    bands = [name for name in band_names() if f"age {name}" in found.groups]
    rows = [found.groups[f"age {band}"] for band in bands]
    series = {name: [row.get(key, NOTHING) for row in rows] for name, key in wanted.items()}
    labels = [band + "*" * (row["n"].value < FEW) for band, row in zip(bands, rows, strict=True)]
    note = f"Lines: 95 % intervals. *: under {FEW} faces."
    return Plot(what, points(labels, series, "years", up, aim), note)


def _held(found: Found, cases: Ages, level: float) -> float:
    """Share of true ages in the central interval of that level, from the distribution over the years."""
    chances = found.belief.age.astype(np.float64)
    rows, years = np.arange(len(chances)), cases.true.astype(int).clip(0, 100)
    place = np.cumsum(chances, axis=1)[rows, years] - chances[rows, years] / 2
    return float((np.abs(place - 0.5) <= level / 2).mean())


def _kept(values: F64) -> F64:
    """Mean of the first values, as many as each share of KEPT."""
    ends = np.maximum((KEPT * len(values)).astype(int), 1)
    result: F64 = np.cumsum(values)[ends - 1] / ends
    return result
