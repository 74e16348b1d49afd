"""How right raw scores are, and what somebody who never looks would reach."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from core.types import F32, F64, I64, YEARS, Array
from training.cache import Labels
from training.targets import MOODS, Faces

WORST = (0, 13, 20, 30, 40, 50, 60, 70, 120)
ADULT = 16  # years
LABELS = {"gender": "female", "race": "race", "emotion": "mood"}


def years(scores: F32) -> F64:
    """Ages (N,) by raw scores (N, 101), or (N, 1) where the score is the age itself."""
    if scores.shape[1] == 1:
        return scores[:, 0].astype(np.float64)
    mean: F64 = softmax(scores) @ YEARS
    return mean


def softmax(scores: F32) -> F32:
    """Probabilities (N, K) of raw scores."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)


def truth(labels: Labels, head: str) -> I64:
    """Class of each face (N,), -1 where not labelled; gender: 0 for a woman, 1 for a man."""
    if head == "gender":
        return np.where(np.isfinite(labels.female), 1 - np.nan_to_num(labels.female), -1).astype(np.int64)
    return np.asarray(getattr(labels, LABELS[head]), np.int64)


def figures(said: dict[str, F32], labels: Labels) -> dict[str, float]:
    """Errors (years) and accuracies of raw scores of N faces.

    Returns:
        mae, worst (the worst age band's); gender, gender16 (of those over 15), race, fer (labels of
        FER2013), ferplus (the mood with most votes, where there is one): as far as labelled.
    """
    found: dict[str, float] = {}
    if "age" in said:
        found |= _ages(years(said["age"]), labels)
    for head in ("gender", "race", "emotion"):
        if head in said:
            right = said[head].argmax(axis=1) == truth(labels, head)
            known = truth(labels, head) >= 0
            name = "fer" if head == "emotion" else head
            found |= _share(name, right, known)
            if head == "gender":
                found |= _share("gender16", right, known & (labels.age >= ADULT))
    if "emotion" in said:
        seven = labels.votes[:, MOODS]
        clear = (seven.max(axis=1) > np.sort(labels.votes, axis=1)[:, -2]) & (seven.max(axis=1) > 0)
        found |= _share("ferplus", said["emotion"].argmax(axis=1) == seven.argmax(axis=1), clear)
    return found


def _ages(said: F64, labels: Labels) -> dict[str, float]:
    known = np.isfinite(labels.age)
    if not known.any():
        return {}
    error = np.abs(said - labels.age)
    inside = [(labels.age >= low) & (labels.age < high) for low, high in pairwise(WORST)]
    return {
        "mae": float(error[known].mean()),
        "worst": max(float(error[band].mean()) for band in inside if band.any()),
    }


def _share(name: str, right: Array, known: Array) -> dict[str, float]:
    return {name: float(right[known].mean())} if known.any() else {}


def by_set(said: dict[str, F32], faces: Faces) -> dict[str, float]:
    """The figures of each set, as SET_FIGURE."""
    return {
        f"{name}_{key}": value
        for name, rows in faces.by_set()
        for key, value in figures({k: v[rows] for k, v in said.items()}, faces.labels.take(rows)).items()
    }


def constant(seen: Labels, heads: dict[str, int], count: int) -> dict[str, F32]:
    """Scores of one who always says the median age and the commonest classes of the faces seen.

    Args:
        seen: the training faces.
        heads: what to answer, with the number of classes.
        count: of faces to answer for.
    """
    said: dict[str, F32] = {}
    for head, classes in heads.items():
        if head == "age":
            said[head] = np.full((count, 1), np.nanmedian(seen.age), np.float32)
        elif head in LABELS:
            known = truth(seen, head)
            said[head] = np.zeros((count, classes), np.float32)
            said[head][:, np.bincount(known[known >= 0], minlength=classes).argmax()] = 1
    return said


def confusion(scores: F32, truth: I64) -> I64:
    """How often a face of class i (row) was said to be of class j (column); (K, K)."""
    classes = scores.shape[1]
    known = truth >= 0
    counts = np.bincount(truth[known] * classes + scores[known].argmax(axis=1), minlength=classes**2)
    return counts.reshape(classes, classes).astype(np.int64)
