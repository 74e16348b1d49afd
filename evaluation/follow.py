"""Runs our tracker over the detections of a sequence, and writes down what it shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isnan
from pathlib import Path

import numpy as np

from core.settings import CompatibilityConfig, TrackerConfig
from core.types import F64
from evaluation.sequence import Sequence
from tracker.sort import Sort


def make_tracker(preset: str, detector: str) -> Sort:
    """Our tracker, for a kind of boxes and the scores of a detector."""
    return Sort(TrackerConfig(preset=preset, scores=detector))


def make_published(config: CompatibilityConfig) -> Callable[[F64], F64]:
    """SORT as it was published: from a frame's rows of x1, y1, x2, y2, score to x1, y1, x2, y2, id."""
    return Sort(TrackerConfig(compatibility=config)).rows


def follow(sequence: Sequence, tracker: Sort, *, hints: bool, every: int) -> F64:
    """Track a sequence.

    Args:
        sequence: its detections, times and cuts.
        tracker: a new one.
        hints: tell it of the cuts.
        every: it sees the detections of the first of so many frames; in the others nobody looks.

    Returns:
        float64 (R, 7): frame from 0, id, x1, y1, x2, y2, score. A box that is predicted has the score of the
        track's last detection.
    """
    rows: list[F64] = []
    scores: dict[int, float] = {}
    for frame, (time, faces) in enumerate(zip(sequence.times.tolist(), sequence.detections, strict=True)):
        looked = faces if frame % every == 0 else None
        tracks = tracker.update(looked, time, cut=hints and frame in sequence.cuts)
        pairs = zip(tracks.ids.tolist(), tracks.faces.scores.tolist(), strict=True)
        scores = {track: scores.get(track, 0.0) if isnan(score) else score for track, score in pairs}
        tracks = tracks.take(tracks.shown)
        own = [scores[track] for track in tracks.ids.tolist()]
        rows.append(np.column_stack([np.full(len(tracks), frame), tracks.ids, tracks.boxes, own]))
    return np.concatenate(rows)


def write_rows(path: Path, rows: F64) -> None:
    """MOTChallenge text: frame from 1, id, left, top, width, height, score, -1, -1, -1."""
    lines = (
        f"{frame + 1:.0f},{track:.0f},{x1:.3f},{y1:.3f},{x2 - x1:.3f},{y2 - y1:.3f},{score:.4f},-1,-1,-1\n"
        for frame, track, x1, y1, x2, y2, score in rows.tolist()
    )
    write_lines(path, lines)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """A text file, in folders that are made if they are not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")
