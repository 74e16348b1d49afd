"""Files and options that are not as they should be: a sentence and its exit code, and nothing lost."""

import csv
import json
import os
import runpy
import signal
import struct
import subprocess
import sys
import zlib

import pytest

from core.errors import ConfigError
from evaluation import repeats
from evaluation.__main__ import main
from evaluation.layouts import sets
from evaluation.layouts.entry import UNOPENED
from evaluation.layouts.packs import POINTS
from evaluation.samples import Sample
from evaluation.wider_set import read
from tests.evaluation.sets import archive, picture, pictures, text
from tests.portraits import PICTURES
from tests.program import ROOT, ended

MODELS = "age=age_dlib,gender=gender_dlib,emotion=emotion_fer"
PACK = "file,age,gender,age_min,age_max,n_dup,conflict,race,orig"
ROW = "a.png,30,1,30,30,1,0,2,a.jpg"
SHEETS = "sheet,row,col,split,emotion,orig"
WIDER = "file,width,height,scale,x,y,w,h,easy,medium,hard"


def one_line(capsys):
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize("task", ["age", "gender"])
def test_where_no_face_is_found_each_is_missed_and_no_figure_is_known(task, tmp_path):
    data, out = tmp_path / "walls", tmp_path / "out"
    pictures(data, *(f"{age}_1_0_20170104173400000.png" for age in (20, 30, 40)))
    network = {"age": "age_dlib", "gender": "gender_dlib"}[task]

    assert main([task, "--data", str(data), "--models", network, "--out", str(out)]) == 0

    summary = json.loads((out / "summary.json").read_text())
    assert (summary["n"], summary["missed"]) == (3, 3)
    assert summary["metrics"]["missed_share"]["value"] == 1
    assert summary["metrics"]["mae" if task == "age" else "accuracy"]["value"] is None
    group = summary["by_group"]["age 20-29"]
    assert (group["n"]["value"], group["missed"]["value"]) == (1, 1)


def test_races_of_which_no_face_is_found_are_missed(tmp_path):
    pictures(tmp_path / "walls", "20_1_0_20170104173400000.png")

    assert main(["race", "--data", str(tmp_path / "walls"), "--out", str(tmp_path / "out")]) == 0

    assert json.loads((tmp_path / "out" / "summary.json").read_text())["missed"] == 1


def test_a_labelled_picture_that_cannot_be_read_counts_as_missed(tmp_path, caplog):
    text(tmp_path / "p" / "p.csv", f"{PACK}\n{ROW}\n{ROW.replace('a.', 'b.')}\n")
    picture(tmp_path / "p" / "a.png")

    assert (
        main(
            [
                "age",
                "--data",
                str(tmp_path / "p"),
                "--aligned",
                "--models",
                "age_dlib",
                "--out",
                str(tmp_path / "o"),
            ]
        )
        == 0
    )

    summary = json.loads((tmp_path / "o" / "summary.json").read_text())
    assert (summary["n"], summary["missed"]) == (2, 1)
    assert "b.png: cannot be read as a picture." in caplog.text


