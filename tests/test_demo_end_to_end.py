"""The program on the demo, whose truth is known: who gets which id, and what is believed of them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from capture.demo import FRAMES, truth
from core.geometry import iou
from tests.program import run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> dict[str, list[dict]]:
    """By name: each event row of a track that lies on that face, in order."""
    out: Path = tmp_path_factory.mktemp("demo") / "demo.jsonl"
    done = run("-s", "demo", "-o", out, "--set", "events.interval=0")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    frames = defaultdict(list)
    for event in events:
        if event["event"] in ("track_started", "track_updated") and event["state"] == "seen":
            frames[event["frame"]].append(event)
    found = defaultdict(list)
    for index in range(FRAMES):
        faces = [face for face in truth(index) if face.visible >= 0.3]
        boxes = np.array([[e["x1"], e["y1"], e["x2"], e["y2"]] for e in frames[index]]).reshape(-1, 4)
        for face, overlap in zip(faces, iou(np.array([face.box for face in faces]), boxes), strict=True):
            if overlap.max(initial=0) >= 0.4:
                found[face.name].append(frames[index][overlap.argmax()])
    return found


def test_everybody_is_found_in_nearly_every_frame_in_which_they_show(rows) -> None:
    shown = Counter(f.name for i in range(FRAMES) for f in truth(i) if f.visible >= 0.8 and f.blur < 4)

    assert len(shown) == 33
    for name, frames in shown.items():
        assert len(rows[name]) > 0.9 * frames


def test_no_id_is_given_to_two_people(rows) -> None:
    owners = defaultdict(set)
    for name, events in rows.items():
        for event in events:
            owners[event["id"]].add(name)

    assert [names for names in owners.values() if len(names) > 1] == []


@pytest.mark.parametrize(
    ("name", "gender", "youngest", "oldest"),
    [("collins", "female", 20, 45), ("obama", "male", 35, 60), ("biden", "male", 55, 85)],
)
def test_what_is_believed_at_the_end_is_about_right(rows, name, gender, youngest, oldest) -> None:
    last = rows[name][-1]

    assert last["gender"] in (gender, "unknown")
    assert youngest < last["age"] < oldest
