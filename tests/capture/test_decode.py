"""What the decoder does not say of a stream: pictures that never came."""

import math
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from capture.decode import Holes


def holes(times) -> list[bool]:
    watch = Holes()
    return [watch.after(time) for time in times]


@given(st.integers(2, 60), st.integers(3, 97), st.floats(-1e5, 1e5))
def test_a_picture_that_is_missing_is_noticed_at_the_next_one(rate, missing, start) -> None:
    times = [start + i / rate for i in range(100) if i != missing]

    assert [i for i, hole in enumerate(holes(times)) if hole] == [missing]


@given(st.lists(st.floats(0.85, 1.2), min_size=1, max_size=100))
def test_a_camera_that_is_a_little_uneven_misses_nothing(steps) -> None:
    assert not any(holes(step / 25 for step in accumulate(steps)))


def test_a_camera_that_slows_down_at_night_is_soon_the_usual_one() -> None:
    day = [i / 25 for i in range(50)]
    night = [2 + i / 10 for i in range(1, 60)]

    found = holes(day + night)

    assert not any(found[:50])
    assert not any(found[75:])


def test_pictures_without_times_say_nothing() -> None:
    assert holes([math.nan, 0.0, 0.04, math.nan, 5.0]) == [False] * 5
