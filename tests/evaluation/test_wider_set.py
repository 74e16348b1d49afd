"""WIDER FACE as its makers publish it, on made-up folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from core.errors import ConfigError
from evaluation.__main__ import main
from evaluation.wider_set import part_of, read
from tests.evaluation.sets import archive, picture, text

ASTRONAUT = Path(__file__).parents[2] / "capture" / "demo" / "pictures" / "astronaut.png"
LEVELS = ("easy", "medium", "hard")


def cells(things):
    """A column of MATLAB's cells."""
    column = np.empty((len(things), 1), object)
    for row, thing in enumerate(things):
        column[row, 0] = thing
    return column


def published(folder, events, counting=None):
    """Tables for {event: {picture: [(x, y, w, h, levels), ...]}}."""
    tools = folder / "eval_tools" / "ground_truth"
    tools.mkdir(parents=True)
    boxes, rows = [], {level: [] for level in LEVELS}
    for files in events.values():
        boxes.append(cells([np.array([face[:4] for face in faces], np.uint16) for faces in files.values()]))
        for level in LEVELS:
            numbers = ([n for n, face in enumerate(faces, 1) if level in face[4]] for faces in files.values())
            rows[level].append(cells([np.array(n, np.uint16).reshape(-1, 1) for n in numbers]))
    names = {
        "event_list": cells(list(events)),
        "file_list": cells([cells(list(files)) for files in events.values()]),
    }
    savemat(tools / "wider_face_val.mat", names | {"face_bbx_list": cells(boxes)})
    for level in LEVELS:
        savemat(tools / f"wider_{level}_val.mat", names | {"gt_list": cells((counting or rows)[level])})
    return folder


@pytest.mark.parametrize("place", [Path, archive], ids=["folder", "tar"])
def test_the_makers_tables_and_pictures_are_joined(place, tmp_path):
    events = {
        "0--Parade": {"a": [(1, 2, 10, 20, LEVELS), (5, 5, 3, 4, ("hard",))], "nobody": []},
        "9--Press": {"b": [(7, 8, 1, 1, ())]},
    }
    published(tmp_path, events)
    picture(tmp_path / "WIDER_val" / "images" / "0--Parade" / "a.jpg")

    first, second = sorted(read(place(tmp_path)), key=lambda case: len(case.labels.boxes), reverse=True)

    assert first.name == "WIDER_val/images/0--Parade/a.jpg"
    assert first.labels.boxes.tolist() == [[1, 2, 11, 22], [5, 5, 8, 9]]
    assert {level: counts.tolist() for level, counts in first.labels.counted.items()} == {
        "easy": [True, False],
        "medium": [True, False],
        "hard": [True, True],
    }
    assert first.image().shape[2] == 3
    assert second.name == "9--Press/b.jpg"
    assert not any(counts.any() for counts in second.labels.counted.values())
    assert second.image() is None


@pytest.mark.slow
def test_detect_reads_what_the_makers_publish(tmp_path):
    events = {"0--Space": {"astronaut": [(177, 60, 93, 121, ("medium", "hard")), (1, 1, 4, 4, ())]}}
    published(tmp_path, events)
    place = tmp_path / "WIDER_val" / "images" / "0--Space" / "astronaut.jpg"
    place.parent.mkdir(parents=True)
    place.write_bytes(ASTRONAUT.read_bytes())

    assert main(["detect", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 0

    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["n"], summary["missed"]) == (1, 0)
    values = {name: summary["metrics"][f"ap_{name}"]["value"] for name in LEVELS}
    assert values == {"easy": None, "medium": 1, "hard": 1}


def test_what_was_held_back_in_our_pack_is_held_back_in_the_published_set():
    stems = [f"0_Parade_{i}" for i in range(100)]

    ours, theirs = (
        [part_of(f"{a}{stem}{b}") for stem in stems] for a, b in (("wider/", ".webp"), ("x/", ".jpg"))
    )

    assert ours == theirs


@pytest.mark.parametrize("counting", [0, 2])
def test_a_row_that_no_face_has_is_told(tmp_path, counting):
    faces = {"0--Parade": {"a": [(1, 2, 10, 20, ())]}}
    none, other = ([cells([np.array([[n] * (n >= 0)])])] for n in (-1, counting))
    published(tmp_path, faces, {"easy": none, "medium": none, "hard": other})
    picture(tmp_path / "0--Parade" / "a.jpg")

    with pytest.raises(ConfigError, match="of 1 faces of a picture, one counts in hard that is not there"):
        read(tmp_path)


def test_tables_that_are_missing_broken_or_of_other_pictures_are_told(tmp_path):
    published(tmp_path, {"0--Parade": {"a": [(1, 2, 10, 20, LEVELS)]}})
    hard = tmp_path / "eval_tools" / "ground_truth" / "wider_hard_val.mat"
    savemat(hard, {"gt_list": cells([])})
    with pytest.raises(ConfigError, match="not of the same pictures"):
        read(tmp_path)

    text(hard, "broken")
    with pytest.raises(ConfigError, match=r"wider_hard_val\.mat: cannot be read as a table"):
        read(tmp_path)

    hard.unlink()
    with pytest.raises(ConfigError, match=r"not wider_hard_val\.mat\. They are in ground_truth"):
        read(tmp_path)
