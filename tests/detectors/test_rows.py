import numpy as np
import pytest

from core.errors import StageError, WeightsError
from core.registry import load
from core.settings import DetectorConfig
from core.types import Faces
from detectors import REGISTRY, yunet
from detectors.letterbox import fit
from detectors.rows import keep
from tests.make import faces
from weights.manifest import cards

HALVED = fit((1280, 720), 640)


class Network:
    """Answers with fixed arrays, as `core.session.Session` does."""

    def __init__(self, answers, inputs=("n", 3, "h", "w")) -> None:
        self.answers = answers
        self.inputs = {"image": inputs}
        self.outputs = {name: value.shape for name, value in answers.items()}

    def run(self, batch, names=None):
        if batch.shape[1] != 3:
            raise StageError("wrong input")
        return [np.repeat(self.answers[name], len(batch), 0) for name in names or self.answers]


def test_boxes_and_points_come_back_in_pixels_of_the_frame():
    found = keep(faces((100, 50, 150, 110)), HALVED, DetectorConfig())

    assert found.boxes.tolist() == [[200, 100, 300, 220]]
    assert np.allclose(found.landmarks, faces((200, 100, 300, 220)).landmarks)


def test_the_better_of_two_doubles_stays():
    doubles = faces((100, 50, 150, 110), (102, 50, 152, 110))
    doubles = Faces(doubles.boxes, np.array([0.5, 0.9], np.float32), doubles.landmarks)

    found = keep(doubles, HALVED, DetectorConfig())

    assert found.boxes.tolist() == [[204, 100, 304, 220]]


def test_least_height_is_measured_in_the_frame():
    sizes = faces((0, 0, 5, 7), (100, 0, 105, 5))  # 14 and 10 pixels high in the frame

    found = keep(sizes, HALVED, DetectorConfig(min_face=12))

    assert found.boxes.tolist() == [[0, 0, 10, 14]]


def test_a_face_half_out_of_the_picture_keeps_its_size():
    found = keep(faces((-20, 30, 30, 90)), HALVED, DetectorConfig())

    assert found.boxes.tolist() == [[-40, 60, 60, 180]]


@pytest.mark.parametrize("name", REGISTRY)
def test_a_network_of_another_kind_is_refused_when_the_detector_is_made(name):
    other = Network({"probabilities": np.zeros((1, 7), np.float32)})

    with pytest.raises(WeightsError, match=f"'{name}': the network does not fit: expected"):
        load(REGISTRY, name, "detector.name")(DetectorConfig(), cards()[name], other)


@pytest.mark.parametrize("shape", [(1, 125), (1, 126, 1)])
def test_outputs_of_another_shape_are_refused_when_the_detector_is_made(shape):
    answers = {"scores": shape, "boxes": (1, 4, 126), "points": (1, 10, 126)}
    other = Network({name: np.zeros(size, np.float32) for name, size in answers.items()})

    with pytest.raises(WeightsError, match=r"scores to be float32 \(1, 126\)"):
        load(REGISTRY, "yunet", "detector.name")(DetectorConfig(), cards()["yunet"], other)


def test_scrfd_is_told_by_shape_whatever_its_outputs_are_called():
    rows = [2 * (96 // s) * (64 // s) for s in (8, 16, 32)]
    shapes = [(n, k) for k in (1, 4, 10) for n in rows]
    answers = {str(i): np.zeros(shape, np.float32) for i, shape in enumerate(shapes)}
    answers["0"][5], answers["3"][5] = 0.9, 2.0  # third cell of the first row, second anchor
    network = Network(answers)

    detector = load(REGISTRY, "scrfd", "detector.name")(DetectorConfig(size=96), cards()["scrfd"], network)
    (found,) = detector.detect([np.zeros((64, 96, 3), np.uint8)])

    assert found.boxes.tolist() == [[0, -16, 32, 16]]


class Meter(Network):
    """A YuNet that sees one face, its score a thousandth of the picture's brightness."""

    def __init__(self) -> None:
        super().__init__({name: np.zeros(1, np.float32) for name in ("scores", "boxes", "points")})

    def run(self, batch, names=None):
        n, _, height, width = batch.shape
        cells = sum(yunet.cells((width, height)))
        scores = np.zeros((n, cells), np.float32)
        scores[:, 0] = batch[:, 0, 0, 0] / 1000
        return [scores, np.ones((n, 4, cells), np.float32), np.zeros((n, 10, cells), np.float32)]


def test_pictures_of_all_sizes_come_back_in_their_order():
    made = load(REGISTRY, "yunet", "detector.name")
    detector = made(DetectorConfig(threshold=0.01, min_face=0), cards()["yunet"], Meter())
    sizes = [(64, 64), (96, 64), (64, 64)]
    images = [np.full((h, w, 3), 50 + i, np.uint8) for i, (w, h) in enumerate(sizes)]

    found = detector.detect(images)

    assert np.concatenate([faces.scores for faces in found]).tolist() == pytest.approx([0.05, 0.051, 0.052])
