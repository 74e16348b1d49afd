"""Films made of stills: where the face is, how large, and that the same seed gives the same film."""

import numpy as np
import pytest

from core.types import F64
from estimators.align import TEMPLATE
from evaluation.clips import NEAR, SECONDS, SIZE, make_clip
from evaluation.samples import Sample


def still(side=160, name="a.jpg", landmarks=None):
    """A red disc in the middle of black."""
    y, x = np.indices((side, side)) + 0.5 - side / 2
    picture = np.zeros((side, side, 3), np.uint8)
    picture[np.hypot(x, y) < side / 4, 2] = 255
    return Sample(name, picture, age=30.0, female=1.0, landmarks=landmarks)


def middle(boxes: F64) -> F64:
    return (boxes[:, :2] + boxes[:, 2:]) / 2


@pytest.mark.parametrize("seed", range(4))
def test_the_face_is_where_the_truth_says_in_every_frame(seed):
    clip = make_clip(still(), 10, seed)

    for frame, place in zip(clip.frames("film"), middle(clip.boxes), strict=True):
        redder = frame.image[..., 2].astype(float) - frame.image[..., :2].mean(axis=2)
        strong = redder > 0.6 * redder.max()
        y, x = np.nonzero(strong)
        assert np.median(x) + 0.5 == pytest.approx(place[0], abs=4)
        assert np.median(y) + 0.5 == pytest.approx(place[1], abs=4)


def test_landmarks_say_where_the_face_is_in_its_still():
    points = (TEMPLATE * 50 + 20).astype(np.float32)  # a face of 50 px, up and left of the middle

    clip = make_clip(still(landmarks=points), 10, 0)

    undone = np.linalg.solve(clip.matrices[0, :, :2], middle(clip.boxes)[0] - clip.matrices[0, :, 2])
    assert undone == pytest.approx([45, 45], abs=0.5)


@pytest.mark.parametrize("seed", range(6))
def test_a_visit_takes_some_seconds_and_comes_nearer_within_the_picture(seed):
    clip = make_clip(still(), 25, seed)
    heights = clip.boxes[:, 3] - clip.boxes[:, 1]

    assert SECONDS[0] <= clip.times[-1] + 1 / 25 <= SECONDS[1] + 1 / 25
    assert heights.max() > heights[0]
    assert heights.max() <= NEAR[1] + 1e-6
    assert ((middle(clip.boxes) > 0) & (middle(clip.boxes) < SIZE)).all()


def test_a_small_still_is_never_enlarged():
    clip = make_clip(still(side=40), 10, 0)

    assert (clip.boxes[:, 3] - clip.boxes[:, 1]).max() <= 40 + 1e-6


def test_the_same_seed_gives_the_same_film_and_another_seed_or_still_another():
    first, again = ([f.image for f in make_clip(still(), 5, 3).frames("film")] for _ in range(2))
    other, another = make_clip(still(), 5, 4), make_clip(still(name="b.jpg"), 5, 3)

    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert len({float(clip.boxes[0, 0]) for clip in (make_clip(still(), 5, 3), other, another)}) == 3


def test_another_rate_films_the_same_visit():
    slow, fast = make_clip(still(), 5, 1), make_clip(still(), 10, 1)

    assert slow.boxes == pytest.approx(fast.boxes[::2][: len(slow.boxes)], abs=4)
    assert [frame.stamp.time for frame in slow.frames("film")] == slow.times.tolist()