def endless(path):
    """A PNG whose head promises 3,600 million pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    )


def test_one_bad_picture_costs_no_other_its_line(tmp_path):
    folder = tmp_path / "pictures"
    pictures(folder, "wall.png", "z.jpg")
    (folder / "z.jpg").rename(folder / "z.jfif")
    endless(folder / "bomb.png")
    (folder / "astronaut.png").write_bytes((PICTURES / "astronaut.png").read_bytes())
    wanted = ["astronaut.png", "bomb.png", "wall.png", "z.jfif"]
    if sys.platform == "linux":
        (folder / "wall.png").rename(folder / os.fsdecode(b"w\xe9ll.png"))
        wanted[2] = "w\\udce9ll.png"
    said, found = tmp_path / "said.csv", tmp_path / "found.csv"

    assert main(["predict", "--images", str(folder), "--models", MODELS, "--out", str(said)]) == 0
    assert main(["detect", "--images", str(folder), "--out", str(found)]) == 0

    rows = list(csv.DictReader(said.read_text(encoding="utf-8").splitlines()))
    assert [row["file"] for row in rows] == wanted
    assert [row["found"] for row in rows] == ["1", "0", "0", "0"]
    assert [row["file"] for row in csv.DictReader(found.read_text(encoding="utf-8").splitlines())] == wanted[
        :1
    ]


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "--images", "ages", "--models", MODELS, "--out", "no/such/p.csv"],
        ["predict", "--images", "ages", "--models", MODELS, "--out", "ages"],
        ["detect", "--images", "ages", "--out", "no/such/d.csv"],
        ["age", "--data", "ages", "--models", "age_dlib", "--out", "file"],
        ["detect", "--data", "ages", "--out", "file"],
        ["video", "--data", "ages", "--out", "file"],
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_anything_is_measured(
    words, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path / "ages", "30_1_0_20170104173400000.png")
    text(tmp_path / "file", "mine")

    assert main(words) == 6

    assert f"{words[-1]}: cannot be written" in one_line(capsys)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_table_stays_as_it_was_where_there_are_no_pictures(tmp_path, capsys):
    kept = text(tmp_path / "kept.csv", "mine")
    nowhere = str(tmp_path / "nowhere")

    assert main(["predict", "--images", nowhere, "--models", MODELS, "--out", str(kept)]) == 4
    assert main(["detect", "--images", nowhere, "--out", str(kept)]) == 4

    assert kept.read_text() == "mine"
    assert capsys.readouterr().err.count("there is no such folder") == 2


@pytest.mark.parametrize("task", ["predict", "detect"])
def test_a_folder_without_pictures_is_told_and_the_table_stays_as_it_was(task, tmp_path, capsys):
    (tmp_path / "none").mkdir()
    text(tmp_path / "letters" / "a.txt", "no picture")
    kept = text(tmp_path / "kept.csv", "mine")

    for folder, holds in (("none", "no files"), ("letters", "no pictures")):
        assert main([task, "--images", str(tmp_path / folder), "--out", str(kept)]) == 4
        assert f"{folder}: there are {holds} in it." in one_line(capsys)

    assert kept.read_text() == "mine"


@pytest.mark.parametrize("task", ["predict", "detect"])
def test_a_picture_is_not_overwritten_by_what_is_found_in_it(task, tmp_path, capsys):
    pictures(tmp_path / "photos", "a.png")
    photo = tmp_path / "photos" / "a.png"
    packed = archive(tmp_path / "photos")

    for images, out in ((photo.parent, photo), (packed, packed)):
        before = out.read_bytes()
        assert main([task, "--images", str(images), "--out", str(out)]) == 2
        assert f"{out.name}: this file is read" in one_line(capsys)
        assert out.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="needs a named pipe, and signals")
def test_ctrl_c_ends_a_task_without_a_traceback(tmp_path):
    pipe = tmp_path / "looks.csv"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-m", "evaluation", "fuse", "--looks", str(pipe), "--out", str(tmp_path / "o.csv")],
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )

    with pipe.open("wb"):  # opens as soon as the task reads
        process.send_signal(signal.SIGINT)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:  # who begins to wait just then does not hear of a signal
            process.send_signal(signal.SIGINT)
        _, err = ended(process)

    assert process.returncode == 130
    assert err == b""


@pytest.mark.parametrize(("fault", "code"), [(KeyboardInterrupt(), 130), (ConfigError("no."), 2)])
@pytest.mark.parametrize("name", ["calibrate", "repeats"])
def test_the_commands_beside_the_tasks_end_as_they_do(name, fault, code, monkeypatch, capsys):
    def sets(*_):
        raise fault

    monkeypatch.setattr("evaluation.layouts.sets", sets)
    monkeypatch.setattr(sys, "argv", [name, "--data", "."])
    monkeypatch.delitem(sys.modules, f"evaluation.{name}", raising=False)

    with pytest.raises(SystemExit) as ended:
        runpy.run_module(f"evaluation.{name}", run_name="__main__")

    assert ended.value.code == code
    assert capsys.readouterr().err == ("error: no.\n" if code == 2 else "")


def test_pictures_without_landmarks_cannot_tell_what_looks_share(tmp_path, monkeypatch):
    pictures(tmp_path, "20_1_0_20170104173400000.png")
    models = "age=age_dlib,gender=gender_dlib"
    monkeypatch.setattr(sys, "argv", ["repeats", "--data", str(tmp_path), "--models", models])

    with pytest.raises(
        ConfigError, match="0 sound pictures outside of the part 'train' have an age and landm"
    ):
        repeats.main()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["detect", "--images", ".", "--out", "o.csv", "--min-score", "2"], "a number from 0 to 1, got '2'"),
        (["detect", "--images", ".", "--out", "o.csv", "--min-score", "nan"], "a number from 0 to 1"),
        (["detect", "--images", ".", "--out", "o.csv", "--size", "0"], "a whole number from 1 on, got '0'"),
        (["verify", "--data", ".", "--pairs", "-1"], "a whole number from 1 on, got '-1'"),
        (["verify", "--data", ".", "--seed", "-1"], "a whole number from 0 on"),
        (["age", "--data", ".", "--limit", "-3"], "a whole number from 1 on"),
        (["video", "--data", ".", "--limit", "0"], "a whole number from 1 on"),
    ],
)
def test_a_number_out_of_its_range_is_told(words, sentence, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(words)

    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["detect", "--images", ".", "--out", "o.csv", "--size", "100000"], "--size: Input should be"),
        (
            ["predict", "--images", ".", "--out", "o.csv", "--models", "foo=people"],
            "--models: there is no 'foo'",
        ),
    ],
)
def test_what_only_the_network_can_tell_is_told_too(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert main(words) == 2

    assert sentence in one_line(capsys)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            f"{PACK}\n{ROW}\na.png,x,1,30,30,1,0,2,a.jpg\n",
            "p.csv, line 3: could not convert string to float: 'x'",
        ),
        *(
            (
                f"{PACK}\na.png,{age},1,30,30,1,0,2,a.jpg\n",
                f"p.csv, line 2: expected for age years from 0 to 120 or nothing, got '{age}'",
            )
            for age in ("-5", "1990", "inf")
        ),
        (
            f"{PACK}\na.png,30,3,30,30,1,0,2,a.jpg\n",
            "p.csv, line 2: expected for gender 0, 1 or nothing, got '3'",
        ),
        (
            f"{PACK}\na.png,30,1,30,30,1,yes,2,a.jpg\n",
            "p.csv, line 2: expected for conflict 0, 1 or nothing, got 'yes'",
        ),
        (f"{PACK}\na.png,30,1,30,30,1,0,9,a.jpg\n", "p.csv, line 2: expected for race a number from 0 to 4"),
        (f"{SHEETS}\ns.webp,0,0,Training,7,a\n", "p.csv, line 2: expected for emotion a number from 0 to 6"),
        (f"{SHEETS}\ns.webp,x,0,Training,3,a\n", "p.csv, line 2: invalid literal for int()"),
    ],
)
def test_a_label_that_is_none_is_told_by_its_line(content, sentence, tmp_path, capsys):
    text(tmp_path / "p.csv", content)

    assert main(["age", "--data", str(tmp_path), "--models", "age_dlib"]) == 2

    assert sentence in one_line(capsys)


def test_any_other_table_may_lie_beside_a_pack(tmp_path):
    text(tmp_path / "p.csv", f"\ufeff{PACK}\n{ROW}\na.png,30,,30,30,1,0,1.0,a.jpg\n")
    (tmp_path / "notes.csv").write_bytes("Größe;Straße\n".encode("latin-1"))
    text(tmp_path / "empty.csv", "")
    (tmp_path / "folder.csv").mkdir()

    (one,) = sets(tmp_path)

    assert [(entry.labels.age, entry.labels.race) for entry in one.entries] == [(30, 2), (30, 1)]


def test_a_doubt_counts_however_a_table_program_writes_it(tmp_path):
    doubts = ("1", "1.0", "0", "0.0", "")
    rows = [f"a.png,30,1,30,30,1,{doubt},2,a.jpg" for doubt in doubts]
    text(tmp_path / "people.csv", "\n".join([PACK, *rows]))
    head = SHEETS.replace("orig", "emotion_ambiguous,near_public_test")
    rows = ["s.png,0,0,Training,3,1.0,0.0", "s.png,0,0,Training,3,0.0,1.0", "s.png,0,0,Training,3,0.0,0.0"]
    text(tmp_path / "moods.csv", "\n".join([head, *rows]))

    moods, people = ([entry.labels.sound for entry in one.entries] for one in sets(tmp_path))

    assert people == [False, False, True, True, True]
    assert moods == [False, False, True]


def test_faces_that_count_are_known_however_a_table_program_writes_it(tmp_path):
    text(tmp_path / "wider.csv", f"{WIDER}\na.png,8,8,1,0,0,3,3,1.0,0.0,1\n")
    picture(tmp_path / "a.png")

    (case,) = read(tmp_path)

    assert {level: counts.tolist() for level, counts in case.labels.counted.items()} == {
        "easy": [True],
        "medium": [False],
        "hard": [True],
    }


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ("1,1,9,1,5,5,1,9,,9", "but there is no mouth_r_x"),
        ("1,1,9,1,5,5,1,9,9", "but there is no mouth_r_y"),
        ("1,1,9,1,nan,5,1,9,9,9", "but no face can be cut out by these"),
        ("5,5,5,5,5,5,5,5,5,5", "but no face can be cut out by these"),
    ],
)
def test_landmarks_that_are_no_face_are_told_by_their_line(cells, sentence, tmp_path, capsys):
    text(tmp_path / "p.csv", f"{PACK},{','.join(POINTS)}\n{ROW}\n{ROW},{cells}\n")

    assert main(["age", "--data", str(tmp_path), "--models", "age_dlib"]) == 2

    assert f"p.csv, line 3: expected five landmarks or none, {sentence}." in one_line(capsys)


def test_an_empty_table_is_no_set(tmp_path, capsys):
    text(tmp_path / "empty.csv", "")

    assert main(["age", "--data", str(tmp_path), "--models", "age_dlib"]) == 2

    assert "no labelled faces recognised there" in one_line(capsys)


def test_a_face_that_lies_off_its_sheet_cannot_be_read(tmp_path):
    text(tmp_path / "p.csv", f"{SHEETS}\ns.png,0,0,Training,3,a\ns.png,99,0,Training,3,b\n")
    picture(tmp_path / "s.png", size=48)

    opened = [entry.open() for entry in sets(tmp_path)[0].entries]

    assert opened[0].shape == (48, 48, 3)
    assert opened[1] is None


def test_rows_of_the_table_of_fer2013_without_a_picture_cannot_be_read(tmp_path):
    grey = "90 " * (48 * 48 - 1)
    rows = [f"3,{pixels},PublicTest" for pixels in (f"{grey}90", f"{grey}256", f"{grey}x", "1 2 3")]
    text(tmp_path / "fer2013.csv", "\n".join(["emotion,pixels,Usage", *rows, "", ""]))

    first, *others = [entry.open() for entry in sets(tmp_path)[0].entries]

    assert first.shape == (48, 48, 3)
    assert others == [None, None, None]


@pytest.mark.parametrize("label", ["x", "7", "-4"])
def test_labels_of_a_layout_that_are_none_are_told_with_its_name(label, tmp_path, capsys):
    text(tmp_path / "fer2013.csv", f"emotion,pixels,Usage\n{label},0 0 0,Training\n")

    assert main(["emotion", "--data", str(tmp_path), "--models", "emotion_fer"]) == 2

    assert "looks like 'fer2013', but its labels cannot be read (ValueError: " in one_line(capsys)


def test_an_empty_annotation_of_affectnet_is_told(tmp_path, capsys):
    picture(tmp_path / "val_set" / "images" / "0.png")
    text(tmp_path / "val_set" / "annotations" / "0_exp.npy", "")

    assert main(["emotion", "--data", str(tmp_path), "--models", "emotion_fer"]) == 2

    assert "looks like 'affectnet', but its labels cannot be read (EOFError: " in one_line(capsys)


@pytest.mark.parametrize(
    ("content", "code", "sentence"),
    [
        (WIDER.replace(",medium", "") + "\n", 2, "wider.csv, line 1: there is no column 'medium'"),
        (f"{WIDER}\na.png,8,8,1,x,0,3,3,1,1,1\n", 2, "wider.csv, line 2: could not convert string to float"),
        *(
            (
                f"{WIDER}\na.png,8,8,1,{box},1,1,1\n",
                2,
                f"wider.csv, line 2: expected the pixels of a box, got {box}.",
            )
            for box in ("nan,0,3,3", "0,0,inf,3")
        ),
        (f"{WIDER}\nb.png,8,8,1,0,0,3,3,1,1,1\n", 4, "wider.csv names, none of the part 'all' is there"),
        (f"{WIDER}\n", 4, "wider.csv names, none of the part 'all' is there"),
    ],
)
def test_boxes_that_cannot_be_used_are_told(content, code, sentence, tmp_path, capsys):
    text(tmp_path / "wider.csv", content)
    picture(tmp_path / "a.png")

    assert main(["detect", "--data", str(tmp_path)]) == code

    assert sentence in one_line(capsys)


@pytest.mark.parametrize("content", ["garbage\n", "10\t1\n", "10 0\nA 1 2\n"])
def test_a_list_of_pairs_begins_with_their_count(content, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("evaluation.verify.open_model", lambda *words: Opened())
    pictures(tmp_path, "A/A_0001.png", "A/A_0002.png")
    text(tmp_path / "pairs.txt", content)

    assert main(["verify", "--data", str(tmp_path), "--aligned"]) == 2

    assert "pairs.txt: expected folds and pairs in line 1" in one_line(capsys)


class Opened:
    """Stands for an opened network."""

    card = session = None

    def row(self):
        return {"role": "embedding", "id": "none", "sha256": "", "licence": "none", "commercial": True}


def test_names_that_are_no_utf8_are_measured_and_reported_as_others(tmp_path, capsys):
    data = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        pictures(data / os.fsdecode(b"s\xe9b"), *(f"00{nth}A2{nth}.png" for nth in range(3)))
    except (OSError, UnicodeError):
        pytest.skip("this file system holds UTF-8 alone")
    words = ["age", "--data", str(data), "--part", "all", "--models", "age_dlib", "--limit", "2"]

    assert main([*words, "--out", str(tmp_path / "out")]) == 0

    assert json.loads((tmp_path / "out" / "summary.json").read_text())["n"] == 2
    assert "caf\\udce9 (all)" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "caf\\udce9 (all)" in capsys.readouterr().out


def test_a_key_that_is_no_utf8_has_a_part():
    assert Sample(os.fsdecode(b"caf\xe9.jpg"), UNOPENED).part in ("train", "tune", "report")
