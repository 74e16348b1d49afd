"""The load governor on a made-up machine: sheds in order, takes back, does not flap."""

from __future__ import annotations

from collections import Counter

import pytest

from pipeline.governor import LEVELS, Governor


def simulate(seconds: float, cost, cameras: int = 4, rate: float = 25.0, governor: Governor | None = None):
    """(time, level) of each change on a machine whose turn over one frame takes `cost(time, shed)` s of work.

    A turn takes the newest frame of each camera; frames in between are lost, as by the slot of one.
    """
    governor, now, read, changes = governor or Governor(), 0.0, 0, []
    nth = 0
    while now < seconds:
        due = int(now * rate) * cameras
        offered, read = max(due - read, 0), max(due, read)
        if offered == 0:
            now = (int(now * rate) + 1) / rate + 1e-9
            continue
        nth += 1
        if governor.shed.every > 1 and nth % governor.shed.every and offered <= cameras:
            continue
        taken = min(offered, cameras)
        work = taken * cost(now, governor.shed)
        now += work
        if governor.hear(now, work, taken, offered):
            changes.append((now, governor.level))
    return governor, changes


def price(detect: float, look: float, rest: float = 0.001, rate: float = 25.0):
    """Cost of a frame: the detector's share by its interval, the looks' by their budget."""

    def cost(_time, shed):
        return (
            rest + detect * min(1.0, 1 / (rate * shed.interval) if shed.interval else 1.0) + look * shed.looks
        )

    return cost


def test_a_machine_that_keeps_up_sheds_nothing() -> None:
    governor, changes = simulate(120, price(0.006, 0.002))

    assert (governor.level, changes) == (0, [])


def test_a_machine_that_is_hopelessly_slow_sheds_all_it_can_and_goes_on() -> None:
    governor, changes = simulate(300, price(0.1, 0.1, rest=0.1))

    assert governor.level == len(LEVELS) - 1
    assert [level for _, level in changes] == list(range(1, len(LEVELS)))


def test_a_level_that_saved_much_as_it_was_entered_is_not_left_to_see_whether_it_is_needed() -> None:
    """With a look at each frame the machine is at work all the time, with ten a second half of it."""
    _, changes = simulate(600, price(0.0105, 0.0))

    assert [level for _, level in changes] == [1, 2, 3]


def test_estimates_go_first_then_looks_then_frames() -> None:
    order = [(s.looks < 1, s.interval > 0, s.every > 1) for s in LEVELS]

    assert order == sorted(order)
    assert [s.looks for s in LEVELS] == sorted((s.looks for s in LEVELS), reverse=True)
    assert [s.interval for s in LEVELS] == sorted(s.interval for s in LEVELS)


@pytest.mark.parametrize(
    ("detect", "look", "least", "most"),
    [(0.006, 0.006, 1, 2), (0.012, 0.002, 3, 4), (0.030, 0.004, 4, 5)],
)
def test_it_goes_just_as_far_as_is_needed_and_stays_there(detect, look, least, most) -> None:
    governor, changes = simulate(300, price(detect, look))

    assert least <= governor.level <= most
    late = [change for change in changes if change[0] > 60]
    assert len(late) <= 6, f"flaps: {changes}"


def test_after_a_rush_all_is_taken_back_within_a_minute_and_a_half() -> None:
    rush, calm = price(0.030, 0.01), price(0.004, 0.001)

    governor, changes = simulate(200, lambda t, shed: (rush if 20 < t < 80 else calm)(t, shed))

    assert max(level for _, level in changes) >= 4
    assert governor.level == 0
    assert next(t for t, level in changes if t > 80 and level == 0) < 170


def test_a_load_at_the_edge_is_tried_less_and_less_often() -> None:
    """Without the doubled patience it would go back and forth every ten seconds."""
    governor, changes = simulate(1800, price(0.0085, 0.0015))

    halves = Counter(t > 900 for t, _ in changes)
    assert halves[True] <= 10
    assert governor.level <= 3


def test_a_level_says_in_words_what_is_left_undone() -> None:
    assert [str(level) for level in (LEVELS[0], LEVELS[1], LEVELS[6])] == [
        "",
        "estimates x0.5",
        "estimates x0.25, a look each 0.4 s, 1 frame of 2",
    ]
