"""Face prints: which rows they stand in, and whether they tell people apart."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import WeightsError
from core.session import open_session
from core.settings import Settings
from core.types import Crop, Estimates, Faces
from estimators.embedder import Embedder
from estimators.network import Network
from pipeline.build import build
from tests.make import faces
from weights.manifest import cards
from weights.store import locate

PICTURES = Path(__file__).parents[2] / "capture" / "demo" / "pictures"
PEOPLE = ("astronaut.png", "biden.jpg", "grace_hopper.jpg", "obama.jpg")
APART = 0.43  # about dlib's own 0.6 between vectors that are 1.4 long


class Greys:
    """Stands for a network: the direction of a face print is the grey level of the crop."""

    crop = Crop("aligned", 8)

    def __init__(self):
        self.batches = []

    def estimate(self, crops, quality):
        self.batches.append(len(crops))
        angles = crops.mean(axis=(1, 2, 3)) / 100
        none = Estimates.none(len(crops))
        vectors = np.float32([np.cos(angles), np.sin(angles)]).T
        return Estimates(none.quality, none.age, none.female, none.emotion, vectors)


def test_each_face_of_each_picture_gets_its_own_row_in_one_run_of_the_network():
    network = Greys()
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, :100], image[:, 100:] = 50, 150
    left, right = (10, 10, 60, 70), (130, 10, 180, 70)

    two, one = Embedder(network).embed([(image, faces(right, left)), (image, faces(left))])

    assert np.degrees(np.arctan2(two[:, 1], two[:, 0])).round() == pytest.approx([86, 29])
    assert one[0] == pytest.approx(two[1])
    assert two.dtype == np.float32
    assert network.batches == [3]


def test_a_face_that_is_nowhere_has_no_face_print():
    image = np.full((100, 100, 3), 90, np.uint8)
    there = faces((10, 10, 60, 70))
    both = Faces(*(np.concatenate([getattr(f, n) for f in (Faces.none(1), there)]) for n in Faces.__slots__))

    (prints,) = Embedder(Greys()).embed([(image, both)])

    assert np.isnan(prints[0]).all()
    assert np.isfinite(prints[1]).all()


@pytest.fixture(scope="module")
def embedder():
    card = cards()["embed_dlib"]
    try:
        return Embedder(Network(card, open_session(locate(card), "cpu", 1)))
    except WeightsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def find():
    """Finds the faces of a picture with the program's own detector."""
    return build(Settings()).pipeline.find


def surest(find, image):
    found = find(image)
    assert len(found), "no face found"
    return image, found.take(np.argsort(-found.scores)[:1])


def turned(image):
    height, width = image.shape[:2]
    return cv2.warpAffine(image, cv2.getRotationMatrix2D((width / 2, height / 2), 15, 1), (width, height))


ANOTHER_WAY = {
    "dark": lambda image: cv2.convertScaleAbs(image, alpha=0.45),
    "bright": lambda image: cv2.convertScaleAbs(image, alpha=1.5, beta=20),
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "turned": turned,
    "moved": lambda image: np.ascontiguousarray(image[13:, 9:]),
    "jpeg": lambda image: cv2.imdecode(cv2.imencode(".jpg", image, [1, 15])[1], 1),
    "small": lambda image: cv2.resize(image, None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA),
}


@pytest.fixture(scope="module")
def people(embedder, find):
    """Pictures of four people, with faces of 110 to 330 px, and their face prints (4, 128)."""
    images = []
    for name in PEOPLE:
        image = cv2.imread(str(PICTURES / name))
        scale = min(1, 1280 / max(image.shape))
        images.append(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    return images, np.concatenate(embedder.embed([surest(find, image) for image in images]))


@pytest.mark.slow
def test_face_prints_are_128_numbers_of_length_one(people):
    _, prints = people

    assert prints.shape == (4, 128)
    assert np.linalg.norm(prints, axis=1) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("way", ANOTHER_WAY)
def test_another_picture_of_a_person_is_nearer_than_anybody_else(way, people, embedder, find):
    images, prints = people

    again = np.concatenate(embedder.embed([surest(find, ANOTHER_WAY[way](image)) for image in images]))

    apart = np.linalg.norm(prints[:, None] - again[None], axis=2)
    same, others = np.diag(apart), apart[~np.eye(4, dtype=bool)]
    assert same.max() < 0.3
    assert others.min() > APART


@pytest.mark.slow
def test_no_two_of_the_scientists_of_1927_are_taken_for_one(embedder, find):
    image = cv2.imread(str(PICTURES / "solvay_1927.jpg"))
    found = find(image)
    sure = found.take(np.flatnonzero(found.scores > 0.7))

    (prints,) = embedder.embed([(image, sure)])

    apart = np.linalg.norm(prints[:, None] - prints[None], axis=2)[np.triu_indices(len(sure), 1)]
    assert len(sure) > 25
    assert apart.min() > 0.25
    assert np.median(apart) > 0.37
