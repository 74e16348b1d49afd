"""How far a face can be trusted."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import Faces
from estimators.quality import NOSE_DEPTH, light, pose, quality, ramp, sharpness, turn, yaw
from tests.make import faces

# Right-handed: x right, y down, z away from the camera; distances in eye distances.
HEAD = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, 0.5718, -NOSE_DEPTH], [-0.414, 1.155, 0], [0.414, 1.155, 0]])


def head(turn=0.0, nod=0.0, roll=0.0, size=40.0):
    """A solid head seen from afar: (1, 5, 2) points."""
    t, n, r = np.radians([turn, nod, roll])
    around = np.array([[np.cos(t), 0, -np.sin(t)], [0, 1, 0], [np.sin(t), 0, np.cos(t)]])
    across = np.array([[1, 0, 0], [0, np.cos(n), np.sin(n)], [0, -np.sin(n), np.cos(n)]])
    seen = HEAD @ (across @ around).T
    flat = seen[:, :2] @ np.array([[np.cos(r), np.sin(r)], [-np.sin(r), np.cos(r)]])
    return (flat * size + 200)[None].astype(np.float32)


@given(st.floats(-75, 75), st.floats(-80, 80), st.floats(10, 300))
def test_yaw_is_that_of_a_turned_head_at_any_roll_and_size(turn, roll, size):
    assert yaw(head(turn, 0, roll, size))[0] == pytest.approx(turn, abs=2)


@given(st.floats(-40, 40), st.floats(-60, 60))
def test_pitch_is_that_of_a_nodding_head(nod, roll):
    assert pose(head(0, nod, roll))[1][0] == pytest.approx(nod, abs=4)


def test_the_nose_on_the_right_of_the_picture_is_a_positive_yaw_and_a_high_one_a_positive_pitch():
    points = head()
    points[0, 2] += (5, -5)

    yaws, pitches = pose(points)

    assert yaws[0] > 0
    assert pitches[0] > 0


def test_unknown_points_have_no_pose_and_do_not_lower_the_quality():
    image = textured()
    known = faces((60, 60, 160, 160))
    blank = Faces(known.boxes, known.scores, np.full_like(known.landmarks, np.nan))

    assert np.isnan(yaw(blank.landmarks)).all()
    assert quality(image, blank)[0] > 0.3


def textured(seed=0):
    noise = np.random.default_rng(seed).integers(40, 215, (240, 240, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.2)


@given(st.lists(st.floats(0, 5), min_size=2, max_size=5).map(sorted))
def test_a_blurrier_face_is_never_sharper(sigmas):
    image = cv2.resize(textured()[..., 0], (48, 48), interpolation=cv2.INTER_AREA)

    values = [sharpness(cv2.GaussianBlur(image, (0, 0), 0.01 + sigma)[None])[0] for sigma in sigmas]

    assert all(later <= earlier + 0.02 for earlier, later in pairwise(values))


@given(st.floats(0.3, 1), st.floats(0.3, 1))
def test_a_surer_detector_never_lowers_the_quality(a, b):
    low, high = sorted((a, b))
    image = textured()

    assert (
        quality(image, faces((60, 60, 160, 160), score=low))[0]
        <= quality(image, faces((60, 60, 160, 160), score=high))[0]
    )


@given(st.floats(12, 90), st.floats(12, 90))
def test_a_larger_face_is_never_trusted_less(a, b):
    low, high = sorted((a, b))

    assert ramp(np.array([low]), 12, 72)[0] <= ramp(np.array([high]), 12, 72)[0]


@given(st.floats(0, 80), st.floats(0, 80))
def test_a_face_turned_further_is_never_trusted_more(a, b):
    low, high = sorted((a, b))
    box = np.array([[60.0, 60, 160, 160]])

    def trust(angle):
        return turn(Faces(box, np.ones(1, np.float32), head(angle)))[0]

    assert trust(high) <= trust(low) + 1e-6


@pytest.mark.parametrize("level", [0, 255])
def test_a_black_or_burnt_out_face_is_worth_nothing(level):
    assert light(np.full((1, 48, 48), level, np.uint8)) == 0
    assert quality(np.full((240, 240, 3), level, np.uint8), faces((60, 60, 160, 160)))[0] == 0


@pytest.mark.parametrize("level", [0, 255])
def test_a_face_half_of_which_is_drowned_or_burnt_out_is_worth_less_than_one_as_bright_on_the_whole(level):
    half = np.full((1, 48, 48), 150, np.uint8)
    half[:, :, 24:] = level
    even = np.full_like(half, half.mean())

    assert light(half)[0] < 0.5 * light(even)[0]


@given(st.floats(0.05, 1), st.floats(0.05, 1))
def test_a_darker_face_is_never_better_lit(a, b):
    low, high = sorted((a, b))
    picture = textured()[None, :48, :48, 0]

    assert light((picture * low).astype(np.uint8))[0] <= light((picture * high).astype(np.uint8))[0] + 1e-9


def test_a_face_without_a_box_is_worth_nothing_and_every_value_lies_between_0_and_1():
    lost = Faces.none(2)

    assert quality(textured(), lost).tolist() == [0, 0]
    assert quality(textured(), Faces.none()).shape == (0,)
    assert 0 <= quality(textured(), faces((-500, -500, 500, 500)))[0] <= 1
