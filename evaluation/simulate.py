"""Made-up sequences of faces: one seed is the same scene at every frame rate.

The scene is integrated at 60 Hz and sampled; the detector's errors are drawn anew for each sampled frame.
"""

from __future__ import annotations

import numpy as np

from core.errors import ConfigError
from core.types import F64, I64
from evaluation.noise import NoisyDetector, Seen
from evaluation.scene import RATE, SIZE, Scene, make_scene
from evaluation.sequence import FASTEST, SLOWEST, Sequence


def simulate(seed: int, fps: float, seconds: float = 60.0) -> Sequence:
    """The sequence of a seed.

    Args:
        seed: of the scene; the same at each `fps`.
        fps: frames a second; must divide 60.
        seconds: its length.

    Raises:
        ConfigError: a frame rate that the steps of the scene do not fit.
    """
    every = round(RATE / fps) if SLOWEST <= fps <= FASTEST else 0
    if every < 1 or abs(every * fps - RATE) > 1e-6:
        raise ConfigError(f"--fps {fps:g}: expected a rate that divides {RATE}, such as 5, 10, 15 or 30.")
    scene = make_scene(seed, seconds)
    steps = np.arange(0, len(scene.ids), every)
    times = np.arange(len(steps)) / fps
    rng = np.random.default_rng([seed, 5, every])
    detector = NoisyDetector(rng, scene.ids.shape[1], times, SIZE)
    found = tuple(
        detector.detect(_seen(scene, step), time) for step, time in zip(steps.tolist(), times, strict=True)
    )
    cuts = frozenset(-(-cut // every) for cut in scene.cuts) & frozenset(range(len(steps)))
    return Sequence(f"SIM{fps:g}", f"sim-{seed}", fps, SIZE, times, found, cuts, _truth(scene, steps))


def _seen(scene: Scene, step: int) -> Seen:
    people = np.flatnonzero(scene.ids[step])
    return Seen(
        people,
        scene.boxes[step, people],
        scene.speeds[step, people],
        scene.yaws[step, people],
        scene.covered[step, people],
    )


def _truth(scene: Scene, steps: I64) -> F64:
    """The rows of `Sequence.truth`."""
    ids = scene.ids[steps]
    frames, people = np.nonzero(ids)
    boxes, covered = scene.boxes[steps][frames, people], scene.covered[steps][frames, people]
    ones = np.ones(len(frames))
    return np.column_stack([frames, ids[frames, people], boxes, ones, ones, 1 - covered])
