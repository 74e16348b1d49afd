"""The published tracker: its rows, ids and order, faults included."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from math import inf, nan
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import ENDED, LOST, SEEN, Faces
from tests.make import faces
from tracker.published.few import Few
from tracker.published.many import Many
from tracker.published.program import Published
from tracker.published.rules import Rules

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


@pytest.mark.parametrize("shape", [(1, 4), (0, 4), (5,), (2, 2, 5)])
def test_a_misshapen_array_is_refused(shape) -> None:
    with pytest.raises(ValueError, match=r"expected float64 \(N, 5\), got \("):
        Published(Rules()).rows(np.zeros(shape))


def test_an_empty_list_is_an_empty_frame() -> None:
    assert Published(Rules()).rows([]).shape == (0, 5)


def crowd(seed: int, counts: list[int], grid: float = 0.0) -> list[np.ndarray]:
    """Frames of so many boxes of people who walk about close together, a few missed and a few false.

    On a `grid` of so many pixels many boxes overlap equally, so that the assignment has ties.
    """
    rng = np.random.default_rng(seed)
    most = max(counts, default=0)
    room = 55 * max(most, 1) ** 0.5
    place, speed = rng.uniform(0, room, (most, 2)), rng.normal(0, 3, (most, 2))
    film = []
    for count in counts:
        place += speed
        centre = (place + rng.normal(0, 1.5, place.shape))[:count]
        centre[rng.random(count) < 0.05] = rng.uniform(0, room, 2)
        half = rng.normal(1, 0.05, (count, 1)) * [25, 30]
        boxes = np.hstack([centre - half, centre + half, rng.random((count, 1))])
        boxes = boxes[rng.random(count) > 0.05]
        film.append(rng.permutation(np.round(boxes / grid) * grid if grid else boxes))
    return film


def run_as(film, rules: Rules, most_few: float, least_many: float) -> list[np.ndarray]:
    """The rows where plain numbers are used up to, and the table from, so many tracks."""
    with patch.object(Few, "MOST", most_few), patch.object(Many, "LEAST", least_many):
        return run(Published(rules), film)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 50), max_size=25),
    st.builds(Rules, st.integers(0, 5), st.integers(0, 4), st.sampled_from([0.0, 0.2, 0.3, 0.6])),
    st.sampled_from([0.0, 10.0]),
)
def test_plain_numbers_and_the_table_give_the_same_rows_and_so_does_going_to_and_fro(
    seed, counts, rules, grid
) -> None:
    film = crowd(seed, counts, grid)

    few = run_as(film, rules, inf, 0)
    many = run_as(film, rules, -1, 0)
    both = run_as(film, rules, 30, 24)

    for other in (many, both):
        for expected, rows in zip(few, other, strict=True):
            np.testing.assert_array_equal(rows[:, 4], expected[:, 4])
            np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-9)


def test_the_form_changes_with_the_number_of_tracks() -> None:
    tracker, forms = Published(Rules()), []

    for count in [5] * 5 + [80] * 5 + [5] * 5:
        tracker.rows(np.array([[100.0 * i, 0, 100 * i + 50, 60, 1] for i in range(count)]))
        forms.append(type(tracker._tracks))

    assert forms == [Few] * 6 + [Many] * 6 + [Few] * 3


def test_a_thousand_boxes_are_tracked_alike_in_both_forms() -> None:
    film = crowd(1, [1000] * 5)

    few = run_as(film, Rules(), inf, 0)
    many = run(Published(Rules()), film)

    assert len(many[-1]) > 600
    for expected, rows in zip(few, many, strict=True):
        np.testing.assert_allclose(rows, expected, rtol=0, atol=1e-9)


def test_trackers_side_by_side_know_nothing_of_each_other() -> None:
    films = [crowd(seed, [1 + seed] * 12) for seed in range(60)]
    alone = [run(Published(Rules()), film) for film in films]

    trackers = [Published(Rules()) for _ in films]
    together = [
        [t.rows(frame) for t, frame in zip(trackers, frames, strict=True)]
        for frames in zip(*films, strict=True)
    ]

    for rows, expected in zip(zip(*together, strict=True), alone, strict=True):
        for a, b in zip(rows, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_scipy_is_not_imported_before_boxes_compete() -> None:
    code = """
import sys
import numpy as np
from tracker.published.program import Published
from tracker.published.rules import Rules
for count in (1, 5, 50):
    tracker = Published(Rules())
    for x in range(20):
        tracker.rows(np.array([[x + 100.0 * i, 0, x + 100 * i + 50, 60, 1] for i in range(count)]))
