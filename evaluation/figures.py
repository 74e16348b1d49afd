"""The figures of each task, for all faces and for each group of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.types import EMOTIONS, F64, I64, UNKNOWN, Array, Evidence
from evaluation.groups import BANDS, FEW, Labels, banded, groups
from evaluation.judge import Judged
from evaluation.layouts.adience import GROUPS
from evaluation.measures import calibration_error, macro_f1, median, nearest, ranking, share, worst
from evaluation.report import Figure, Measure, bootstraps

GENDERS = ("women", "men")
BY_GROUP = {"mae", "bias", "within_5", "interval_holds", "interval_width", "bin_exact", "bin_near"}
BY_GROUP |= {"accuracy", "macro_f1", "calibration_error", "said", "said_accuracy"}
GROWN = 16  # years, from which gender is told as well for itself


@dataclass(frozen=True, slots=True, eq=False)
class Ages:
    """Ages of N faces, said and true.

    Attributes:
        said, low, high: float64 (N,), years; low to high is said to hold 90 %.
        true: float64 (N,), years; NaN where only a group is known.
        middle: float64 (N,), the age, or the middle of its group.
        spans: the groups by which ages are told.
    """

    said: F64
    low: F64
    high: F64
    true: F64
    middle: F64
    spans: Sequence[tuple[float, float]]

    @property
    def error(self) -> F64:
        """Said minus true, years."""
        return self.said - self.true

    @property
    def held(self) -> Array:
        """Whether the interval holds the true age."""
        return (self.low <= self.true) & (self.true <= self.high)

    def take(self, rows: Array) -> Ages:
        """Those rows (a mask)."""
        said, low, high = self.said[rows], self.low[rows], self.high[rows]
        return Ages(said, low, high, self.true[rows], self.middle[rows], self.spans)

    def measures(self) -> dict[str, Measure]:
        """By name; those of years only where years are known."""
        off = nearest(self.said, self.spans) - nearest(self.middle, self.spans)
        told: dict[str, Measure] = {
            "bin_exact": share(off == 0),
            "bin_near": share(np.abs(off) <= 1),
            "interval_width": share(self.high - self.low),
        }
        if np.isfinite(self.true).all():
            error = np.abs(self.error)
            told = {
                "mae": share(error),
                "median_error": median(error),
                "bias": share(self.error),
                "within_5": share(error <= 5),
                "interval_holds": share(self.held),
                **told,
                "worst_band_mae": worst(error, banded(self.true), len(BANDS), FEW),
            }
        return told


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """Classes of N faces, said and true.

    Attributes:
        chances: float64 (N, K), probabilities.
        true: int64 (N,), 0 to K - 1.
        names: of the K classes.
        named: bool (N,), the program names its answer; elsewhere it says `unknown`.
    """

    chances: F64
    true: I64
    names: Sequence[str]
    named: Array

    @property
    def said(self) -> I64:
        """The likeliest class."""
        return np.asarray(self.chances.argmax(axis=1))

    @property
    def sure(self) -> F64:
        """Its probability."""
        return np.asarray(self.chances.max(axis=1))

    @property
    def right(self) -> Array:
        """Whether it is the true one."""
        return np.asarray(self.said == self.true)

    def take(self, rows: Array) -> Classes:
        """Those rows (a mask)."""
        return Classes(self.chances[rows], self.true[rows], self.names, self.named[rows])

    def measures(self) -> dict[str, Measure]:
        """By name."""
        told: dict[str, Measure] = {
            "accuracy": share(self.right),
            "calibration_error": calibration_error(self.sure, self.right),
        }
        if len(set(self.true.tolist())) > 1:  # of one class alone it means nothing
            told["macro_f1"] = macro_f1(self.true, self.said, len(self.names))
        if self.names == GENDERS:  # the only answer that may be "unknown"
            told |= {"said": share(self.named), "said_accuracy": share(self.right & self.named, self.named)}
            told["auroc"] = ranking(self.chances[:, 0], self.true == 0)
        for i, name in enumerate(self.names):
            told[f"recall_{name.replace(' ', '_')}"] = share(self.right & (self.true == i), self.true == i)
        return told


Cases = Ages | Classes


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What one network is worth on one set, by one kind of label.

    Attributes:
        cases: said and true, of the faces that were found.
        belief: their rows of what the program says.
        n, missed: labelled faces, and how many of them were not found.
        metrics: of all; groups: of each group, with its counts `n` and `missed` among them.
    """

    cases: Cases
    belief: Evidence
    n: int
    missed: int
    metrics: Mapping[str, Figure]
    groups: Mapping[str, Mapping[str, Figure]]


