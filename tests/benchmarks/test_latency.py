"""How the ages of pictures are measured and summed up."""

import numpy as np
import pytest

from benchmarks import latency
from benchmarks.latency import CASES, OURS, ages, lines, summed_up
from tests.servers import squares
from tests.servers.reels import milliseconds


def rounds(*ages_of_rounds):
    """A picture each 0.1 s of 10 s, with these ages."""
    times = np.arange(100) / 10
    return [np.stack([times, np.broadcast_to(each, 100)], axis=1) for each in ages_of_rounds]


def test_what_comes_before_the_reader_has_caught_up_does_not_count() -> None:
    catching_up = np.where(np.arange(100) < 30, 1000.0, 40.0)

    row = summed_up(rounds(catching_up))

    assert row["pictures"] == 70
    assert row["p50"] == row["p95"] == row["last second"] == 40


def test_a_growing_age_shows_at_the_end() -> None:
    row = summed_up(rounds(np.arange(100) * 30.0))

    assert row["last second"] > row["p50"] + 800


def test_the_age_is_the_time_since_the_clock_in_the_picture() -> None:
    image = np.zeros((96, 128, 3), np.uint8)

    def read():
        squares.write(image, milliseconds() - 50)
        return image

    found = ages(read, seconds=-latency.WARM + 0.05, pause=0.001)

    assert len(found) > 1
    assert np.median(found[:, 1]) == pytest.approx(50, abs=5)


@pytest.mark.parametrize(("p95", "word"), [(80.0, "kept"), (81.0, "missed")])
def test_the_target_is_two_pictures_time(p95, word) -> None:
    row = {"pictures": 10, "p50": 40.0, "p95": 300.0, "last second": 40.0}
    found = dict.fromkeys(CASES, row) | {(OURS, 0.0): row | {"p95": p95}}

    assert f"(80 ms): {word}" in lines(found, rate=25)[-1]
