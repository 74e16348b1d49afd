import numpy as np
import pytest

from core.errors import ConfigError
from evaluation.noise import NoisyDetector, Seen, draw_ghosts
from evaluation.scene import SIZE, covering, identities, make_scene
from evaluation.sequence import BOX, FRAME, ID
from evaluation.simulate import simulate


def _truth(sequence, frame):
    return sequence.truth[sequence.truth[:, FRAME] == frame][:, ID:]


@pytest.mark.parametrize("fps", [10, 15, 30])
def test_a_seed_is_the_same_scene_at_every_frame_rate(fps):
    slow, fast = simulate(3, 5, seconds=20), simulate(3, fps, seconds=20)

    assert len(slow.truth) > 100
    for frame in range(len(slow)):
        same = frame * fps // 5
        assert slow.times[frame] == pytest.approx(fast.times[same], abs=1e-9)
        assert np.array_equal(_truth(slow, frame), _truth(fast, same))


def test_a_seed_gives_the_same_detections_each_time():
    once, again = simulate(2, 10, seconds=5), simulate(2, 10, seconds=5)

    for a, b in zip(once.detections, again.detections, strict=True):
        assert np.array_equal(a.boxes, b.boxes)
        assert np.array_equal(a.scores, b.scores)


def test_a_longer_scene_begins_as_a_shorter_one():
    short, long = simulate(0, 10, seconds=5), simulate(0, 10, seconds=10)

    assert np.array_equal(short.truth, long.truth[long.truth[:, FRAME] < 50])


def test_another_seed_is_another_scene():
    assert not np.array_equal(simulate(1, 5, seconds=5).truth, simulate(2, 5, seconds=5).truth)


def test_a_cut_is_the_first_frame_of_its_shot_and_nobody_keeps_an_id_across_it():
    sequence = simulate(0, 10)

    assert sequence.cuts
    for cut in sequence.cuts:
        before = sequence.truth[sequence.truth[:, FRAME] < cut, ID]
        after = sequence.truth[sequence.truth[:, FRAME] >= cut, ID]
        assert not set(before) & set(after)


def test_nobody_is_in_the_truth_whose_larger_half_is_out_of_the_picture():
    boxes = np.concatenate([simulate(seed, 5).truth[:, BOX] for seed in range(4)])

    inside = np.clip(boxes, 0, (*SIZE, *SIZE))
    share = np.prod(inside[:, 2:] - inside[:, :2], axis=1) / np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)

    assert share.min() >= 0.5


def test_faces_move_smoothly_within_a_shot():
    scene = make_scene(3, 10.0)

    there = (scene.ids[1:] == scene.ids[:-1]) & (scene.ids[1:] > 0)
    steps = np.abs(np.diff(scene.boxes, axis=0))[there]

    assert steps.max() < 20  # px in a sixtieth of a second


def test_a_face_behind_a_larger_one_is_covered_by_the_share_that_it_hides():
    boxes = np.float64([[[0, 0, 10, 10], [5, 0, 25, 20]]])

    assert covering(boxes, np.ones((1, 2), bool)).tolist() == [[0.5, 0.0]]
    assert covering(boxes, np.array([[True, False]])).tolist() == [[0.0, 0.0]]


def test_somebody_who_is_away_for_more_than_a_second_comes_back_as_another():
    here = np.ones((300, 1), bool)
    here[50:110] = False  # one second of steps
    here[150:211] = False  # a step more

    ids = identities(here, ())

    assert set(ids[:50, 0]) == set(ids[110:150, 0]) == {1}
    assert set(ids[211:, 0]) == {2}


def _detector(frames, seed=0):
    return NoisyDetector(np.random.default_rng(seed), 1, np.arange(frames) / 10, SIZE)


def _face(speed=0.0, yaw=0.0, covered=0.0, size=100.0):
    box = np.float64([[400, 300, 400 + size, 300 + size]])
    return Seen(np.zeros(1, int), box, np.float64([speed]), np.float64([yaw]), np.float64([covered]))


@pytest.mark.parametrize(
    ("face", "missed", "score"),
    [  # by the formulas of the noise model, and a burst for 0.046 of the time
        (_face(), 0.02 + 0.046 * 0.55, 0.92),
        (_face(size=20), 0.27 + 0.046 * 0.55, 0.695),
        (_face(covered=0.5), 0.245 + 0.046 * 0.55, 0.62),
        (_face(yaw=0.8), 0.32 + 0.046 * 0.55, 0.695),
        (_face(speed=4), 0.17 + 0.046 * 0.55, 0.745),
    ],
)
def test_faces_are_missed_and_doubted_as_often_as_the_noise_model_says(face, missed, score):
    detector = _detector(2000)

    best = []
    for frame in range(2000):
        found = detector.detect(face, frame / 10)
        near = np.abs(found.boxes[:, 0] - 400) < 50
        best.append(found.scores[near].max() if near.any() else np.nan)

    assert np.isnan(best).mean() == pytest.approx(missed, abs=0.02)
    assert np.nanmedian(best) == pytest.approx(score, abs=0.03)


def test_false_faces_are_as_frequent_as_the_noise_model_says():
    nobody = Seen(np.zeros(0, int), np.zeros((0, 4)), *(np.zeros(0) for _ in range(3)))
    detector = _detector(6000)

    found = [len(detector.detect(nobody, frame / 10)) for frame in range(6000)]

    lasting = 0.04 * 1.4 * 0.6  # a second, seconds each, share of the frames that show them
    assert np.mean(found) == pytest.approx(0.03 + lasting, abs=0.015)


def test_lasting_false_faces_stay_for_a_while():
    ghosts = draw_ghosts(np.random.default_rng(0), 10000.0, SIZE)

    lengths = [ghost.end - ghost.start for ghost in ghosts]
    assert len(ghosts) == pytest.approx(400, abs=80)
    assert min(lengths) >= 0.3
    assert max(lengths) <= 2.5


@pytest.mark.parametrize("rate", [25, 0, -5, float("nan"), float("inf"), 1e-320])
def test_a_rate_that_does_not_fit_the_steps_is_an_error(rate):
    with pytest.raises(ConfigError, match="divides 60"):
        simulate(0, rate)
