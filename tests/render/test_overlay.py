import weakref

import numpy as np
import pytest

from core.settings import RenderConfig
from core.types import ENDED, LOST, Evidence, Tracks
from render.overlay import GREY, PALETTE, Overlay, Scene, colour_of, forms
from render.panel import Panels
from render.text import Lettering
from tests.make import evidence, tracks


def scene(boxes, state=0, status="", **more) -> Scene:
    found = tracks(boxes, state)
    return Scene(0.0, found, evidence(found.ids), status=status, **more)


def draw(what: Scene, size=(640, 360), value: int = 90, **config):
    picture = np.full((size[1], size[0], 3), value, np.uint8)
    Overlay(RenderConfig(**config)).draw(picture, what)
    return picture


def changed(picture, value: int = 90):
    """(x1, y1, x2, y2) of the pixels that were drawn on."""
    y, x = np.nonzero((picture != value).any(axis=2))
    return x.min(), y.min(), x.max() + 1, y.max() + 1


def near(picture, colour) -> int:
    return int((np.abs(picture.astype(int) - colour).max(axis=2) < 12).sum())


def test_the_box_is_drawn_in_the_colour_of_its_id_at_its_corners():
    picture = draw(scene({1: (200, 100, 260, 180)}))

    corner = picture[96:104, 196:215]
    assert near(corner, PALETTE[0]) > 10
    assert not near(picture, PALETTE[1])
    assert (picture[130:150, 215:245] == 90).all()  # the face itself stays free


def test_ids_next_in_number_have_colours_that_stay_apart_in_grey_or_hue():
    colours = np.array([colour_of(i) for i in range(1, 9)], float)

    steps = np.abs(np.diff(colours, axis=0)).max(axis=1)

    assert steps.min() > 60


def test_a_lost_face_is_dashed_and_paler_than_a_seen_one():
    box = {1: (200, 100, 300, 200)}

    seen, lost = draw(scene(box)), draw(scene(box, LOST))

    assert near(seen[100:200, 190:310], PALETTE[0]) > 0
    assert near(lost[:, :], PALETTE[0]) == 0
    assert near(lost, [(own + GREY[0]) / 2 for own in PALETTE[0]]) > 0
    side = (lost[100:200, 196:205] != 90).any(axis=(1, 2))
    assert 3 <= np.count_nonzero(np.diff(side.astype(int)) == 1) <= 20


def test_an_ended_track_and_one_without_a_box_are_not_drawn():
    ended = draw(scene({1: (200, 100, 300, 200)}, ENDED))
    nowhere = draw(scene({1: (np.nan,) * 4, 2: (50, 50, 40, 60)}))

    assert (ended == 90).all()
    assert (nowhere == 90).all()


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (40, 30), (320, 240), (1080, 1920)])
def test_any_size_of_picture_can_be_drawn_on(size):
    draw(scene({1: (-50, -50, 5000, 40), 2: (0, 0, size[0], size[1])}, status="상태 " * 40), size)


def test_no_face_and_no_status_leave_the_picture_as_it_is():
    assert (draw(Scene(0.0, Tracks.none(), Evidence.none())) == 90).all()


def test_the_overlay_grows_with_the_picture_and_with_the_scale():
    heights = {}
    for name, factor, scale in (("360p", 1, 1.0), ("720p", 2, 1.0), ("4K", 6, 1.0), ("720p large", 2, 2.0)):
        box = tuple(factor * v for v in (200, 100, 260, 180))
        picture = draw(scene({1: box}), (640 * factor, 360 * factor), scale=scale)
        heights[name] = factor * 100 - changed(picture)[1]

    assert heights["360p"] >= 18
    assert heights["4K"] == pytest.approx(3 * heights["720p"], abs=4)
    assert heights["720p large"] == pytest.approx(2 * heights["720p"], abs=4)


def test_the_status_line_is_at_the_lower_left_and_can_be_switched_off():
    what = scene({}, status="카메라 · 30 fps")

    x1, y1, x2, y2 = changed(draw(what))

    assert x1 < 12
    assert x2 < 320
    assert 330 < y1 < y2 < 360
    assert (draw(what, status=False) == 90).all()


@pytest.mark.parametrize("ground", [0, 128, 255])
def test_the_label_contrasts_with_any_ground(ground):
    picture = draw(scene({1: (200, 100, 260, 180)}), value=ground)

    label = picture[75:97, 235:330].astype(float).mean(axis=2)

    lighter, darker = (np.percentile(label, share) / 255 for share in (99, 30))
    contrast = (lighter**2.2 + 0.05) / (darker**2.2 + 0.05)
    assert contrast > 4.5  # WCAG 2.2, level AA


def test_a_trail_is_drawn_where_the_face_came_from():
    trail = {1: np.stack([np.linspace(20, 190, 20), np.full(20, 300.0)], axis=1)}

    picture = draw(scene({1: (200, 100, 260, 180)}, trails=trail))

    drawn = (picture[298:303, 20:190] > 130).any(axis=(0, 2))
    assert drawn.mean() > 0.95


def test_a_label_says_what_is_known_and_leaves_out_what_is_not():
    known = evidence([1])

    assert forms(known, 0) == ("female 34 ± 6 · happy", "female 34 ± 6", "F 34±6", "")
    assert forms(Evidence.none(np.array([1])), 0) == ("", "", "", "")
    assert forms(evidence([1], gender=0), 0)[0] == "34 ± 6 · happy"
    assert forms(evidence([1], age=np.nan), 0)[0] == "female · happy"
    assert forms(evidence([1], half=31), 0)[0] == "female · happy"


def test_drawing_the_same_twice_gives_the_same_pixels():
    what = scene({1: (200, 100, 260, 180), 2: (250, 110, 300, 190)}, status="30 fps")
    overlay = Overlay(RenderConfig())

    pictures = [np.full((360, 640, 3), 90, np.uint8) for _ in range(2)]
    for picture in pictures:
        overlay.draw(picture, what)

    assert np.array_equal(*pictures)
    assert np.array_equal(pictures[0], draw(what))


def test_ready_labels_are_let_go_when_they_are_many():
    panels = Panels(Lettering(48, others=lambda: ()))

    made = [weakref.ref(panels.get(f"#{i}", "female 34 ± 6 · happy", PALETTE[0]).add) for i in range(80)]

    kept = [array for ref in made if (array := ref()) is not None]
    assert 30 <= len(kept) < 70
    assert 2 * sum(array.nbytes for array in kept) <= 12e6
