"""A detector of faces, made up: it misses, jitters, doubts, doubles and invents as real ones do.

Drawn frame by frame, so another frame rate sees the same scene with other errors. Those that last (the bursts
in which a face is hard to see) are Markov chains in seconds: as frequent, and as long, at every rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np

from core.geometry import suppress
from core.types import F64, Array, Faces
from evaluation.sequence import bare

MEMORY = 0.6  # share of the jitter that stays from frame to frame
BURSTS, BURST = 0.12, 0.4  # begin so often a second, last so many seconds on average
GHOSTS = 0.04  # a second: false faces that stay for a while
SIZES = (log(28), log(170))  # e-folds of px, of false faces


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What makes N faces of one frame easy or hard.

    Attributes:
        people: int64 (N,), whose jitter goes on from frame to frame; from 0.
        boxes: float64 (N, 4), true.
        speeds: float64 (N,), sizes a second.
        yaws: float64 (N,), 0 to 1.
        covered: float64 (N,), 0 to 1.
    """

    people: Array
    boxes: F64
    speeds: F64
    yaws: F64
    covered: F64


class NoisyDetector:
    """Finds the faces of one sequence, frame after frame."""

    def __init__(self, rng: np.random.Generator, people: int, times: F64, size: tuple[int, int]) -> None:
        self._rng, self._size = rng, size
        self._jitter = rng.normal(0, 1, (people, 4))
        self._burst = np.zeros(people, bool)
        self._ghosts = draw_ghosts(rng, float(times[-1]), size)
        self._before = float(times[0])

    def detect(self, seen: Seen, time: float) -> Faces:
        """The faces that are found, and some that are none."""
        self._pass(time)
        boxes, scores = self._find(seen)
        for more in (self._doubles(boxes, scores), self._isolated(), self._lasting(time)):
            boxes, scores = np.concatenate([boxes, more[0]]), np.concatenate([scores, more[1]])
        found = bare(boxes, scores)
        return found.take(suppress(found.boxes, found.scores, 0.6))

    def _pass(self, time: float) -> None:
        """Bursts begin and end; the jitter drifts."""
        rng, count = self._rng, len(self._burst)
        share = BURSTS / (BURSTS + 1 / BURST)
        change = 1 - exp(-(BURSTS + 1 / BURST) * (time - self._before))
        odds = np.where(self._burst, (1 - share) * change, share * change)
        self._burst = self._burst ^ (rng.random(count) < odds)
        self._jitter = MEMORY * self._jitter + (1 - MEMORY**2) ** 0.5 * rng.normal(0, 1, (count, 4))
        self._before = time

    def _find(self, seen: Seen) -> tuple[F64, F64]:
        rng, count = self._rng, len(seen.boxes)
        width, height = (seen.boxes[:, 2:] - seen.boxes[:, :2]).T
        size = np.sqrt(width * height)
        small = np.maximum(0, 1 - size / 40)
        blur = np.minimum(1, seen.speeds / 8)
        hard = np.maximum(0, seen.yaws - 0.3)
        burst = self._burst[seen.people]
        miss = (
            0.02
            + 0.5 * small
            + 0.3 * blur
            + 0.55 * burst
            + 0.9 * np.maximum(0, seen.covered - 0.25)
            + 0.6 * hard
        )
        score = 0.92 - 0.45 * small - 0.35 * blur - 0.35 * burst - 0.6 * seen.covered - 0.45 * hard
        score = np.clip(score + rng.normal(0, 0.06, count), 0.06, 0.99)
        found = rng.random(count) >= miss
        jitter = self._jitter[seen.people]
        spread = np.where(score < 0.5, 0.08, 0.04) * size
        centre = (seen.boxes[:, :2] + seen.boxes[:, 2:]) / 2 + spread[:, None] * jitter[:, :2]
        half = np.stack([width, height], axis=1) / 2 * np.exp(0.048 * jitter[:, 2:])
        return np.concatenate([centre - half, centre + half], axis=1)[found], score[found]

    def _doubles(self, boxes: F64, scores: F64) -> tuple[F64, F64]:
        rng = self._rng
        twice = rng.random(len(boxes)) < 0.01
        sides = boxes[twice, 2:] - boxes[twice, :2]
        shift = sides * rng.normal(0, 0.25, sides.shape)
        return boxes[twice] + np.tile(shift, 2), scores[twice] * rng.uniform(0.3, 0.8, int(twice.sum()))

    def _isolated(self) -> tuple[F64, F64]:
        count = self._rng.poisson(0.03)
        return false_boxes(self._rng, count, self._size), self._rng.beta(2, 4, count)

    def _lasting(self, time: float) -> tuple[F64, F64]:
        rng = self._rng
        seen = [ghost for ghost in self._ghosts if ghost.start <= time < ghost.end and rng.random() < 0.6]
        boxes = [ghost.box + rng.normal(0, 0.04, 4) * (ghost.box[2] - ghost.box[0]) for ghost in seen]
        return np.array(boxes).reshape(-1, 4), np.array([ghost.score for ghost in seen])


@dataclass(frozen=True, slots=True, eq=False)
class Ghost:
    """Something that is taken for a face from `start` to `end`, seconds."""

    start: float
    end: float
    box: F64
    score: float


def draw_ghosts(rng: np.random.Generator, seconds: float, size: tuple[int, int]) -> Sequence[Ghost]:
    """False faces that stay where they are."""
    count = int(rng.poisson(GHOSTS * seconds))
    starts = rng.uniform(0, seconds, count)
    ends = starts + rng.uniform(0.3, 2.5, count)
    boxes, scores = false_boxes(rng, count, size), rng.uniform(0.25, 0.6, count)
    return [
        Ghost(start, end, box, score)
        for start, end, box, score in zip(starts.tolist(), ends.tolist(), boxes, scores.tolist(), strict=True)
    ]


def false_boxes(rng: np.random.Generator, count: int, size: tuple[int, int]) -> F64:
    """Boxes of a face's shape anywhere in the picture, float64 (count, 4)."""
    width = np.exp(rng.uniform(*SIZES, count))
    half = np.stack([width, 1.25 * width], axis=1) / 2
    centre = rng.uniform(0, 1, (count, 2)) * size
    return np.concatenate([centre - half, centre + half], axis=1)
