"""The protocol of LFW on made-up people."""

import json
import re

import numpy as np
import pytest
from scipy import stats

from core.errors import ConfigError
from core.types import Crop, Estimates
from evaluation import verify
from evaluation.__main__ import main
from evaluation.curves import accepts
from evaluation.layouts.place import Place
from evaluation.measures import plain
from evaluation.pairs import Pair, accepted, best_threshold, by_folds, drawn, listed, people
from evaluation.report import bootstrap
from tests.evaluation.sets import picture, pictures, text


def made_up(folder, persons=40, each=3):
    """People of that many pictures, each of one grey."""
    for person in range(persons):
        for number in range(each):
            picture(folder / f"P{person}" / f"P{person}_{number + 1:04d}.png", grey=6 * person, size=16)
    return folder


def test_people_are_read_from_folders_and_names(tmp_path):
    pictures(tmp_path, "Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0012.png", "Ann_Lee/other.jpg")

    assert people(Place(tmp_path)) == {
        "Ann_Lee": {1: "Ann_Lee/Ann_Lee_0001.jpg", 12: "Ann_Lee/Ann_Lee_0012.png"}
    }


def test_pairs_are_read_fold_by_fold(tmp_path):
    known = people(Place(pictures(tmp_path, "A/A_0001.png", "A/A_0002.png", "B/B_0001.png")))
    lines = "2\t1\nA\t1\t2\nA\t1\tB\t1\nA\t2\t1\nB\t1\tA\t2\n"

    pairs = listed(lines, known)

    assert [(pair.same, pair.fold) for pair in pairs] == [(True, 0), (False, 0), (True, 1), (False, 1)]
    assert (pairs[3].first, pairs[3].second) == ("B/B_0001.png", "A/A_0002.png")


def test_a_pair_of_pictures_that_are_not_there_is_told_by_its_line(tmp_path):
    known = people(Place(pictures(tmp_path, "A/A_0001.png")))

    with pytest.raises(ConfigError, match=r"pairs.txt, line 2: 'A 1 9'"):
        listed("1\t1\nA\t1\t9\n", known)


def test_pairs_of_a_single_fold_are_refused(tmp_path):
    known = people(Place(pictures(tmp_path, "A/A_0001.png", "A/A_0002.png", "B/B_0001.png")))

    with pytest.raises(ConfigError, match="2 pairs, with 1 of each kind in a fold, are a single fold"):
        listed("1 1\nA 1 2\nA 1 B 1\n", known)
    with pytest.raises(ConfigError, match="pairs of a single fold"):
        by_folds(np.array([0.9, 0.1]), np.array([True, False]), np.zeros(2, int))


def test_drawn_folds_share_nobody_and_are_the_same_for_the_same_seed(tmp_path):
    known = people(Place(made_up(tmp_path)))

    pairs, again = (drawn(known, 5, np.random.default_rng(3)) for _ in range(2))

    assert pairs == again
    folds = {}
    for pair in pairs:
        folds.setdefault(pair.fold, set()).update(name.split("/")[0] for name in (pair.first, pair.second))
        assert pair.same == (pair.first.split("/")[0] == pair.second.split("/")[0])
    assert len(folds) == 10
    assert sum(map(len, folds.values())) == len(set.union(*folds.values()))
    assert sum(pair.same for pair in pairs) == sum(not pair.same for pair in pairs) == 50


def test_each_fold_is_judged_by_the_threshold_of_the_others():
    scores = np.array([0.9, 0.1, 0.9, 0.1, 0.4, 0.3])
    same = np.array([True, False, True, False, True, False])
    folds = np.array([0, 0, 1, 1, 2, 2])

    # The others part at 0.5, where the third fold's own pairs are both under it.
    assert by_folds(scores, same, folds).tolist() == [True, True, True, True, False, True]


@pytest.mark.parametrize(
    ("scores", "same", "low", "high"),
    [
        ([0.9, 0.5, 0.1], [True, True, False], 0.1, 0.5),
        ([0.5, 0.5, 0.5], [True, False, False], 0.5, np.inf),
        ([0.3, 0.2], [True, True], -np.inf, 0.2),
    ],
)
def test_the_best_threshold_has_the_fewest_errors(scores, same, low, high):
    assert low < best_threshold(np.array(scores), np.array(same)) <= high


def test_few_false_accepts_are_allowed():
    scores = np.array([0.9, 0.6, 0.4, 0.7, 0.5, 0.3, 0.2])
    same = np.array([True, True, True, False, False, False, False])

    shares = [plain(accepted(scores, same, allowed), 7) for allowed in (1e-3, 0.25)]

    assert shares == [1 / 3, 2 / 3]


