"""The filter against filterpy's, and the laws of its model."""

from __future__ import annotations

import warnings
from math import exp

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from tracker.motion import CENTRE, SIDES, Motion, Noise, Step, step

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its imports, not ours
    from filterpy.kalman import KalmanFilter

calm = settings(deadline=None)
boxes = st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000), st.floats(1, 1000), st.floats(1, 1000)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)
spans = st.floats(0, 10)
film = st.lists(st.tuples(spans, st.none() | st.tuples(boxes, st.floats(0.1, 2))), max_size=30)


def oracle(box, noise: Noise, coordinate: int) -> KalmanFilter:
    """The same model in matrices."""
    made = KalmanFilter(dim_x=2, dim_z=1)
    made.H = np.array([[1.0, 0.0]])
    size = np.sqrt((box[2] - box[0]) * (box[3] - box[1]))
    made.x = np.array([[measured(box)[coordinate]], [0.0]])
    made.P = np.diag([(noise.measurement * size) ** 2, (noise.velocity * size) ** 2])
    return made


def measured(box) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box
    return (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1


@calm
@given(boxes, film)
def test_the_filter_is_the_kalman_filter(first, frames) -> None:
    motion = Motion(first)
    noises = (CENTRE, CENTRE, SIDES, SIDES)
    filters = [oracle(first, noise, i) for i, noise in enumerate(noises)]
    size = np.sqrt((first[2] - first[0]) * (first[3] - first[1]))

    for seconds, look in frames:
        steps = [step(noise, seconds) for noise in noises]
        motion.predict(steps[0], steps[2])
        for each, s in zip(filters, steps, strict=True):
            each.predict(
                F=np.array([[1.0, s.reach], [0.0, s.decay]]),
                Q=size**2 * np.array([[s.position, s.cross], [s.cross, s.velocity]]),
            )
        if look:
            box, factor = look
            motion.update(box, factor)
            size = np.sqrt((box[2] - box[0]) * (box[3] - box[1]))
            for i, (each, noise) in enumerate(zip(filters, noises, strict=True)):
                each.update(measured(box)[i], R=np.array([[(noise.measurement * size) ** 2 * factor]]))

    means = np.array([[motion.x, motion.y, motion.w, motion.h], [motion.vx, motion.vy, motion.vw, motion.vh]])
    expected = np.array([each.x[:, 0] for each in filters]).T
    scale = 1e-9 * max(1.0, np.abs(expected).max())
    np.testing.assert_allclose(means, expected, rtol=1e-9, atol=scale)
    for triple, each in ((motion.centre, filters[0]), (motion.sides, filters[2])):
        np.testing.assert_allclose(triple, each.P[[0, 0, 1], [0, 1, 1]], rtol=1e-9, atol=1e-9 * size**2)


@calm
@given(boxes, boxes, spans, spans)
def test_two_predictions_equal_one_over_their_sum(first, second, a, b) -> None:
    once, twice = Motion(first), Motion(first)
    for motion, parts in ((once, [a + b]), (twice, [a, b])):
        motion.update(second)
        for seconds in parts:
            motion.predict(step(CENTRE, seconds), step(SIDES, seconds))

    np.testing.assert_allclose(twice.box, once.box, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(twice.centre, once.centre, rtol=1e-6)
    np.testing.assert_allclose(twice.sides, once.sides, rtol=1e-6)


@pytest.mark.parametrize("noise", [CENTRE, SIDES])
@pytest.mark.parametrize("seconds", [1e-4, 0.009, 0.011, 1 / 30, 0.2, 0.31, 1.0, 30.0])
def test_a_step_is_the_integral_of_its_noise(noise: Noise, seconds: float) -> None:
    def velocity(t: float) -> float:
        return exp(-noise.damping * t)

    def position(t: float) -> float:
        return (1 - exp(-noise.damping * t)) / noise.damping

    def integral(f) -> float:
        return noise.acceleration**2 * quad(f, 0, seconds, epsabs=0, epsrel=1e-10)[0]

    expected = Step(
        position(seconds),
        velocity(seconds),
        integral(lambda t: position(t) ** 2),
        integral(lambda t: position(t) * velocity(t)),
        integral(lambda t: velocity(t) ** 2),
    )
    np.testing.assert_allclose(step(noise, seconds), expected, rtol=1e-8)


@calm
@given(boxes, st.lists(boxes, max_size=5), st.floats(0, 36000))
def test_a_box_never_turns_inside_out_however_long_it_coasts(first, more, seconds) -> None:
    motion = Motion(first)
    for box in more:
        motion.predict(step(CENTRE, 0.04), step(SIDES, 0.04))
        motion.update(box)

    motion.predict(step(CENTRE, seconds), step(SIDES, seconds))

    x1, y1, x2, y2 = motion.box
    assert x2 - x1 >= motion.size / 8 * (1 - 1e-6)
    assert y2 - y1 >= motion.size / 8 * (1 - 1e-6)


def test_a_shrinking_face_keeps_its_shape_while_it_coasts() -> None:
    motion = Motion((0, 0, 50, 60))
    for i in range(10):
        motion.predict(step(CENTRE, 1 / 30), step(SIDES, 1 / 30))
        motion.update((0, 0, 50 - 0.5 * i, 60 - 0.6 * i))

    motion.predict(step(CENTRE, 2.0), step(SIDES, 2.0))

    assert motion.w / motion.h == pytest.approx(50 / 60, rel=0.02)
    assert motion.w * motion.h > 0.5 * 45 * 54


def test_noise_is_relative_to_the_size_of_the_face() -> None:
    small, large = Motion((0, 0, 20, 20)), Motion((0, 0, 300, 300))
    for motion, size in ((small, 20), (large, 300)):
        motion.predict(step(CENTRE, 0.04), step(SIDES, 0.04))
        motion.update((0.1 * size, 0, 1.1 * size, size))

    assert large.x / 300 == pytest.approx(small.x / 20)
