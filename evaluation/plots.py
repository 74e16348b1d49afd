"""Small drawings for a report, as SVG: points with intervals, lines, and a table of shades."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np

from core.types import F64
from evaluation.report import Figure

WIDTH, HEIGHT = 500, 320
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 14, 46  # px around the field
LEGEND, LETTER = 16, 7  # px, height of its row and width of a letter
COLOURS = ("#2563a8", "#c2571a", "#3a7d44", "#7b4ea3")
FEW = 20  # points of a curve that are marked
DASHED = "stroke-dasharray='5 4'"
GREY, PALE = "#5b6876", "#dfe5eb"
Span = tuple[float, float]


class Field:
    """The field of a drawing: from values to pixels, and what is drawn so far."""

    def __init__(self, across: Span, up: Span, height: int = HEIGHT, names: Sequence[str] = ()) -> None:
        """Take the values at the ends of the two axes, pixels, and the names of several series."""
        self._ends, self._up, self._height = across, up, height
        self._parts: list[str] = []
        self._top = self._legend(names if len(names) > 1 else ())

    def x(self, value: float) -> float:
        """Pixels from the left."""
        low, high = self._ends
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        low, high = self._up
        return self._height - BOTTOM - (value - low) / (high - low) * (self._height - self._top - BOTTOM)

    def add(self, markup: str) -> None:
        """Draw this, over all before it."""
        self._parts.append(markup)

    def text(self, x: float, y: float, words: str, anchor: str = "middle", colour: str = GREY) -> None:
        """Words at a pixel."""
        place = f"x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{colour}'"
        self.add(f"<text {place}>{html.escape(words)}</text>")

    def line(self, start: Span, end: Span, colour: str, more: str = "") -> None:
        """A line between two pixels, x y each."""
        ends = f"x1='{start[0]:.1f}' y1='{start[1]:.1f}' x2='{end[0]:.1f}' y2='{end[1]:.1f}'"
        self.add(f"<line {ends} stroke='{colour}' {more}/>")

    def across(self, value: float, colour: str, more: str = "") -> None:
        """A line over the whole width, at a value."""
        self.line((LEFT, self.y(value)), (WIDTH - RIGHT, self.y(value)), colour, more)

    def dot(self, x: float, y: float, colour: str) -> None:
        """A dot at a pixel."""
        self.add(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4' fill='{colour}'/>")

    def axes(self, across: str, up: str, numbered: bool = True) -> None:
        """Ticks, a line at each height, and what the axes stand for."""
        for value in ticks(self._up):
            self.across(value, PALE)
            self.text(LEFT - 6, self.y(value) + 4, f"{value:g}", "end")
        for value in ticks(self._ends) if numbered else []:
            self.text(self.x(value), self._height - BOTTOM + 17, f"{value:g}")
        self.text((LEFT + WIDTH - RIGHT) / 2, self._height - 8, across)
        middle = (self._top + self._height - BOTTOM) / 2
        turned = f"transform='translate(14 {middle:.0f}) rotate(-90)' text-anchor='middle' fill='{GREY}'"
        self.add(f"<text {turned}>{html.escape(up)}</text>")

    def _legend(self, names: Sequence[str]) -> int:
        """The colours of several series, in rows over the field; where it begins, pixels."""
        x, bottom = float(WIDTH), TOP
        for i, name in enumerate(names):
            if x + 10 + LETTER * len(name) > WIDTH:
                x, bottom = LEFT + 6.0, bottom + LEGEND
            self.dot(x, bottom - LEGEND - 2, tint(i))
            self.text(x + 10, bottom - LEGEND + 2, name, "start")
            x += 28 + LETTER * len(name)
        return bottom

    def svg(self) -> str:
        """The drawing."""
        box = f"viewBox='0 0 {WIDTH} {self._height}' font-size='12' font-family='system-ui,sans-serif'"
        return f"<svg xmlns='http://www.w3.org/2000/svg' role='img' {box}>{''.join(self._parts)}</svg>"


def tint(number: int) -> str:
    """Of a series; after the last they begin anew."""
    return COLOURS[number % len(COLOURS)]


def ticks(span: Span) -> list[float]:
    """Four to eight round values within a span.

    >>> ticks((0.0, 1.0))
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    wanted = (span[1] - span[0]) / 5
    unit = 10 ** np.floor(np.log10(wanted))
    step = unit * next(m for m in (1, 2, 5, 10) if unit * m >= wanted * 0.99)
    first, last = np.ceil(span[0] / step - 1e-9), np.floor(span[1] / step + 1e-9)
    return [round(float(i * step), 10) + 0.0 for i in np.arange(first, last + 1)]  # + 0.0: no -0


