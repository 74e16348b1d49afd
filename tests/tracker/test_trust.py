"""By how much a detection of a score moves its track."""

from __future__ import annotations

import numpy as np
import pytest

from core.settings import TrackerConfig
from tests.make import faces
from tracker.sort import Sort
from tracker.trust import Trust


def test_a_surer_detection_is_followed_more() -> None:
    for relative in (False, True):
        trust = Trust(relative)

        assert trust.noise(0.95) < trust.noise(0.7) < trust.noise(0.4)


def test_of_a_face_half_sure_the_noise_is_as_stated_and_it_falls_evenly_with_the_score() -> None:
    trust = Trust(relative=False)
    trust.learn([0.9] * 500)

    noise = [trust.noise(score) for score in (0.5, 0.75, 1.0)]

    assert noise[0] == 1
    assert noise[0] - noise[1] == pytest.approx(noise[1] - noise[2])
    assert noise[2] > 0.1


@pytest.mark.parametrize("usual", [0.55, 0.8, 0.98])
def test_the_usual_score_is_learnt_from_the_scores(usual: float) -> None:
    trust = Trust(relative=True)
    random = np.random.default_rng(0)

    trust.learn(random.normal(usual, 0.02, 2000).clip(0, 1).tolist())

    assert trust.usual == pytest.approx(usual, abs=0.03)


def test_a_detector_that_always_says_nearly_one_is_not_believed_blindly() -> None:
    saturated, spread = Trust(relative=True), Trust(relative=True)
    saturated.learn([0.98] * 2000)
    spread.learn([0.6] * 2000)

    assert saturated.noise(0.98) == spread.noise(0.98) == 0.35
    assert saturated.noise(0.9) > 2 * spread.noise(0.9)


def test_people_seen_by_a_sure_detector_are_followed_closer_than_by_a_doubtful_one() -> None:
    places = {}
    for score in (0.75, 0.98):
        tracker = Sort(TrackerConfig(preset="people", scores="yolox"))
        for i in range(60):
            tracker.update(faces((100, 100, 150, 250), score=0.8), i / 25)
        moved = tracker.update(faces((110, 100, 160, 250), score=score), 60 / 25)
        places[score] = moved.boxes[0, 0]

    assert places[0.98] > places[0.75] + 0.5