assert not any(name.startswith("scipy") for name in sys.modules)
tracker.rows(np.array([[x, 0, x + 50.0, 60, 1] for x in (0, 2, 4)]))
assert "scipy.optimize" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_an_age_beyond_all_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="max_age: expected 0 to 100000 frames, got 100001"):
        Published(Rules(max_age=100_001))


def test_an_update_is_a_frame_of_rows_with_the_detection_behind_each() -> None:
    film = [frame[:, :4] for frame in crowd(3, [12] * 30)]
    film[5] = np.vstack([[[nan, 0, 9, 9]], film[5]])
    plain, tracker = Published(Rules()), Published(Rules())

    for i, boxes in enumerate(film):
        rows = plain.rows(np.column_stack([boxes, np.ones(len(boxes))]))
        tracks = tracker.update(faces(*boxes), i / 25)
        seen = tracks.take(tracks.states == SEEN)
        np.testing.assert_array_equal(seen.ids, rows[::-1, 4])
        np.testing.assert_array_equal(seen.boxes, rows[::-1, :4])
        np.testing.assert_array_equal(seen.faces.boxes, boxes[seen.index])
        assert (seen.seen == i / 25).all()
        assert (tracks.index[tracks.states != SEEN] == -1).all()
        assert np.isnan(tracks.faces.boxes[tracks.states != SEEN]).all()
        assert (np.diff(tracks.ids) > 0).all()


def test_a_reported_track_is_lost_while_silent_and_ends_once() -> None:
    tracker, here, nobody = Published(Rules(max_age=2)), faces((0, 0, 50, 60)), faces()
    film = [here] * 5 + [nobody] + [here] * 4 + [nobody] * 4

    tracks = [tracker.update(found, i / 10) for i, found in enumerate(film)]

    states = [one.states.tolist() for one in tracks]
    assert states == [[SEEN]] * 5 + [[LOST]] * 3 + [[SEEN]] * 2 + [[LOST]] * 2 + [[ENDED], []]
    assert [one.seen[0] for one in tracks[4:9]] == [0.4, 0.4, 0.6, 0.7, 0.8]
    assert all(one.born[0] == 0 and one.ids[0] == 1 for one in tracks if len(one))
    assert np.isfinite(np.concatenate([one.boxes for one in tracks])).all()


def test_a_track_that_was_never_reported_ends_unseen() -> None:
    tracker = Published(Rules(min_hits=0))
    tracker.update(faces(), 0.0)
    silent = Published(Rules())
    for i in range(4):
        silent.update(faces(), i / 10)

    assert tracker.update(faces((0, 0, 50, 60)), 0.1).ids.tolist() == [1]
    assert len(silent.update(faces((0, 0, 50, 60)), 0.5)) == 0
    assert [len(silent.update(faces(), time)) for time in (0.6, 0.7, 0.8)] == [0, 0, 0]


def test_a_frame_that_nobody_looked_at_moves_nothing() -> None:
    films = [crowd(4, [8] * 10) for _ in range(2)]
    skipping, plain = Published(Rules()), Published(Rules())

    for i, (one, other) in enumerate(zip(*films, strict=True)):
        expected = plain.update(faces(*one[:, :4]), i / 10)
        found = skipping.update(faces(*other[:, :4]), i / 10)
        between = skipping.update(None, i / 10 + 0.05)
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_array_equal(found.boxes, expected.boxes)
        living = expected.take(expected.states != ENDED)
        np.testing.assert_array_equal(between.ids, living.ids)
        np.testing.assert_array_equal(between.boxes, living.boxes)
        np.testing.assert_array_equal(between.states, living.states)
        assert (between.index == -1).all()
        assert np.isnan(between.faces.scores).all()


@pytest.mark.parametrize("found", [faces((0, 0, 50, 60)), faces(), None])
def test_a_cut_and_the_end_end_all_tracks(found: Faces | None) -> None:
    tracker = Published(Rules(min_hits=0))
    tracker.update(faces((0, 0, 50, 60), (90, 0, 140, 60)), 0.0)

    tracks = tracker.update(found, 0.1, cut=True)
    last = tracker.end()

    assert tracks.states.tolist()[:2] == [ENDED] * 2
    assert tracks.ids.tolist() == ([1, 2, 3] if found is not None and len(found) else [1, 2])
    assert last.ids.tolist() == tracks.ids.tolist()[2:]
    assert last.states.tolist() == [ENDED] * len(last)
    assert len(tracker.end()) == 0


def test_time_never_runs_backward() -> None:
    tracker = Published(Rules())
    tracker.update(faces(), 1.0)

    with pytest.raises(ValueError, match=r"expected seconds, 1\.0 or later, got 0\.5"):
        tracker.update(faces(), 0.5)


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
