"""How far a detection's place is trusted, by its score."""

from __future__ import annotations

from collections.abc import Iterable

STEP = 0.02  # of the way to a score of 1, by which the usual score follows a single one
FLATTEST, LEAST = 0.9, 0.35  # usual score, and factor, beyond which nothing changes any more


class Trust:
    """By how much the variance of a detection is multiplied.

    For faces it falls evenly with the score. For people it falls with 1 - score against that of the usual
    score, since some detectors give each clear person nearly 1, and others 0.8.

    Source: Du et al., "GIAOTracker", ICCVW 2021 (noise that scales with 1 - score); Ma, Muthukrishnan,
    Sandler, "Frugal streaming for estimating quantiles", 2013 (a median by steps up and down).
    """

    def __init__(self, relative: bool) -> None:
        self._relative = relative
        self.usual = 0.5

    def noise(self, score: float) -> float:
        """The factor for a score in [0, 1]."""
        if not self._relative:
            return 1.5 - score
        return max(LEAST, (1 - score) / (1 - min(self.usual, FLATTEST)))

    def learn(self, scores: Iterable[float]) -> None:
        """These detections continued tracks: `usual` moves towards their median."""
        for score in scores:
            step = STEP * max(STEP, 1 - self.usual)
            self.usual += step if score > self.usual else -step
