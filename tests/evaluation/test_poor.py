"""Poor pictures made of good ones, and the doubt that is fitted on them."""

from dataclasses import replace

import numpy as np
import pytest

from core.cards import Output
from core.errors import ConfigError
from estimators.network import ANYBODY, gaussian
from evaluation.calibrate import fit, fit_spread
from evaluation.degrade import HEIGHT, JPEG, degrade, degraded
from evaluation.finder import Finder, Located
from evaluation.looks import Looks, ages, told_ages
from evaluation.poor import fit_doubt, keep_age, keep_gender
from evaluation.samples import Sample
from tests.make import faces

AGE = Output(role="age", name="ages", deviation=3.0)
GENDER = Output(role="gender", name="genders", classes=("female", "male"))


def looks(generator, blind, n=600):
    """Looks of quality 0 at people whose age is off by 3 years, or not seen at all by so many."""
    years = generator.choice(101, n, p=ANYBODY)
    unseen = generator.random(n) < blind
    said = np.where(unseen, 4, np.rint(years + generator.normal(0, 3, n)).clip(0, 100)).astype(int)
    woman = generator.integers(0, 2, n)
    right = np.where(unseen, generator.random(n) < 0.5, generator.random(n) < 0.9)
    return Looks(
        quality=np.full(n, 1e-6),
        age=np.eye(101)[said],
        female=np.where(right == (woman == 1), 0.9, 0.1),
        emotion=np.full((n, 7), 1 / 7),
        years=years.astype(float),
        woman=woman.astype(float),
        mood=np.full(n, -1),
        tuning=np.ones(n, bool),
        person=np.arange(n),
        poor=np.ones(n, bool),
    )


def test_the_doubt_that_is_fitted_is_the_share_of_looks_that_say_nothing():
    known = looks(np.random.default_rng(0), blind=0.3)

    assert fit_doubt([known], GENDER, keep_gender) == pytest.approx(0.3, abs=0.08)
    assert 0.05 < fit_doubt([known], AGE, keep_age) <= 0.35


def test_looks_that_keep_their_promise_need_no_doubt():
    known = looks(np.random.default_rng(1), blind=0.0)

    assert fit_doubt([known], GENDER, keep_gender) <= 0.1
    assert fit_doubt([known], AGE, keep_age) <= 0.1


def test_with_the_fitted_doubt_nine_of_ten_true_ages_lie_in_the_interval():
    tuning, rest = (looks(np.random.default_rng(seed), blind=0.3) for seed in (2, 3))

    doubt = fit_doubt([tuning], AGE, keep_age)
    _, low, high = told_ages(ages(rest, AGE.model_copy(update={"doubt": doubt}))).T

    assert ((low <= rest.years) & (rest.years <= high)).mean() == pytest.approx(0.9, abs=0.06)


def test_a_poor_picture_is_smaller_or_softer_and_the_same_for_the_same_seed():
    chequered = np.kron(np.indices((40, 40)).sum(axis=0) % 2 * 200, np.ones((5, 5)))
    picture = np.repeat(chequered.astype(np.uint8)[..., None], 3, axis=2)

    poor = [degrade(picture, 150.0, np.random.default_rng(seed)) for seed in range(12)]
    again = [degrade(picture, 150.0, np.random.default_rng(seed)) for seed in range(12)]

    assert all(np.array_equal(one, other) for one, other in zip(poor, again, strict=True))
    assert all(one.std() < 0.7 * picture.std() for one in poor)
    assert {one.shape == picture.shape for one in poor} == {True, False}
    assert all(one.shape[0] <= 200 * HEIGHT[1] / 150 + 1 for one in poor if one.shape != picture.shape)
    assert 0 < JPEG[0] < JPEG[1] <= 100


def test_a_face_that_the_detector_does_not_find_in_the_poor_picture_is_left_out():
    class Nearly:
        """Finds the face that is there in every second picture, and another beside it."""

        count = 0

        def detect(self, images):
            self.count += 1
            scale = images[0].shape[1] / 200
            there, beside = (np.array(box) * scale for box in ((50, 40, 150, 160), (0, 0, 40, 40)))
            return [faces(tuple(beside), tuple(there)) if self.count % 2 else faces(tuple(beside))]

    sample = Sample("a", np.full((200, 200, 3), 120, np.uint8), age=30.0, female=1.0)

    views = list(
        degraded(Located(sample, faces((50, 40, 150, 160))), Finder(Nearly()), 4, np.random.default_rng(0))
    )

    assert len(views) == 2
    assert all(view.faces.boxes[0, 0] > 0 for view in views)
    assert all(view.sample.age == 30 for view in views)


@pytest.mark.parametrize(("told", "wider"), [(3.0, False), (9.0, True), (6.0, None)])
def test_ages_that_are_told_too_sure_or_too_unsure_are_fitted_to_hold_nine_of_ten(told, wider):
    tuning, rest = (guesses(np.random.default_rng(seed), told) for seed in (4, 5))
    stated = Output(role="age", name="ages", values=tuple(map(float, range(101))), doubt=0.0)

    fitted = stated.model_copy(update=fit_spread([tuning], stated))
    before, after = (told_ages(ages(rest, output)) for output in (stated, fitted))

    def holds(said):
        return ((said[:, 1] <= rest.years) & (rest.years <= said[:, 2])).mean()

    assert holds(after) == pytest.approx(0.9, abs=0.04)
    if wider is not None:
        assert (np.diff(after[:, 1:]).mean() < np.diff(before[:, 1:]).mean()) == wider
        assert (holds(before) > 0.95) == wider


def test_an_age_band_that_is_told_wrong_as_a_whole_gets_intervals_that_hold_it():
    """One in eleven is a teenager, all of them told ten years too old: 90 % hold without them."""
    tuning = guesses(np.random.default_rng(6), 6.0)
    years = np.where(np.arange(len(tuning.years)) % 11 == 0, 17.0, 27.0)
    shown = gaussian(np.full(len(years), 27.0), np.full(len(years), 3.0))
    stated = Output(role="age", name="ages", values=tuple(map(float, range(101))), doubt=0.0)

    fitted = stated.model_copy(update=fit_spread([replace(tuning, years=years, age=shown)], stated))
    _, low, high = told_ages(ages(replace(tuning, years=years, age=shown), fitted)).T

    held = (low <= years) & (years <= high)
    assert [held[years == age].mean() for age in (17, 27)] == [1, 1]


def test_too_few_pictures_to_fit_by_are_a_fault_of_one_sentence():
    few = guesses(np.random.default_rng(0), 6.0, n=5)

    with pytest.raises(ConfigError, match="too few pictures"):
        fit([few], [], {"age": AGE, "gender": GENDER})


def guesses(generator, told, n=1500):
    """Sharp looks whose ages are off by 6 years, and that claim to be off by so many."""
    years = generator.uniform(15, 75, n)
    said = gaussian((years + generator.normal(0, 6, n)).clip(0, 100), np.full(n, told))
    return replace(looks(generator, 0.0, n), quality=np.ones(n), age=said, years=years)
