"""What an evaluation found: as text, as summary.json, as report.html."""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.types import Array
from evaluation.options import written

REPEATS = 1000
GAP = 2  # spaces between columns on a terminal
DRAWN = 100  # repeats held at once
STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1080px;padding:0 1em;color:#1c2733}"
    "h1{margin-bottom:.2em}h2{font-size:17px;margin:2em 0 .5em}figure h2{font-size:15px;margin:.2em 0}"
    "div{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "td,th{padding:.2em .8em;text-align:right;white-space:nowrap}tr+tr{border-top:1px solid #e3e8ee}"
    "td:first-child,th:first-child{text-align:left}section{display:flex;flex-wrap:wrap;gap:1.5em}"
    "figure{margin:0;width:min(500px,100%)}figcaption{color:#5b6876;font-size:13px}svg{width:100%;height:auto}"
)
FITS = "<meta name='viewport' content='width=device-width, initial-scale=1'>"  # the width of a phone
Measure = Callable[[Array], Array]


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value and its 95 % interval; NaN what is not known."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        ends = f" ({self.low:.3f} to {self.high:.3f})" if np.isfinite(self.low) else ""
        return self.short + ends

    @property
    def short(self) -> str:
        """The value alone; a dash where it is not known."""
        return f"{self.value:.3f}" if np.isfinite(self.value) else "-"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a title."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing under a title, with a sentence that says how to read it; `svg` is markup."""

    title: str
    svg: str
    note: str


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
        tables, plots: for people.
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
    plots: Sequence[Plot] = field(default_factory=tuple)

    def write(self, folder: Path) -> None:
        """summary.json and report.html into a folder that is there.

        Raises:
            SinkError: they cannot be written.
        """
        with written(folder):
            summary = json.dumps(self._summary(), indent=1) + "\n"
            (folder / "summary.json").write_text(summary, encoding="utf-8")
            (folder / "report.html").write_text(_written(self._page()), encoding="utf-8")

    def text(self) -> str:
        """The tables in columns, no wider than the terminal."""
        width = shutil.get_terminal_size().columns
        return _written("\n\n".join(_columns(table, width) for table in self.tables))

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
        parts = [f"<h1>{html.escape(self.task)}</h1><p>{html.escape(self.data)}</p>"]
        models = "; ".join(_named(model) for model in self.models)
        counts = f"{self.n} cases, {self.missed} without an answer; {self.seconds:.0f} s. {models}"
        parts.append(f"<p>{html.escape(counts)}</p>")
        parts += ["<section>", *(_drawing(plot) for plot in self.plots), "</section>"]
        for table in self.tables:
            parts.append(_table(table))
        head = f"<meta charset='utf-8'>{FITS}<title>{html.escape(self.task)}</title><style>{STYLE}</style>"
        body = f"<body><main>{''.join(parts)}</main></body>"
        return f"<!doctype html><html lang='en'><head>{head}</head>{body}</html>\n"


def bootstrap(pictures: int, measure: Measure) -> Figure:
    """A figure and its 95 % interval over pictures drawn again with replacement.

    Args:
        pictures: how many there are.
        measure: from weights (R, pictures), how often each picture counts, to R values.
    """
    return bootstraps(pictures, {"": measure})[""]


def bootstraps(pictures: int, measures: Mapping[str, Measure]) -> dict[str, Figure]:
    """Several figures over the same draws; see `bootstrap`. Of no picture at all, they are not known."""
    if pictures == 0:
        return dict.fromkeys(measures, Figure(np.nan, np.nan, np.nan))
    rng = np.random.default_rng(0)
    even = np.full(pictures, 1 / pictures)
    values: dict[str, list[Array]] = {name: [] for name in measures}
    for _ in range(REPEATS // DRAWN):  # a part at a time: all weights of 20,000 pictures take 160 MB
        drawn: Array = rng.multinomial(pictures, even, DRAWN).astype(np.float64)
        for name, measure in measures.items():
            values[name].append(measure(drawn))
    ones = np.ones((1, pictures))
    return {
        name: Figure(float(measure(ones)[0]), *_ends(np.concatenate(values[name])))
        for name, measure in measures.items()
    }


def _ends(values: Array) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return np.nan, np.nan
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)


def _written(text: str) -> str:
    """What a file name holds that is no UTF-8 (lone surrogates), as escapes: nothing else can be written."""
    return text.encode(errors="backslashreplace").decode()


def _named(model: Mapping[str, Any]) -> str:
    """A network with its licence; a tracker, which is a program, has none to tell."""
    licence = f" ({model['licence']})" if "licence" in model else ""
    return f"{model.get('role', 'tracker')}: {model['id']}{licence}"


def _number(value: float) -> float | None:
    return round(value, 5) if np.isfinite(value) else None


def _drawing(plot: Plot) -> str:
    title = html.escape(plot.title)
    svg = plot.svg.replace("<svg ", f"<svg aria-label='{title}' ", 1)
    return f"<figure><h2>{title}</h2>{svg}<figcaption>{html.escape(plot.note)}</figcaption></figure>"


def _table(table: Table) -> str:
    """Under its title; a wide one is moved along by the arrow keys, too."""
    title = html.escape(table.title)
    rows = [_cells(table.head, "th scope='col'", "th"), *(_cells(row, "td", "td") for row in table.rows)]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<h2>{title}</h2><div tabindex='0' role='region' aria-label='{title}'><table>{body}</table></div>"


def _cells(row: Sequence[str], begin: str, end: str) -> str:
    return "".join(f"<{begin}>{html.escape(cell)}</{end}>" for cell in row)


def _columns(table: Table, width: int) -> str:
    """The table under its title; columns that do not fit stand below, beside their rows' names again."""
    rows = [table.head, *table.rows]
    columns = list(zip(*rows, strict=True))
    sides = [max(map(len, column)) for column in columns]
    blocks, used = [[0]], sides[0]
    for nth in range(1, len(columns)):
        if used + GAP + sides[nth] > width and len(blocks[-1]) > 1:
            blocks.append([0])
            used = sides[0]
        blocks[-1].append(nth)
        used += GAP + sides[nth]
    lines = [
        "\n".join((" " * GAP).join(row[nth].rjust(sides[nth]) for nth in block) for row in rows)
        for block in blocks
    ]
    return "\n".join([table.title, "\n\n".join(lines)])
