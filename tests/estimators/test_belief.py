"""What many looks say together: shapes, scatter, odd ones, moods in time."""

import math

import numpy as np
import pytest

from core.types import EMOTIONS
from estimators.belief import AgeBelief, GenderBelief, MoodBelief
from estimators.network import ANYBODY, doubted, gaussian

YEARS = np.arange(101)
SHARED = 0.85


def normal(age, deviation):
    """What one look says, (101,)."""
    return gaussian(np.array([age]), np.array([deviation]))[0]


def believe(*looks, count=None):
    """The belief after looks of the same say: age, low, high."""
    belief = AgeBelief()
    for look in looks:
        belief.add(look, 1.0, 1.0)
    return belief.read(count or len(looks), SHARED)[1:]


def width(said):
    return said[2] - said[1]


@pytest.mark.parametrize("age", [-30.0, -1.0, 0.0, 50.3, 100.0, 140.0])
@pytest.mark.parametrize("deviation", [0.0, 3.0, 400.0])
def test_a_gaussian_is_a_distribution_wherever_its_middle_lies(age, deviation):
    shares = normal(age, deviation)

    assert shares.sum() == pytest.approx(1)
    assert abs(int(shares.argmax()) - min(max(age, 0), 100)) <= 0.5


def test_the_interval_of_one_look_is_its_own():
    age, low, high = believe(normal(40, 6))

    assert age == pytest.approx(40, abs=0.05)
    assert [low, high] == pytest.approx([40 - 1.645 * 6, 40 + 1.645 * 6], abs=0.3)


def test_less_than_a_look_is_no_less_sure_than_the_look_itself():
    assert believe(normal(40, 6), count=0.1) == believe(normal(40, 6))


def test_a_little_doubt_whether_a_child_is_one_makes_nobody_older():
    look = normal(3, 2.5)
    unsure = doubted(look[None], ANYBODY, 0.06, np.zeros(1))[0]

    assert unsure @ YEARS > 5
    assert believe(unsure)[0] < 4


def test_one_odd_look_among_many_hardly_moves_the_age_or_its_interval():
    steady = [normal(30 + shift, 5) for shift in (-1, 0, 1) * 4]

    plain, odd = believe(*steady), believe(*steady, normal(85, 5))

    assert odd[0] == pytest.approx(plain[0], abs=1.0)
    assert width(odd) < 1.15 * width(plain)


def test_the_further_looks_scatter_the_less_is_shared_until_they_contradict_each_other():
    rng = np.random.default_rng(0)
    own = rng.standard_normal(16)

    widths = [width(believe(*(normal(45 + spread * one, 6) for one in own))) for spread in (1, 4, 14)]

    assert widths[1] < 0.93 * widths[0]
    assert widths[2] > 1.2 * widths[0]


@pytest.mark.parametrize("spread", [9, 12])
def test_looks_that_scatter_more_than_any_of_them_admits_are_no_surer_than_one(spread):
    own = np.random.default_rng(0).standard_normal(30)

    assert width(believe(*(normal(45 + spread * one, 6) for one in own))) > width(believe(normal(45, 6)))


def test_looks_that_agree_fully_share_more_than_is_known_beforehand():
    one, many = believe(normal(45, 6)), believe(*[normal(45, 6)] * 8)

    assert math.sqrt(SHARED + (1 - SHARED) / 8) < 0.95 < width(many) / width(one) < 1


@pytest.mark.parametrize("look", [normal(45, 6), 0.8 * normal(35, 4) + 0.2 * normal(60, 4)])
@pytest.mark.parametrize("count", [2, 3, 4, 6, 10, 30])
def test_looks_that_agree_fully_are_never_worth_less_than_one_of_them(count, look):
    assert 0.96 < width(believe(*[look] * count)) / width(believe(look)) < 0.985


@pytest.mark.parametrize("count", [1, 2, 30])
def test_looks_all_sure_but_for_a_little_doubt_far_off_are_believed(count):
    look = 0.96 * np.eye(101)[2] + 0.04 * np.eye(101)[98]

    age, low, high = believe(*[look] * count)

    assert low <= age <= high
    assert age == pytest.approx(2, abs=0.5)
    assert high - low < 3


def test_the_order_of_looks_does_not_matter_while_nothing_fades():
    looks = [normal(age, 6) for age in (20, 33, 41, 70)]

    assert believe(*looks) == pytest.approx(believe(*reversed(looks)))


def test_a_gender_needs_more_than_a_little_to_be_cautious_about():
    belief = GenderBelief()
    belief.add(0.95, 1.0, 1.0)

    (chance, little), (_, much) = belief.read(0.1, SHARED), belief.read(5.0, SHARED)

    assert chance == pytest.approx(0.93, abs=0.02)
    assert 0.5 < little < 0.75
    assert much > 0.9


def seen(*looks, constant=1.0):
    """The belief after moods, each so many seconds after the one before."""
    belief = MoodBelief()
    for mood, since in looks:
        belief.add(np.eye(7)[EMOTIONS.index(mood)], 0.8, since, constant)
    return belief


@pytest.mark.parametrize("constant", [1.0, 10.0])
def test_a_mood_fades_with_time_whatever_the_number_of_looks(constant):
    before = ("sad", math.inf), ("sad", 3 * constant)
    one = seen(*before, ("happy", 0.7 * constant), constant=constant)
    many = seen(*before, *[("happy", 0.07 * constant)] * 10, constant=constant)

    happy = EMOTIONS.index("happy")
    assert one.now[happy] == pytest.approx(many.now[happy], abs=1e-9)
    assert 0.5 < one.now[happy] < 0.53


def test_the_first_look_of_all_stands_for_a_moment_whatever_the_time_constant():
    slow, quick = (seen(("sad", math.inf), ("happy", 0.2), constant=constant) for constant in (10.0, 1.0))

    happy = EMOTIONS.index("happy")
    assert slow.now[happy] == pytest.approx(0.5, abs=0.03)
    assert quick.now[happy] == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("since", [0.0, 5.0, math.inf])
def test_the_first_mood_is_all_that_is_known_whenever_it_comes(since):
    """Looks before it may have told none."""
    belief = seen(("sad", since))

    assert belief.now[EMOTIONS.index("sad")] == pytest.approx(1)
    assert belief.share[EMOTIONS.index("sad")] == pytest.approx(1)


def test_shares_of_a_visit_are_of_its_seconds_not_of_its_looks():
    belief = seen(("happy", math.inf), *[("happy", 0.1)] * 20, *[("sad", 1.0)] * 8)

    assert belief.share[EMOTIONS.index("sad")] == pytest.approx(0.8, abs=0.08)


def test_two_looks_at_the_same_moment_are_one():
    belief = seen(("sad", math.inf), ("happy", 0.0))

    assert belief.now[EMOTIONS.index("sad")] == pytest.approx(1)
    assert belief.share.sum() == pytest.approx(1)
