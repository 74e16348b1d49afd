"""The published tracker: its rows, ids and order, faults included."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.published import Published, Rules

FRAMES = {"sparse": 300, "crowd": 200, "fast": 300, "shrinking": 300, "dense": 60}  # of the made-up ones
RULES = {"default": Rules(), "patient": Rules(max_age=30, min_hits=1, min_iou=0.2)}


def walk(frames: int, empty: tuple[int, ...] = ()) -> list[list[list[float]]]:
    """Frames, numbered from 1, of one box going right."""
    return [
        [] if i in empty else [[10.0 + 2 * i, 10.0, 60.0 + 2 * i, 70.0, 0.9]] for i in range(1, frames + 1)
    ]


def run(tracker: Published, film) -> list[np.ndarray]:
    return [tracker.rows(np.array(frame).reshape(-1, 5)) for frame in film]


@pytest.mark.parametrize(
    ("empty", "counts", "last"),
    [
        ((7,), [1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1], 1.0),
        ((7, 8), [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1], 2.0),
        ((1, 2, 3, 4), [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1], 1.0),
    ],
)
def test_a_track_is_silent_until_enough_hits_in_a_row(empty, counts, last) -> None:
    rows = run(Published(Rules()), walk(12, empty))

    assert [len(row) for row in rows] == counts
    assert rows[-1][0, 4] == last


def test_ids_count_from_the_start_that_was_set_in_each_tracker() -> None:
    first = run(Published(Rules()), walk(3))
    second = run(Published(Rules(first_id=7)), walk(3))

    assert first[-1][0, 4] == 1
    assert second[-1][0, 4] == 7


def test_the_ids_of_ties_are_those_of_scipy() -> None:
    tracker = Published(Rules())
    tracker.rows(np.float64([[0, 0, 50, 60, 1], [1000, 0, 1050, 60, 1]]))

    rows = tracker.rows(np.float64([[x, 500, x + 50, 560, 1] for x in (200, 400, 600)]))

    centre = {int(row[4]): round((row[0] + row[2]) / 2) for row in rows}
    assert [centre[i] for i in (3, 4, 5)] == [625, 225, 425]


@pytest.mark.parametrize(
    "bad", [[np.nan, 0, 9, 9, 1], [0, 0, np.inf, 9, 1], [5, 0, 5, 9, 1], [9, 0, 5, 9, 1]]
)
def test_an_unusable_row_is_passed_over(bad) -> None:
    tracker = Published(Rules())

    rows = [tracker.rows(np.float64([bad, [100, 100, 150, 160, 1]])) for _ in range(3)]

    assert [row[:, 4].tolist() for row in rows] == [[1.0]] * 3


def test_a_misshapen_array_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected float64 \(N, 5\), got \(1, 4\)"):
        Published(Rules()).rows(np.zeros((1, 4)))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.none() | st.tuples(*[st.floats(-3, 3)] * 4), max_size=20))
def test_the_four_small_filters_are_the_whole_one(film) -> None:
    tracker, whole = Published(Rules(max_age=99, min_hits=0, min_iou=0.0)), None
    for i, shift in enumerate([(0.0,) * 4, *film]):
        box = None if shift is None else np.float64([100 + i, 100, 180 + i, 190]) + shift
        rows = tracker.rows(np.zeros((0, 5)) if box is None else np.array([[*box, 1.0]]))
        whole = step(whole, box)
        if box is not None:
            np.testing.assert_allclose(rows[0, :4], as_box(whole), rtol=1e-9)


def step(whole, box):
    """The same frame by the filter of seven states."""
    from filterpy.kalman import KalmanFilter

    if box is not None:
        w, h = box[2:] - box[:2]
        z = np.array([[box[0] + w / 2], [box[1] + h / 2], [w * h], [w / h]])
    if whole is None:
        whole = KalmanFilter(dim_x=7, dim_z=4)
        whole.F = np.eye(7) + np.diag([1.0] * 3, 4)
        whole.H = np.eye(4, 7)
        whole.Q = np.diag([1, 1, 1, 1, 0.01, 0.01, 0.0001])
        whole.R = np.diag([1.0, 1, 10, 10])
        whole.P = np.diag([10.0] * 4 + [1e4] * 3)
        whole.x = np.concatenate([z, np.zeros((3, 1))])
        return whole
    if whole.x[2, 0] + whole.x[6, 0] <= 0:
        whole.x[6, 0] = 0
    whole.predict()
    if box is not None:
        whole.update(z)
    return whole


def as_box(whole):
    x, y, area, ratio = whole.x[:4, 0]
    w = np.sqrt(area * ratio)
    return [x - w / 2, y - area / w / 2, x + w / 2, y + area / w / 2]


@pytest.mark.slow
@pytest.mark.parametrize("rules", RULES)
def test_rows_ids_and_order_are_those_of_the_published_program(rules: str) -> None:
    if "STREAM_DATA" not in os.environ:
        pytest.skip("STREAM_DATA names no folder with sort_reference.tar.xz")
    with tarfile.open(Path(os.environ["STREAM_DATA"]) / "sort_reference.tar.xz") as archive:
        tables = {
            Path(member.name).name: np.loadtxt(
                io.TextIOWrapper(archive.extractfile(member)), delimiter=",", ndmin=2
            )
            for member in archive
            if member.name.endswith(".txt")
        }

    for name in sorted(file.removesuffix(".det.txt") for file in tables if file.endswith(".det.txt")):
        found, expected = tables[f"{name}.det.txt"], tables[f"{name}.{rules}.rows.txt"]
        tracker = Published(RULES[rules])
        frames = range(1, FRAMES.get(name, int(found[:, 0].max())) + 1)
        rows = [(n, row) for n in frames for row in tracker.rows(found[found[:, 0] == n][:, 2:7])]
        made = np.array([[n, *row] for n, row in rows])
        np.testing.assert_array_equal(made[:, [0, 5]], expected[:, [0, 5]])
        np.testing.assert_allclose(made, expected, atol=1e-6)
