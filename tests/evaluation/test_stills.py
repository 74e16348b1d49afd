"""The tasks on labelled pictures of faces, and on pictures without labels."""

import csv
import json
import os

import cv2
import numpy as np
import pytest

from core.types import EMOTIONS, Evidence
from evaluation.__main__ import main
from evaluation.figures import Ages, Classes, age_cases, figures, race_cases
from evaluation.groups import Labels
from evaluation.judge import Judged
from evaluation.layouts.adience import GROUPS
from evaluation.plots import lines, points, shades, ticks
from evaluation.report import Figure
from evaluation.samples import Sample
from tests.evaluation.sets import pictures, text
from tests.make import evidence
from tests.portraits import PICTURES, portrait

OWN = {"age": "age_dlib", "gender": "gender_dlib", "emotion": "emotion_fer"}
EMPTY = np.zeros((0, 0, 3), np.uint8)


def judged(ages, said, half=5.0, **labels):
    """Faces of those true ages of which the program says those."""
    belief = evidence(range(1, len(said) + 1))
    columns = {"age_mean": said, "age_low": np.array(said) - half, "age_high": np.array(said) + half}
    for name, values in columns.items():
        getattr(belief, name)[:] = values
    known = Labels.of([Sample(str(i), EMPTY, age=age, **labels) for i, age in enumerate(ages)])
    return Judged(known, belief, np.ones(len(ages)), np.zeros((len(ages), 0)), Labels.of([]))


def of_ages(faces, spans=()):
    none = np.zeros(len(faces.missed), bool)
    return figures(faces, age_cases(faces, spans), none, ())


def test_the_figures_of_ages_are_those_one_works_out_by_hand():
    found = of_ages(judged([10, 20, 30, 40], [12, 20, 24, 50]))

    values = {name: figure.value for name, figure in found.metrics.items()}
    assert values["mae"] == 4.5
    assert values["bias"] == 1.5
    assert values["median_error"] == 4
    assert values["within_5"] == 0.5
    assert values["interval_holds"] == 0.5
    assert values["interval_width"] == 10
    # 10 and 12: 8-13; 20 and 20: 15-20; 30 and 24: 25-32; 40: 38-43, 50: 48-53.
    assert (values["bin_exact"], values["bin_near"]) == (0.75, 1)
    assert values["missed_share"] == 0


def test_the_worst_band_needs_thirty_faces():
    few = of_ages(judged([80] * 29 + [25] * 30, [60] * 29 + [28] * 30))
    enough = of_ages(judged([80] * 30 + [25] * 30, [60] * 30 + [28] * 30))

    assert few.metrics["worst_band_mae"].value == 3
    assert enough.metrics["worst_band_mae"].value == 20


def test_ages_known_by_group_alone_are_told_by_group_alone():
    labels = Labels.of(
        [Sample("a", EMPTY, age_low=20, age_high=29), Sample("b", EMPTY, age_low=3, age_high=9)]
    )
    belief = evidence([1, 2], age=31)
    faces = Judged(labels, belief, np.ones(2), np.zeros((2, 0)), Labels.of([]))

    found = of_ages(faces, ((0, 2), (3, 9), (10, 19), (20, 29), (30, 39)))

    assert "mae" not in found.metrics
    assert (found.metrics["bin_exact"].value, found.metrics["bin_near"].value) == (0, 0.5)


def test_each_group_says_how_many_faces_it_has_and_lost():
    faces = judged([25, 25, 70], [25, 27, 60], female=1.0)
    missed = Labels.of([Sample("m", EMPTY, age=24.0, female=1.0)])
    faces = Judged(faces.labels, faces.belief, faces.quality, faces.races, missed)

    found = figures(faces, age_cases(faces, ()), np.ones(1, bool), ())

    assert (found.n, found.missed) == (4, 1)
    assert found.metrics["missed_share"].value == 0.25
    assert (found.groups["age 20-29"]["n"].value, found.groups["age 20-29"]["missed"].value) == (3, 1)
    assert found.groups["age 20-29"]["mae"].value == 1
    assert found.groups["women"]["n"].value == 4


def test_answers_that_are_not_named_cost_no_accuracy_of_those_that_are():
    chances = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    cases = Classes(chances, np.array([0, 1, 1]), ("women", "men"), np.array([True, False, True]))

    measures = cases.measures()

    values = {name: float(measure(np.ones((1, 3)))[0]) for name, measure in measures.items()}
    assert values["accuracy"] == pytest.approx(2 / 3)
    assert values["said"] == pytest.approx(2 / 3)
    assert values["said_accuracy"] == 1
    assert (values["recall_women"], values["recall_men"]) == (1, 0.5)
    assert values["auroc"] == 1