def age_cases(judged: Judged, spans: Sequence[tuple[float, float]]) -> tuple[Ages, Array]:
    """The faces with an age, and which rows they are (a mask).

    Args:
        judged: all faces of a set.
        spans: its age groups; empty: Adience's, by which ages in years are told as well. Between them, the
            nearest counts.
    """
    rows = np.isfinite(judged.labels.years)
    belief, labels = judged.belief, judged.labels.take(rows)
    said, low, high = (
        column[rows].astype(np.float64) for column in (belief.age_mean, belief.age_low, belief.age_high)
    )
    return Ages(said, low, high, labels.age, labels.years, spans or GROUPS), rows


def gender_cases(judged: Judged) -> tuple[Classes, Array]:
    """The faces with a gender, and which rows they are (a mask)."""
    rows = np.isfinite(judged.labels.woman)
    chance = judged.belief.female[rows].astype(np.float64)
    true = np.where(judged.labels.woman[rows] == 1, 0, 1)
    named = judged.belief.gender[rows] != UNKNOWN
    return Classes(np.stack([chance, 1 - chance], axis=1), true, GENDERS, named), rows


def mood_cases(judged: Judged, true: I64) -> tuple[Classes, Array]:
    """The faces with a mood by these labels, and which rows they are (a mask)."""
    rows = true >= 0
    chances = judged.belief.emotion[rows].astype(np.float64)
    return Classes(chances, true[rows], EMOTIONS, np.ones(rows.sum(), np.bool_)), rows


def race_cases(judged: Judged, own: Sequence[str], told: Sequence[str]) -> tuple[Classes, Array]:
    """The faces with a race that the network tells, and which rows they are (a mask).

    Args:
        own: what the set's labels stand for; told: the network's classes.
    """
    true = told_races(judged.labels, own, told)
    rows = true >= 0
    # Where no face was found, nobody said how many races there are.
    chances = judged.races[rows] if rows.any() else np.zeros((0, len(told)))
    return Classes(chances, true[rows], told, np.ones(rows.sum(), np.bool_)), rows


def told_races(labels: Labels, own: Sequence[str], told: Sequence[str]) -> I64:
    """The network's class for each label; -1 where it tells no such race, or none is known."""
    onto = np.array([told.index(name) if name in told else -1 for name in own] + [-1])
    return np.asarray(onto[labels.race])


def figures(judged: Judged, found: tuple[Cases, Array], lost: Array, races: Sequence[str]) -> Found:
    """Every figure with its interval, for all and by group.

    Args:
        judged: all faces of the set.
        found: the cases, and their rows in `judged` (a mask).
        lost: mask over `judged.missed`: those with the label in question.
        races: what the set's labels of races stand for.
    """
    cases, rows = found
    labels, missed = judged.labels.take(rows), judged.missed.take(lost)
    measures, grown = cases.measures(), labels.years >= GROWN
    here = groups(labels, races, judged.quality[rows])
    unseen = groups(missed, races, np.full(len(missed), np.nan))
    if isinstance(cases, Classes) and cases.names == GENDERS and grown.any():
        measures[f"accuracy_{GROWN}_plus"] = share(cases.right & grown, grown)
        here[f"age {GROWN}+"] = grown
        unseen[f"age {GROWN}+"] = missed.years >= GROWN
    gone = np.arange(len(labels) + len(missed)) >= len(labels)
    metrics = {
        **bootstraps(len(labels), measures),
        **bootstraps(len(gone), {"missed_share": share(gone)}),
    }
    nobody = np.zeros(len(labels), np.bool_)
    told = {
        name: _group(cases.take(here.get(name, nobody)), unseen.get(name))
        for name in dict.fromkeys((*here, *unseen))
    }
    return Found(cases, judged.belief.take(rows), len(gone), len(missed), metrics, told)


def _group(cases: Cases, unseen: Array | None) -> dict[str, Figure]:
    """The figures of a group; what needs all classes or ages to mean anything is left out."""
    told = bootstraps(len(cases.said), {n: m for n, m in cases.measures().items() if n in BY_GROUP})
    lost = 0 if unseen is None else int(unseen.sum())
    return {"n": count(len(cases.said) + lost), "missed": count(lost), **told}


def count(number: int) -> Figure:
    """A count, which has no interval."""
    return Figure(number, np.nan, np.nan)
