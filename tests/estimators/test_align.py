"""Faces cut out of pictures."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import Crop, Faces
from estimators.align import TEMPLATE, cut, fit_similarity, placement, squared
from tests.make import faces


def umeyama(source, target):
    """Umeyama 1991, equations 40 to 42, by singular value decomposition: the independent oracle."""
    ms, mt = source.mean(0), target.mean(0)
    u, d, vt = np.linalg.svd((target - mt).T @ (source - ms) / len(source))
    sign = np.diag([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ sign @ vt
    scale = np.trace(np.diag(d) @ sign) / ((source - ms) ** 2).sum(1).mean()
    return scale * rotation, mt - scale * rotation @ ms


@given(st.integers(0, 10**6))
def test_the_closed_form_is_umeyamas_least_squares(seed):
    generator = np.random.default_rng(seed)
    turn = generator.uniform(-np.pi, np.pi)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = TEMPLATE @ rotation * generator.uniform(5, 400) + generator.normal(0, 3, (5, 2)) + 100

    a, b = fit_similarity(points[None], TEMPLATE)

    matrix, shift = umeyama(points, TEMPLATE)
    assert np.allclose([[a[0].real, -a[0].imag], [a[0].imag, a[0].real]], matrix, atol=1e-9)
    assert np.allclose([b[0].real, b[0].imag], shift, atol=1e-9)


def dotted(points, size=(400, 400)):
    """A black picture with a white blob at each point (edge coordinates)."""
    y, x = np.mgrid[: size[1], : size[0]] + 0.5
    blobs = sum(np.exp(-((x - px) ** 2 + (y - py) ** 2) / 18) for px, py in points)
    return np.repeat((255 * np.clip(blobs, 0, 1)).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("height", [60, 120, 300])
@pytest.mark.parametrize("turn", [0, 25, -70])
def test_landmarks_fall_on_the_template_at_any_size_and_roll(height, turn):
    spin = np.exp(1j * np.radians(turn))
    z = ((TEMPLATE[:, 0] + 1j * TEMPLATE[:, 1]) - 0.5 - 0.5j) * spin * height + 200 + 200j
    points = np.stack([z.real, z.imag], 1)
    face = faces((100, 100, 300, 300))
    face = Faces(face.boxes, face.scores, points[None].astype(np.float32))

    crop = cut(dotted(points), face, Crop("aligned", 112, 1.0, 0.0, "grey"))[0, ..., 0]

    for x, y in TEMPLATE * 112:
        window = crop[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5].astype(float)
        dy, dx = np.mgrid[: window.shape[0], : window.shape[1]] + 0.5
        centre = (
            (window * dx).sum() / window.sum() + int(x) - 4,
            (window * dy).sum() / window.sum() + int(y) - 4,
        )
        assert np.hypot(centre[0] - x, centre[1] - y) < 0.8


def test_zoom_and_shift_place_the_template_as_the_weights_were_trained():
    face = faces((50, 50, 150, 150))
    face = Faces(face.boxes, face.scores, (TEMPLATE[None] * 100 + 50).astype(np.float32))

    scale, shift = placement(face, Crop("aligned", 64, 1.193, -0.175))

    z = scale[0] * (face.landmarks[0, :, 0] + 1j * face.landmarks[0, :, 1]) + shift[0]
    expected = ((TEMPLATE - 0.5) * 1.193 + 0.5 + (0, -0.175)) * 64
    assert np.allclose(np.stack([z.real, z.imag], 1), expected, atol=1e-3)


def test_fine_stripes_average_to_grey_instead_of_flickering():
    image = np.zeros((800, 800, 3), np.uint8)
    image[:, ::2] = 255

    crop = cut(image, faces((100, 50, 700, 750)), Crop("aligned", 32, 1.0, 0.0, "rgb"))

    assert abs(crop[0, 4:-4, 4:-4].astype(float) - 127.5).max() < 25


def test_a_face_at_the_border_is_black_outside_of_the_picture():
    image = np.full((100, 100, 3), 200, np.uint8)

    crop = cut(image, faces((-50, 20, 50, 120)), Crop("box", 48, colour="grey"))[0, ..., 0]

    assert (crop[2:36, 26:] == 200).all()
    assert (crop[:, :22] == 0).all()
    assert (crop[42:] == 0).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 5.0])
def test_without_usable_landmarks_the_box_is_cut(bad):
    image = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    face = faces((40, 40, 140, 140))
    broken = Faces(face.boxes, face.scores, np.full_like(face.landmarks, bad))

    crop = cut(image, broken, Crop("aligned", 64))[0]

    assert np.isfinite(placement(broken, Crop("aligned", 64))[0]).all()
    assert crop.std() > 10


def test_each_face_of_a_picture_is_cut_as_if_it_were_alone():
    image = np.random.default_rng(0).integers(0, 255, (200, 400, 3), np.uint8)
    found, crop = faces((40, 40, 140, 140), (240, 40, 340, 140), (10, 150, 40, 180)), Crop("aligned", 64)
    found.landmarks[1] = np.nan

    together = cut(image, found, crop)

    for row in range(3):
        assert together[row].std() > 10
        assert np.array_equal(together[row], cut(image, found.take(np.array([row])), crop)[0])


@pytest.mark.parametrize("box", [(np.nan,) * 4, (10, 10, 10, 10), (20, 20, 10, 10)])
@pytest.mark.parametrize("kind", ["aligned", "box"])
def test_a_face_without_extent_is_a_black_crop(box, kind):
    nothing = Faces(
        np.array([box], np.float64), np.ones(1, np.float32), np.full((1, 5, 2), np.nan, np.float32)
    )

    crop = cut(np.full((50, 50, 3), 255, np.uint8), nothing, Crop(kind, 32))

    assert crop.shape == (1, 32, 32, 3)
    assert not crop.any()


def test_the_box_is_cut_square_around_its_middle_as_opencv_resizes_it():
    image = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8), (0, 0), 6)

    crop = cut(image, faces((60, 50, 100, 130)), Crop("box", 160, colour="bgr"))[0]

    expected = cv2.resize(image[50:130, 40:120], (160, 160), interpolation=cv2.INTER_LINEAR)
    inner = slice(2, -2)
    assert abs(crop[inner, inner].astype(int) - expected[inner, inner]).max() <= 2


def test_colours_are_those_that_the_network_wants():
    image = np.full((100, 100, 3), (10, 100, 200), np.uint8)

    def pixel(colour):
        return cut(image, faces((20, 20, 80, 80)), Crop("box", 8, colour=colour))[0, 4, 4].tolist()

    assert pixel("bgr") == [10, 100, 200]
    assert pixel("rgb") == [200, 100, 10]
    assert pixel("grey") == [round(0.299 * 200 + 0.587 * 100 + 0.114 * 10)]


def test_no_faces_give_no_crops():
    assert cut(np.zeros((10, 10, 3), np.uint8), Faces.none(), Crop("aligned", 64)).shape == (0, 64, 64, 3)


@pytest.mark.parametrize("pixel", [16 / 11, 2.0, 0.5])
def test_a_face_of_pixels_that_are_no_squares_is_cut_out_as_it_is_shown(pixel):
    crop = Crop("aligned", 112)
    shown = (TEMPLATE * 160 + 120).astype(np.float32)
    face = faces((120, 120, 280, 280))
    wanted = cut(dotted(shown), Faces(face.boxes, face.scores, shown[None]), crop)

    size = round(400 / pixel), 400
    squeezed = cv2.resize(dotted(shown), size, interpolation=cv2.INTER_AREA)
    by = np.float32([size[0] / 400, 1])
    thin = Faces(face.boxes * np.tile(by, 2), face.scores, shown[None] * by)
    seen = cut(*squared(squeezed, thin, pixel), crop)

    assert np.abs(seen.astype(int) - wanted).mean() < 1
    assert np.abs(cut(squeezed, thin, crop).astype(int) - wanted).mean() > 2
