"""Real weights on real faces: NASA's Eileen Collins, the Solvay conference of 1927."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import WeightsError
from core.geometry import iou
from core.registry import load
from core.session import open_session
from core.settings import DetectorConfig
from core.types import Image
from detectors import REGISTRY
from weights.bring import bring
from weights.manifest import cards

pytestmark = pytest.mark.slow
PICTURES = Path(__file__).parents[2] / "capture" / "demo" / "pictures"
TENSORFLOW = json.loads((Path(__file__).parent / "retinaface_tensorflow.json").read_text())


def picture(name: str) -> Image:
    return np.asarray(cv2.imread(str(PICTURES / name), cv2.IMREAD_COLOR), np.uint8)


@pytest.fixture(scope="module")
def sessions():
    opened = {"yunet": open_session(bring(cards()["yunet"]), "cpu")}
    try:
        opened["retinaface"] = open_session(bring(cards()["retinaface"]), "cpu")
    except WeightsError as error:
        if "could not be brought" not in str(error):
            raise
    return opened


@pytest.fixture
def detector(sessions):
    def make(name, **settings):
        if name not in sessions:
            pytest.skip(f"{name} could not be brought: no network")
        config = DetectorConfig(name=name, **settings)
        return load(REGISTRY, name, "detector.name")(config, cards()[name], sessions[name])

    return make


def test_yunet_sees_what_the_package_s_own_detector_saw(detector):
    (found,) = detector("yunet", size=512).detect([picture("astronaut.png")])

    x, y, right, bottom = found.boxes[0]
    assert [x, y, right - x, bottom - y] == pytest.approx([178.3, 63.2, 89.4, 112.6], abs=0.06)
    assert found.scores.tolist() == pytest.approx([0.93], abs=0.005)
    points = [200.1, 101.9, 247.2, 102.7, 220.4, 124.6, 198.6, 142.7, 239.7, 143.6]
    assert found.landmarks.ravel().tolist() == pytest.approx(points, abs=0.06)


@pytest.mark.parametrize("name", TENSORFLOW)
def test_retinaface_sees_what_tensorflow_s_run_of_the_whole_graph_saw(detector, name):
    """Recorded with TensorFlow 2.21 at full size: x1 y1 x2 y2, five points, score; IoU 0.4."""
    expected = np.array(TENSORFLOW[name])

    image = picture(name)
    own_size = max(image.shape)

    (found,) = detector("retinaface", size=own_size, threshold=0.5).detect([image])

    columns = [found.boxes, found.landmarks.reshape(-1, 10), found.scores[:, None]]
    rows = np.concatenate(columns, axis=1)
    assert rows.shape == expected.shape
    by_place = [np.lexsort((r[:, 1], r[:, 0])) for r in (rows, expected)]
    assert np.abs(rows[by_place[0]] - expected[by_place[1]]).max() < 0.01


@pytest.mark.parametrize("name", ["yunet", "retinaface"])
def test_eileen_collins_is_found_once_at_any_size(detector, name):
    image = picture("astronaut.png")
    sizes = [160, 256, 512]

    found = detector(name, threshold=0.5).detect([cv2.resize(image, (s, s), interpolation=3) for s in sizes])

    assert [len(faces) for faces in found] == [1, 1, 1]
    scaled = np.concatenate([f.boxes * 512 / s for f, s in zip(found, sizes, strict=True)])
    assert iou(scaled, scaled).min() > 0.75


@pytest.mark.parametrize(("name", "faces"), [("astronaut.png", 1), ("solvay_1927.jpg", 29)])
def test_yunet_and_retinaface_agree(detector, name, faces):
    settings = {"size": 960, "threshold": 0.6}

    (one,) = detector("yunet", **settings).detect([picture(name)])
    (other,) = detector("retinaface", **settings).detect([picture(name)])

    overlaps = iou(other.boxes, one.boxes)
    assert len(other) == faces
    assert (overlaps.max(axis=1) > 0.5).all()
    points = one.landmarks[overlaps.argmax(axis=1)] - other.landmarks
    heights = other.boxes[:, 3] - other.boxes[:, 1]
    assert np.median(np.hypot(*points.T).T / heights[:, None]) < 0.05


@pytest.mark.parametrize("name", ["yunet", "retinaface"])
def test_a_picture_gives_the_same_faces_alone_and_beside_others(detector, name):
    image = picture("astronaut.png")
    batch = [image, image[:, ::-1].copy(), np.roll(image, 60, axis=1)]
    one = detector(name)

    together = one.detect(batch)
    alone = [one.detect([image])[0] for image in batch]

    for a, b in zip(together, alone, strict=True):
        assert len(a) == 1
        assert np.array_equal(a.boxes, b.boxes)
        assert np.array_equal(a.landmarks, b.landmarks)


@pytest.mark.parametrize("name", ["yunet", "retinaface"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 20000), (700, 3), (33, 65)])
def test_a_picture_of_any_shape_is_taken(detector, name, shape):
    (found,) = detector(name).detect([np.full((*shape, 3), 128, np.uint8)])

    assert len(found) == 0
