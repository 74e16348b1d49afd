from itertools import islice

import numpy as np
import pytest

from benchmarks.scenes import SCENES, street
from benchmarks.tracker import MAKERS, YARDSTICK, forms, lines, soak, table
from benchmarks.yardstick import Yardstick
from tracker.published.program import Published
from tracker.published.rules import Rules


@pytest.mark.parametrize("makers", [MAKERS, forms()])
def test_the_table_holds_every_tracker_size_and_share(makers):
    times = table(makers, "crowded", [1, 30], rounds=1)

    header, *rows = lines("crowded", times)

    assert [list(times[boxes]) for boxes in (1, 30)] == [list(makers)] * 2
    assert header.split() == ["crowded", "1", "boxes", "30", "boxes"]
    assert [row[:24].strip() for row in rows] == list(makers)
    first = next(iter(makers))
    for name, row in zip(makers, rows, strict=True):
        found = [float(cell) for cell in row[24:].split()]
        expected = [x for each in times.values() for x in (each[name], each[name] / each[first])]
        np.testing.assert_allclose(found, expected, rtol=0.01, atol=0.06)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("boxes", [1, 3, 20, 60])
def test_the_yardstick_gives_the_rows_of_the_compatible_mode(scene, boxes):
    whole, ours = Yardstick(), Published(Rules())

    for look in islice(SCENES[scene](boxes, seed=7), 40):
        np.testing.assert_allclose(ours.rows(look.detections), whole.rows(look.detections), rtol=0, atol=1e-6)


def test_the_yardstick_gives_these_rows_where_people_come_and_go():
    whole, ours = Yardstick(), Published(Rules())

    for look in islice(street(seed=2, arrivals=5.0, longest=50), 300):
        np.testing.assert_allclose(ours.rows(look.detections), whole.rows(look.detections), rtol=0, atol=1e-6)


def test_a_soak_has_a_time_and_a_size_for_each_tenth():
    times, sizes = soak(MAKERS[YARDSTICK], 100)

    assert len(times) == len(sizes) == 10
    assert min(times) > 0
    assert min(sizes) > 0
