from itertools import count, islice

import numpy as np
import pytest

import tracker.sort
from benchmarks.scenes import SCENES, street
from benchmarks.tracker import (
    MAKERS,
    OURS,
    WANTS,
    WARM,
    compatible_forms,
    lines,
    main,
    our_forms,
    soak,
    table,
    wanting,
)
from benchmarks.yardstick import Yardstick
from tracker.many import Many
from tracker.published.program import Published
from tracker.published.rules import Rules


class Clock:
    """Nanoseconds that pass only when a tracker is said to work."""

    def __init__(self) -> None:
        self.now = 0

    def thread_time_ns(self) -> int:
        return self.now

    def maker(self, cost, takes=None):
        """Of a tracker to which its n-th frame costs `cost(n)` ns."""

        def make():
            frames = count()

            def run(look):
                self.now += cost(next(frames))
                if takes is not None:
                    takes.append(look)

            return run

        return make


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr("benchmarks.tracker.time", made)
    return made


def test_a_tracker_that_takes_three_times_as_long_has_the_share_3(clock):
    makers = {"one": clock.maker(lambda n: 2_000), "three": clock.maker(lambda n: 6_000)}

    header, *rows = lines("crowded", table(makers, "crowded", [1, 30], rounds=1))

    assert header.split() == ["crowded", "1", "boxes", "30", "boxes"]
    assert [row.split() for row in rows] == [
        ["one", *["2.0", "1.000"] * 2],
        ["three", *["6.0", "3.000"] * 2],
    ]


def test_a_figure_is_not_moved_by_the_first_frames_nor_by_one_that_was_held_up(clock):
    usual = clock.maker(lambda n: 2_000)
    slow_start = clock.maker(lambda n: 10**9 if n < WARM or n == 50 else 2_000)

    times = table({"usual": usual, "slow start": slow_start}, "sparse", [3], rounds=2)

    assert times == {3: {"usual": 2.0, "slow start": 2.0}}


def test_all_trackers_take_the_same_frames_of_as_many_boxes_as_the_table_says(clock):
    one, other = [], []
    makers = {"one": clock.maker(lambda n: 1, one), "other": clock.maker(lambda n: 1, other)}

    table(makers, "crowded", [30], rounds=2)

    assert all(a is b for a, b in zip(one, other, strict=True))
    half = len(one) // 2
    assert one[0].detections.tolist() != one[half].detections.tolist()  # another film each round
    assert 25 < np.mean([len(look.detections) for look in one]) <= 30


@pytest.mark.parametrize(
    "makers", [MAKERS | {WANTS: wanting}, compatible_forms(), our_forms()], ids=["all", "compatible", "ours"]
)
def test_every_tracker_and_form_can_be_timed(makers):
    times = table(makers, "crowded", [1, 30], rounds=1)

    assert [list(times[boxes]) for boxes in (1, 30)] == [list(makers)] * 2
    assert all(time > 0 for each in times.values() for time in each.values())


@pytest.mark.parametrize("boxes", [3, 60])
def test_a_form_of_our_tracker_is_held_whatever_the_number_of_boxes_and_gives_its_tracks(boxes, monkeypatch):
    made = []

    class Counted(Many):
        def __init__(self, table):
            super().__init__(table)
            made.append(self)

    monkeypatch.setattr(tracker.sort, "Many", Counted)
    usual = tracker.sort.HANDFUL, tracker.sort.CROWD
    ids, tables = {}, {}
    for name, make in [(OURS, MAKERS[OURS]), *our_forms().items()]:
        made.clear()
        run = make()
        ids[name] = [run(look).ids.tolist() for look in islice(SCENES["crowded"](boxes, seed=7), 20)]
        tables[name] = len(made)

    assert ids["ours: objects"] == ids["ours: table"] == ids[OURS]
    assert (tables["ours: objects"], tables["ours: table"]) == (0, 1)
    assert usual == (tracker.sort.HANDFUL, tracker.sort.CROWD)


def test_both_modes_forms_are_compared_by_one_command(capsys):
    main(["--switch", "--boxes", "2", "--rounds", "1"])

    rows = capsys.readouterr().out.splitlines()
    for name in [*compatible_forms(), *our_forms()]:
        assert sum(row.startswith(name) for row in rows) == len(SCENES)


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


def growing():
    """A tracker that forgets nothing, and looks through all that it knows."""
    kept = []

    def run(look):
        kept.append(bytearray(10_000))
        sum(len(one) for one in kept)

    return run


def test_a_soak_shows_memory_that_leaks_and_time_that_grows():
    times, sizes = soak(growing, 1000)

    assert len(times) == len(sizes) == 10
    steps = np.diff(sizes)  # kB; a hundred frames keep 1000
    assert steps == pytest.approx([1000] * 9, rel=0.2)
    assert times[-1] > 3 * times[0]


def test_a_soak_shows_that_a_tracker_without_memory_stays_the_same():
    times, sizes = soak(lambda: lambda look: None, 1000)

    assert min(times) > 0
    assert max(sizes) - min(sizes) < 50  # kB: what the people of the street take
