"""One sequence of a tracking benchmark: when its frames were, what was found, and what is true."""

from __future__ import annotations

from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np

from core.types import F64, I64, Array, Faces, expect

# Columns of `Sequence.truth`.
FRAME, ID, MARK, CLASS, VISIBILITY = 0, 1, 6, 7, 8
BOX = slice(2, 6)
SLOWEST, FASTEST = 0.001, 10_000.0  # frames/s that can be meant
LONGEST = 10_000_000  # frames: four days at 25 a second; each takes a kilobyte of memory


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """F frames with R true boxes.

    Attributes:
        group: the set that it belongs to, such as MOT17.
        name: of the sequence.
        fps: frames a second of the film; frames that were left out do not change it.
        size: (width, height) in pixels.
        times: float64 (F,), seconds of each frame.
        detections: of each frame; without landmarks.
        cuts: frames, from 0, that are the first after a cut.
        truth: float64 (R, 9): frame from 0, id, x1, y1, x2, y2, whether it counts (0 or 1), class, share
            that is visible; the last three as MOTChallenge has them.
    """

    group: str
    name: str
    fps: float
    size: tuple[int, int]
    times: F64
    detections: tuple[Faces, ...]
    cuts: frozenset[int]
    truth: F64

    def __post_init__(self) -> None:
        expect("times", self.times, (len(self.detections),), np.float64)
        expect("truth", self.truth, (len(self.truth), 9), np.float64)

    def __len__(self) -> int:
        return len(self.times)


def bare(boxes: F64, scores: Array) -> Faces:
    """Faces without landmarks; scores are held within 0 and 1, those that are no numbers are NaN."""
    faces = Faces.none(len(boxes))
    scores = np.where(np.isfinite(scores), np.clip(scores, 0, 1), np.nan)
    return Faces(boxes, scores.astype(np.float32), faces.landmarks)


def keep(sequence: Sequence, frames: I64, mark: str) -> Sequence:
    """The sequence as if only those frames had been seen, at their own times.

    Frames are numbered anew; a cut that falls into frames left out moves to the next one that is kept.

    Args:
        sequence: the whole.
        frames: int64 (K,), which to keep, rising.
        mark: added to the name of its set.
    """
    number = np.full(len(sequence), -1)
    number[frames] = np.arange(len(frames))
    truth = sequence.truth.copy()
    truth[:, FRAME] = number[truth[:, FRAME].astype(np.int64)]
    cuts = np.searchsorted(frames, sorted(sequence.cuts)).tolist()
    return replace(
        sequence,
        group=sequence.group + mark,
        times=sequence.times[frames],
        detections=tuple(sequence.detections[frame] for frame in frames.tolist()),
        cuts=frozenset(cut for cut in cuts if cut < len(frames)),
        truth=truth[truth[:, FRAME] >= 0],
    )


def drop(sequence: Sequence, every: int) -> Sequence:
    """The first of every so many frames: as if the camera were that much slower."""
    return keep(sequence, np.arange(0, len(sequence), every), f"@{every}")


def tell(sequence: Sequence, clock: str) -> Sequence:
    """The same frames at the times that a tracker believes which does not know the real ones.

    Args:
        sequence: with its real times.
        clock: `mean`, all as far apart as they are on average; `frames`, each 1 / fps after the one before.
    """
    n, times = len(sequence), sequence.times
    told = np.linspace(times[0], times[-1], n) if clock == "mean" else np.arange(n) / sequence.fps
    return replace(sequence, group=f"{sequence.group}@{clock}", times=told)


def thin(sequence: Sequence, seed: int) -> Sequence:
    """Each frame kept with a probability of one third: as if an overloaded machine saw them."""
    rng = np.random.default_rng([seed, crc32(sequence.name.encode())])
    kept = np.flatnonzero(rng.random(len(sequence)) < 1 / 3)
    return keep(sequence, kept if len(kept) else np.zeros(1, np.int64), "@irregular")
