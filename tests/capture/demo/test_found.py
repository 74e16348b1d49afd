"""The demo's faces as a detector and a tracker see them."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from capture.demo import FPS, FRAMES, truth
from capture.demo.stage import Stage
from core.geometry import iou
from core.session import open_session
from core.settings import DetectorConfig, TrackerConfig
from core.types import SEEN
from detectors.yunet import YuNet
from tracker.sort import Sort
from weights.manifest import cards
from weights.store import locate

pytestmark = pytest.mark.slow

PEOPLE = ("biden", "collins", "hopper", "obama")


@pytest.fixture(scope="module")
def found():
    """What YuNet finds in each frame, beside the truth."""
    card = cards()["yunet"]
    detector = YuNet(DetectorConfig(), card, open_session(locate(card), "cpu"))
    stage = Stage()
    return [(detector.detect([stage.draw(i)])[0], truth(i)) for i in range(FRAMES)]


def test_yunet_finds_the_true_faces_and_their_landmarks(found) -> None:
    overlaps, errors = [], []
    for faces, true in found:
        clear = [t for t in true if t.size >= 30 and t.visible >= 0.8 and t.blur < 4]
        overlap = iou(np.array([t.box for t in clear]), faces.boxes)
        overlaps += overlap.max(axis=1, initial=0).tolist()
        for face, best in zip(clear, overlap.argmax(axis=1), strict=True):
            errors.append(np.abs(faces.landmarks[best] - face.landmarks).mean() / face.size)

    assert np.mean(np.array(overlaps) > 0.4) > 0.99
    assert np.median(errors) < 0.06


def identities(found) -> dict[str, list[tuple[float, int]]]:
    """By name: (seconds, id) of each frame in which a track that is seen lies on that face."""
    tracker = Sort(TrackerConfig())
    seen = defaultdict(list)
    for index, (faces, true) in enumerate(found):
        tracks = tracker.update(faces, index / FPS)
        rows = tracks.states == SEEN
        plain = [t for t in true if t.visible >= 0.3]
        overlap = iou(np.array([t.box for t in plain]), tracks.boxes[rows])
        for face, row in zip(plain, overlap, strict=True):
            if row.max(initial=0) >= 0.4:
                seen[face.name].append((index / FPS, int(tracks.ids[rows][row.argmax()])))
    return seen


def test_no_id_is_ever_given_to_two_faces(found) -> None:
    owners = defaultdict(Counter)
    for name, rows in identities(found).items():
        for _, identity in rows:
            owners[identity][name] += 1

    assert {i: dict(names) for i, names in owners.items() if len(names) > 1} == {}


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("collins", 1.4, 6.0),  # hurried across by obama (3.5)
        ("collins", 14.6, 20.0),  # while the light sinks and returns
        ("collins", 21.8, 31.6),
        ("obama", 3.4, 5.0),
        ("obama", 15.0, 16.2),
        ("obama", 26.2, 36.0),  # passes collins (32.2)
        ("hopper", 18.0, 36.0),  # passed by biden (22.6), then up to the camera
        ("biden", 21.8, 36.0),
    ],
)
def test_a_person_who_stays_in_sight_keeps_one_id(found, name: str, start: float, end: float) -> None:
    ids = {identity for time, identity in identities(found)[name] if start <= time < end}

    assert len(ids) == 1


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("hopper", 1.0, 6.4),  # hidden by collins (3.0) and obama (4.3)
        ("hopper", 14.0, 36.0),  # hidden by collins (16.8)
        ("collins", 14.6, 36.0),  # out of the picture (20.8), hidden by obama (32.2)
        ("biden", 19.6, 36.0),  # hidden by the column (21)
    ],
)
def test_a_person_keeps_one_id_while_hidden_for_less_than_a_second(found, name, start, end) -> None:
    ids = {identity for time, identity in identities(found)[name] if start <= time < end}

    assert len(ids) == 1
