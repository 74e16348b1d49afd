"""Measures on cases that one can work out by hand, against scipy where it has them."""

import numpy as np
import pytest
from scipy import stats

from evaluation.measures import (
    calibration_error,
    confusion,
    macro_f1,
    median,
    nearest,
    plain,
    ranking,
    share,
    worst,
)
from evaluation.report import bootstrap, bootstraps


def test_a_share_counts_cases_as_often_as_they_were_drawn():
    right = np.array([True, False, True])
    weights = np.array([[1.0, 1, 1], [0, 3, 0], [2, 1, 0]])

    assert share(right)(weights).tolist() == pytest.approx([2 / 3, 0, 2 / 3])


def test_a_share_of_some_cases_alone_is_not_a_number_where_none_was_drawn():
    named = np.array([True, True, False])

    values = share(np.array([True, False, False]), named)(np.array([[1.0, 1, 1], [0, 0, 3]]))

    assert values[0] == 0.5
    assert np.isnan(values[1])


def test_macro_f1_is_the_mean_over_the_classes_that_occur():
    true, said = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])

    # Class 0: precision 1, recall 1/2; class 1: precision 2/3, recall 1; class 2 does not occur.
    assert plain(macro_f1(true, said, 3), 4) == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_the_confusion_has_a_row_for_each_true_class():
    counts = confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2, np.ones((1, 3)))

    assert counts[0].tolist() == [[1, 1], [0, 1]]


def test_the_calibration_error_is_the_mean_gap_of_the_bins():
    sure = np.array([0.95, 0.95, 0.55, 0.55])
    right = np.array([True, False, True, False])

    assert plain(calibration_error(sure, right), 4) == pytest.approx((0.45 + 0.05) / 2)


def test_the_ranking_is_the_area_under_the_roc_curve():
    rng = np.random.default_rng(0)
    positive = rng.random(80) < 0.4
    scores = rng.normal(0, 1, 80).round(1) + positive

    above = stats.mannwhitneyu(scores[positive], scores[~positive]).statistic

    area = above / (positive.sum() * (~positive).sum())
    assert plain(ranking(scores, positive), 80) == pytest.approx(area)


def test_the_median_is_the_middle_of_the_cases_drawn():
    measure = median(np.array([5.0, 1.0, 3.0]))

    assert measure(np.array([[1.0, 1, 1], [3, 0, 0], [0, 2, 1]])).tolist() == [3, 5, 1]


def test_the_median_is_that_of_numpy_for_any_number_of_cases():
    generator = np.random.default_rng(2)
    for n in range(1, 30):
        values = generator.integers(0, 9, n) / 2
        weights = generator.multinomial(n + 1, np.full(n, 1 / n), 6)

        medians = [np.median(np.repeat(values, counts)) for counts in weights]

        assert median(values)(weights.astype(float)).tolist() == medians


def test_the_worst_group_needs_enough_cases():
    values, group = np.array([9.0, 2.0, 4.0, 1.0]), np.array([0, 1, 1, -1])

    assert plain(worst(values, group, 2, least=2), 4) == 3
    assert plain(worst(values, group, 2, least=1), 4) == 9
    assert np.isnan(plain(worst(values, group, 2, least=3), 4))


def test_a_value_between_two_spans_belongs_to_the_nearer():
    spans = ((0, 2), (4, 6), (8, 13))

    assert nearest(np.array([0.0, 2.9, 3.1, 6.0, 7.5, 50.0]), spans).tolist() == [0, 0, 1, 1, 2, 2]


def test_figures_over_the_same_draws_are_those_of_each_alone():
    rng = np.random.default_rng(1)
    measures = {"a": share(rng.random(50) < 0.3), "b": median(rng.normal(0, 1, 50))}

    together = bootstraps(50, measures)

    assert together == {name: bootstrap(50, measure) for name, measure in measures.items()}
    assert together["a"].low <= together["a"].value <= together["a"].high


def test_the_interval_of_a_share_is_about_that_of_the_binomial():
    figure = bootstrap(400, share(np.arange(400) < 100))

    assert (figure.low, figure.high) == pytest.approx((0.2075, 0.2925), abs=0.01)
