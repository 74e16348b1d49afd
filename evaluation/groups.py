"""What is known of labelled faces, and the groups by which every figure is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from core.types import EMOTIONS, F64, I64, Array
from evaluation.samples import VOTES, Sample

FEW = 30  # faces; a group under that is shown, but marked
BANDS = ((0, 13), (13, 20), (20, 30), (30, 40), (40, 50), (50, 60), (60, 70), (70, 117))  # years
QUALITIES = ((0.0, 0.15), (0.15, 0.4), (0.4, 0.7), (0.7, 1.01))
SPOKEN = {"happiness": "happy", "sadness": "sad", "anger": "angry"}  # FER+'s words for our moods


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """The labels of N faces, a row each.

    Attributes:
        age, low, high: float64 (N,), years; NaN if not told.
        woman: float64 (N,), 1, 0 or NaN.
        race, mood: int64 (N,), -1 if not told.
        crowd: int64 (N,), the mood that most people of FER+ saw; -1: none of ours, a tie, or no votes.
    """

    age: F64
    low: F64
    high: F64
    woman: F64
    race: I64
    mood: I64
    crowd: I64

    def __len__(self) -> int:
        return len(self.age)

    def take(self, rows: Array) -> Labels:
        """Those rows."""
        return Labels(*(getattr(self, column.name)[rows] for column in fields(self)))

    @property
    def years(self) -> F64:
        """The age, or the middle of the group that stands for it."""
        return np.where(np.isfinite(self.age), self.age, (self.low + self.high) / 2)

    @classmethod
    def join(cls, parts: Sequence[Labels]) -> Labels:
        """The rows of all, one after the other."""
        parts = parts or [cls.of([])]
        names = [column.name for column in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Labels:
        """The labels of these samples."""
        rows = [(s.age, s.age_low, s.age_high, s.female, s.race, s.mood, crowd(s.votes)) for s in samples]
        columns = np.array(rows, np.float64).reshape(-1, 7).T
        return cls(*columns[:4], *columns[4:].astype(np.int64))


def crowd(votes: Sequence[int]) -> int:
    """The mood with the most votes; -1 for a tie, or if that is contempt, unknown or not a face.

    >>> crowd((0, 0, 8, 0, 0, 0, 2, 0, 0, 0)), crowd((5, 5, 0, 0, 0, 0, 0, 0, 0, 0))
    (5, -1)
    """
    most = [name for name, count in zip(VOTES, votes, strict=False) if count == max(votes)]
    word = SPOKEN.get(most[0], most[0]) if len(most) == 1 else ""
    return EMOTIONS.index(word) if word in EMOTIONS else -1


def banded(years: F64) -> I64:
    """The age band of each, int64 (N,): a row of BANDS, -1 where the age is not known."""
    starts = np.array([low for low, _ in BANDS])
    rows = np.searchsorted(starts, np.nan_to_num(years), side="right") - 1
    return np.where(np.isfinite(years), rows, -1)


def band_names() -> list[str]:
    """`0-12`, ..., `70+`."""
    return [f"{low}-{high - 1}" if high < 117 else f"{low}+" for low, high in BANDS]


def groups(labels: Labels, races: Sequence[str], quality: F64) -> dict[str, Array]:
    """The rows (a mask) of each group that has any: by age, gender, both, race, quality."""
    bands, names = banded(labels.years), band_names()
    genders = {"women": labels.woman == 1, "men": labels.woman == 0}
    found = {f"age {name}": bands == i for i, name in enumerate(names)} | genders
    found |= {f"race {name}": labels.race == i for i, name in enumerate(races)}
    found |= {
        f"{who}, age {name}": rows & (bands == i)
        for who, rows in genders.items()
        for i, name in enumerate(names)
    }
    found |= {
        f"quality {low:g}-{min(high, 1):g}": (quality >= low) & (quality < high) for low, high in QUALITIES
    }
    return {name: rows for name, rows in found.items() if rows.any()}
