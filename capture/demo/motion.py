"""Smooth motion through given points, and the walk of people along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.types import F64

STEP = 0.72  # m, length of a walking step
Keys = Sequence[tuple[float, float]]


def curve(keys: Keys, times: F64) -> F64:
    """Values at `times` of a smooth line through (time, value) points; constant before and after.

    A cubic with a continuous slope that never overshoots a point and rests at both ends.

    Source: Fritsch, Butland, "A method for constructing local monotone piecewise cubic
    interpolants", SIAM J. Sci. Stat. Comput. 1984.

    >>> curve([(0, 0), (1, 1), (2, 4)], np.array([-1, 1, 2.0, 9])).tolist()
    [0.0, 1.0, 4.0, 4.0]
    """
    t, v = np.array(keys, np.float64).T
    slopes = _slopes(t, v)
    now = np.clip(times, t[0], t[-1])
    i = np.clip(np.searchsorted(t, now, side="right") - 1, 0, len(t) - 2)
    span = t[i + 1] - t[i]
    u = (now - t[i]) / span
    rise = v[i + 1] - v[i]
    # Hermite cubic, written from its start value so that u = 0 gives it exactly.
    bend = span * slopes[i] * u * (1 - u) ** 2 - span * slopes[i + 1] * u**2 * (1 - u)
    result: F64 = v[i] + rise * u**2 * (3 - 2 * u) + bend
    return result


def _slopes(t: F64, v: F64) -> F64:
    """Slope at each point: 0 at the ends and at turning points, else a harmonic mean."""
    slopes = np.zeros(len(t))
    span, secant = np.diff(t), np.diff(v) / np.diff(t)
    before, after = secant[:-1], secant[1:]
    same = before * after > 0
    weight = (span[:-1] + 2 * span[1:]) / (3 * (span[:-1] + span[1:]))
    mean = weight * after + (1 - weight) * before
    slopes[1:-1] = np.divide(before * after, mean, out=np.zeros_like(mean), where=same)
    return slopes


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """Where somebody's chin is, frame by frame; float64 (frames,) each.

    Attributes:
        x: m to the right of the middle of the mural.
        y: m above the camera.
        z: m from the camera.
        roll: degrees, clockwise on the picture.
    """

    x: F64
    y: F64
    z: F64
    roll: F64


def walk(x: Keys, z: Keys, chin: float, phase: float, times: F64) -> Walk:
    """A walk along a path, with the bob of steps and the sway of standing.

    Args:
        x: (seconds, m) points, to the right.
        z: (seconds, m) points, away from the camera.
        chin: m above the camera while standing.
        phase: radians, so that no two people keep in step.
        times: seconds, of the frames, evenly spaced.
    """
    across, away = curve(x, times), curve(z, times)
    pace = np.hypot(np.gradient(across, times), np.gradient(away, times))
    stride = np.cumsum(pace) * (times[1] - times[0]) * np.pi / STEP + phase  # pi a step
    going = np.clip(pace / 0.9, 0, 1)
    sway = np.sin(2 * np.pi * 0.19 * times + phase) + 0.5 * np.sin(2 * np.pi * 0.31 * times + 2 * phase)
    bob = 0.018 * going * (np.cos(2 * stride) - 1) / 2 + 0.002 * sway
    return Walk(
        x=across + 0.012 * going * np.sin(stride) + 0.006 * sway,
        y=chin + bob,
        z=away,
        roll=1.6 * going * np.sin(stride) + 0.5 * sway,
    )
