"""Cached faces of several sets as one, with what each head is to say of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from core.errors import ConfigError
from core.types import EMOTIONS, F32, F64, I64, U8, Array
from evaluation.samples import RACES, VOTES, bucket
from training.cache import Labels, read

BANDS = np.array([0, 4, 8, 13, 17, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 120], np.float64)
# FER+'s names in the order of EMOTIONS; contempt is none of them.
MOODS = [
    VOTES.index(name) for name in ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
]


@dataclass(frozen=True, slots=True)
class Fold:
    """One of `count` parts of the training faces that is held out, from 1."""

    number: int
    count: int

    @classmethod
    def parsed(cls, text: str) -> Fold:
        """`K/N` as a fold.

        Raises:
            ConfigError: it is none.
        """
        number, _, count = text.partition("/")
        if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count) >= 2):
            raise ConfigError(f"--fold: expected K/N, such as 1/5, not '{text}'.")
        return cls(int(number), int(count))

    def holds(self, labels: Labels) -> Array:
        """Bool (N,): which faces belong to this fold; copies of one picture share a fold."""
        # Salted: a bare remainder would go along with the one that told the parts of the set apart.
        return np.array(
            [bucket(f"fold {key}", self.count) == self.number - 1 for key in labels.key], np.bool_
        )

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


@dataclass(frozen=True, slots=True)
class Targets:
    """What the heads are to say, a row a face.

    Attributes:
        ends: float32 (N, 2), years, of the label of the age; NaN for none.
        shares: float32 (N, classes) of gender, emotion and race; a row of zeros where not labelled.
        told: float32 (N, classes), probabilities that other networks gave, by head.
    """

    ends: F32
    shares: dict[str, F32]
    told: dict[str, F32] = field(default_factory=dict)

    def tell(self, head: str) -> bool:
        """Is there any face with a label for that head? The quality is that of the others' answers."""
        if head == "quality":
            return True
        return bool(np.isfinite(self.ends).any() if head == "age" else self.shares[head].any())

    def take(self, rows: Array) -> Targets:
        """Those rows."""
        shares, told = ({name: s[rows] for name, s in part.items()} for part in (self.shares, self.told))
        return Targets(self.ends[rows], shares, told)


class Faces:
    """The faces of one part of several sets.

    Attributes:
        labels: a row each, set after set.
        targets: what the heads are to say of them.
        weights: float64 (N,), how often each is drawn, summing to 1.
    """

    def __init__(
        self,
        folder: Path,
        sets: tuple[str, ...],
        part: str,
        balance: float,
        votes: float,
        *,
        fold: Fold | None = None,
        share: float = 1.0,
    ) -> None:
        """Open cached sets; faces with contradictory labels are left out.

        Args:
            folder: of the cache.
            sets: names in it.
            part: train, tune or report. With a fold: train are the training faces outside of it,
                tune those in it, and nothing else is touched.
            balance, votes: as in `training.recipes.Recipe`.
            fold: that is held out.
            share: of these faces that are used, by hash.

        Raises:
            ConfigError: a set that is not there, or no face left.
        """
        self._pixels: list[U8] = []
        self._rows: list[tuple[int, int]] = []
        parts: list[Labels] = []
        for nth, name in enumerate(sets):
            pixels, labels = read(name, folder)
            rows = np.flatnonzero(_of(labels, part, fold) & labels.sound & _drawn(labels, share))
            self._pixels.append(pixels)
            self._rows += [(nth, int(row)) for row in rows]
            parts.append(labels.take(rows))
        if not self._rows:
            raise ConfigError(f"{folder}: no face of {', '.join(sets)} belongs to the part '{part}'.")
        self.sets = sets
        self.labels = _joined(parts)
        self.targets = _targets(self.labels, votes)
        self.weights = self._weigh(balance)

    def __len__(self) -> int:
        return len(self._rows)

    def picture(self, row: int) -> tuple[U8, F32]:
        """The cached pixels of a face, and where its bare picture lies in them."""
        nth, place = self._rows[row]
        return self._pixels[nth][place], self.labels.bare[row]

    def by_set(self) -> Iterator[tuple[str, I64]]:
        """(name, rows) of each set."""
        belongs = np.array([nth for nth, _ in self._rows])
        for nth, name in enumerate(self.sets):
            yield name, np.flatnonzero(belongs == nth)

    def _weigh(self, balance: float) -> F64:
        """Faces of rare ages, age groups or moods more often; sets count alike where they are as large."""
        years = np.where(
            np.isfinite(self.labels.age), self.labels.age, (self.labels.age_low + self.labels.age_high) / 2
        )
        kind = np.where(np.isfinite(years), np.digitize(years, BANDS), 100 + self.labels.mood)
        kind = kind + 1000 * np.array([nth for nth, _ in self._rows])
        _, place, counts = np.unique(kind, return_inverse=True, return_counts=True)
        weights = np.maximum(counts[place], 20.0) ** -balance
        result: F64 = weights / weights.sum()
        return result


def _of(labels: Labels, part: str, fold: Fold | None) -> Array:
    if fold is None or part == "report":  # a fold divides the training faces alone
        return np.asarray(labels.part == part)
    held = fold.holds(labels)
    return np.asarray((labels.part == "train") & (held if part == "tune" else ~held))


def _drawn(labels: Labels, share: float) -> Array:
    return np.array([bucket(f"share {key}", 1000) < 1000 * share for key in labels.key], np.bool_)


def _joined(parts: list[Labels]) -> Labels:
    """The rows of all, one after the other."""
    return Labels(*(np.concatenate([getattr(p, column.name) for p in parts]) for column in fields(Labels)))


def _targets(labels: Labels, votes: float) -> Targets:
    low = np.where(np.isfinite(labels.age), labels.age, labels.age_low)
    high = np.where(np.isfinite(labels.age), labels.age, labels.age_high)
    ends = np.clip(np.stack([low, high], axis=1), 0, 100)
    gender = np.nan_to_num(np.stack([labels.female, 1 - labels.female], axis=1))
    race = np.eye(len(RACES))[labels.race] * (labels.race >= 0)[:, None]
    mood = np.eye(len(EMOTIONS))[labels.mood] * (labels.mood >= 0)[:, None]
    seven = labels.votes[:, MOODS].astype(np.float64)
    said = seven.sum(axis=1, keepdims=True)
    mixed = (1 - votes) * mood + votes * seven / np.maximum(said, 1)
    mood = np.where((said > 0) & (mood.sum(axis=1, keepdims=True) > 0), mixed, mood)
    shares = {"gender": gender, "race": race, "emotion": mood}
    return Targets(ends.astype(np.float32), {k: v.astype(np.float32) for k, v in shares.items()})