def points(
    labels: Sequence[str],
    series: Mapping[str, Sequence[Figure]],
    across: str,
    up: str,
    aim: float | None = None,
) -> str:
    """Values with their intervals at named places, and a dashed line to aim at."""
    known = [v for row in series.values() for f in row for v in (f.low, f.high, f.value) if np.isfinite(v)]
    ends = [*known, *([] if aim is None else [aim])] or [0.0, 1.0]
    room = max(max(ends) - min(ends), 1e-3) * 0.1
    low = min(ends) - room if min(ends) < 0 or min(ends) > 0.4 * max(ends) else 0.0
    field = Field((-0.5, len(labels) - 0.5), (low, max(ends) + room), names=list(series))
    field.axes(across, up, numbered=False)
    if aim is not None:
        field.across(aim, GREY, DASHED)
    for i, label in enumerate(labels):
        field.text(field.x(i), HEIGHT - BOTTOM + 17, label)
    apart = min(0.16, 0.8 / max(len(series), 1))  # of the distance between two places
    for number, row in enumerate(series.values()):
        for i, figure in enumerate(row):
            if np.isfinite(figure.value):
                _whisker(field, i + apart * (number - (len(series) - 1) / 2), figure, tint(number))
    return field.svg()


def _whisker(field: Field, place: float, figure: Figure, colour: str) -> None:
    x = field.x(place)
    if np.isfinite(figure.low):
        field.line((x, field.y(figure.low)), (x, field.y(figure.high)), colour, "stroke-width='2'")
    field.dot(x, field.y(figure.value), colour)


def lines(
    series: Mapping[str, tuple[F64, F64]],
    across: str,
    up: str,
    spans: tuple[Span, Span],
    diagonal: bool = False,
) -> str:
    """Curves of values over values, and the diagonal to compare them with."""
    field = Field(*spans, names=list(series))
    field.axes(across, up)
    if diagonal:
        ends = [(field.x(v), field.y(v)) for v in (max(s[0] for s in spans), min(s[1] for s in spans))]
        field.line(ends[0], ends[1], GREY, DASHED)
    for number, (xs, ys) in enumerate(series.values()):
        pixels = [(field.x(x), field.y(y)) for x, y in zip(xs.tolist(), ys.tolist(), strict=True)]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
        field.add(f"<polyline points='{way}' fill='none' stroke='{tint(number)}' stroke-width='2'/>")
        for x, y in pixels if len(pixels) <= FEW else ():
            field.dot(x, y, tint(number))
    return field.svg()


def shades(names: Sequence[str], counts: F64) -> str:
    """A table (K, K): of each true class (row) the share that each was said (column), a dash of none."""
    k = len(names)
    field = Field((0, k), (k, 0), height=min(420, 110 + 46 * k))
    cases = counts.sum(axis=1)
    shares = counts / np.maximum(cases, 1)[:, None]
    for i in range(k):
        field.text(LEFT - 6, field.y(i + 0.5) + 4, names[i][:9], "end")
        field.text(field.x(i + 0.5), field.y(k) + 16, names[i][:9])
        for j in range(k):
            x, y, share = field.x(j), field.y(i), shares[i, j]
            size = f"width='{field.x(1) - field.x(0) - 1:.1f}' height='{field.y(1) - field.y(0) - 1:.1f}'"
            shade = f"fill='{COLOURS[0]}' fill-opacity='{0.05 + 0.9 * share:.3f}'"
            field.add(f"<rect x='{x:.1f}' y='{y:.1f}' {size} {shade}/>")
            ink = "#ffffff" if share > 0.5 else "#1c2733"
            words = f"{share:.2f}" if cases[i] else "-"
            field.text(field.x(j + 0.5), field.y(i + 0.5) + 4, words, colour=ink)
    field.text((LEFT + WIDTH - RIGHT) / 2, field.y(k) + 34, "said (across), true (down)")
    return field.svg()
