"""Drawings of many series."""

import re

import numpy as np
import pytest

from evaluation.plots import COLOURS, WIDTH, points, shades
from evaluation.report import Figure

WORD = re.compile(r"<text x='([\d.]+)' y='([\d.]+)' text-anchor='start' .*?>(\w+)</text>")


@pytest.mark.parametrize("count", [2, 4, 5, 9])
def test_any_number_of_series_can_be_drawn_and_named(count):
    names = [f"detector_{i}" for i in range(count)]

    svg = points(["a", "b"], {name: [Figure(0.5, 0.4, 0.6)] * 2 for name in names}, "x", "y")

    told = WORD.findall(svg)
    assert [name for _, _, name in told] == names
    assert len({(x, y) for x, y, _ in told}) == count
    assert all(float(x) + 6 * len(name) < WIDTH for x, _, name in told)
    assert {colour for colour in COLOURS if f"fill='{colour}'" in svg} == set(COLOURS[:count])
    places = re.findall(r"<circle cx='([\d.]+)'", svg)[count:]
    assert len(set(places)) == 2 * count
    assert max(map(float, places[::2])) < min(map(float, places[1::2]))


def test_the_shares_of_a_class_without_a_case_are_not_known():
    svg = shades(["happy", "sad"], np.array([[3.0, 1.0], [0.0, 0.0]]))

    assert re.findall(r">([\d.]+|-)</text>", svg) == ["0.75", "0.25", "-", "-"]
