import csv
import hashlib
import json
import os
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import onnx
import pytest

from core.types import Faces
from evaluation import detect
from evaluation.__main__ import main
from evaluation.detect import Run, told_apart
from evaluation.wider_set import part_of
from tests.evaluation.sets import picture, text

PICTURES = Path(__file__).parents[2] / "capture" / "demo" / "pictures"
Named = namedtuple("Named", "id")  # stands for a card
HEAD = "file,x,y,w,h,easy,medium,hard"


@pytest.fixture
def pack(tmp_path):
    """One picture with one face, as the packs are made."""
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "astronaut.png").write_bytes((PICTURES / "astronaut.png").read_bytes())
    (folder / "wider_tiny.csv").write_text(f"{HEAD}\nastronaut.png,177,60,93,121,1,1,1\n")
    return folder


@pytest.mark.slow
def test_a_report_says_what_was_found(pack, tmp_path, capsys):
    assert main(["detect", "--data", str(pack), "--out", str(tmp_path / "out")]) == 0

    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["task"], summary["n"], summary["missed"]) == ("detect", 1, 0)
    assert summary["metrics"]["ap_easy"] == {"value": 1, "low": 1, "high": 1}
    assert summary["by_group"]["40+ px"]["recall"]["value"] == 1
    assert summary["models"][0]["id"] == "yunet"
    page = (tmp_path / "out" / "report.html").read_text()
    assert all(words in page for words in ("ap_hard", "yunet: precision over recall", "Recall by height"))
    assert page.count("<polyline") == 3
    assert "ap_hard" in capsys.readouterr().out


