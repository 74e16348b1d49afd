import numpy as np
import pytest

from benchmarks.privacy import WHOLE, covered_share, measure
from core.settings import EstimatorsConfig, Settings

FRAME = (200, 100)


def test_a_box_under_its_own_blur_is_wholly_covered():
    box = np.array([50.0, 20, 90, 70])

    assert covered_share(box, box[None], FRAME) == 1.0


def test_a_box_without_a_blur_is_not_covered_and_half_of_one_by_half():
    box = np.array([0.0, 0, 100, 100])
    far_right = np.array([[50.0, -10000, 100000, 10000]])

    assert covered_share(box, np.zeros((0, 4)), FRAME) == 0.0
    assert 0.2 < covered_share(box, np.array([[75.0, 20, 125, 80]]), FRAME) < 0.8
    assert covered_share(box, far_right, FRAME) == 1.0


def test_only_the_part_within_the_frame_has_to_be_covered():
    box = np.array([-100.0, 0, 20, 100])

    assert covered_share(box, np.array([[0.0, 0, 20, 100]]), FRAME) > WHOLE


@pytest.mark.slow
def test_of_the_demos_true_faces_in_sight_nearly_all_are_blurred():
    settings = Settings(estimators=EstimatorsConfig(age="none", gender="none", emotion="none"))

    found = [case for case in measure(settings, delay=0.5) if case.face.visible >= 0.1]

    cast = [case for case in found if not case.face.name.startswith("solvay")]
    assert len(found) > 10_000
    assert np.mean([case.covered >= WHOLE for case in found]) >= 0.995
    assert np.mean([case.covered >= WHOLE for case in cast]) >= 0.98
