"""Measures as `evaluation.report.bootstraps` takes them: from weights (R, N) of N cases to R values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from core.types import F64, I64, Array
from evaluation.report import Measure

BINS = 10  # of confidence
STEPS = 100  # of the scores under a ROC curve


def share(part: Array, whole: Array | None = None) -> Measure:
    """Sum of `part` over the sum of `whole` (by default: over the cases)."""
    parts, wholes = np.asarray(part, np.float64), np.ones(len(part)) if whole is None else whole * 1.0
    return partial(_ratio, np.nan_to_num(parts) * (wholes != 0), wholes)


def _ratio(parts: F64, wholes: F64, weights: Array) -> Array:
    return quotient(weights @ parts, weights @ wholes)


def quotient(part: Array, whole: Array) -> F64:
    """Part over whole; NaN where there is nothing."""
    result: F64 = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole != 0)
    return result


def median(values: F64) -> Measure:
    """The middle value of the cases; of an even number of them, half way between the middle two."""
    order = np.argsort(values)
    rising = values[order]

    def measure(weights: Array) -> Array:
        reached = np.cumsum(weights[:, order], axis=1)
        half = reached[:, -1:] / 2
        lower, upper = (reached < half).sum(axis=1), (reached <= half).sum(axis=1)
        return np.asarray((rising[lower] + rising[upper]) / 2)

    return measure


def worst(values: F64, group: I64, groups: int, least: int) -> Measure:
    """The highest mean of any group of at least so many cases."""
    onto = np.eye(groups)[group] * (group >= 0)[:, None]
    large = onto.sum(axis=0) >= least

    def measure(weights: Array) -> Array:
        means = quotient(weights @ (onto * values[:, None]), weights @ onto)[:, large]
        return means.max(axis=1, initial=-np.inf) if large.any() else np.full(len(weights), np.nan)

    return measure


def confusion(truth: I64, said: I64, classes: int, weights: Array) -> F64:
    """Counts (R, K, K): of each true class (row), how often each was said (column)."""
    onto = np.eye(classes * classes)[truth * classes + said]
    result: F64 = (weights @ onto).reshape(-1, classes, classes)
    return result


def macro_f1(truth: I64, said: I64, classes: int) -> Measure:
    """Mean over the classes that occur of the harmonic mean of precision and recall."""
    onto = np.eye(classes)
    true, told = onto[truth], onto[said]

    def measure(weights: Array) -> Array:
        hits, of_class, as_class = weights @ (true * told), weights @ true, weights @ told
        scores = quotient(2 * hits, of_class + as_class)
        return quotient(
            (np.nan_to_num(scores) * (of_class > 0)).sum(axis=1), (of_class > 0).sum(axis=1) * 1.0
        )

    return measure


def calibration_error(sure: F64, right: Array) -> Measure:
    """Mean distance of confidence and accuracy over ten bins (Guo et al., ICML 2017)."""
    onto = np.eye(BINS)[np.clip((sure * BINS).astype(int), 0, BINS - 1)]
    gap = onto * (sure - right)[:, None]
    return lambda weights: quotient(np.abs(weights @ gap).sum(axis=1), weights.sum(axis=1))


def plain(measure: Measure, cases: int) -> float:
    """The value of a measure with every case counted once."""
    return float(measure(np.ones((1, cases)))[0])


def ranking(scores: F64, positive: Array) -> Measure:
    """Area under the ROC curve: how often a positive case has the higher score; ties count half.

    Scores are told apart in a hundred steps of their rank; within a step they count as ties.
    """
    different, place = np.unique(scores, return_inverse=True)
    steps = place * STEPS // max(len(different), 1)
    onto = np.eye(STEPS)[steps]
    hits, alarms = onto * positive[:, None], onto * (~positive)[:, None]

    def measure(weights: Array) -> Array:
        good, bad = weights @ hits, weights @ alarms
        below = np.cumsum(bad, axis=1) - bad / 2
        return quotient((good * below).sum(axis=1), good.sum(axis=1) * bad.sum(axis=1))

    return measure


def nearest(values: F64, spans: Sequence[tuple[float, float]]) -> I64:
    """The span (first, last) in which each value lies, or the nearest one."""
    low, high = np.array(spans, np.float64).T
    away = np.maximum(np.maximum(low - values[:, None], values[:, None] - high), 0)
    return np.asarray(away.argmin(axis=1))
