"""Boxes that move, for timing trackers: seeded, of any number, with and without overlaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.types import F64, Faces

RATE = 25.0  # frames/s
SIDES = np.array([60.0, 75.0])  # px, of a box
JITTER = 1.5  # px, standard deviation of each side of a detection
MISSED = 0.03  # share of boxes that the detector does not find


@dataclass(frozen=True)
class Look:
    """The detections of one frame: float64 (N, 5), x1 y1 x2 y2 score, and the frame's time in seconds."""

    detections: F64
    time: float

    @cached_property
    def faces(self) -> Faces:
        """The same as the program has them."""
        n = len(self.detections)
        scores = self.detections[:, 4].astype(np.float32)
        return Faces(self.detections[:, :4].copy(), scores, np.zeros((n, 5, 2), np.float32))


def sparse(boxes: int, seed: int) -> Iterator[Look]:
    """Each box sways in a cell of its own, so that they rarely touch: the published shortcut suffices."""
    rng = np.random.default_rng([seed, boxes])
    across = int(np.ceil(np.sqrt(boxes)))
    home = 2.5 * SIDES * np.stack(np.divmod(np.arange(boxes), across), axis=1)
    phase, zoom = rng.uniform(0, 2 * np.pi, (boxes, 2)), rng.uniform(0.8, 1.2, (boxes, 1))
    frame = 0
    while True:
        yield _look(rng, home + 20 * np.sin(phase + 0.1 * frame), zoom, frame)
        frame += 1


def crowded(boxes: int, seed: int) -> Iterator[Look]:
    """All walk about within a room of nine tenths of their joint area, and compete in nearly every frame."""
    rng = np.random.default_rng([seed, boxes])
    room = SIDES * np.sqrt(0.9 * boxes)
    place, speed = rng.uniform(0, room, (boxes, 2)), rng.normal(0, 2, (boxes, 2))
    zoom = rng.uniform(0.8, 1.2, (boxes, 1))
    frame = 0
    while True:
        place = place + speed
        speed[(place < 0) | (place > room)] *= -1
        yield _look(rng, place, zoom, frame)
        frame += 1


def street(seed: int, arrivals: float = 1.0, longest: int = 40) -> Iterator[Look]:
    """A busy place for ever: people come, cross and go, `arrivals` a second, at most `longest` at a time."""
    rng = np.random.default_rng([seed, 0])
    place, speed, zoom = np.zeros((0, 2)), np.zeros((0, 2)), np.zeros((0, 1))
    frame = 0
    while True:
        if rng.random() < arrivals / RATE and len(place) < longest:
            place = np.vstack([place, [[0, rng.uniform(0, 500)]]])
            speed = np.vstack([speed, [[rng.uniform(1, 4), rng.normal(0, 0.2)]]])
            zoom = np.vstack([zoom, [[rng.uniform(0.8, 1.2)]]])
        place = place + speed
        here = place[:, 0] < 1900
        place, speed, zoom = place[here], speed[here], zoom[here]
        yield _look(rng, place, zoom, frame)
        frame += 1


SCENES = {"sparse": sparse, "crowded": crowded}


def _look(rng: np.random.Generator, centres: F64, zoom: F64, frame: int) -> Look:
    """What a detector makes of true centres: jitter, misses, no order."""
    n = len(centres)
    half = SIDES * zoom / 2
    boxes = np.hstack([centres - half, centres + half]) + rng.normal(0, JITTER, (n, 4))
    rows = np.column_stack([boxes, rng.uniform(0.5, 1.0, n)])
    if n > 1:
        rows = rows[rng.random(n) >= MISSED]
    return Look(rng.permutation(rows), frame / RATE)
