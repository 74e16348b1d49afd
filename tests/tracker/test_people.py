"""People who move: fast, past each other, seen often or rarely."""

from __future__ import annotations

import numpy as np
import pytest

from core.geometry import suppress
from core.settings import TrackerConfig
from core.types import SEEN
from tests.make import faces, walk
from tracker.sort import Sort


def drops(rate: float, seed: int):
    random = np.random.default_rng(seed)
    return [frame for frame in walk(rate, 3, speed=300, size=50) if random.random() > min(0.5, rate / 40)]


@pytest.mark.parametrize(
    "film",
    [list(walk(rate, 3, speed=300, size=50)) for rate in (30, 15, 10, 5)]
    + [drops(rate, seed) for rate in (30, 15, 10, 5) for seed in range(5)],
)
def test_a_fast_face_keeps_one_id_at_any_frame_rate_and_with_random_drops(film) -> None:
    tracker = Sort(TrackerConfig())

    rows = [tracker.update(found, time) for time, found in film]

    assert {number for row in rows for number in row.ids.tolist()} == {1}
    assert all((row.states == SEEN).all() for row in rows)


@pytest.mark.parametrize("rate", [30, 10, 5])
@pytest.mark.parametrize("speed", [60, 150])
def test_two_faces_that_cross_keep_their_ids_though_one_hides_the_other(rate: int, speed: int) -> None:
    tracker = Sort(TrackerConfig())
    random = np.random.default_rng(0)
    for i in range(500 * rate // speed):
        left, right = 100 + speed * i / rate, 600 - speed * i / rate
        found = faces((left, 100, left + 60, 175), (right, 103, right + 64, 183))
        found.boxes[:] += random.normal(0, 2, (2, 4))
        found.scores[0] = 0.85
        rows = tracker.update(found.take(suppress(found.boxes, found.scores, 0.4)), i / rate)

    assert rows.ids.tolist() == [1, 2]
    assert rows.boxes[0, 0] > rows.boxes[1, 0] + 200
