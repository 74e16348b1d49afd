import numpy as np
import pytest

from core.settings import PrivacyConfig, RenderConfig
from core.types import Tracks
from render.renderer import Renderer, Trails
from tests.make import frame, result, tracks

BOX = (200, 100, 260, 180)


def renderer(wants, blur: bool = False, delay: float = 0.0, **config) -> Renderer:
    return Renderer(RenderConfig(**config), PrivacyConfig(blur=blur), wants, delay)


def noisy(index: int = 0):
    picture = frame(index)
    noise = np.random.default_rng(index).integers(0, 256, picture.image.shape, np.uint8)
    return type(picture)(picture.stamp, noise)


def push(made: Renderer, picture, status: str = ""):
    return made.push(picture, result(picture, tracks({1: BOX}, time=picture.stamp.time)), status)


def test_the_raw_picture_is_the_frame_itself_and_is_not_waited_for():
    picture = frame()

    (ready,) = push(renderer({"raw"}, delay=0.5), picture)

    assert ready.raw is picture.image
    assert ready.drawn is None


@pytest.mark.parametrize("blur", [False, True])
def test_the_frame_is_never_touched(blur):
    picture = noisy()
    before = picture.image.copy()

    (ready,) = push(renderer({"raw", "drawn"}, blur), picture)

    assert np.array_equal(picture.image, before)
    assert not ready.raw.flags.writeable
    assert not ready.drawn.flags.writeable


@pytest.mark.parametrize("wants", [{"raw"}, {"drawn"}, {"raw", "drawn"}])
def test_under_blur_no_picture_shows_the_face(wants):
    picture = noisy()

    (ready,) = push(renderer(wants, blur=True), picture)

    x1, y1, x2, y2 = BOX
    inner = np.s_[y1 + 20 : y2 - 20, x1 + 20 : x2 - 20]
    made = [pixels for pixels in (ready.raw, ready.drawn) if pixels is not None]
    assert len(made) == len(wants)
    for pixels in made:
        assert pixels[inner].std() < 0.2 * picture.image[inner].std()
    assert len(made) == 1 or (made[0] != made[1]).any()


def test_a_picture_nobody_wants_is_not_made():
    (ready,) = push(renderer({"drawn"}), frame())
    assert ready.raw is None

    (nothing,) = push(renderer(set()), frame())
    assert (nothing.raw, nothing.drawn) == (None, None)


def test_pictures_come_delayed_in_order_and_with_their_own_status():
    made, alone, out = renderer({"drawn"}, delay=0.2), renderer({"drawn"}), []

    for i in range(12):
        out += push(made, frame(i), f"frame {i}")
    waiting = 12 - len(out)
    out += made.flush()

    assert waiting == 5
    assert [p.result.stamp.index for p in out] == list(range(12))
    lower = np.s_[330:, :200]
    for i, picture in enumerate(out):
        expected = push(alone, frame(i), f"frame {i}")[0]
        assert np.array_equal(picture.drawn[lower], expected.drawn[lower])


def test_the_same_frames_give_the_same_pictures():
    films = [
        [p.drawn for i in range(5) for p in push(m, noisy(i))]
        for m in (renderer({"drawn"}), renderer({"drawn"}))
    ]

    assert all(np.array_equal(a, b) for a, b in zip(*films, strict=True))


def test_a_trail_follows_the_foot_of_the_box_for_so_many_seconds():
    trails = Trails(1.0)

    for i in range(50):
        points = trails.update(i / 25, tracks({1: (i, 0, i + 20, 40)}))[1]

    assert points[-1].tolist() == [59, 40]
    assert len(points) == 26
    assert points[0].tolist() == [34, 40]


def test_the_trail_of_an_id_that_is_gone_is_forgotten():
    trails = Trails(1.0)
    trails.update(0.0, tracks({1: BOX}))

    assert trails.update(0.1, Tracks.none()) == {}
    assert len(trails.update(0.2, tracks({1: BOX}))[1]) == 1
