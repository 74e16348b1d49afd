"""Which pictures are asked for, and what is said of those in which no face is found."""

import argparse
import json
from types import SimpleNamespace

import numpy as np
import pytest

from core.cards import Output
from core.errors import ConfigError
from core.types import EMOTIONS, Estimates
from evaluation import stills
from evaluation.__main__ import main
from evaluation.groups import FEW, Labels
from evaluation.judge import Judged, believe
from evaluation.layouts.entry import UNOPENED, Set
from evaluation.samples import Sample
from tests.evaluation.sets import pictures, text

OWN = ("white", "latino", "asian")


# Stands for a network that tells two races.
RACES = Output(role="race", name="races", classes=("asian", "white"))
MODEL = SimpleNamespace(card=SimpleNamespace(outputs=(RACES,)))


def judged(found, missed):
    """Those samples, about whom the program says nothing."""
    n = len(found)
    belief = believe(Estimates.none(n))
    return Judged(Labels.of(found), belief, np.ones(n), np.full((n, 2), 0.5), Labels.of(missed))


def measured(monkeypatch, task, found, missed):
    monkeypatch.setattr(stills, "judge", lambda *_: judged(found, missed))
    monkeypatch.setattr(stills, "Judge", lambda *_: None)
    return stills.measure(task, Set("made up", [], OWN), [], MODEL, None)


def test_missed_faces_of_races_that_the_network_does_not_tell_are_left_out_as_found_ones_are(monkeypatch):
    found = [Sample(str(i), UNOPENED, race=i % 3) for i in range(3 * FEW)]
    missed = [Sample("l", UNOPENED, race=1)] * 10 + [Sample("w", UNOPENED, race=0)] * 5

    (told,) = measured(monkeypatch, "race", found, missed).values()

    assert (told.n, told.missed) == (2 * FEW + 5, 5)


@pytest.mark.parametrize("votes", [(), (0, 10) + (0,) * 8])
def test_moods_of_which_no_face_is_found_are_missed(votes, monkeypatch):
    missed = [Sample("m", UNOPENED, mood=3, votes=votes)] * 2

    told = measured(monkeypatch, "emotion", [], missed)

    assert list(told) == (["", "ferplus_"] if votes else [""])
    assert {(one.n, one.missed) for one in told.values()} == {(2, 2)}
    assert all(np.isnan(one.metrics["accuracy"].value) for one in told.values())


def test_where_no_face_with_a_mood_is_found_the_report_says_so(tmp_path):
    pictures(tmp_path / "tiles", *(f"{mood}/{i}.png" for mood in ("happy", "sad") for i in range(2)))
    words = ["emotion", "--data", str(tmp_path / "tiles"), "--models", "emotion_fer"]

    assert main([*words, "--out", str(tmp_path / "out")]) == 0

    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert (summary["n"], summary["missed"]) == (4, 4)
    assert summary["metrics"]["accuracy"]["value"] is None


@pytest.mark.parametrize(
    ("part", "split", "wanted"),
    [
        ("all", None, {"PublicTest", "PrivateTest"}),
        ("report", None, {"PublicTest", "PrivateTest"}),
        ("train", None, {"Training"}),
        ("tune", None, {"Training"}),
        ("all", "all", {"Training", "PublicTest", "PrivateTest"}),
        ("tune", "PublicTest", set()),
    ],
)
def test_the_parts_of_fer2013_that_are_all_of_training_can_be_asked_for(part, split, wanted, tmp_path):
    usages = ["Training"] * 90 + ["PublicTest", "PrivateTest"]
    rows = [f"{i % len(EMOTIONS)},{' '.join([str(i)] * 48 * 48)},{usage}" for i, usage in enumerate(usages)]
    text(tmp_path / "fer2013.csv", "\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    options = argparse.Namespace(data=tmp_path, layout="auto", limit=None, split=split, part=part)

    if wanted:
        ((_, entries),) = stills.labelled("emotion", options)
        assert {entry.labels.split for entry in entries} == wanted
    else:
        with pytest.raises(ConfigError, match="no picture with a label of emotion"):
            stills.labelled("emotion", options)
