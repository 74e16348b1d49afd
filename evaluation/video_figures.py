"""How steady, how soon final, how right and how costly the answers about tracks are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from core.types import F64, FEMALE, UNKNOWN, Array
from evaluation.groups import BANDS, band_names
from evaluation.measures import share
from evaluation.report import Figure, Table, bootstrap
from evaluation.samples import NAN
from evaluation.video_tracks import History

FINAL = 2.0  # years: an age nearer than this to its last value is final
COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)


@dataclass(frozen=True, slots=True)
class Person:
    """A track, and what is true of whom it shows; NaN, or no race, where nobody knows."""

    history: History
    age: float = NAN
    female: float = NAN
    race: str = ""


def steadiness(people: Sequence[Person]) -> dict[str, Figure]:
    """Figures that need no truth."""
    histories = [person.history for person in people]
    minutes = np.array([(one.seen - one.born) / 60 for one in histories])
    settled_gender = np.array([settled(one, one.genders) for one in histories])
    settled_gender[[not one.genders or one.genders[-1] == UNKNOWN for one in histories]] = NAN
    return {
        "gender_flips_per_minute": ratio(
            np.array([flips(one.genders, UNKNOWN) for one in histories]), minutes
        ),
        "mood_changes_per_minute": ratio(np.array([flips(one.moods, -1) for one in histories]), minutes),
        "age_deviation_within_track": mean(np.array([_deviation(one.ages) for one in histories])),
        "seconds_to_final_gender": mean(settled_gender),
        "seconds_to_final_age": mean(np.array([settled_age(one) for one in histories])),
        "gender_unknown": mean(
            np.array([not one.genders or one.genders[-1] == UNKNOWN for one in histories])
        ),
        "looks_per_track": mean(np.array([one.looks for one in histories])),
    }


def truthfulness(people: Sequence[Person]) -> dict[str, Figure]:
    """How right the last answer about each track is."""
    last = [person for person in people if person.history.ages]
    said = np.array([person.history.ages[-1] for person in last])
    true = np.array([person.age for person in last])
    lows, highs = (np.array([getattr(p.history, name)[-1] for p in last]) for name in ("lows", "highs"))
    inside = np.where(np.isnan(said + true), NAN, (lows <= true) & (true <= highs))
    genders = np.array([person.history.genders[-1] for person in last])
    women = np.array([person.female for person in last])
    right = np.where(np.isnan(women), NAN, (genders == FEMALE) == (women == 1))
    chances = np.array([person.history.female[-1] for person in last])
    likelier = np.where(np.isnan(women + chances), NAN, (chances >= 0.5) == (women == 1))
    return {
        "age_mae": mean(np.abs(said - true)),
        "age_bias": mean(said - true),
        "age_in_90": mean(inside),
        "age_interval": mean(highs - lows),
        "gender_accuracy": mean(likelier),
        "gender_said_accuracy": mean(np.where(genders == UNKNOWN, NAN, right)),
        "gender_said": mean(np.where(np.isnan(women), NAN, genders != UNKNOWN)),
    }


def groups(people: Sequence[Person]) -> dict[str, list[Person]]:
    """The people by true age, gender and race; groups without anybody are left out."""
    found = {
        f"age {name}": [p for p in people if low <= p.age < high]
        for name, (low, high) in zip(band_names(), BANDS, strict=True)
    }
    found |= {"women": [p for p in people if p.female == 1], "men": [p for p in people if p.female == 0]}
    for race in dict.fromkeys(person.race for person in people if person.race):
        found[f"race {race}"] = [p for p in people if p.race == race]
    return {name: members for name, members in found.items() if members}


@dataclass(frozen=True, slots=True, eq=False)
class Surest:
    """Of tracks whose age and gender are known, surest first: is the gender right; age error, interval."""

    right: Array
    errors: F64
    widths: F64


def surest(people: Sequence[Person]) -> Surest:
    """Genders by probability, ages by width of the interval, years."""
    known = [p for p in people if not np.isnan(p.age + p.female)]
    known = [p for p in known if not np.isnan(p.history.ages[-1] + p.history.female[-1])]
    chances = np.array([p.history.female[-1] for p in known])
    right = (chances >= 0.5) == (np.array([p.female for p in known]) == 1)
    widths = np.array([p.history.highs[-1] - p.history.lows[-1] for p in known])
    errors = np.abs(np.array([p.history.ages[-1] - p.age for p in known]))
    by_gender, by_age = (np.argsort(order, kind="stable") for order in (-np.abs(chances - 0.5), widths))
    return Surest(right[by_gender], errors[by_age], widths[by_age])


def coverage(sure: Surest) -> Table:
    """What is right of the surest tracks."""
    rows = []
    for part in COVERAGES:
        count = round(part * len(sure.right))
        if count:
            right, error = float(sure.right[:count].mean()), float(sure.errors[:count].mean())
            width = float(sure.widths[count - 1])
            rows.append([f"{part:.2f}", str(count), f"{right:.3f}", f"{error:.2f}", f"{width:.0f}"])
    head = ("share of tracks answered", "n", "gender right", "age error", "widest interval")
    return Table("Accuracy against coverage: the surest tracks answered, the others unknown", head, rows)


def flips(said: Sequence[int], unknown: int) -> int:
    """How often another answer was given than the one before, whether or not "unknown" lay between.

    >>> flips([1, 1, 0, 1, 2, 0, 1], 0)
    2
    """
    known = [answer for answer in said if answer != unknown]
    return sum(a != b for a, b in pairwise(known))


def settled(history: History, said: Sequence[int]) -> float:
    """Seconds from a track's first detection until the last answer was there for good; NaN without any."""
    changed = [i for i in range(1, len(said)) if said[i] != said[i - 1]]
    return history.times[changed[-1] if changed else 0] - history.born if said else NAN


def settled_age(history: History) -> float:
    """Seconds until the age stayed within `FINAL` years of its last value; NaN without any."""
    if not history.ages or np.isnan(history.ages[-1]):
        return NAN
    return settled(history, [int(abs(age - history.ages[-1]) > FINAL) for age in history.ages])


def ratio(part: Array, whole: Array) -> Figure:
    """Sum over sum of the tracks where both are known; for the interval, tracks are drawn again."""
    known = np.isfinite(part) & np.isfinite(whole)
    if not known.any():
        return Figure(NAN, NAN, NAN)
    return bootstrap(int(known.sum()), share(part[known], whole[known]))


def mean(values: Array) -> Figure:
    """Mean of the tracks where it is known."""
    numbers = values.astype(np.float64)
    return ratio(numbers, np.where(np.isnan(numbers), NAN, 1.0))


def table(title: str, columns: Mapping[str, Mapping[str, Figure]]) -> Table:
    """Figures by name, a column for each way of answering."""
    names = list(dict.fromkeys(name for figures in columns.values() for name in figures))
    rows = [[name, *(_cell(figures.get(name)) for figures in columns.values())] for name in names]
    return Table(title, ("figure", *columns), rows)


def _cell(figure: Figure | None) -> str:
    if figure is None or not np.isfinite(figure.value):
        return "-"
    return f"{figure.value:g}" if figure.low == figure.high == int(figure.value) else str(figure)


def _deviation(ages: Sequence[float]) -> float:
    known = np.array(ages)[~np.isnan(ages)] if ages else np.zeros(0)
    return float(known.std()) if len(known) else NAN
