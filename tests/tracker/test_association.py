"""Gates and costs: the loop and the arrays agree with each other and with `core.geometry`."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.geometry import iou
from tracker.association import by_distance, overlaps, overlaps_of_many
from tracker.life import Detection, Track

box = st.tuples(*[st.floats(0, 100)] * 2, *[st.floats(1, 100)] * 2).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
some = st.lists(box, min_size=1, max_size=12)
calm = settings(deadline=None)


@calm
@given(some, some, st.floats(0.05, 1))
def test_the_loop_and_the_arrays_allow_the_same_pairs(tracks, found, least) -> None:
    assert overlaps_of_many(tracks, found, least) == overlaps(tracks, found, least)


@calm
@given(some, some, st.floats(0.05, 1))
def test_the_gate_is_the_overlap(tracks, found, least) -> None:
    table = iou(np.array(tracks), np.array(found))

    allowed = {(i, j) for _, i, j in overlaps(tracks, found, least)}

    sure = np.abs(table - least) > 1e-9
    expected = {(i, j) for i, j in np.argwhere(table >= least).tolist() if sure[i, j]}
    assert {pair for pair in allowed if sure[pair]} == expected


def test_equal_boxes_cost_nothing_and_unequal_heights_cost_more_than_unequal_widths() -> None:
    track = [(0.0, 0.0, 10.0, 10.0)]
    found = [(0.0, 0.0, 10.0, 10.0), (0.0, 0.0, 8.0, 10.0), (0.0, 0.0, 10.0, 8.0)]

    costs = [cost for cost, _, _ in overlaps(track, found, 0.1)]

    assert costs == pytest.approx([0.0, 0.2, 0.36])


@pytest.mark.parametrize(("width", "matched"), [(50, True), (90, False)])
def test_a_face_out_of_overlap_but_in_reach_matches_if_its_size_fits(width: int, matched: bool) -> None:
    face = Detection((0.0, 0.0, 50.0, 60.0), 0.9, 0)
    track = Track(face, 0.0)
    track.motion.centre = (40.0**2, 0.0, 0.0)
    found = Detection((30.0, 0.0, 30.0 + width, 1.2 * width), 0.9, 0)

    assert (by_distance([track], [found]) == [(0, 0)]) is matched


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
