"""What many looks at one person say together: about the age, the gender, the mood.

All looks at a person share most of their error (the face simply looks older than it is), so a
belief narrows with the effective number of looks only down to what they have in common.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from core.types import AGES, EMOTIONS, F64

YEARS: F64 = np.arange(AGES, dtype=np.float64)
EDGES: F64 = np.arange(AGES + 1, dtype=np.float64) - 0.5
TAIL = 0.05  # of the probability outside of the interval, at each end
OUTLIER = 0.005  # share of looks that say nothing about the age, so that none rules a year out
WIDEST = 3.0  # times the deviation of one look, for looks that contradict each other
# Of a hundred people, this many are taken for the other gender in every look.
ALWAYS_WRONG = 0.015
FIRST_GLANCE = 0.2  # s of the visit that the first look stands for
LONGEST_GLANCE = 2.0  # s that any look stands for: nobody knows the mood of an unseen face


@dataclass(slots=True)
class AgeBelief:
    """The ages that the looks at one person speak for.

    Their distributions are averaged in the logarithm (of Gaussians, that weighs each by its
    precision), then drawn together around the mean by what the looks do not share. Looks that
    contradict each other more than that draw it apart again.

    Source: Genest and Zidek, "Combining probability distributions", Statistical Science 1986
    (the logarithmic pool).
    """

    weight: float = 0.0
    logs: F64 = field(default_factory=lambda: np.zeros(AGES))
    means: float = 0.0
    squares: float = 0.0

    def add(self, ages: F64, weight: float, fade: float) -> None:
        """Take one look: a distribution (101,), its say, and the fading of all before it."""
        mean = float(ages @ YEARS)
        self.weight = self.weight * fade + weight
        self.logs *= fade
        self.logs += weight * np.log((1 - OUTLIER) * ages + OUTLIER / AGES)
        self.means = self.means * fade + weight * mean
        self.squares = self.squares * fade + weight * mean * mean

    def read(self, looks: float, shared: float) -> tuple[F64, float, float, float]:
        """The belief: distribution (101,), mean, low and high, years; 90 % lie between.

        Args:
            looks: effective number of them, at least 1.
            shared: share of the variance of a look's error that all looks have in common.
        """
        pooled = self.logs / self.weight
        pooled = np.exp(pooled - pooled.max())
        heights = np.zeros(AGES + 1)
        np.cumsum(pooled, out=heights[1:])
        heights /= heights[-1]
        pooled /= pooled.sum()
        mean = float(pooled @ YEARS)
        variance = float(pooled @ (YEARS - mean) ** 2)
        scatter = self.squares / self.weight - (self.means / self.weight) ** 2
        excess = max(scatter - (1 - shared) * variance, 0.0) / variance
        factor = min(math.sqrt(shared + (1 - shared) / looks + excess), WIDEST)
        return _stretched(heights, mean, factor)


def _stretched(heights: F64, mean: float, factor: float) -> tuple[F64, float, float, float]:
    """A distribution, given as its cumulative one at EDGES, stretched around its mean."""
    stretched = np.interp(mean + (EDGES - mean) / factor, EDGES, heights)
    stretched[0], stretched[-1] = 0, 1  # what falls off the ends stays there
    low, high = np.interp((TAIL, 1 - TAIL), heights, EDGES).tolist()
    low, high = (min(max(mean + (end - mean) * factor, 0.0), AGES - 1.0) for end in (low, high))
    return np.diff(stretched), mean, min(low, mean), max(high, mean)


@dataclass(slots=True)
class GenderBelief:
    """The mean log odds of being female over the looks at one person."""

    weight: float = 0.0
    odds: float = 0.0

    def add(self, female: float, weight: float, fade: float) -> None:
        """Take one look: its probability, its say, and the fading of all before it."""
        chance = min(max(female, 0.001), 0.999)
        self.weight = self.weight * fade + weight
        self.odds = self.odds * fade + weight * math.log(chance / (1 - chance))

    def read(self, looks: float, shared: float) -> float:
        """Probability of being female.

        Independent looks would add their log odds; those at one person do not, so the sum
        grows to the worth of 1 / shared looks, however many there are.
        """
        worth = 1 / (shared + (1 - shared) / looks)
        chance = 1 / (1 + math.exp(-self.odds / self.weight * worth))
        return ALWAYS_WRONG + (1 - 2 * ALWAYS_WRONG) * chance


@dataclass(slots=True)
class MoodBelief:
    """The mood now, and the share of the visit spent in each mood."""

    fading: F64 = field(default_factory=lambda: np.zeros(len(EMOTIONS)))
    weight: float = 0.0
    spent: F64 = field(default_factory=lambda: np.zeros(len(EMOTIONS)))
    seconds: float = 0.0

    def add(self, mood: F64, quality: float, since: float, time_constant: float) -> None:
        """Take one look: probabilities (7,), its quality, seconds since the one before (inf: none)."""
        left = math.exp(-since / time_constant)
        self.fading = self.fading * left + quality * mood
        self.weight = self.weight * left + quality
        span = FIRST_GLANCE if math.isinf(since) else min(since, LONGEST_GLANCE)
        self.spent += span * self.now
        self.seconds += span

    @property
    def now(self) -> F64:
        """Probabilities (7,) of the mood at the last look, smoothed."""
        return self.fading / self.weight

    @property
    def share(self) -> F64:
        """Share of the visit in each mood (7,)."""
        return self.spent / self.seconds