def test_faces_of_labelled_pictures_that_are_absent_or_cannot_be_read_are_missed(tmp_path, caplog):
    picture(tmp_path / "a.png")
    text(tmp_path / "b.png", "broken")
    text(tmp_path / "wider_x.csv", "\n".join([HEAD, *(f"{name}.png,1,1,5,50,1,1,1" for name in "abbc")]))

    assert main(["detect", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 0

    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["n"], summary["missed"]) == (4, 4)
    assert summary["metrics"]["recall"]["value"] == 0
    assert summary["metrics"]["precision"]["value"] is None
    assert summary["by_group"]["10-20 px"]["recall"] == {"value": None, "low": None, "high": None}
    assert caplog.messages == [
        f"{name}.png: cannot be read as a picture; its faces count as missed." for name in "bc"
    ]


@pytest.mark.slow
def test_one_detector_with_two_files_has_a_column_for_each(pack, tmp_path):
    weights = PICTURES.parents[2] / "weights" / "yunet.onnx"
    for name in ("one", "two"):
        (tmp_path / f"{name}.onnx").write_bytes(weights.read_bytes())
    both = ",".join(f"yunet={tmp_path / name}.onnx" for name in ("one", "two"))

    assert main(["detect", "--data", str(pack), "--detector", both, "--out", str(tmp_path / "out")]) == 0

    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["metrics"]["one_recall"]["value"] == summary["metrics"]["two_recall"]["value"] == 1
    assert set(summary["by_group"]["40+ px"]) == {"one_recall", "two_recall"}


def test_the_missed_faces_of_several_detectors_are_the_first_one_s(tmp_path, monkeypatch):
    text(tmp_path / "wider_x.csv", "\n".join([HEAD, "a.png,1,1,5,50,1,1,1", "a.png,20,1,5,50,1,1,1"]))
    picture(tmp_path / "a.png")
    boxes, points = np.array([[1, 1, 6, 51], [20, 1, 25, 51.0]]), Faces.none(2).landmarks
    both = Faces(boxes, np.ones(2, np.float32), points)
    found = {"blind": Faces.none(), "one": both.take(np.arange(1)), "two": both}
    card = SimpleNamespace(id="x", licence="", commercial=True)
    run = {name: Run(card, tmp_path / "a.png", [faces], {}) for name, faces in found.items()}
    monkeypatch.setattr(detect, "look", lambda names, *_: [run[name] for name in names])

    for names, missed in (("blind,two", 2), ("two,blind", 0), ("one", 1)):
        assert main(["detect", "--data", str(tmp_path), "--detector", names, "--out", str(tmp_path)]) == 0
        assert json.loads((tmp_path / "summary.json").read_text())["missed"] == missed


def test_detectors_are_told_apart_by_their_names_their_files_or_their_order():
    def names(*runs):
        return told_apart([Run(Named(id), Path(file), [], {}) for id, file in runs])

    assert names(("yunet", "a/x.onnx"), ("scrfd", "b/x.onnx")) == ["yunet", "scrfd"]
    assert names(("scrfd", "a.onnx"), ("scrfd", "b.onnx"), ("yunet", "y")) == ["a", "b", "yunet"]
    assert names(("scrfd", "a/x.onnx"), ("scrfd", "b/x.onnx")) == ["x_1", "x_2"]


@pytest.mark.slow
def test_pictures_without_labels_give_a_line_a_face(pack, tmp_path):
    (pack / "nobody.png").write_bytes(cv2.imencode(".png", np.zeros((40, 40, 3), np.uint8))[1].tobytes())
    (pack / "broken.jpg").write_bytes(b"no picture")
    out = tmp_path / "found.csv"

    assert (
        main(["detect", "--images", str(pack), "--min-score", "0.6", "--size", "512", "--out", str(out)]) == 0
    )

    (row,) = csv.DictReader(out.read_text(encoding="utf-8").splitlines())
    assert list(row) == ["file", "x1", "y1", "x2", "y2", "score"]
    assert row["file"] == "astronaut.png"
    assert [float(row[key]) for key in ("x1", "y1", "x2", "y2")] == pytest.approx([178, 63, 268, 176], abs=1)


@pytest.mark.slow
def test_a_file_of_the_user_s_own_is_measured_instead_of_the_detector_s(pack, tmp_path):
    blind = onnx.load(PICTURES.parents[2] / "weights" / "yunet.onnx")
    for array in (array for array in blind.graph.initializer if len(array.dims) == 4):
        array.CopyFrom(onnx.numpy_helper.from_array(0 * onnx.numpy_helper.to_array(array), array.name))
    onnx.save(blind, tmp_path / "blind.onnx")
    out = ["--out", str(tmp_path / "out")]

    assert main(["detect", "--data", str(pack), "--detector", f"yunet={tmp_path}/blind.onnx", *out]) == 0

    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["metrics"]["precision"]["value"] < 0.1
    own = hashlib.sha256((tmp_path / "blind.onnx").read_bytes()).hexdigest()
    assert [(row["id"], row["sha256"]) for row in summary["models"]] == [("yunet", own)]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["detect"], 2, "either --data"),
        (["detect", "--images", ".", "--out", "x.csv", "--detector", "scrfd"], 3, "--detector scrfd=FILE"),
        (["detect", "--images", ".", "--out", "x.csv", "--detector", "scrfd=x.onnx"], 3, "no such file"),
        (["detect", "--images", "."], 2, "give one --detector, and --out"),
        (["detect", "--data", "."], 2, "expected one wider*.csv, found 0"),
        (
            ["detect", "--images", "nowhere", "--out", "x.csv", "--detector", "yunett"],
            2,
            "Did you mean 'yunet'",
        ),
    ],
)
def test_a_wrong_request_is_an_error_of_one_line(words, code, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert main(words) == code

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert sentence in line


def test_a_third_of_the_pictures_is_for_choosing_settings():
    parts = [part_of(f"{i}.webp") for i in range(3000)]

    assert parts.count("tune") / 3000 == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.slow
@pytest.mark.skipif("STREAM_DATA" not in os.environ, reason="STREAM_DATA names no folder of data packs")
def test_yunet_is_as_good_as_its_card_says(tmp_path):
    """Floors a little under the figures of docs/detectors.md."""
    assert main(["detect", "--data", os.environ["STREAM_DATA"], "--out", str(tmp_path)]) == 0

    metrics = json.loads((tmp_path / "summary.json").read_text())["metrics"]
    assert metrics["ap_easy"]["value"] > 0.84
    assert metrics["ap_medium"]["value"] > 0.79
    assert metrics["ap_hard"]["value"] > 0.51


@pytest.mark.parametrize("kind", ["--data", "--images"])
def test_a_terminal_sees_how_far_the_pictures_are(pack, tmp_path, capsys, monkeypatch, kind):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    out = tmp_path / ("found.csv" if kind == "--images" else "out")

    assert main(["detect", kind, str(pack), "--out", str(out)]) == 0

    assert "detect" in capsys.readouterr().err
