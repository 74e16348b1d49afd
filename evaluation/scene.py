"""People who walk through a picture, seen by a camera that pans, shakes and cuts: the truth of the simulator.

Motion is integrated at 60 Hz, once for a seed, whatever the frame rate that is sampled from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import log

import numpy as np

from core.types import F64, I64, Array

SIZE = (1280, 720)
RATE = 60  # steps a second
STEP = 1 / RATE
AWAY = RATE  # steps out of the picture after which a face comes back as somebody else
HIDDEN = 0.8  # share covered from which a face is not in the truth
SMALLEST, LARGEST = 20.0, 260.0  # px, widths
SPEEDS = np.array([0.1, 0.6, 1.6, 3.0])  # sizes/s
AT_FIRST, LATER = (0.4, 0.35, 0.25, 0.0), (0.4, 0.3, 0.2, 0.1)
YAWS = np.array([0.0, 0.4, 0.8, 1.0])
YAW_ODDS = (0.4, 0.3, 0.2, 0.1)
EVENTS = STEP * np.array([[0.15], [0.5], [0.1], [0.6]])  # of a step: new speed, goal, yaw; looks back


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """T steps of P people.

    Attributes:
        ids: int64 (T, P), from 1; 0: not in the truth of this step.
        boxes: float64 (T, P, 4), x1 y1 x2 y2 in the picture, pixels.
        speeds: float64 (T, P), in the picture, sizes a second.
        yaws: float64 (T, P), 0 facing the camera, 1 full profile.
        covered: float64 (T, P), largest share covered by one larger face.
        cuts: steps that are the first of a shot, but for the first shot.
    """

    ids: I64
    boxes: F64
    speeds: F64
    yaws: F64
    covered: F64
    cuts: tuple[int, ...]


@cache
def make_scene(seed: int, seconds: float) -> Scene:
    """The scene of a seed; kept, since each frame rate samples the same."""
    steps = round(seconds * RATE)
    # A generator each, so that a longer scene begins as a shorter one.
    rng, *others = (np.random.default_rng([seed, part]) for part in (1, 2, 3, 4))
    view = pans(others[0], steps) + shake(others[1], steps)
    cuts = draw_cuts(others[2], steps)
    people = _People(rng, int(rng.integers(1, 13)))
    moving = np.diff(view, axis=0, prepend=view[:1]) * RATE
    rows, present = [], []
    for step in range(steps):
        if step in cuts:
            people.cut(view[step])
        elif step:
            people.step(view[step])
        rows.append(people.seen(step * STEP, view[step], moving[step]))
        present.append(~people.absent)
    table, here = np.array(rows), np.array(present)
    boxes = table[:, :, :4]
    hidden = covering(boxes, here)
    ids = identities(here & (visible(boxes) >= 0.5), cuts)
    return Scene(np.where(hidden < HIDDEN, ids, 0), boxes, table[:, :, 4], table[:, :, 5], hidden, cuts)


def pans(rng: np.random.Generator, steps: int) -> F64:
    """How far the camera has turned, float64 (steps, 2), pixels."""
    speed = np.zeros((steps, 2))
    start = rng.exponential(6.0)
    while start * RATE < steps:
        length, peak = rng.uniform(0.5, 2.0), rng.normal(0.0, (250.0, 62.5))
        since = np.arange(steps) * STEP - start
        speed += (
            np.where((since >= 0) & (since < length), np.sin(np.pi * since / length) ** 2, 0)[:, None] * peak
        )
        start += length + rng.exponential(6.0)
    place: F64 = np.cumsum(speed, axis=0) * STEP
    return place


def shake(rng: np.random.Generator, steps: int) -> F64:
    """How far a hand is off, float64 (steps, 2), pixels."""
    off = rng.normal(0.0, 0.35, (steps, 2))
    for step in range(1, steps):
        off[step] += 0.97 * off[step - 1]
    return off


def draw_cuts(rng: np.random.Generator, steps: int) -> tuple[int, ...]:
    """The steps that begin a new shot."""
    cuts: list[int] = []
    time = max(1.0, rng.exponential(12.0))
    while time * RATE < steps:
        cuts.append(int(np.ceil(time * RATE)))
        time += max(1.0, rng.exponential(12.0))
    return tuple(cut for cut in cuts if cut < steps)


class _People:
    """Where P people are and whither they go, in the world."""

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self._rng = rng
        self._zoom = rng.uniform(log(28), log(170), count)
        self._growth = np.zeros(count)
        self._speed = rng.choice(SPEEDS, count, p=AT_FIRST)
        self._place = self._anywhere(0.05, np.zeros(2))
        self._goal = self._anywhere(-0.1, np.zeros(2))
        self._velocity = np.zeros((count, 2))
        self._yaw, self._turned = np.zeros(count), np.zeros(count)
        self._phase = rng.uniform(0, 2 * np.pi, count)
        self.absent = np.zeros(count, bool)

    def cut(self, view: F64) -> None:
        """Another shot: some are not in it, the others elsewhere and of another size."""
        rng, count = self._rng, len(self._zoom)
        self.absent = rng.random(count) < 0.35
        self._zoom = self._zoom + np.log(rng.uniform(0.7, 1.4, count))
        self._place = self._anywhere(0.05, view)
        self._goal = self._anywhere(-0.1, view)
        self._clamp()

    def step(self, view: F64) -> None:
        """One sixtieth of a second."""
        rng, count = self._rng, len(self._zoom)
        faster, elsewhere, turns, back = rng.random((4, count)) < EVENTS
        if faster.any():
            self._speed = np.where(faster, rng.choice(SPEEDS, count, p=LATER), self._speed)
        if elsewhere.any():
            self._goal = np.where(elsewhere[:, None], self._anywhere(-0.1, view), self._goal)
        if turns.any():
            self._turned = np.where(turns, rng.choice(YAWS, count, p=YAW_ODDS), self._turned)
        self._turned = np.where(back, 0.0, self._turned)
        self._yaw = self._yaw + 4 * STEP * (self._turned - self._yaw)
        noise = rng.normal(0.0, STEP**0.5, (count, 3))
        size = np.exp(self._zoom)
        way = self._goal - self._place
        far = np.maximum(np.hypot(way[:, 0], way[:, 1]), size)  # slows down within a size of the goal
        wanted = way * (self._speed * size / far)[:, None]
        shove = 0.25 * size[:, None] * noise[:, :2] * (1.0, 0.7)
        self._velocity = self._velocity + 3 * STEP * (wanted - self._velocity) + shove
        self._place = self._place + STEP * self._velocity
        self._growth = self._growth - 2 * STEP * self._growth + 0.10 * noise[:, 2]
        self._zoom = self._zoom + STEP * self._growth
        self._clamp()

    def seen(self, time: float, view: F64, moving: F64) -> F64:
        """float64 (P, 6): box in the picture, speed in sizes a second, yaw."""
        size = np.exp(self._zoom)
        own = np.hypot(*self._velocity.T) / size
        bob = 0.03 * size * np.minimum(1, own / 0.5) * np.sin(2 * np.pi * 1.8 * time + self._phase)
        x, y = (self._place - view).T
        half = np.array([size * (1 - 0.15 * self._yaw), 1.25 * size]) / 2
        box = [x - half[0], y + bob - half[1], x + half[0], y + bob + half[1]]
        return np.stack([*box, np.hypot(*(self._velocity - moving).T) / size, self._yaw], axis=1)

    def _anywhere(self, margin: float, view: F64) -> F64:
        """Points in the picture, but for a share of its width at each side."""
        low, high = (margin, 0.15), (1 - margin, 0.80)
        return view + self._rng.uniform(low, high, (len(self._zoom), 2)) * SIZE

    def _clamp(self) -> None:
        self._zoom = np.clip(self._zoom, log(SMALLEST), log(LARGEST))


def visible(boxes: F64) -> F64:
    """Share of each box that lies in the picture, float64 (T, P)."""
    shown = np.clip(boxes, 0, (*SIZE, *SIZE))
    share: F64 = _area(shown) / _area(boxes)
    return share


def covering(boxes: F64, here: Array) -> F64:
    """Largest share of each box that one larger box covers, float64 (T, P)."""
    a, b = boxes[:, :, None], boxes[:, None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    areas = _area(boxes)
    larger = (areas[:, None] > areas[:, :, None]) & here[:, None]
    shares = np.where(larger, np.prod(np.maximum(sides, 0), axis=-1), 0) / areas[:, :, None]
    result: F64 = shares.max(axis=2)
    return result


def identities(here: Array, cuts: tuple[int, ...]) -> I64:
    """Ids of those in the picture, by shot; somebody back after more than a second is somebody else."""
    ids = np.zeros(here.shape, np.int64)
    count = 0
    for first, last in zip((0, *cuts), (*cuts, len(here)), strict=True):
        for person in range(here.shape[1]):
            steps = first + np.flatnonzero(here[first:last, person])
            if len(steps):
                new = np.diff(steps, prepend=-RATE - AWAY) > AWAY + 1
                ids[steps, person] = count + np.cumsum(new)
                count += int(new.sum())
    return ids


def _area(boxes: F64) -> F64:
    area: F64 = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return area
