import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cards import Input
from detectors.letterbox import STRIDE, batches, fit

PLAIN = Input(name="image", kind="picture", colour="bgr")
SIDE = st.integers(1, 30000)


@given(width=SIDE, height=SIDE, longest=st.integers(64, 2048))
def test_a_canvas_holds_any_picture_and_has_whole_cells(width, height, longest):
    where = fit((width, height), longest)

    assert all(side % STRIDE == 0 for side in where.canvas)
    assert all(1 <= p <= c < p + STRIDE for p, c in zip(where.picture, where.canvas, strict=True))
    assert max(where.picture) <= longest
    assert np.allclose(where.scale * (width, height), where.picture)


def test_a_wide_frame_is_not_squeezed_into_a_square():
    where = fit((1280, 720), 640)

    assert where.picture == (640, 360)
    assert where.canvas == (640, 384)
    assert where.scale.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(("side", "seen"), [(48, 96), (300, 600), (400, 640), (2000, 640)])
def test_a_small_picture_is_enlarged_to_the_size_but_at_most_doubled(side, seen):
    assert fit((side, side), 640).picture == (seen, seen)


def test_a_fixed_canvas_is_kept_and_the_aspect_ratio_too():
    where = fit((1280, 720), 640, fixed=(320, 320))

    assert where.canvas == (320, 320)
    assert where.picture == (320, 180)


@pytest.mark.parametrize("shape", [(1, 1), (1, 20000), (20000, 1)])
def test_extreme_pictures_are_taken(shape):
    ((_, batch, _),) = batches([np.full((*shape, 3), 7, np.uint8)], 640, PLAIN)

    assert batch[0, 0, 0, 0] == 7


def test_pixels_keep_their_place_and_the_rest_is_zero():
    image = np.random.default_rng(1).integers(1, 255, (40, 50, 3), np.uint8)

    ((_, batch, _),) = batches([image], 50, PLAIN)

    assert batch.shape == (1, 3, 64, 64)
    assert np.array_equal(batch[0, :, :40, :50].transpose(1, 2, 0), image)
    assert not batch[:, :, 40:].any()
    assert not batch[:, :, :, 50:].any()


def test_colours_and_range_are_those_of_the_card():
    wants = Input(name="i", kind="picture", colour="rgb", mean=(100, 110, 120), scale=2)
    blue = np.zeros((32, 32, 3), np.uint8)
    blue[..., 0] = 255

    ((_, batch, _),) = batches([blue], 640, wants)

    assert batch[0, :, 0, 0].tolist() == [-50, -55, 67.5]


def test_pictures_of_one_size_share_a_batch_and_each_is_handed_out_once():
    sizes = [(64, 32), (32, 32), (64, 32)]
    images = [np.full((h, w, 3), i, np.uint8) for i, (w, h) in enumerate(sizes)]

    found = list(batches(images, 640, PLAIN))

    assert [places for places, _, _ in found] == [[0, 2], [1]]
    assert [batch[:, 0, 0, 0].tolist() for _, batch, _ in found] == [[0, 2], [1]]


def test_reducing_keeps_a_point_where_it_was():
    image = np.zeros((720, 1280, 3), np.uint8)
    image[400:408, 900:908] = 255

    ((_, batch, where),) = batches([image], 640, PLAIN)

    y, x = np.argwhere(batch[0, 0] > 0).mean(axis=0) + 0.5
    assert ([x, y] / where.scale).tolist() == pytest.approx([904, 404], abs=1)
