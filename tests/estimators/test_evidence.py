"""Beliefs about tracks: laws, and the faults of the first program of this kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.settings import EvidenceConfig
from core.types import EMOTIONS, ENDED, FEMALE, LOST, MALE, SEEN, UNKNOWN, Estimates, Tracks
from estimators.evidence import Fusion
from estimators.network import ANYBODY, doubted
from tests.make import faces

YEARS = np.arange(101)
CONFIG = EvidenceConfig()


def tracks(*ids, state=SEEN):
    n = len(ids)
    found = faces(*[(100 * i, 50, 100 * i + 60, 130) for i in range(n)])
    index = np.arange(n) if state == SEEN else np.full(n, -1)
    states = np.full(n, state, np.uint8)
    return Tracks(
        np.array(ids, np.int64), found.boxes, states, found, index, np.zeros(n), np.zeros(n), states == SEEN
    )


def look(age=30.0, deviation=8.0, female=0.9, mood="neutral", quality=0.8):
    shares = np.exp(-0.5 * ((YEARS - age) / deviation) ** 2)
    moods = np.full(7, 0.02)
    moods[EMOTIONS.index(mood)] = 0.88
    return Estimates(
        np.array([quality], np.float32),
        (shares / shares.sum())[None].astype(np.float32),
        np.array([female], np.float32),
        moods[None].astype(np.float32),
        np.zeros((1, 0), np.float32),
    )


def beside(*looks):
    columns = ("quality", "age", "female", "emotion", "embedding")
    return Estimates(*(np.concatenate([getattr(one, name) for one in looks]) for name in columns))


def fuse(times_and_looks, config=CONFIG):
    """The belief about one track after those looks."""
    fusion, belief = Fusion(config), None
    for time, one in times_and_looks:
        belief = fusion.update(tracks(1), np.array([0]), one, time)
    return belief


def width(belief):
    return float(belief.age_high[0] - belief.age_low[0])


looks = st.builds(
    look,
    age=st.floats(0, 100),
    deviation=st.floats(2, 25),
    female=st.floats(0, 1),
    mood=st.sampled_from(EMOTIONS),
    quality=st.floats(0.01, 1),
)


def timed(steps):
    """Looks after those gaps, at their times."""
    times = np.cumsum([gap for gap, _ in steps]).tolist()
    return [(time, one) for time, (_, one) in zip(times, steps, strict=True)]


series = st.lists(st.tuples(st.floats(0.01, 3), looks), min_size=1, max_size=6).map(timed)
few = settings(max_examples=30)


@few
@given(series)
def test_every_belief_is_a_distribution_and_its_interval_holds_the_mean(history):
    belief = fuse(history)

    assert belief.age.sum() == pytest.approx(1, abs=1e-4)
    assert belief.emotion.sum() == pytest.approx(1, abs=1e-4)
    assert belief.emotion_share.sum() == pytest.approx(1, abs=1e-4)
    assert 0 <= belief.age_low[0] <= belief.age_mean[0] <= belief.age_high[0] <= 100
    assert (belief.age >= 0).all()
    assert 0 < belief.female[0] < 1


@few
@given(looks, st.floats(0, 100))
def test_an_equal_second_look_never_widens_the_interval(one, later):
    once = fuse([(0, one)])
    twice = fuse([(0, one), (later, one)])

    assert width(twice) <= width(once) + 1e-3


@few
@given(st.integers(0, 10**6), st.floats(0.1, 40), st.floats(0.05, 1), st.floats(0, 5))
def test_nor_does_it_for_an_age_of_any_shape(seed, peaked, quality, later):
    one, shape = look(quality=quality), np.random.default_rng(seed).random(101) ** peaked
    one.age[0] = np.float32(shape) / np.float32(shape).sum()

    assert width(fuse([(0, one), (later, one)])) <= width(fuse([(0, one)])) + 1e-3


@few
@given(
    st.floats(0, 100), st.floats(2, 14), st.lists(st.floats(0.01, 1), min_size=2, max_size=2), st.floats(0, 1)
)
def test_a_poorer_look_never_gives_a_narrower_interval_or_a_surer_gender(age, deviation, qualities, female):
    def believed(quality):
        one = look(age, deviation, female, quality=quality)
        share = np.array([quality])
        one.age[:] = doubted(one.age, ANYBODY, 0.4, share)
        one.female[:] = doubted(np.array([[female, 1 - female]]), np.full(2, 0.5), 0.4, share)[:, 0]
        return fuse([(0, one)])

    poor, good = believed(min(qualities)), believed(max(qualities))

    assert width(poor) >= width(good) - 0.05
    assert abs(poor.female[0] - 0.5) <= abs(good.female[0] - 0.5) + 1e-6


def test_a_blurred_face_taken_for_a_child_may_be_a_grown_up():
    blurred = look(3, 2.7, quality=0.1)
    blurred.age[:] = doubted(blurred.age, ANYBODY, 0.4, blurred.quality)

    belief = fuse([(i / 2, blurred) for i in range(6)])

    assert belief.age_low[0] < 3
    assert belief.age_high[0] > 45


@few
@given(series, st.sampled_from([5.0, 95.0]), st.floats(0.2, 3))
def test_the_newest_look_moves_the_belief(history, age, gap):
    before = fuse(history)
    female, mood = (0.01, "fear") if before.female[0] > 0.5 else (0.99, "happy")

    newest = look(age, 8, female, mood, 0.9)
    own = newest.age[0] @ YEARS
    after = fuse([*history, (history[-1][0] + gap, newest)])

    # Half a year: between looks that exclude each other, the mean of all may stay where it is.
    away = abs(before.age_mean[0] - own)
    assert abs(after.age_mean[0] - own) < away + 0.5 or away < 3
    assert (after.female[0] - before.female[0]) * (female - 0.5) > 0 or not 0.03 < before.female[0] < 0.97
    now, then = (belief.emotion[0, EMOTIONS.index(mood)] for belief in (after, before))
    assert now > then or then > 0.85


def test_after_a_thousand_looks_the_newest_ones_still_move_the_belief():
    old = [(i / 5, look(20, female=0.95)) for i in range(1000)]
    new = [(200 + i / 5, look(60, female=0.05)) for i in range(150)]

    belief = fuse(old + new)

    assert belief.age_mean[0] > 40
    assert belief.gender[0] == MALE


def test_after_hours_a_few_odd_looks_hardly_move_the_belief():
    steady = [(i, look(30)) for i in range(3000)]

    belief = fuse([*steady, *[(3000 + i, look(60)) for i in range(3)]])

    assert belief.age_mean[0] < 35
    assert 20 < belief.looks[0] < 100


def test_looks_at_one_moment_repeat_each_other_but_not_wholly():
    first, others = look(20), look(50)

    at_once, apart = (fuse([(0, first), *[(i * gap, others) for i in range(1, 6)]]) for gap in (0.0, 5.0))

    assert 36 < at_once.age_mean[0] < apart.age_mean[0] - 3


def test_five_wrong_looks_at_first_are_outvoted_by_later_ones():
    """The first program averaged the first five looks for ever."""
    wrong = [(i / 25, look(60, quality=0.3)) for i in range(5)]
    right = [(1 + i / 3, look(25, quality=0.9)) for i in range(12)]

    assert fuse(wrong + right).age_mean[0] == pytest.approx(25, abs=6)


def test_one_dissenting_look_does_not_change_the_gender():
    """The first program said male only if all looks agreed."""
    history = [(i / 3, look(female=0.6 if i == 4 else 0.1)) for i in range(12)]

    assert fuse(history).gender[0] == MALE


@few
@given(series, st.floats(0.01, 5), st.sampled_from([0.0, float("nan")]))
def test_a_look_of_no_quality_changes_nothing(history, gap, quality):
    fusion = Fusion(CONFIG)
    for time, one in history:
        before = fusion.update(tracks(1), np.array([0]), one, time)

    after = fusion.update(tracks(1), np.array([0]), look(90, quality=quality), history[-1][0] + gap)

    assert after is before


def test_looks_of_no_quality_alone_leave_everything_unknown():
    belief = fuse([(i / 5, look(quality=0.0)) for i in range(20)])

    assert np.isnan(belief.age_mean).all()
    assert np.isnan(belief.updated).all()
    assert belief.gender.tolist() == [UNKNOWN]
    assert belief.looks.tolist() == [0]


@few
@given(st.permutations(range(4)), st.lists(looks, min_size=4, max_size=4))
def test_the_order_of_the_faces_does_not_matter(order, four):
    straight, shuffled = Fusion(CONFIG), Fusion(CONFIG)
    mixed = np.array(order)
    for time in (0.0, 0.4, 1.0):
        a = straight.update(tracks(1, 2, 3, 4), np.arange(4), beside(*four), time)
        b = shuffled.update(
            tracks(*(mixed + 1).tolist()), np.arange(4)[::-1], beside(*[four[i] for i in mixed[::-1]]), time
        )

    assert np.array_equal(a.age_mean[mixed], b.age_mean)
    assert np.array_equal(a.female[mixed], b.female)
    assert np.array_equal(a.emotion_share[mixed], b.emotion_share)


@pytest.mark.parametrize("quality", [0.4, 1.0])
def test_the_rate_of_looks_hardly_matters(quality):
    def moody(rate):
        times = [i / rate for i in range(round(2 * rate) + 1)]
        ages = [30 + 10 * np.sin(3 * time) for time in times]
        moods = ["happy" if time > 1.5 else "sad" for time in times]
        said = [look(age, mood=mood, quality=quality) for age, mood in zip(ages, moods, strict=True)]
        return fuse(zip(times, said, strict=True))

    often, seldom = moody(10), moody(5)

    assert often.age_mean[0] == pytest.approx(seldom.age_mean[0], abs=2)
    assert width(often) == pytest.approx(width(seldom), rel=0.08)
    assert often.looks[0] == pytest.approx(seldom.looks[0], rel=0.3)
    assert often.female[0] == pytest.approx(seldom.female[0], abs=0.01)
    assert often.emotion_share[0] == pytest.approx(seldom.emotion_share[0], abs=0.1)
    assert often.emotion[0] == pytest.approx(seldom.emotion[0], abs=0.1)


def test_a_hundred_looks_in_two_seconds_leave_honest_doubt():
    one, many = fuse([(0, look(deviation=8))]), fuse([(i / 50, look(deviation=8)) for i in range(100)])

    assert many.looks[0] < 6
    assert width(many) > 0.8 * 2 * 1.645 * 8 * np.sqrt(CONFIG.shared)
    assert width(many) < width(one)
    assert 1 - fuse([(i / 50, look(female=0.97)) for i in range(100)]).female[0] > 0.01


def test_looks_that_contradict_each_other_widen_the_interval():
    agreeing = fuse([(i, look(35, 8)) for i in range(10)])
    contradicting = fuse([(i, look(20 if i % 2 else 50, 8)) for i in range(10)])

    assert width(contradicting) > 1.5 * width(agreeing)


def test_a_surer_look_has_more_say():
    belief = fuse([(0, look(20, deviation=4)), (5, look(32, deviation=12))])

    assert belief.age_mean[0] < 23


def test_a_better_look_soon_after_a_poor_one_outweighs_it():
    belief = fuse([(0, look(60, quality=0.1)), (0.1, look(30, quality=0.9))])

    assert belief.age_mean[0] < 36
    assert belief.quality[0] == pytest.approx(0.9)


def test_a_gender_once_said_is_kept_until_it_is_clearly_doubtful():
    fusion = Fusion(CONFIG)

    def after(female, time):
        return fusion.update(tracks(1), np.array([0]), look(female=female), time)

    first = after(0.7, 0.0)
    for i in range(1, 6):
        sure = after(0.98, i)
    for i in range(6, 12):
        kept = after(0.35, i)
    for i in range(12, 40):
        lost = after(0.45, i)

    assert first.gender[0] == UNKNOWN
    assert sure.gender[0] == FEMALE
    assert kept.gender[0] == FEMALE
    assert 0.65 < kept.female[0] < 0.98
    assert lost.gender[0] == UNKNOWN


def test_the_mood_follows_in_seconds_and_the_share_counts_the_visit():
    moods = ["happy"] * 40 + ["sad"] * 13
    history = [(i / 4, look(mood=mood)) for i, mood in enumerate(moods)]

    belief = fuse(history)

    happy, sad = EMOTIONS.index("happy"), EMOTIONS.index("sad")
    assert belief.emotion[0, sad] > 0.8
    assert 3 < belief.emotion_share[0, happy] / belief.emotion_share[0, sad] < 5.5


def test_time_unseen_counts_for_no_mood():
    seen = [(i / 4, look(mood="happy")) for i in range(20)]

    belief = fuse([*seen, (3600, look(mood="sad"))])

    assert belief.emotion_share[0, EMOTIONS.index("happy")] > 0.6


def test_a_column_that_no_network_fills_stays_unknown():
    one = look()
    one.age[:] = np.nan
    one.emotion[:] = np.nan

    belief = fuse([(0, one), (1, one)])

    assert np.isnan(belief.age_mean).all()
    assert np.isnan(belief.emotion_share).all()
    assert belief.gender[0] == FEMALE


def test_a_look_that_says_nothing_of_something_leaves_that_as_it_is():
    silent = look(quality=0.9)
    silent.age[:], silent.female[:], silent.emotion[:] = np.nan, np.nan, np.nan

    before, after = fuse([(0, look()), (1, look())]), fuse([(0, look()), (1, look()), (2, silent)])
    later = fuse([(0, look()), (1, look()), (2, silent), (3, look())])

    for name in ("age_mean", "age_low", "age_high", "female", "gender", "emotion", "emotion_share"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
        assert np.isfinite(getattr(later, name)).all()


def test_beliefs_stay_with_their_tracks_and_end_with_them():
    fusion = Fusion(CONFIG)
    none = np.zeros(0, np.int64)
    fusion.update(tracks(1, 2), np.array([0, 1]), beside(look(20), look(70)), 0.0)

    moved = fusion.update(tracks(2, 3, 1, state=LOST), none, Estimates.none(), 1.0)
    last = fusion.update(tracks(1, 2, state=ENDED), none, Estimates.none(), 2.0)
    empty = fusion.update(Tracks.none(), none, Estimates.none(), 3.0)
    again = fusion.update(tracks(1), none, Estimates.none(), 4.0)

    assert moved.age_mean[[2, 0]] == pytest.approx([20, 70], abs=3)
    assert np.isnan(moved.age_mean[1])
    assert last.age_mean == pytest.approx([20, 70], abs=3)
    assert len(empty) == 0
    assert np.isnan(again.age_mean).all()


@few
@given(series)
def test_who_else_comes_and_goes_changes_nothing(history):
    alone, fusion = fuse(history), Fusion(CONFIG)

    for i, (time, one) in enumerate(history):
        others = range(2, 2 + i % 3)
        belief = fusion.update(tracks(1, *others), np.array([0]), one, time)

    for name in ("age", "age_mean", "age_low", "age_high", "female", "gender", "emotion", "emotion_share"):
        np.testing.assert_array_equal(getattr(belief, name)[0], getattr(alone, name)[0])


def test_the_quality_of_a_belief_is_that_of_its_best_look():
    belief = fuse([(0, look(quality=0.2)), (1, look(quality=0.9)), (2, look(quality=0.4))])

    assert belief.quality[0] == pytest.approx(0.9)


def test_the_interval_grows_no_wider_in_a_visit_of_hours():
    ages = np.random.default_rng(0).normal(40, 6, 50).tolist() * 60
    looked = [(i, look(age)) for i, age in enumerate(ages)]

    assert width(fuse(looked)) == pytest.approx(width(fuse(looked[:100])), rel=0.05)


def test_a_belief_handed_out_never_changes_and_nothing_new_is_the_same_belief():
    fusion = Fusion(CONFIG)
    first = fusion.update(tracks(1), np.array([0]), look(20), 0.0)
    kept = float(first.age_mean[0])

    same = fusion.update(tracks(1), np.zeros(0, np.int64), Estimates.none(), 0.1)
    later = fusion.update(tracks(1), np.array([0]), look(60), 1.0)

    assert same is first
    assert float(first.age_mean[0]) == kept
    assert float(later.age_mean[0]) > kept
    assert first.updated[0] == 0.0


def test_nine_of_ten_intervals_hold_the_truth_when_the_errors_are_as_measured():
    generator = np.random.default_rng(3)
    hits = 0
    for _ in range(300):
        truth = generator.uniform(20, 70)
        common = generator.normal(0, 8 * np.sqrt(CONFIG.shared))
        own = generator.normal(0, 8 * np.sqrt(1 - CONFIG.shared), 6)
        belief = fuse([(i, look(truth + common + own[i], 8, quality=0.9)) for i in range(6)])
        hits += int(belief.age_low[0] <= truth <= belief.age_high[0])

    assert 0.86 <= hits / 300 <= 0.96