def test_a_group_in_which_every_gender_is_named_says_so():
    cases = Classes(np.eye(2), np.array([0, 1]), ("women", "men"), np.ones(2, bool))

    assert float(cases.measures()["said"](np.ones((1, 2)))[0]) == 1


def test_races_that_the_network_does_not_tell_are_left_out():
    labels = Labels.of([Sample(str(race), EMPTY, race=race) for race in (0, 1, 2, -1)])
    races = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.5, 0.5]])
    faces = Judged(labels, Evidence.none(np.arange(4)), np.ones(4), races, Labels.of([]))

    cases, rows = race_cases(faces, ("white", "latino", "asian"), ("asian", "white"))

    assert rows.tolist() == [True, False, True, False]
    assert cases.true.tolist() == [1, 0]
    assert cases.said.tolist() == [0, 0]


def test_an_interval_holds_its_ends():
    said, true = np.full(3, 30.0), np.array([25.0, 35.0, 35.1])

    assert Ages(said, said - 5, said + 5, true, true, GROUPS).held.tolist() == [True, True, False]


@pytest.fixture
def people(tmp_path):
    """UTKFace's layout, filled with one face of the demo, lit in forty ways, and an empty wall."""
    folder = tmp_path / "people"
    folder.mkdir()
    for i in range(40):
        lit = np.clip(portrait(160, 160) * (0.5 + 0.015 * i), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{31 if i % 2 else 28}_1_0_201701041734{i:05d}.png"), lit)
    cv2.imwrite(str(folder / "50_0_2_20170104173499999.png"), np.full((90, 90, 3), 120, np.uint8))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("task", "key"), [("age", "mae"), ("gender", "accuracy")])
def test_a_report_has_the_figures_the_groups_and_the_drawings(people, tmp_path, capsys, task, key):
    words = [task, "--data", str(people), "--models", OWN[task], "--out", str(tmp_path / "out")]

    assert main(words) == 0

    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["task"], summary["n"], summary["missed"]) == (task, 41, 1)
    assert (
        summary["metrics"][key]["low"] <= summary["metrics"][key]["value"] <= summary["metrics"][key]["high"]
    )
    assert summary["metrics"]["missed_share"]["value"] == pytest.approx(1 / 41, abs=1e-4)
    assert summary["by_group"]["women"]["n"] == {"value": 40, "low": None, "high": None}
    assert key in summary["by_group"]["age 20-29"]
    assert [model["id"] for model in summary["models"]] == ["yunet", OWN[task]]
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<svg") == 4
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    out = capsys.readouterr().out
    assert "faces found by yunet" in out
    assert "women" in out


@pytest.mark.slow
def test_the_bare_picture_is_judged_without_a_detector(people, tmp_path):
    words = ["gender", "--data", str(people), "--aligned", "--models", "gender_dlib", "--limit", "5"]

    assert main([*words, "--out", str(tmp_path)]) == 0

    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["n"], summary["missed"]) == (5, 0)
    assert [model["role"] for model in summary["models"]] == ["gender"]


