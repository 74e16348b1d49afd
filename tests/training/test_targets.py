from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import ConfigError
from evaluation.samples import RACES
from tests.training.drawn import SIDE, cached, faces
from training.cache import build
from training.measures import by_set, confusion, constant, figures, softmax, truth, years
from training.targets import MOODS, Faces, Fold


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return cached(tmp_path_factory.mktemp("cache"), 200)


def _names(faces: Faces) -> set[str]:
    return set(faces.labels.name.tolist())


def test_parts_share_no_face_and_cover_the_set(cache) -> None:
    parts = [_names(Faces(cache, ("drawn",), part, 0, 0.4)) for part in ("train", "tune", "report")]

    assert sum(map(len, parts)) == len(set.union(*parts)) == 200


def test_folds_share_no_picture_cover_the_training_part_and_touch_nothing_else(cache) -> None:
    whole = Faces(cache, ("drawn",), "train", 0, 0.4)
    folds = [Fold(k, 4) for k in (1, 2, 3, 4)]

    held = [Faces(cache, ("drawn",), "tune", 0, 0.4, fold=fold) for fold in folds]
    seen = [Faces(cache, ("drawn",), "train", 0, 0.4, fold=fold) for fold in folds]

    assert sum(len(part) for part in held) == len(whole)
    assert set.union(*map(_names, held)) == _names(whole)
    for out, used in zip(held, seen, strict=True):
        assert not set(out.labels.key.tolist()) & set(used.labels.key.tolist())
        assert _names(out) | _names(used) == _names(whole)


def test_a_fold_leaves_the_report_what_it_is(cache) -> None:
    report, beside = (Faces(cache, ("drawn",), "report", 0, 0.4, fold=fold) for fold in (None, Fold(1, 4)))

    assert _names(beside) == _names(report)


@pytest.mark.parametrize("text", ["", "5", "0/5", "6/5", "1/1", "a/b"])
def test_a_fold_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected K/N"):
        Fold.parsed(text)


def test_a_share_of_the_faces_is_about_that_large_and_part_of_the_whole(cache) -> None:
    whole, half = (Faces(cache, ("drawn",), "train", 0, 0.4, share=share) for share in (1.0, 0.5))

    assert _names(half) < _names(whole)
    assert 0.3 < len(half) / len(whole) < 0.7


def test_an_exact_age_has_equal_ends_and_a_group_its_own(cache) -> None:
    faces = Faces(cache, ("drawn",), "train", 0, 0.4)

    exact = np.isfinite(faces.labels.age)
    low, high = faces.targets.ends.T

    assert (low[exact] == high[exact]).all()
    assert (high[~exact] - low[~exact] == 9).all()


def test_what_is_not_labelled_is_a_row_of_zeros_and_a_mood_mixes_label_and_votes(cache) -> None:
    faces = Faces(cache, ("drawn",), "train", 0, 0.4)

    shares, mood = faces.targets.shares, faces.labels.mood

    assert (shares["gender"].sum(axis=1) == np.isfinite(faces.labels.female)).all()
    assert (shares["race"].sum(axis=1) == (faces.labels.race >= 0)).all()
    np.testing.assert_allclose(shares["emotion"].sum(axis=1), mood >= 0, atol=1e-6)
    row = int(np.flatnonzero(mood >= 0)[0])
    votes = faces.labels.votes[row, MOODS]
    wanted = 0.6 * (np.arange(7) == mood[row]) + 0.4 * votes / votes.sum()
    np.testing.assert_allclose(shares["emotion"][row], wanted, atol=1e-6)


def test_balanced_faces_of_rare_ages_are_drawn_more_often(cache) -> None:
    plain, even = (Faces(cache, ("drawn",), "train", balance, 0.4) for balance in (0.0, 1.0))

    assert plain.weights.std() < 1e-12
    assert even.weights.sum() == pytest.approx(1)


def test_figures_are_those_worked_by_hand(cache) -> None:
    faces = Faces(cache, ("drawn",), "train", 0, 0.4)
    labels = faces.labels.take(np.flatnonzero(np.isfinite(faces.labels.age) & (faces.labels.race >= 0))[:10])
    said = {
        "age": (labels.age + np.float32([3] * 5 + [-1] * 5))[:, None],
        "race": np.eye(len(RACES), dtype=np.float32)[
            np.where(np.arange(10) < 8, labels.race, labels.race - 1)
        ],
    }

    found = figures(said, labels)

    assert found["mae"] == pytest.approx(2)
    assert found["race"] == pytest.approx(0.8)


def test_years_are_the_mean_of_the_distribution_or_the_number_itself() -> None:
    scores = np.zeros((1, 101), np.float32)

    assert years(scores) == pytest.approx(50)
    assert years(np.float32([[23.5]])) == pytest.approx(23.5)
    assert softmax(scores).sum() == pytest.approx(1)


def test_the_constant_answer_is_the_median_and_the_commonest(cache) -> None:
    faces = Faces(cache, ("drawn",), "train", 0, 0.4)

    said = constant(faces.labels, {"age": 101, "gender": 2, "emotion": 7, "quality": 1}, len(faces))
    found = by_set(said, faces)

    known = faces.labels.female[np.isfinite(faces.labels.female)]
    assert set(said) == {"age", "gender", "emotion"}
    assert found["drawn_gender"] == pytest.approx(max(known.mean(), 1 - known.mean()))
    assert said["age"][0, 0] == np.nanmedian(faces.labels.age)
    counts = confusion(said["gender"], truth(faces.labels, "gender"))
    assert counts.sum() == len(known)
    assert (counts.sum(axis=0) == 0).sum() == 1


def test_a_part_without_faces_is_refused(tmp_path) -> None:
    cached(tmp_path, 2)

    with pytest.raises(ConfigError, match="no face of drawn belongs to the part"):
        Faces(tmp_path, ("drawn",), "nothing", 0, 0.4)


def test_faces_of_rare_age_groups_are_drawn_more_often(tmp_path) -> None:
    spans = [(60.0, 69.0) if nth % 5 == 0 else (20.0, 29.0) for nth in range(200)]
    people = (
        (replace(sample, age=float("nan"), age_low=span[0], age_high=span[1]), found)
        for (sample, found), span in zip(faces(200), spans, strict=True)
    )
    build("drawn", people, tmp_path, SIDE)

    even = Faces(tmp_path, ("drawn",), "train", 1, 0.4)

    old = even.labels.age_low == 60
    assert even.weights[old].sum() == pytest.approx(even.weights[~old].sum())
