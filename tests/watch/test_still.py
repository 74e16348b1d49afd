"""Faces that never move: posters and mannequins against people who sit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import Tracks
from tests.make import faces, tracks
from watch.still import Still

BOX = (100.0, 100.0, 180.0, 200.0)


def seen(track: int, box, nose=(0.0, 0.0)) -> Tracks:
    """One track, seen at `box`, its nose moved by so many pixels."""
    made = tracks({track: box})
    found = faces(box)
    points = found.landmarks.copy()
    points[0, 2] += nose
    return replace(made, faces=replace(found, landmarks=points))


def moved(dx: float, dy: float = 0.0, box=BOX):
    return (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_a_poster_is_static_after_a_minute_however_its_box_trembles(seed) -> None:
    still, noise = Still(60.0), np.random.default_rng(seed)
    first = None
    for i in range(0, 1000):
        time = i * 0.1
        box = np.array(BOX) + np.clip(noise.normal(0, 0.8, 4), -2, 2)
        if still.update(seen(1, box), time) and first is None:
            first = time

    assert first == pytest.approx(60.0, abs=0.2)


def test_somebody_who_sits_and_turns_the_head_now_and_then_is_not() -> None:
    still = Still(60.0)
    for i in range(6000):
        turn = 8.0 if i % 300 < 20 else 0.0  # px, every 30 s
        assert not still.update(seen(1, BOX, (turn, 0.0)), i * 0.1)


def test_somebody_who_shifts_now_and_then_is_not() -> None:
    still = Still(60.0)
    for i in range(6000):
        assert not still.update(seen(1, moved(15.0 * (i // 500 % 2))), i * 0.1)


def test_what_moves_after_all_is_a_person() -> None:
    still = Still(5.0)
    for i in range(60):
        still.update(seen(1, BOX), i * 0.1)
    was = still.ids

    now = still.update(seen(1, moved(40)), 6.1)

    assert was == {1}
    assert not now


def test_a_poster_that_somebody_hid_is_known_again_at_once_and_a_visitor_there_is_not() -> None:
    still = Still(60.0)
    for i in range(700):
        still.update(seen(1, BOX), i * 0.1)
    still.update(Tracks.none(), 71.0)
    back = [time for i in range(100) if still.update(seen(2, moved(2)), time := 80 + i * 0.1)]
    still.update(Tracks.none(), 91.0)
    walker = [still.update(seen(3, moved(4.0 * i)), 100 + i * 0.1) for i in range(100)]

    assert back[0] == pytest.approx(83.0, abs=0.2)
    assert not any(walker)


@pytest.mark.parametrize(
    ("shift", "turn", "person"), [(8.5, 0, False), (9.5, 0, True), (0, 0.07, False), (0, 0.09, True)]
)
def test_a_tenth_of_its_size_or_a_twelfth_between_the_eyes_is_what_a_face_must_move_by(
    shift: float, turn: float, person: bool
) -> None:
    """The face is 80 by 100 px, which is 90 px large."""
    still = Still(60.0)
    left, right = faces(BOX).landmarks[0, :2, 0]
    for i in range(160):
        away = i // 10 % 2  # for 10 s
        here = seen(1, moved(shift * away), (turn * (right - left) * away, 0.0))
        static = still.update(here, float(i))

    assert bool(static) is not person


def test_small_faces_may_tremble_by_a_pixel_and_a_half() -> None:
    still = Still(10.0)
    box = (100.0, 100.0, 112.0, 114.0)
    static = [still.update(seen(1, moved(1.2 * (i % 2), box=box)), i * 0.1) for i in range(150)]

    assert static[-1] == {1}


def test_nothing_is_static_where_that_is_switched_off() -> None:
    still = Still(None)

    assert not any(still.update(seen(1, BOX), i * 10.0) for i in range(100))
