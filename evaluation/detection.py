"""Figures of one detector on labelled pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from core.types import Array, Faces
from evaluation.measures import share
from evaluation.report import Figure, bootstrap
from evaluation.widerface import LEVELS, Labels, Matches, average_precision, match, tally

BANDS = ((0, 10), (10, 20), (20, 40), (40, 10000))  # heights in pixels


def matches(found: Sequence[Faces], truth: Sequence[Labels], level: str) -> list[Matches]:
    """Who found whom, picture by picture, on one level of the protocol."""
    pairs = zip(found, truth, strict=True)
    return [match(faces.boxes, faces.scores, labels.boxes, labels.counted[level]) for faces, labels in pairs]


def precisions(found: Sequence[Faces], truth: Sequence[Labels]) -> dict[str, Figure]:
    """Average precision of each level."""
    return {f"ap_{level}": precision(matches(found, truth, level)) for level in LEVELS}


def precision(rows: Sequence[Matches]) -> Figure:
    """Average precision, with its interval."""
    return bootstrap(len(rows), partial(_drawn, tally(rows)))


def _drawn(counts: tuple[Array, Array, Array], weights: Array) -> Array:
    hits, judged, faces = (weights @ count for count in counts)
    return average_precision(hits, judged, faces)


def over(rows: Sequence[Matches], score: float) -> tuple[Figure, Figure]:
    """Recall and precision when only detections over a score are taken."""
    hits = np.array([(m.hits[m.scores >= score] >= 0).sum() for m in rows])
    judged = np.array([m.judged[m.scores >= score].sum() for m in rows])
    return ratio(hits, np.array([m.faces for m in rows])), ratio(hits, judged)


def by_height(rows: Sequence[Matches], truth: Sequence[Labels], score: float) -> dict[str, Figure]:
    """Recall over a score of the faces of each band of heights that count in `hard`."""
    result = {}
    for low, high in BANDS:
        hits, faces = [], []
        for m, labels in zip(rows, truth, strict=True):
            inside = (labels.heights >= low) & (labels.heights < high) & labels.counted["hard"]
            hits.append(int(inside[m.hits[(m.scores >= score) & (m.hits >= 0)]].sum()))
            faces.append(int(inside.sum()))
        result[f"{low}-{high} px" if high < 10000 else f"{low}+ px"] = ratio(np.array(hits), np.array(faces))
    return result


def ratio(part: Array, whole: Array) -> Figure:
    """Sum over sum, not known of nothing; for the interval, pictures are drawn again."""
    return bootstrap(len(part), share(part, whole))
