"""The drawings of `detect` and `verify`: what a threshold buys, and faces by height."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.types import F64, Array, Faces
from evaluation.detection import matches
from evaluation.plots import lines, points
from evaluation.report import Figure, Plot
from evaluation.widerface import LEVELS, Labels, tally

UNIT = (0.0, 1.0)
LEAST = 1e-4  # share of two people accepted as one that a curve begins with


def precision_recall(name: str, found: Sequence[Faces], truth: Sequence[Labels]) -> Plot:
    """Precision over recall of a detector, a curve for each level of the protocol."""
    series = {}
    for level in LEVELS:
        hits, judged, faces = (counts.sum(axis=0) for counts in tally(matches(found, truth, level)))
        said = (judged > 0) & (faces > 0)
        series[level] = hits[said] / max(faces, 1), hits[said] / judged[said]
    drawn = lines(series, "recall", "precision", (UNIT, UNIT))
    return Plot(f"{name}: precision over recall", drawn, "Each point is a score from which faces are taken.")


def recall_by_height(groups: Mapping[str, Mapping[str, Figure]], score: float) -> Plot:
    """Recall by the height of the face, a colour for each detector."""
    names = next(iter(groups.values()))
    series = {name.removesuffix("_recall"): [row[name] for row in groups.values()] for name in names}
    drawn = points(list(groups), series, "height of the face", "recall")
    return Plot("Recall by height", drawn, f"Faces found with a score of {score:g} or more; 95 % intervals.")


def accepts(scores: F64, same: Array) -> Plot:
    """Share of pairs of one person that are accepted, over that of two people (ROC), to 1 in 10,000.

    Args:
        scores: float64 (N,), higher for one person.
        same: bool (N,).
    """
    others, ones = np.sort(scores[~same])[::-1], scores[same]
    accepted = np.arange(1, len(others))
    accepted = accepted[accepted >= LEAST * len(others)]
    share = (ones[:, None] > others[accepted]).mean(axis=0) if len(ones) else np.zeros(len(accepted))
    series = {"": (np.log10(accepted / max(len(others), 1)), share)}
    drawn = lines(
        series,
        "share of two people accepted as one, power of ten",
        "one person accepted",
        ((-4.0, 0.0), UNIT),
    )
    return Plot("Accepted pairs", drawn, "Each point is a similarity from which a pair counts as one person.")
