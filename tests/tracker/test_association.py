"""Gates and costs: the loop and the arrays agree with each other and with `core.geometry`."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.geometry import iou
from tracker.association import by_distance, covered, overlaps, overlaps_of_many

box = st.tuples(*[st.floats(0, 100)] * 2, *[st.floats(1, 100)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
some = st.lists(box, min_size=1, max_size=12).map(sorted)  # the loop wants detections from left to right
calm = settings(deadline=None)


@calm
@given(some, some, st.floats(0.05, 1))
def test_the_loop_and_the_arrays_allow_the_same_pairs(tracks, found, least) -> None:
    looped = overlaps(numbered(tracks), numbered(found), least)

    before, scores = np.linspace(0, 1, len(tracks)), np.linspace(0, 1, len(found))
    cost, i, j = overlaps_of_many(np.array(tracks).T, np.array(found).T, before, scores, least)

    assert [(row, column) for _, row, column in looped] == list(zip(i.tolist(), j.tolist(), strict=True))
    assert [each for each, _, _ in looped] == pytest.approx(cost.tolist(), abs=1e-12)


@calm
@given(some, some, st.floats(0.05, 1))
def test_the_gate_is_the_overlap_and_a_cost_below_that_of_staying_alone(tracks, found, least) -> None:
    table = iou(np.array(tracks), np.array(found))

    pairs = {(i, j): cost for cost, i, j in overlaps(numbered(tracks, 0.5), numbered(found, 0.5), least)}

    assert all(table[pair] >= least - 1e-9 and cost < 1 for pair, cost in pairs.items())
    assert all(pair in pairs for pair in map(tuple, np.argwhere(table >= least + 1e-9).tolist()))


def numbered(boxes, score=None):
    scores = np.linspace(0, 1, len(boxes)).tolist() if score is None else [score] * len(boxes)
    return list(zip(range(len(boxes)), boxes, scores, strict=True))


def test_equal_boxes_cost_nothing_and_unequal_heights_cost_more_than_unequal_widths() -> None:
    track = numbered([(0.0, 0.0, 10.0, 10.0)], 0.9)
    found = numbered([(0.0, 0.0, 10.0, 10.0), (0.0, 0.0, 8.0, 10.0), (0.0, 0.0, 10.0, 8.0)], 0.9)

    costs = [cost for cost, _, _ in overlaps(track, found, 0.1)]

    assert costs == pytest.approx([0.0, 1 - 0.8**1.5, 1 - 0.64**1.5])


def test_of_two_equal_boxes_the_one_with_the_score_of_before_is_cheaper() -> None:
    box = (0.0, 0.0, 10.0, 10.0)

    (near, *_), (far, *_) = overlaps([(0, box, 0.9)], [(0, box, 0.85), (1, box, 0.5)], 0.1)

    assert [near, far] == pytest.approx([0.01, 0.08])


@pytest.mark.parametrize(("width", "matched"), [(50, True), (90, False)])
def test_a_face_out_of_overlap_but_in_reach_matches_if_its_size_fits(width: int, matched: bool) -> None:
    track = (0, (300.0, 200.0, 350.0, 260.0), 40.0)
    face = (0, (330.0, 200.0, 330.0 + width, 200.0 + 1.2 * width), 0.9)

    assert bool(by_distance([track], [face], 1.5)) is matched


def test_no_face_is_taken_that_is_farther_than_two_sizes_however_unsure_the_track_is() -> None:
    track = (0, (300.0, 200.0, 350.0, 250.0), 1000.0)
    near, far = ((i, (x, 200.0, x + 50.0, 250.0), 0.9) for i, x in enumerate((395.0, 405.0)))

    assert [face for _, _, face in by_distance([track], [near, far], 3.0)] == [0]


@pytest.mark.parametrize(
    ("others", "share"),
    [([], 0.0), ([(5.0, 0.0, 20.0, 10.0), (8.0, 0.0, 9.0, 10.0)], 0.5), ([(20.0, 0.0, 30.0, 10.0)], 0.0)],
)
def test_a_box_is_covered_by_the_one_that_covers_most_of_it(others, share: float) -> None:
    assert covered((0.0, 0.0, 10.0, 10.0), others) == share


def test_a_handful_of_faces_needs_no_scipy() -> None:
    program = """
import sys
from core.settings import TrackerConfig
from tests.make import faces
from tracker.sort import Sort
tracker = Sort(TrackerConfig())
for i in range(20):
    near = 100 + i
    tracker.update(faces((100, 100, 150, 160), (near, 110, near + 50, 170), (400, 100, 450, 160)), i / 30)
heavy = {"scipy", "filterpy", "matplotlib"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
