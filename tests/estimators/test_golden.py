"""The networks of the repository on a face whose answers are known."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import WeightsError
from core.session import open_session
from core.types import EMOTIONS, YEARS, Faces
from estimators.network import Network
from estimators.panel import Panel
from weights.manifest import cards
from weights.store import locate

PICTURE = Path(__file__).parents[2] / "capture" / "demo" / "pictures" / "astronaut.png"
# RetinaFace's answer for the 512 x 512 picture.
POINTS = [(202.5, 102.8), (245.6, 103.1), (224.8, 127.6), (203.3, 139.6), (245.9, 140.1)]
COLLINS = Faces(np.array([[177.3, 59.9, 270.2, 181.3]]), np.float32([0.99997]), np.float32([POINTS]))


PERMISSIVE = {"age": "age_dlib", "gender": "gender_dlib", "emotion": "emotion_fer"}


def panel(**names):
    known, names = cards(), names or PERMISSIVE
    return Panel({r: Network(known[n], open_session(locate(known[n]), "cpu", 1)) for r, n in names.items()})


@pytest.mark.slow
def test_the_astronaut_is_a_smiling_woman_of_about_thirty():
    image = cv2.imread(str(PICTURE))

    look = panel().look([(image, COLLINS)])[0]

    assert look.age[0] @ YEARS == pytest.approx(29.6, abs=1)
    assert 1 - look.female[0] == pytest.approx(0.001, abs=0.03)
    assert look.emotion[0, EMOTIONS.index("happy")] == pytest.approx(0.999, abs=0.03)
    assert look.quality[0] > 0.7


@pytest.mark.slow
def test_the_network_that_our_teacher_begins_with_sees_her_so_too():
    try:
        locate(cards()["faceres_deep"])
    except WeightsError as error:
        pytest.skip(str(error))

    look = panel(age="faceres_deep", gender="faceres_deep").look([(cv2.imread(str(PICTURE)), COLLINS)])[0]

    assert look.age[0] @ YEARS == pytest.approx(31.4, abs=1)
    assert 1 - look.female[0] == pytest.approx(0.072, abs=0.03)


@pytest.mark.slow
def test_a_smaller_or_blurred_picture_of_her_is_trusted_less():
    image = cv2.imread(str(PICTURE))
    small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    shrunk = Faces(COLLINS.boxes / 4, COLLINS.scores, COLLINS.landmarks / 4)

    full, quarter, soft = panel().look(
        [(image, COLLINS), (small, shrunk), (cv2.GaussianBlur(image, (0, 0), 4), COLLINS)]
    )

    assert quarter.quality[0] < 0.5 * full.quality[0]
    assert soft.quality[0] < 0.5 * full.quality[0]
