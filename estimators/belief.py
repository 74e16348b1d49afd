"""What many looks at one person say together: about the age, the gender, the mood.

All looks at a person share most of their error (the face simply looks older than it is), so a
belief narrows with the effective number of looks only down to what they have in common.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from core.types import AGES, EMOTIONS, F64, YEARS

EDGES: F64 = np.arange(AGES + 1, dtype=np.float64) - 0.5
TAIL = 0.05  # of the probability outside of the interval, at each end
OUTLIER = 0.005  # share of looks that say nothing about the age, so that none rules a year out
NINETY = 2 * 1.645  # deviations of a Gaussian, width of the interval that holds 90 %
FAR = 2.5  # deviations of one look; one farther off tells nothing about the scatter of the others
TRUST = 3.0  # looks' worth of trust in the share that is known beforehand
# Of a look's variance, what is its own: looks that agree fully still are not one look, and what they scatter
# beyond the second, nobody can explain.
LEAST_OWN, MOST_OWN = 0.05, 0.6
# Of a hundred people, this many are taken for the other gender in every look.
ALWAYS_WRONG = 0.015
# Looks that know nothing, set beside those that were before a gender is named: one poor look, or a
# few odd ones at the beginning, are not enough.
RESERVE = 0.3
FIRST_GLANCE = 0.2  # s of the visit that the first look stands for
LONGEST_GLANCE = 2.0  # s that any look stands for: nobody knows the mood of an unseen face


@dataclass(slots=True)
class AgeBelief:
    """The ages that the looks at one person speak for.

    Their distributions are averaged in the logarithm (of Gaussians, that weighs each by its
    precision), then drawn together around the middle by what the looks do not share. How much
    that is, is learned from how far they scatter; a few that lie far off change little. Looks
    that scatter more than any one of them admits draw the belief apart instead.

    Source: Genest and Zidek, "Combining probability distributions", Statistical Science 1986
    (the logarithmic pool).

    Attributes:
        weight: of all looks.
        logs: float64 (101,), the sum of their logarithms, weighted.
        said: float64 (101,), the weight of the looks whose mean is that age.
    """

    weight: float = 0.0
    logs: F64 = field(default_factory=lambda: np.zeros(AGES))
    said: F64 = field(default_factory=lambda: np.zeros(AGES))

    def add(self, ages: F64, weight: float, fade: float) -> None:
        """Take one look: a distribution (101,), its say, and the fading of all before it."""
        self.weight = self.weight * fade + weight
        self.logs *= fade
        self.logs += weight * np.log((1 - OUTLIER) * ages + OUTLIER / AGES)
        mean = float(ages @ YEARS)
        year = min(int(mean), AGES - 2)
        self.said *= fade
        self.said[year] += weight * (year + 1 - mean)
        self.said[year + 1] += weight * (mean - year)

    def read(self, looks: float, shared: float) -> tuple[F64, float, float, float]:
        """The belief: distribution (101,), age, low and high, years; 90 % lie between.

        Args:
            looks: effective number of them.
            shared: share of the variance of a look's error that all looks have in common, as
                far as it is known beforehand.
        """
        # Less than one look's worth does not widen: a poor look is wide by itself (`Output.doubt`).
        looks = max(looks, 1.0)
        heights = np.zeros(AGES + 1)
        np.cumsum(np.exp((self.logs - self.logs.max()) / self.weight), out=heights[1:])
        heights /= heights[-1]
        low, high = np.interp((TAIL, 1 - TAIL), heights, EDGES).tolist()
        inner = np.diff(np.clip(heights, TAIL, 1 - TAIL))
        # Of the 90 % alone: the few percent of doubt whether a child is one weigh decades.
        middle = float(inner @ YEARS) / float(inner.sum())
        factor = self._factor(middle, (high - low) / NINETY, looks, shared)
        stretched = np.interp(middle + (EDGES - middle) / factor, EDGES, heights)
        stretched[0], stretched[-1] = 0, 1  # what falls off the ends stays there
        low, high = (min(max(middle + (end - middle) * factor, 0.0), AGES - 1.0) for end in (low, high))
        return np.diff(stretched), middle, min(low, middle), max(high, middle)

    def _factor(self, middle: float, deviation: float, looks: float, shared: float) -> float:
        """How far the looks draw the distribution of one of them together, or apart."""
        near = self.said * (np.abs(YEARS - middle) < FAR * deviation)
        total = float(near.sum())
        # A look's mean may lie beside its middle, so that the scatter is that around their own mean.
        centre = float(near @ YEARS) / total if total > 0 else middle
        squares = ((YEARS - centre) / deviation) ** 2
        scatter = float(near @ squares) / total if total > 0 else 0.0
        own = (TRUST * (1 - shared) + looks * scatter) / (TRUST + looks - 1)
        most = max(1 - shared, MOST_OWN)
        own = min(max(own, min(1 - shared, LEAST_OWN)), most)
        excess = max(float(self.said @ np.minimum(squares, FAR**2)) / self.weight - most, 0.0)
        return math.sqrt(1 - own + own / looks + excess)


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

    def read(self, looks: float, shared: float) -> tuple[float, float]:
        """Probability of being female, and what remains of it beside looks that know nothing.

        Independent looks would add their log odds; those at one person do not, so the sum
        grows to the worth of 1 / shared looks, however many there are.

        Args:
            looks: effective number of them.
            shared: share of the variance of a look's error that all looks have in common.
        """
        odds = self.odds / self.weight / (shared + (1 - shared) / max(looks, 1.0))
        return _chance(odds), _chance(odds * looks / (looks + RESERVE))


def _chance(odds: float) -> float:
    return ALWAYS_WRONG + (1 - 2 * ALWAYS_WRONG) / (1 + math.exp(-odds))


@dataclass(slots=True)
class MoodBelief:
    """The mood now, and the share of the visit spent in each mood."""

    fading: F64 = field(default_factory=lambda: np.zeros(len(EMOTIONS)))
    weight: float = 0.0
    spent: F64 = field(default_factory=lambda: np.zeros(len(EMOTIONS)))
    seconds: float = 0.0

    def add(self, mood: F64, quality: float, since: float, time_constant: float) -> None:
        """Take one look: probabilities (7,), its quality, seconds since the one before (inf: none)."""
        first = self.weight == 0  # of the moods: looks before it may have told none
        left = math.exp(-since / time_constant)
        # It stands for the time since the look before, so a burst of looks has no more say.
        say = quality * -math.expm1(-(FIRST_GLANCE if first else since) / time_constant)
        self.fading = self.fading * left + say * mood
        self.weight = self.weight * left + say
        span = FIRST_GLANCE if first else min(since, LONGEST_GLANCE)
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
