"""Public and made-up sequences: we stay ahead of every other tracker that was measured (docs/tracking.md)."""

from __future__ import annotations

import json
import os

import pytest

from evaluation.__main__ import main

HINTS = {
    "MOT17": 60.7,
    "MOT15": 42.2,
    "DanceTrack": 46.0,
    "ASW5": 81.0,
    "ASW25": 81.0,
    "TARA": 52.0,
    "HT21": 70.6,
}
NO_HINTS = {"ASW5": 73.5, "ASW25": 79.2, "TARA": 51.3}
THIRD = {"MOT17@3": 59.2, "MOT15@3": 40.5}
MADE_UP = {"SIM5": 69.7, "SIM10": 72.9, "SIM15": 73.6, "SIM30": 74.5}
ALL = "MOT17,MOT15,DanceTrack:6,ASW5,ASW25:4,TARA,HT21"


def hota(folder, *words: str) -> dict[str, float]:
    assert main(["track", *words, "--jobs", "2", "--out", str(folder)]) == 0
    groups = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["by_group"]
    return {group: figures["hota"]["value"] for group, figures in groups.items() if "/" not in group}


@pytest.mark.slow
@pytest.mark.skipif("STREAM_DATA" not in os.environ, reason="STREAM_DATA names no folder of data sets")
@pytest.mark.parametrize(
    ("words", "best_other"),
    [
        (["--sequences", ALL], HINTS),
        (["--sequences", "ASW5,ASW25:4,TARA", "--no-hints"], NO_HINTS),
        (["--sequences", "MOT17,MOT15", "--drop", "3"], THIRD),
    ],
)
def test_no_other_tracker_is_better_on_public_sequences(words, best_other, tmp_path) -> None:
    ours = hota(tmp_path, "--data", os.environ["STREAM_DATA"], *words)

    assert {group: value for group, value in ours.items() if value <= best_other[group]} == {}
    assert ours.keys() == best_other.keys()


@pytest.mark.slow
def test_no_other_tracker_is_better_on_made_up_faces(tmp_path) -> None:
    ours = hota(tmp_path, "--simulate", "--seeds", "0-9")

    assert {group: value for group, value in ours.items() if value <= MADE_UP[group]} == {}
    assert ours.keys() == MADE_UP.keys()
