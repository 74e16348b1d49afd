import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.geometry import iou
from render.placement import Placement

NOTHING = np.zeros((0, 4))
WIDE = [(160, 24), (110, 24), (70, 24), (34, 24)]


def sizes(n: int):
    return np.array([WIDE] * n, np.int64).reshape(n, len(WIDE), 2)


def rectangles(places):
    return np.array(
        [[p.x, p.y, p.x + WIDE[p.form][0], p.y + WIDE[p.form][1]] for p in places if p is not None], float
    ).reshape(-1, 4)


def box_lists(width, height):
    corner = st.tuples(st.floats(-80, width), st.floats(-80, height), st.floats(2, 400), st.floats(2, 400))
    return st.lists(corner, max_size=30).map(
        lambda rows: np.array([(x, y, x + w, y + h) for x, y, w, h in rows], float).reshape(-1, 4)
    )


@settings(max_examples=60, deadline=None)
@given(data=st.data(), size=st.sampled_from([(640, 360), (200, 100), (30, 20), (1, 1), (360, 640)]))
def test_labels_never_overlap_nor_leave_the_frame_whatever_the_boxes(data, size):
    placement = Placement(gap=3)
    status = np.array([[4, size[1] - 28, 120, size[1] - 4]], float)

    for time in (0.0, 0.04, 0.7):
        boxes = data.draw(box_lists(*size))
        ids = list(range(1, len(boxes) + 1))
        placed = rectangles(placement.place(ids, boxes, sizes(len(ids)), status, (*size, time)))

        assert (placed[:, :2] >= 0).all()
        assert (placed[:, 2:] <= size).all()
        assert not np.triu(iou(placed, placed), 1).any()
        assert not iou(placed, status).any()


def test_a_lone_label_stands_in_full_above_its_face():
    box = np.array([[300, 150, 360, 220]], float)

    (place,) = Placement(3).place([1], box, sizes(1), NOTHING, (640, 360, 0.0))

    assert (place.form, place.x) == (0, 297)
    assert place.y + 24 == 147


@pytest.mark.parametrize(
    "box", [(100, 0, 540, 360), (100, -30, 540, 400), (-50, -40, 700, 420), (0, 3, 640, 357)]
)
def test_a_face_that_fills_the_picture_has_a_label(box):
    (place,) = Placement(3).place([1], np.array([box], float), sizes(1), NOTHING, (640, 360, 0.0))

    assert place is not None


def test_a_face_above_or_below_the_picture_has_no_label():
    boxes = np.array([(100, -90, 160, -20), (100, 380, 160, 440)], float)

    assert Placement(3).place([1, 2], boxes, sizes(2), NOTHING, (640, 360, 0.0)) == [None, None]


def test_a_label_at_the_upper_edge_goes_below_its_face():
    box = np.array([[300, 5, 360, 75]], float)

    (place,) = Placement(3).place([1], box, sizes(1), NOTHING, (640, 360, 0.0))

    assert place.y == 78


def test_a_face_that_fills_the_frame_has_its_label_inside():
    box = np.array([[-10, -10, 650, 370]], float)

    (place,) = Placement(3).place([1], box, sizes(1), NOTHING, (640, 360, 0.0))

    assert place is None or 0 <= place.y <= 336


def test_labels_do_not_cover_faces_while_there_is_room_beside_them():
    boxes = np.array([[100, 200, 150, 260], [100, 120, 150, 180], [160, 200, 210, 260]], float)

    placed = rectangles(Placement(3).place([1, 2, 3], boxes, sizes(3), NOTHING, (640, 360, 0.0)))

    assert len(placed) == 3
    assert not iou(placed, boxes).any()


def test_thirty_faces_all_keep_at_least_their_number():
    x, y = np.meshgrid(np.arange(10) * 120 + 30, np.arange(3) * 130 + 200)
    corners = np.stack([x.ravel(), y.ravel()], axis=1).astype(float)
    boxes = np.concatenate([corners, corners + np.array([45, 55])], axis=1)

    places = Placement(3).place(list(range(1, 31)), boxes, sizes(30), NOTHING, (1280, 720, 0.0))

    assert None not in places


def test_a_label_stays_on_its_side_while_a_face_trembles_and_its_better_place_comes_and_goes():
    placement = Placement(3)
    face = np.array([[300, 150, 360, 220]], float)
    sides = []
    for i in range(50):
        blocked = np.array([[290, 118, 420, 149]], float) if i % 3 == 0 else NOTHING
        box = face + (i % 2)
        (place,) = placement.place([1], box, sizes(1), blocked, (640, 360, i / 25))
        sides.append(place.y > 200)

    assert sides == [True] * 50


def test_a_label_returns_to_the_better_place_after_that_was_free_for_half_a_second():
    placement = Placement(3)
    box, blocked = np.array([[300, 150, 360, 220]], float), np.array([[290, 118, 420, 149]], float)
    placement.place([1], box, sizes(1), blocked, (640, 360, 0.0))

    moved = [
        placement.place([1], box, sizes(1), NOTHING, (640, 360, t))[0].y < 150 for t in (0.1, 0.55, 0.65)
    ]

    assert moved == [False, False, True]
