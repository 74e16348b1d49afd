"""The curves of a training: a line of a .csv for each epoch, and drawings of them."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from core.errors import ConfigError
from core.types import F64
from evaluation.plots import COLOURS, lines

Curves = dict[str, list[float]]
# What is drawn together: a drawing, and the ends of the columns that belong to it.
DRAWINGS = {"loss": ("loss",), "years": ("_mae", "_worst"), "share": ("_gender", "_fer", "_ferplus", "_race")}


def append(path: Path, row: Mapping[str, float]) -> None:
    """Add the figures of one epoch."""
    new = not path.exists() or path.stat().st_size == 0  # a full disk leaves an empty one
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)


def read(path: Path) -> Curves:
    """Every column of a file, from the first epoch on; none if there is no file.

    Raises:
        ConfigError: it is no table of numbers.
    """
    if not path.exists():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{path}: is not as the training wrote it, so no curves are drawn. Mend it, or take it away: "
            "the network beside it does not need it."
        ) from error


def trimmed(path: Path, epochs: int) -> None:
    """Take out the lines of epochs whose checkpoint was never written."""
    if not path.exists():
        return
    head, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True) or [""]
    if len(rows) > epochs:
        part = path.with_suffix(".part")
        part.write_text("".join([head, *rows[:epochs]]), encoding="utf-8")
        part.replace(path)


def drawn(curves: Curves) -> dict[str, str]:
    """SVG of the curves by what they count: loss, years, share."""
    epochs = np.array(curves.get("epoch", []), np.float64)
    if len(epochs) == 0:
        return {}
    found: dict[str, str] = {}
    for name, ends in DRAWINGS.items():
        wanted = [key for key in curves if any(key == end or key.endswith(end) for end in ends)]
        series: dict[str, tuple[F64, F64]] = {
            key.removesuffix("_mae"): (epochs, np.array(curves[key])) for key in wanted[: len(COLOURS)]
        }
        if series:
            values = np.concatenate([ys for _, ys in series.values()])
            spans = ((0.0, float(epochs[-1])), _span(values))
            found[name] = lines(series, "epoch", name, spans)
    return found


def _span(values: F64) -> tuple[float, float]:
    """The ends of the values, a little looser, so that none lies on the edge."""
    low, high = float(values.min()), float(values.max())
    room = 0.05 * (high - low) or 0.05 * math.fabs(high) or 1.0
    return low - room, high + room