def test_accepted_pairs_are_those_over_the_least_threshold_that_lets_few_enough_others_pass():
    generator = np.random.default_rng(5)
    for _ in range(60):
        same, scores = generator.random(30) < 0.5, generator.integers(0, 12, 30) / 4
        weights = generator.multinomial(30, np.full(30, 1 / 30), 4).astype(float)
        allowed = generator.choice([0.0, 0.1, 0.3])

        shares = accepted(scores, same, allowed)(weights)

        for share, counts in zip(shares, weights.astype(int), strict=True):
            ones, others = (np.repeat(scores, counts * kind) for kind in (same, ~same))
            passing = [at for at in (-1, *scores) if (others > at).sum() <= np.floor(allowed * len(others))]
            assert share == pytest.approx((ones > min(passing)).mean())


def test_without_pairs_of_two_people_no_threshold_is_known():
    assert np.isnan(plain(accepted(np.array([0.9, 0.8]), np.ones(2, bool), 1e-3), 2))


def test_the_interval_of_accepted_pairs_holds_the_truth_about_as_often_as_it_says():
    """Likenesses are normal, 2.5 apart: one in a hundred of two people is as alike as 57 % of one are."""
    generator = np.random.default_rng(7)
    same, truth = np.arange(1000) < 500, stats.norm.sf(stats.norm.isf(0.01) - 2.5)

    made = [
        bootstrap(1000, accepted(generator.normal(0, 1, 1000) + 2.5 * same, same, 0.01)) for _ in range(40)
    ]

    assert np.mean([figure.low <= truth <= figure.high for figure in made]) >= 0.85


class Greys:
    """Stands for the network: the direction of a face print is the grey of the picture."""

    crop = Crop("aligned", 8)

    def estimate(self, crops, quality):
        angles = crops.mean(axis=(1, 2, 3)) / 100
        none = Estimates.none(len(crops))
        vectors = np.float32([np.cos(angles), np.sin(angles)]).T
        return Estimates(none.quality, none.age, none.female, none.emotion, vectors)


class Opened:
    """Stands for an opened network."""

    card = session = None

    def row(self):
        return {"role": "embedding", "id": "greys", "sha256": "", "licence": "none", "commercial": True}


def test_the_task_writes_its_figures(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(verify, "open_model", lambda *words: Opened())
    monkeypatch.setattr(verify, "Network", lambda card, session: Greys())
    data, out = made_up(tmp_path / "people"), tmp_path / "out"

    assert main(["verify", "--data", str(data), "--aligned", "--pairs", "4", "--out", str(out)]) == 0

    summary = json.loads((out / "summary.json").read_text())
    assert (summary["task"], summary["n"], summary["missed"]) == ("verify", 80, 0)
    assert summary["metrics"]["tar_at_far_0.001"]["value"] == 1
    assert summary["metrics"]["accuracy"]["value"] > 0.9
    assert "accuracy" in capsys.readouterr().out
    assert "Accepted pairs" in (out / "report.html").read_text(encoding="utf-8")


def test_the_curve_of_accepted_pairs_runs_along_the_top_where_all_are_told_apart():
    same = np.arange(20) < 10
    apart, mixed = (accepts(scores, same).svg for scores in (1.0 * same, np.arange(20) % 10 / 10))

    heights = [
        [float(point.split(",")[1]) for point in re.findall(r"[\d.]+,[\d.]+", svg)] for svg in (apart, mixed)
    ]
    assert len(heights[0]) == 9
    assert len(set(heights[0])) == 1
    assert heights[1] == sorted(heights[1], reverse=True)
    assert min(heights[1]) > heights[0][0]


def test_a_picture_that_cannot_be_read_is_told_and_its_pairs_have_no_face(tmp_path, caplog):
    text(tmp_path / "A" / "A_0001.jpg", "broken")
    picture(tmp_path / "A" / "A_0002.png")
    pair = Pair("A/A_0001.jpg", "A/A_0002.png", same=True, fold=0)

    prints = verify.embed(Place(tmp_path), [pair], Greys(), None)

    assert list(prints) == ["A/A_0002.png"]
    assert caplog.messages == ["A/A_0001.jpg: cannot be read as a picture."]


def test_a_folder_without_people_is_an_error_of_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(verify, "open_model", lambda *words: Opened())
    text(tmp_path / "pairs.txt", "1 1\n")

    assert main(["verify", "--data", str(tmp_path), "--aligned"]) == 2

    assert "no pictures named Name/Name_0001 (LFW) there" in capsys.readouterr().err
