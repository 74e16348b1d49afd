import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from render.blur import blur, enlarge

GENERATOR = np.random.default_rng(7)
NOISE = GENERATOR.integers(0, 256, (240, 320, 3), np.uint8)


def detail(pixels) -> float:
    """Energy of the finest structure: mean square of the Laplacian."""
    return float((cv2.Laplacian(pixels.astype(np.float32), cv2.CV_32F) ** 2).mean())


@pytest.mark.parametrize("side", [12, 20, 40, 90, 160])
def test_nothing_of_the_detail_in_a_box_is_left_whatever_its_size(side):
    picture = NOISE.copy()
    box = np.array([[100.0, 50, 100 + side, 50 + side]])

    blur(picture, box)

    inside = np.s_[50 : 50 + side, 100 : 100 + side]
    assert detail(picture[inside]) < 0.01 * detail(NOISE[inside])


def test_a_face_becomes_the_same_patch_as_another_with_the_same_coarse_colours():
    """Detail finer than a block is gone: a checkerboard of it ends up as plain grey."""
    fine = np.zeros((200, 200, 3), np.uint8)
    fine[::2, ::2] = fine[1::2, 1::2] = 200
    plain = np.full_like(fine, 100)

    for picture in (fine, plain):
        blur(picture, np.array([[50.0, 50, 150, 150]]))

    difference = np.abs(fine[50:150, 50:150].astype(int) - plain[50:150, 50:150])
    assert difference.max() <= 2


def test_pixels_away_from_the_face_stay_as_they_were():
    picture = NOISE.copy()
    box = np.array([[100.0, 50, 140, 100]])

    blur(picture, box)

    far = np.ones(picture.shape[:2], bool)
    x1, y1, x2, y2 = enlarge(box, 1.9)[0].astype(int)
    far[y1:y2, x1:x2] = False
    assert np.array_equal(picture[far], NOISE[far])


def test_each_corner_of_the_box_is_hidden():
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[60:140, 60:140] = 255 * (np.indices((80, 80)).sum(axis=0) % 2)[..., None].astype(np.uint8)

    blur(picture, np.array([[60.0, 60, 140, 140]]))

    corner = picture[60:66, 60:66].astype(int)
    assert np.ptp(corner) < 60


def test_nothing_is_drawn_for_unknown_empty_or_distant_boxes():
    picture = NOISE.copy()
    rows = [[np.nan, 10, 20, 20], [-900, -900, -850, -850], [5000, 10, 5050, 60], [30, np.inf, 40, np.inf]]

    blur(picture, np.array(rows, float))
    blur(picture, np.zeros((0, 4)))

    assert np.array_equal(picture, NOISE)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 4), max_size=4),
    st.sampled_from([(1, 1), (3, 40), (64, 48)]),
)
def test_any_box_on_any_picture_is_taken(rows, shape):
    picture = np.full((*shape, 3), 77, np.uint8)

    blur(picture, np.array(rows, float).reshape(-1, 4))

    assert (picture == 77).all()


def test_a_face_at_the_border_is_hidden_up_to_the_border():
    picture = NOISE.copy()

    blur(picture, np.array([[-20.0, -20, 30, 30]]))

    assert detail(picture[:28, :28]) < 0.01 * detail(NOISE[:28, :28])


@pytest.mark.parametrize("axis", [0, 1])
def test_stripes_finer_than_a_quarter_of_a_large_face_vanish_whichever_way_they_run(axis):
    stripes = (np.indices((320, 320))[axis] // 8 % 2 * 255).astype(np.uint8)  # ten across the face
    picture = np.repeat(stripes[..., None], 3, axis=2)

    blur(picture, np.array([[80.0, 80, 240, 240]]))

    assert np.ptp(picture[80:240, 80:240]) < 40


@pytest.mark.parametrize("axis", [0, 1])
def test_the_blur_of_a_mirrored_picture_is_the_mirrored_blur(axis):
    picture, mirrored = NOISE.copy(), np.ascontiguousarray(np.flip(NOISE, axis))
    box = np.array([[120.0, 80, 200, 160]])  # in the middle

    blur(picture, box)
    blur(mirrored, box)

    assert np.abs(np.flip(mirrored, axis).astype(int) - picture).max() <= 4


def test_the_picture_stays_sharp_beside_the_curve_of_a_face():
    picture = NOISE.copy()

    blur(picture, np.array([[100.0, 50, 180, 130]]))

    corner = np.s_[18:36, 68:86]
    assert np.array_equal(picture[corner], NOISE[corner])
