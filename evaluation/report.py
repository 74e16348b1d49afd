"""What an evaluation found: as text, as summary.json, as report.html."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.types import Array

REPEATS = 1000


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value and its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a title."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Report:
    """One run of one task.

    Attributes:
        task, data: what was asked of which data.
        n, missed: how many cases, and how many of them got no answer.
        metrics: by name.
        by_group: the same for parts of the data.
        models: the networks, as the program's own summary names them.
        seconds: that it took.
        tables: for people.
    """

    task: str
    data: str
    n: int
    missed: int
    metrics: Mapping[str, Figure]
    by_group: Mapping[str, Mapping[str, Figure]]
    models: Sequence[Mapping[str, Any]]
    seconds: float
    tables: Sequence[Table] = field(default_factory=tuple)

    def write(self, folder: Path) -> None:
        """summary.json and report.html into a folder, which is made if it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "summary.json").write_text(json.dumps(self._summary(), indent=1) + "\n", encoding="utf-8")
        (folder / "report.html").write_text(self._page(), encoding="utf-8")

    def text(self) -> str:
        """The tables in columns."""
        return "\n\n".join(_columns(table) for table in self.tables)

    def _summary(self) -> dict[str, Any]:
        def plain(figures: Mapping[str, Figure]) -> dict[str, dict[str, float | None]]:
            return {
                name: {"value": _number(f.value), "low": _number(f.low), "high": _number(f.high)}
                for name, f in figures.items()
            }

        return {
            "task": self.task,
            "data": self.data,
            "n": self.n,
            "missed": self.missed,
            "metrics": plain(self.metrics),
            "by_group": {group: plain(figures) for group, figures in self.by_group.items()},
            "models": [dict(model) for model in self.models],
            "seconds": round(self.seconds, 2),
        }

    def _page(self) -> str:
        parts = [f"<h1>{html.escape(self.task)}: {html.escape(self.data)}</h1>"]
        for table in self.tables:
            rows = [_cells(table.head, "th"), *(_cells(row, "td") for row in table.rows)]
            body = "".join(f"<tr>{row}</tr>" for row in rows)
            parts.append(f"<h2>{html.escape(table.title)}</h2><table>{body}</table>")
        style = "body{font:15px sans-serif;margin:2em}td,th{padding:.2em .8em;text-align:right}"
        head = f"<meta charset='utf-8'><title>{html.escape(self.task)}</title><style>{style}</style>"
        return f"<!doctype html><html lang='en'><head>{head}</head><body>{''.join(parts)}</body></html>\n"


def bootstrap(pictures: int, measure: Any) -> Figure:
    """A figure and its 95 % interval over pictures drawn again with replacement.

    Args:
        pictures: how many there are.
        measure: from weights (R, pictures), how often each picture counts, to R values.
    """
    rng = np.random.default_rng(0)
    drawn: Array = rng.multinomial(pictures, np.full(pictures, 1 / pictures), REPEATS)
    low, high = np.nanpercentile(measure(drawn), [2.5, 97.5])
    (value,) = measure(np.ones((1, pictures), np.int64))
    return Figure(float(value), float(low), float(high))


def _number(value: float) -> float | None:
    return round(value, 5) if np.isfinite(value) else None


def _cells(row: Sequence[str], tag: str) -> str:
    return "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)


def _columns(table: Table) -> str:
    rows = [table.head, *table.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.head))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([table.title, *lines])
