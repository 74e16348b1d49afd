"""How a face moves: a Kalman filter of constant velocity for each of centre and sides.

The four coordinates cx, cy, w, h are independent, so that the filter is four pairs of
(position, velocity). All noise scales with the face and with time, none with frames, so a
camera at 10 frames/s and one at 30 behave alike. Velocities decay a little, which bounds how
far a face that nobody sees can coast.

Sources: Bewley et al., "Simple online and realtime tracking", ICIP 2016 (the idea; it filters
centre, area and ratio per frame); Bar-Shalom, Li, Kirubarajan, "Estimation with applications to
tracking and navigation", 2001, sections 6.2 and 8.2 (the models).
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, sqrt
from typing import NamedTuple

Box = tuple[float, float, float, float]  # x1 y1 x2 y2, pixels
Variances = tuple[float, float, float]  # of position, both, velocity
Values = tuple[float, float, float, float, float, float, float, float, Variances, Variances, float]


class Noise(NamedTuple):
    """What is assumed of one coordinate; lengths in face sizes, the root of its box's area.

    Attributes:
        measurement: standard deviation of a detection of score 1/2, sizes.
        acceleration: spectral density of the white acceleration, sizes^2/s^3, its root.
        velocity: standard deviation of the velocity of a new face, sizes/s.
        damping: rate at which velocity decays, 1/s.
    """

    measurement: float
    acceleration: float
    velocity: float
    damping: float


CENTRE = Noise(measurement=0.06, acceleration=2.75, velocity=4.0, damping=0.3)
SIDES = Noise(measurement=0.08, acceleration=1.0, velocity=1.0, damping=3.0)
CENTRE_VARIANCE, SIDES_VARIANCE = CENTRE.measurement**2, SIDES.measurement**2


class Step(NamedTuple):
    """What a span of time does to one coordinate.

    Position gains `reach` x velocity, velocity shrinks to `decay` of itself, and the variances
    of position, both, and velocity gain `position`, `cross`, `velocity` (of a face of size 1).
    """

    reach: float
    decay: float
    position: float
    cross: float
    velocity: float


def step(noise: Noise, seconds: float) -> Step:
    """The exact solution of dv = -damping v dt + acceleration dW over `seconds`.

    Two steps equal one over their sum, so that a frame nobody looked at changes nothing.
    """
    k, q = noise.damping, noise.acceleration**2
    decay = exp(-k * seconds)
    reach = (1 - decay) / k
    return Step(
        reach,
        decay,
        q * _position_variance(k, seconds),
        q * reach**2 / 2,
        q * (1 - decay**2) / (2 * k),
    )


@lru_cache(maxsize=256)
def steps(centre: Noise, seconds: float) -> tuple[Step, Step]:
    """What so much time does to the centre and to the sides."""
    return step(centre, seconds), step(SIDES, seconds)


def _position_variance(k: float, t: float) -> float:
    x = k * t
    if x < 0.03:  # where the closed form cancels, its series does not
        series = 2 / 3 - x * (1 / 2 - x * (7 / 30 - x * (1 / 12 - x * (31 / 1260 - x / 160))))
        return t**3 * series / 2
    return (2 * x - 3 + 4 * exp(-x) - exp(-2 * x)) / (2 * k**3)


class Motion:
    """Where one face is and how it moves, as plain floats: a handful is faster than arrays.

    Attributes:
        x, y, w, h: centre and sides, pixels.
        vx, vy, vw, vh: their velocities, pixels/s.
        centre, sides: (variance of position, covariance, variance of velocity); the two
            coordinates of a pair share theirs, since they are always measured together.
        size: root of the area of the last measured box, pixels; all noise scales with it.
    """

    __slots__ = ("centre", "h", "sides", "size", "vh", "vw", "vx", "vy", "w", "x", "y")

    def __init__(self, box: Box) -> None:
        x1, y1, x2, y2 = box
        self.w, self.h = x2 - x1, y2 - y1
        self.x, self.y = x1 + self.w / 2, y1 + self.h / 2
        self.vx = self.vy = self.vw = self.vh = 0.0
        self.size = sqrt(self.w) * sqrt(self.h)
        self.centre = self._initial(CENTRE)
        self.sides = self._initial(SIDES)

    def _initial(self, noise: Noise) -> Variances:
        return (noise.measurement * self.size) ** 2, 0.0, (noise.velocity * self.size) ** 2

    def values(self) -> Values:
        """All that is known, in the order of the attributes."""
        return (
            self.x,
            self.y,
            self.w,
            self.h,
            self.vx,
            self.vy,
            self.vw,
            self.vh,
            self.centre,
            self.sides,
            self.size,
        )

    @classmethod
    def of(cls, values: Values) -> Motion:
        """The motion with these values."""
        made = object.__new__(cls)
        made.x, made.y, made.w, made.h, made.vx, made.vy, made.vw, made.vh = values[:8]
        made.centre, made.sides, made.size = values[8:]
        return made

    def predict(self, centre: Step, sides: Step) -> None:
        """Move on by a span of time."""
        area = self.size**2
        reach, decay, position, cross, velocity = centre
        self.x += reach * self.vx
        self.y += reach * self.vy
        self.vx *= decay
        self.vy *= decay
        a, b, c = self.centre
        self.centre = (
            a + reach * (2 * b + reach * c) + area * position,
            decay * (b + reach * c) + area * cross,
            decay * decay * c + area * velocity,
        )
        reach, decay, position, cross, velocity = sides
        self.w += reach * self.vw
        self.h += reach * self.vh
        self.vw *= decay
        self.vh *= decay
        a, b, c = self.sides
        self.sides = (
            a + reach * (2 * b + reach * c) + area * position,
            decay * (b + reach * c) + area * cross,
            decay * decay * c + area * velocity,
        )

    def ahead(self, centre: Step, sides: Step) -> Box:
        """The box after a span of time; nothing changes."""
        moved = Motion.of(self.values())
        moved.predict(centre, sides)
        return moved.box

    def update(self, box: Box, noise: float = 1.0) -> None:
        """Take a detection in; its variance is multiplied by `noise`.

        What is left of a variance is multiplied by measurement / whole, not by 1 - gain, which cancels where
        the track is unsure.
        """
        x1, y1, x2, y2 = box
        w, h = x2 - x1, y2 - y1
        self.size = sqrt(w) * sqrt(h)
        variance = self.size**2 * noise
        a, b, c = self.centre
        measurement = variance * CENTRE_VARIANCE
        whole = a + measurement
        gain, rate, rest = a / whole, b / whole, measurement / whole
        self.centre = (a * rest, b * rest, c - rate * b)
        off = x1 + w / 2 - self.x
        self.x += gain * off
        self.vx += rate * off
        off = y1 + h / 2 - self.y
        self.y += gain * off
        self.vy += rate * off
        a, b, c = self.sides
        measurement = variance * SIDES_VARIANCE
        whole = a + measurement
        gain, rate, rest = a / whole, b / whole, measurement / whole
        self.sides = (a * rest, b * rest, c - rate * b)
        off = w - self.w
        self.w += gain * off
        self.vw += rate * off
        off = h - self.h
        self.h += gain * off
        self.vh += rate * off

    @property
    def box(self) -> Box:
        """The box now; however it shrank while unseen, no side is under an eighth of the size."""
        least = self.size / 8
        w = self.w / 2 if self.w > least else least / 2
        h = self.h / 2 if self.h > least else least / 2
        return self.x - w, self.y - h, self.x + w, self.y + h

    @property
    def doubt(self) -> float:
        """Standard deviation of the centre, pixels."""
        return sqrt(self.centre[0])
