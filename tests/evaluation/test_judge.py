"""From a picture to an answer: the face is found as the program finds it, or the picture is the face."""

import numpy as np
import pytest

from core.cards import Output
from core.types import Estimates
from estimators.network import Network
from evaluation.finder import Finder
from evaluation.groups import Labels, banded, crowd, groups
from evaluation.judge import Judge, believe, judge
from evaluation.models import Model
from evaluation.samples import Sample
from tests.estimators.test_network import AGE, GENDER, FakeSession, card
from tests.make import faces, landmarks

RACE = Output(role="race", name="races", classes=("white", "asian"))


class Sees:
    """A detector that sees one face in pictures of that width alone, a quarter of the way in."""

    def __init__(self, *widths):
        self.widths = widths
        self.shown = []

    def detect(self, images):
        (image,) = images
        height, width = image.shape[:2]
        self.shown.append((width, height))
        box = (width / 4, height / 4, 3 * width / 4, 3 * height / 4)
        return [faces(box) if width in self.widths else faces()]


def picture(width=40, height=40):
    return np.full((height, width, 3), 90, np.uint8)


@pytest.mark.parametrize(
    ("width", "box"),
    [
        (40, (10, 10, 30, 30)),  # as it is
        (80, (10, 10, 30, 30)),  # twice as large
        (160, (0, 0, 40, 40)),  # with a border of half a picture, twice as large
    ],
)
def test_the_face_is_told_in_pixels_of_the_picture_however_it_was_shown(width, box):
    found = Finder(Sees(width)).find(picture())

    assert found.boxes.tolist() == [list(box)]
    assert found.landmarks.ravel() == pytest.approx(landmarks(found.boxes).ravel(), abs=1e-3)


def test_a_face_that_is_found_at_once_is_not_looked_for_again():
    detector = Sees(40, 80)

    Finder(detector).find(picture())

    assert detector.shown == [(40, 40)]


def test_a_picture_without_a_face_is_shown_four_times():
    detector = Sees()

    assert len(Finder(detector).find(picture(40, 30))) == 0
    assert detector.shown == [(40, 30), (80, 60), (80, 70), (160, 140)]


def test_of_several_faces_the_one_nearest_the_centre_counts():
    class Two:
        def detect(self, images):
            return [faces((0, 0, 10, 10), (16, 18, 26, 30))]

    assert Finder(Two()).find(picture()).boxes.tolist() == [[16, 18, 26, 30]]


def model(role, *outputs, **answers):
    made = card(*outputs, kind="aligned", zoom=2.0, shift=0.3)
    return Model(role, made, FakeSession(**answers), None)


def test_a_bare_picture_is_the_crop_whatever_its_size():
    gender = model("gender", GENDER, genders=(0.1, 0.9))
    image = picture(16, 16)
    image[8:, :, 1] = 210

    look = Judge([gender], None).look(image)

    (batch,) = gender.session.batches
    red, green, _ = batch[0] * 2 + np.array([120, 110, 100])[:, None, None]
    assert green[:4].tolist() == np.full((4, 8), 90.0).tolist()
    assert green[4:].tolist() == np.full((4, 8), 210.0).tolist()
    assert (red == 90).all()
    assert look.said.female.tolist() == pytest.approx([0.9])
    assert look.faces.boxes.tolist() == [[0, 0, 16, 16]]


def test_a_picture_with_landmarks_is_cut_by_them_where_nobody_looks_for_the_face():
    gender = model("gender", GENDER, genders=(0.1, 0.9))
    points = faces((10, 10, 30, 34)).landmarks[0]

    look = Judge([gender], None).look(picture(), points)

    assert look.faces.landmarks[0].tolist() == points.tolist()
    assert 10 < look.faces.boxes[0, 2] - look.faces.boxes[0, 0] < 30


def test_the_program_never_computes_a_race_and_the_evaluation_does():
    both = model("gender", GENDER, RACE, genders=(0.1, 0.9), races=(0.3, 0.7))
    asked = []
    run = both.session.run
    both.session.run = lambda batch, names: asked.append(names) or run(batch, names)

    Network(both.card, both.session).estimate(np.zeros((1, 8, 8, 3), np.uint8), np.ones(1, np.float32))
    told = Judge([Model("race", both.card, both.session, None)], None).look(picture()).races

    assert asked == [["genders"], ["races"]]
    assert told.tolist() == [pytest.approx([0.3, 0.7])]
    assert Network(both.card, both.session).roles == ("gender",)


def test_missed_faces_are_kept_apart_with_their_labels():
    samples = [Sample("a", picture(), female=1.0), Sample("b", picture(50, 50), female=0.0)]

    judged = judge(Judge([model("gender", GENDER, genders=(0.1, 0.9))], Finder(Sees(40, 80))), samples)

    assert judged.labels.woman.tolist() == [1]
    assert judged.missed.woman.tolist() == [0]
    assert len(judged.belief) == 1


def test_nothing_found_at_all_is_no_error():
    judged = judge(
        Judge([model("age", AGE, ages=(0, 1, 0))], Finder(Sees())), [Sample("a", picture(), age=3)]
    )

    assert (len(judged.labels), len(judged.belief), judged.missed.age.tolist()) == (0, 0, [3])


def test_what_is_believed_is_what_the_program_says_after_one_look():
    said = Estimates.none(2)
    said.age[:] = np.eye(101)[[20, 60]]
    said.female[:], said.quality[:] = (0.99, 0.5), (1.0, 0.0)

    belief = believe(said)

    assert belief.age_mean == pytest.approx([20, 60], abs=1)
    assert (belief.age_low <= belief.age_mean).all()
    assert belief.gender.tolist() == [1, 0]
    assert np.isnan(belief.emotion).all()


def test_the_crowd_is_the_single_most_said_mood_of_ours():
    assert crowd((0, 6, 4, 0, 0, 0, 0, 0, 0, 0)) == 3
    assert crowd((0, 0, 0, 0, 0, 0, 0, 6, 2, 2)) == -1  # contempt
    assert crowd((3, 3, 0, 0, 0, 0, 0, 0, 0, 4)) == -1  # not a face
    assert crowd((5, 5, 0, 0, 0, 0, 0, 0, 0, 0)) == -1
    assert crowd(()) == -1


def test_every_age_has_one_band():
    bands = banded(np.array([0, 12, 13, 19, 20, 69, 70, 116, np.nan]))

    assert bands.tolist() == [0, 0, 1, 1, 2, 6, 7, 7, -1]


def test_groups_are_those_that_have_anybody():
    labels = Labels.of(
        [Sample("a", picture(), age=30, female=1, race=1), Sample("b", picture(), age_low=20, age_high=29)]
    )

    found = groups(labels, ("white", "black"), np.array([0.9, 0.1]))

    assert {name: rows.tolist() for name, rows in found.items()} == {
        "age 20-29": [False, True],
        "age 30-39": [True, False],
        "women": [True, False],
        "race black": [True, False],
        "women, age 30-39": [True, False],
        "quality 0-0.15": [False, True],
        "quality 0.7-1": [True, False],
    }
