from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from core.types import Faces
from evaluation.samples import RACES
from tests.evaluation.sets import pictures, text
from training import gather
from training.__main__ import main
from training.cache import read
from training.targets import Faces as Cached


class Nobody:
    """A detector that finds no face."""

    def detect(self, images):
        return [Faces.none() for _ in images]


@pytest.fixture(autouse=True)
def _detector(monkeypatch) -> None:
    monkeypatch.setattr(gather, "open_detector", lambda *_: (Nobody(), None, None))


def cut_out(data: Path, out: Path) -> int:
    return main(["cache", "--data", str(data), "--out", str(out)])


def test_a_race_is_taught_by_its_name_or_not_at_all(tmp_path) -> None:
    rows = {
        "White": "white",
        "Latino_Hispanic": None,
        "East Asian": None,
        "Indian": "indian",
        "Middle Eastern": None,
    }
    data = pictures(tmp_path / "data", *(f"train/{nth}.jpg" for nth in range(len(rows))))
    lines = [f"train/{nth}.jpg,20-29,Male,{race},True" for nth, race in enumerate(rows)]
    table = "\n".join(["file,age,gender,race,service_test", *lines])
    text(data / "fairface_label_train.csv", table)

    assert cut_out(data, tmp_path) == 0

    told = read("fairface", tmp_path)[1].race
    assert [RACES[race] if race >= 0 else None for race in told] == list(rows.values())
    faces = Cached(tmp_path, ("fairface",), "train", 0.0, 0.0)
    wanted = np.eye(len(RACES))[faces.labels.race] * (faces.labels.race >= 0)[:, None]
    np.testing.assert_array_equal(faces.targets.shares["race"], wanted)


def test_a_set_without_a_readable_picture_is_one_sentence(tmp_path, capsys) -> None:
    text(tmp_path / "data" / "1_0_0_20170104023102422.jpg", "broken")

    assert cut_out(tmp_path / "data", tmp_path / "out") == 2

    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith(
        "none of the 1 labelled pictures of utkface can be read. Fetch or unpack the set again."
    )


def test_what_a_set_keeps_for_tests_is_never_learned(tmp_path) -> None:
    names = [f"{part}_{nth:04d}" for part in ("train", "test") for nth in range(40)]
    data = pictures(tmp_path / "data", *(f"{name}_aligned.jpg" for name in names))
    text(data / "list_patition_label.txt", "".join(f"{name}.jpg 4\n" for name in names))

    assert cut_out(data, tmp_path) == 0

    labels = read("rafdb", tmp_path)[1]
    kept = np.array(["test_" in name for name in labels.name])
    np.testing.assert_array_equal(labels.part == "report", kept)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")  # noqa: PTH110
def test_a_full_disk_is_one_sentence(tmp_path, capsys) -> None:
    data = pictures(tmp_path / "data", "1_0_0_20170104023102422.jpg")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "utkface.npy.part").symlink_to("/dev/full")

    assert cut_out(data, tmp_path / "out") == 6

    assert os.strerror(errno.ENOSPC) in capsys.readouterr().err.splitlines()[-1]