@pytest.mark.slow
def test_moods_are_told_by_both_kinds_of_labels_where_both_are_there(tmp_path):
    grey = cv2.cvtColor(cv2.resize(portrait(130, 130), (48, 48)), 6)
    labels = ((3, "PrivateTest", grey), (6, "PublicTest", grey), (0, "Training", cv2.flip(grey, 1)))
    rows = [f"{mood},{' '.join(map(str, image.ravel()))},{usage}" for mood, usage, image in labels]
    text(tmp_path / "fer2013.csv", "\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    votes = [
        "PrivateTest,a.png,0,10,0,0,0,0,0,0,0,0",
        "PublicTest,b.png,5,5,0,0,0,0,0,0,0,0",
        "Training,c.png" + ",1" * 10,
    ]
    text(tmp_path / "fer2013new.csv", "\n".join(["head", *votes]) + "\n")
    words = ["emotion", "--data", str(tmp_path), "--models", "emotion_fer", "--aligned"]

    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    assert main([*words, "--split", "Training", "--out", str(tmp_path / "train")]) == 0

    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["n"] == 2
    assert summary["metrics"]["accuracy"]["value"] == 0.5
    assert summary["metrics"]["ferplus_accuracy"]["value"] == 1
    train = json.loads((tmp_path / "train" / "summary.json").read_text())
    assert train["n"] == 1
    assert "ferplus_accuracy" not in train["metrics"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["age", "--data", "nowhere"], "nowhere: there is no such folder"),
        (["age", "--data", "."], "no labelled faces recognised there. Looked for: "),
        (["emotion", "--data", "ages"], "ages: no picture with a label of emotion"),
        (["age", "--data", "ages", "--part", "tune"], "ages: no picture with a label of age"),
        (["gender", "--data", "ages", "--models", "age_dlib"], "--models, gender: there is no 'age_dlib'"),
        (["age", "--data", "ages", "--detector", "yunett"], "Did you mean 'yunet'"),
    ],
)
def test_a_wrong_request_is_an_error_of_one_line(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ages").mkdir()
    if words[2] == "ages":
        pictures(tmp_path / "ages", "30_1_0_20170104173400000.png")
    words = words if "--models" in words else [*words, "--models", OWN[words[0]]]

    assert main(words) in (2, 4)

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert sentence in line


def test_without_a_network_that_tells_races_the_task_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("evaluation.models.cards", dict)

    assert main(["race", "--data", str(tmp_path)]) == 2

    assert capsys.readouterr().err == "error: race: no network at hand tells it.\n"


@pytest.mark.slow
def test_a_line_is_written_for_each_picture_found_or_not(tmp_path):
    folder = tmp_path / "pictures"
    pictures(folder, "wall.png")
    (folder / "astronaut.png").write_bytes((PICTURES / "astronaut.png").read_bytes())
    (folder / "broken.jpg").write_bytes(b"no picture")
    models = ",".join(f"{role}={name}" for role, name in OWN.items())

    assert (
        main(["predict", "--images", str(folder), "--models", models, "--out", str(tmp_path / "p.csv")]) == 0
    )

    rows = list(csv.DictReader((tmp_path / "p.csv").read_text(encoding="utf-8").splitlines()))
    moods = [f"p_{name}" for name in EMOTIONS]
    columns = [
        "file",
        "found",
        "x1",
        "y1",
        "x2",
        "y2",
        "score",
        "age",
        "age_low",
        "age_high",
        "female",
        *moods,
    ]
    assert [list(row) for row in rows] == [columns] * 3
    assert [(row["file"], row["found"]) for row in rows] == [
        ("astronaut.png", "1"),
        ("broken.jpg", "0"),
        ("wall.png", "0"),
    ]
    assert float(rows[0]["age_low"]) <= float(rows[0]["age"]) <= float(rows[0]["age_high"])
    assert sum(float(rows[0][name]) for name in moods) == pytest.approx(1, abs=1e-3)
    assert [float(rows[0][key]) for key in ("x1", "y1")] == pytest.approx([178, 63], abs=3)
    assert set(list(rows[2].values())[2:]) == {""}


def test_ticks_are_round_and_within_their_span():
    assert ticks((0.6, 1.0)) == [0.6, 0.7, 0.8, 0.9, 1.0]
    assert ticks((-12.0, 14.0)) == [-10, 0, 10]


def test_drawings_hold_no_number_that_is_none():
    row = [Figure(1.0, 0.5, 1.5), Figure(np.nan, np.nan, np.nan)]

    drawn = [
        points(["a", "b"], {"mean": row, "bias": row}, "x", "<y>", 0.0),
        lines({"": (np.array([0.1, 0.9]), np.array([0.2, 0.8]))}, "x", "y", ((0, 1), (0, 1)), diagonal=True),
        shades(("a", "b"), np.array([[3.0, 1.0], [0.0, 0.0]])),
    ]

    assert all("nan" not in svg for svg in drawn)
    assert "&lt;y&gt;" in drawn[0]


@pytest.mark.slow
@pytest.mark.skipif("STREAM_DATA" not in os.environ, reason="STREAM_DATA names no folder of data packs")
def test_the_packs_are_judged_as_the_cards_say(tmp_path):
    """Bounds a little outside of what is measured on 400 pictures of each."""
    words = ["age", "--data", os.environ["STREAM_DATA"], "--models", "age_dlib", "--limit", "400"]

    assert main([*words, "--out", str(tmp_path)]) == 0

    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["n"] == 800
    assert summary["missed"] <= 4
    assert summary["metrics"]["utkface_public_mae"]["value"] == pytest.approx(6.5, abs=0.7)
    assert summary["metrics"]["aaf_public_mae"]["value"] == pytest.approx(8.2, abs=0.8)
