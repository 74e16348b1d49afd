"""Faces that slide behind something and come out again, in boxes of what shows of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.settings import TrackerConfig
from core.types import LOST, SEEN, Faces
from tests.make import faces, ids
from tracker.hidden import Whole
from tracker.motion import CENTRE, Motion
from tracker.sort import Sort

SIZE = 60.0  # px, width of the face
PILLAR = (400.0, 480.0)  # px, left and right edge of what hides it


def shown(left: float, top: float = 100.0) -> Faces:
    """The face at `left`, in a box of what the pillar leaves of it; none under a quarter."""
    right = left + SIZE
    if left < PILLAR[0]:
        right = min(right, PILLAR[0])
    elif right > PILLAR[0]:
        left = max(left, PILLAR[1])
    if right - left < 0.25 * SIZE:
        return faces()
    short = (SIZE - (right - left)) / 4  # a detector keeps the shape of its boxes, by half
    return faces((left, top + short, right, top + 1.3 * SIZE - short), score=0.85)


def passing(rate: float, speed: float) -> Iterator[tuple[float, float, Faces]]:
    """(time, where its left edge truly is, what shows) of a face that goes behind the pillar and out."""
    for i in range(round(500 * rate / speed)):
        left = 100 + speed * i / rate
        yield i / rate, left, shown(left)


@pytest.mark.parametrize(
    ("rate", "speed"),
    # Up to half a face between two looks; beyond, the first slice has too little in common with the face.
    [(rate, speed) for rate in (30, 25, 15, 10) for speed in (150, 250, 350) if speed / rate <= SIZE / 2],
)
def test_a_face_that_passes_behind_a_pillar_keeps_its_id(rate: float, speed: float) -> None:
    tracker = Sort(TrackerConfig())

    rows = [tracker.update(found, time) for time, _, found in passing(rate, speed)]

    assert LOST in [row.states[0] for row in rows]
    assert rows[-1].states.tolist() == [SEEN]
    assert ids(rows) == {1}


def test_so_does_one_that_sinks_behind_a_counter_and_comes_up_again() -> None:
    tracker = Sort(TrackerConfig())

    rows = [
        tracker.update(faces(*found.boxes[:, [1, 0, 3, 2]], score=0.85), time)
        for time, _, found in passing(25, 300)
    ]

    assert LOST in [row.states[0] for row in rows]
    assert rows[-1].states.tolist() == [SEEN]
    assert ids(rows) == {1}


def test_a_hidden_face_moves_on_at_its_speed_and_size() -> None:
    tracker = Sort(TrackerConfig())

    rows = [(tracker.update(found, time), left) for time, left, found in passing(25, 300)]

    lost = [(row.boxes[0], left) for row, left in rows if row.states[0] == LOST]
    assert len(lost) >= 3
    for (x1, _, x2, _), left in lost:
        assert x1 == pytest.approx(left, abs=SIZE / 4)
        assert x2 - x1 == pytest.approx(SIZE, rel=0.2)


def test_a_narrow_slice_that_reappears_continues_the_track_though_its_score_would_begin_one() -> None:
    tracker = Sort(TrackerConfig(confirm_score=0.8))
    film = [(time, found) for time, _, found in passing(25, 300)]

    rows = [tracker.update(found, time) for time, found in film]

    first = next(
        i for i in range(1, len(rows)) if rows[i].states[0] == SEEN and rows[i - 1].states[0] == LOST
    )
    found = film[first][1]
    assert found.boxes[0, 2] - found.boxes[0, 0] < 0.8 * SIZE
    assert ids(rows) == {1}


@pytest.mark.parametrize(
    "other",
    [
        (430.0, 20.0, 490.0, 98.0),  # as large, above
        (640.0, 100.0, 700.0, 178.0),  # as large, far ahead
        (390.0, 60.0, 530.0, 240.0),  # where it is expected, and twice as large
        (440.0, 125.0, 465.0, 155.0),  # where it is expected, and less than half as large
        (530.0, 105.0, 560.0, 170.0),  # as narrow as a slice, a face's width ahead
    ],
)
def test_another_face_near_a_hidden_one_gets_an_id_of_its_own(other) -> None:
    tracker = Sort(TrackerConfig())
    film = [(time, found) for time, left, found in passing(25, 300) if left < 420]
    for time, found in film:
        tracker.update(found, time)

    rows = tracker.update(faces(other), film[-1][0] + 0.04)

    assert rows.ids.tolist() == [1, 2]
    assert rows.states.tolist() == [LOST, SEEN]


def test_a_face_that_shrank_slowly_is_lost_at_its_last_size() -> None:
    tracker = Sort(TrackerConfig())
    for i in range(50):  # walks away from the camera: half as large after 2 s
        side = SIZE * (1 - i / 100)
        tracker.update(faces((100, 100, 100 + side, 100 + 1.3 * side)), i / 25)

    x1, _, x2, _ = tracker.update(faces(), 2.0).boxes[0]

    assert x2 - x1 == pytest.approx(side, rel=0.1)


def test_a_face_that_turned_a_second_ago_is_lost_at_its_new_width() -> None:
    tracker = Sort(TrackerConfig())
    for i in range(50):
        tracker.update(faces((100, 100, 160 if i < 25 else 138, 178)), i / 25)

    x1, _, x2, _ = tracker.update(faces(), 2.0).boxes[0]

    assert x2 - x1 == pytest.approx(38, rel=0.1)


def test_a_face_that_was_whole_to_the_last_is_left_as_it_is() -> None:
    motion = Motion((100, 100, 160, 178))
    whole = Whole(motion, 0.0)

    whole.look((101, 100, 158, 178), motion, 0.04)

    assert whole.before_hiding(0.08, CENTRE) is None


@pytest.mark.parametrize("rate", [25, 10])
def test_who_has_an_id_chooses_before_what_was_seen_once(rate: float) -> None:
    tracker = Sort(TrackerConfig(confirm_score=0.95))
    for i in range(10):
        tracker.update(faces((100, 100, 160, 178)), i / rate)
    time = 10 / rate
    tracker.update(faces((132, 130, 160, 165), score=0.75), time)  # a slice that begins a track of its own

    rows = tracker.update(faces((128, 122, 161, 170)), time + 1 / rate)

    assert rows.ids.tolist() == [1]
    assert rows.states.tolist() == [SEEN]
