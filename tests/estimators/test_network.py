"""Networks by their cards."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from core.cards import Card, Input, Output
from core.errors import WeightsError
from core.types import AGES, EMOTIONS, GENDERS, YEARS
from estimators.network import Network, fitted, gaussian, spread, temper, unit, widen
from estimators.panel import Panel
from tests.make import faces


class FakeSession:
    """Answers with fixed rows and remembers what it was given."""

    def __init__(self, shape=("n", 3, 8, 8), **answers):
        self.inputs = {"images": shape}
        self.outputs = {name: ("n", len(row)) for name, row in answers.items()}
        self._answers = answers
        self.batches = []

    def run(self, batch, names):
        self.batches.append(batch)
        return [np.tile(np.float32(self._answers[name]), (len(batch), 1)) for name in names]


def card(*outputs, **changes):
    wanted = {"name": "images", "kind": "box", "size": 8, "mean": (120.0, 110.0, 100.0), "scale": 2.0}
    return Card(
        id="made_up",
        role=outputs[0].role if outputs else "age",
        title="",
        file="made_up.onnx",
        sha256=None,
        in_repository=False,
        package=None,
        upstream="",
        package_licence="",
        licence="",
        commercial=True,
        terms="",
        training_data="",
        input=Input(**(wanted | changes)),
        outputs=outputs,
        published="",
        measured="",
    )


AGE = Output(role="age", name="ages", values=(0.25, 30.0, 60.0), deviation=0.0, doubt=0.0)
GENDER = Output(role="gender", name="genders", classes=("male", "female"), doubt=0.0)
PRINT = Output(role="embedding", name="prints", size=3)
MOOD = Output(role="emotion", name="moods", classes=tuple(reversed(EMOTIONS)), doubt=0.0)


def good(n):
    """Qualities of faces that leave nothing to be wished for."""
    return np.ones(n, np.float32)


def test_pixels_become_numbers_as_the_card_says():
    session = FakeSession(ages=(0, 1, 0))
    crops = np.full((2, 8, 8, 3), (130, 120, 140), np.uint8)

    Network(card(AGE), session).estimate(crops, good(2))

    assert session.batches[0].shape == (2, 3, 8, 8)
    assert session.batches[0].dtype == np.float32
    assert session.batches[0][1, :, 0, 0].tolist() == [5.0, 5.0, 20.0]


def test_one_network_may_have_several_heads_and_leaves_other_columns_unknown():
    session = FakeSession(ages=(0, 1, 0), genders=(0.8, 0.2))

    said = Network(card(AGE, GENDER), session).estimate(np.zeros((2, 8, 8, 3), np.uint8), good(2))

    assert said.age[0, 30] == pytest.approx(1)
    assert said.female.tolist() == pytest.approx([0.2, 0.2])
    assert np.isnan(said.emotion).all()
    assert len(session.batches) == 1


def test_classes_are_brought_into_our_order():
    said = Network(card(MOOD), FakeSession(moods=(0.7, 0.3, 0, 0, 0, 0, 0))).estimate(
        np.zeros((1, 8, 8, 3), np.uint8), good(1)
    )

    assert said.emotion[0, EMOTIONS.index("neutral")] == pytest.approx(0.7)
    assert said.emotion[0, EMOTIONS.index("surprise")] == pytest.approx(0.3)


def test_a_network_that_says_one_number_gives_a_gaussian_of_its_measured_deviation():
    number = Output(role="age", name="years", deviation=6.0)

    said = Network(card(number), FakeSession(years=(41.5,))).estimate(
        np.zeros((1, 8, 8, 3), np.uint8), good(1)
    )

    mean = said.age[0] @ YEARS
    assert mean == pytest.approx(41.5, abs=0.05)
    assert np.sqrt(said.age[0] @ (YEARS - mean) ** 2) == pytest.approx(6, abs=0.05)


@pytest.mark.parametrize(("said", "meant"), [(-4.0, 0.0), (117.0, 100.0)])
def test_a_network_that_says_an_age_nobody_has_means_the_nearest_one(said, meant):
    number = Output(role="age", name="years", deviation=6.0)
    crops = np.zeros((1, 8, 8, 3), np.uint8)

    beyond, end = (
        Network(card(number), FakeSession(years=(age,))).estimate(crops, good(1)) for age in (said, meant)
    )

    assert beyond.age.tolist() == end.age.tolist()


def test_the_deviation_may_depend_on_the_predicted_age():
    old = Output(role="age", name="years", deviation=((0.0, 2.0), (40.0, 10.0)))

    said = Network(card(old), FakeSession(years=(50.0,))).estimate(np.zeros((1, 8, 8, 3), np.uint8), good(1))

    assert np.sqrt(said.age[0] @ (YEARS - 50) ** 2) == pytest.approx(10, abs=0.2)


def test_what_a_look_says_is_doubted_the_more_the_poorer_it_is():
    sure = FakeSession(ages=(1, 0, 0), genders=(0, 1), moods=(0, 0, 0, 0, 0, 0, 1))
    heads = [output.model_copy(update={"doubt": 0.4}) for output in (AGE, GENDER, MOOD)]

    said = Network(card(*heads), sure).estimate(
        np.zeros((3, 8, 8, 3), np.uint8), np.array([1, 0.5, 0], np.float32)
    )

    assert said.female.tolist() == pytest.approx([1, 1 - 0.4 / 4 / 2, 1 - 0.4 / 2])
    assert said.emotion[:, 0].tolist() == pytest.approx([1, 1 - 0.1 * 6 / 7, 1 - 0.4 * 6 / 7])
    assert said.age[:, :2].sum(axis=1) == pytest.approx([1, 0.9, 0.6], abs=0.01)
    assert said.age[0, 18:].sum() == pytest.approx(0, abs=1e-6)
    assert said.age[2, 18:].sum() > 0.3  # a grown-up of whom nothing can be seen may look like a child


def test_a_network_that_nobody_measured_is_doubted_too():
    assert Output(role="age", name="years").doubt > 0


def test_the_panel_tells_the_networks_how_good_the_look_is():
    doubtful = GENDER.model_copy(update={"doubt": 1.0})
    panel = Panel({"gender": Network(card(doubtful), FakeSession(genders=(0, 1)))})

    look = panel.look([(np.zeros((60, 60, 3), np.uint8), faces((5, 5, 50, 50)))])[0]

    assert look.quality[0] == 0
    assert look.female[0] == pytest.approx(0.5)


def test_no_crops_are_no_run():
    session = FakeSession(ages=(0, 1, 0))

    assert len(Network(card(AGE), session).estimate(np.zeros((0, 8, 8, 3), np.uint8), good(0))) == 0
    assert session.batches == []


@pytest.mark.parametrize(
    ("made", "session", "says"),
    [
        (card(AGE), FakeSession(other=(1,)), "no output 'ages'"),
        (card(AGE), FakeSession(ages=(1, 0)), r"output 'ages' of made_up.onnx is \['n', 2\]"),
        (card(AGE, size=16), FakeSession(ages=(1, 0, 0)), "input 'images'"),
        (card(AGE, name="pictures"), FakeSession(ages=(1, 0, 0)), "no input 'pictures'"),
        (card(AGE, colour="grey"), FakeSession(ages=(1, 0, 0)), "input 'images'"),
        (card(AGE, mean=(1.0, 2.0)), FakeSession(ages=(1, 0, 0)), "mean has 2 values"),
        (card(), FakeSession(), "names no output"),
        (card(PRINT), FakeSession(prints=(1, 0)), r"output 'prints' of made_up.onnx is \['n', 2\]"),
        (
            card(Output(role="gender", name="g", classes=("female", "cat"))),
            FakeSession(g=(1, 0)),
            "gender has the classes",
        ),
    ],
)
def test_a_card_that_does_not_fit_its_network_is_an_error_at_once(made, session, says):
    with pytest.raises(WeightsError, match=says):
        Network(made, session)


distributions = arrays(np.float64, 81, elements=st.floats(1e-3, 1)).map(lambda row: (row / row.sum())[None])


@given(distributions, st.floats(0.2, 6))
def test_probabilities_sum_to_one_and_keep_their_order_whatever_the_temperature(shares, temperature):
    tempered = temper(shares, np.full(len(shares), temperature))

    assert tempered.sum() == pytest.approx(1)
    assert tempered[0, shares.argmax()] == pytest.approx(tempered.max())


@given(distributions)
def test_the_grid_keeps_the_mean_age(shares):
    values = np.r_[0.25, np.arange(1.0, 81)]

    assert spread(shares, values)[0] @ YEARS == pytest.approx((shares @ values)[0])


@given(st.floats(20, 80), st.floats(1, 6), st.floats(0, 12))
def test_widening_reaches_the_measured_deviation_and_never_narrows(mean, own, measured):
    before = gaussian(np.array([mean]), np.array([own]))

    after = widen(before, np.array([measured]))[0]

    centre = after @ YEARS
    deviation = np.sqrt(after @ (YEARS - centre) ** 2)
    assert after.sum() == pytest.approx(1)
    assert deviation >= min(max(own, measured), 6) - 0.3
    assert deviation == pytest.approx(max(own, measured), abs=0.3) or measured * 2.5 > min(mean, 100 - mean)


def test_ages_are_sharpened_by_the_temperature_of_their_predicted_age():
    young, old = (float(year) for year in (20, 60))
    stated = Output(role="age", name="ages", temperature=((young, 0.5), (old, 1.0)))
    shares = gaussian(np.array([young, old]), np.array([6.0, 6.0]))

    after = fitted(shares, stated)

    deviations = np.sqrt((after * (YEARS - (after @ YEARS)[:, None]) ** 2).sum(axis=1))
    assert deviations == pytest.approx([6 / np.sqrt(2), 6], abs=0.05)
    assert after @ YEARS == pytest.approx([young, old], abs=0.1)


def test_points_by_age_are_for_ages_alone():
    with pytest.raises(ValidationError, match="only an output of role age has them"):
        Output(role="gender", name="genders", classes=GENDERS, temperature=((20.0, 0.5),))


def test_a_face_print_has_length_one_and_other_columns_stay_unknown():
    said = Network(card(PRINT), FakeSession(prints=(0, 3, 4))).estimate(
        np.zeros((2, 8, 8, 3), np.uint8), good(2)
    )

    assert said.embedding.dtype == np.float32
    assert said.embedding == pytest.approx(np.float32([[0, 0.6, 0.8]] * 2))
    assert np.isnan(said.age).all()


def test_a_face_print_of_no_length_is_not_known():
    assert np.isnan(unit(np.zeros((2, 3)))).all()


def test_without_such_a_network_there_is_no_face_print():
    said = Network(card(AGE), FakeSession(ages=(0, 1, 0))).estimate(np.zeros((2, 8, 8, 3), np.uint8), good(2))

    assert said.embedding.shape == (2, 0)


def test_a_panel_merges_columns_splits_rows_and_cuts_and_runs_each_network_once():
    both = FakeSession(ages=(0, 1, 0), genders=(0.9, 0.1))
    mood = FakeSession(moods=(0, 0, 0, 0, 0, 0, 1))
    two_heads = Network(card(AGE, GENDER), both)
    panel = Panel({"age": two_heads, "gender": two_heads, "emotion": Network(card(MOOD), mood)})
    image = np.full((100, 100, 3), 90, np.uint8)

    looks = panel.look(
        [(image, faces((10, 10, 50, 50))), (image, faces()), (image, faces(*[(5, 5, 60, 70)] * 2))]
    )

    assert [len(look) for look in looks] == [1, 0, 2]
    assert looks[2].age[1, 30] == pytest.approx(1)
    assert looks[0].female[0] == pytest.approx(0.1)
    assert looks[0].emotion[0, 0] == pytest.approx(1)
    assert [batch.shape[0] for batch in both.batches] == [3]
    assert [batch.shape[0] for batch in mood.batches] == [3]


def test_a_panel_takes_a_role_from_the_network_named_for_it():
    several = Network(card(AGE, GENDER), FakeSession(ages=(0, 1, 0), genders=(0.9, 0.1)))
    other = Network(card(GENDER), FakeSession(genders=(0.3, 0.7)))

    look = Panel({"age": several, "gender": other}).look(
        [(np.zeros((60, 60, 3), np.uint8), faces((5, 5, 50, 50)))]
    )

    assert look[0].female[0] == pytest.approx(0.7)
    assert look[0].age.shape == (1, AGES)


def test_a_network_without_the_role_asked_of_it_is_an_error():
    with pytest.raises(WeightsError, match=r"estimators.emotion: 'made_up' has no output for emotion"):
        Panel({"emotion": Network(card(AGE), FakeSession(ages=(0, 1, 0)))})


def test_a_panel_of_no_networks_still_says_the_quality():
    look = Panel({}).look([(np.full((60, 60, 3), 90, np.uint8), faces((5, 5, 50, 50)))])[0]

    assert np.isfinite(look.quality).all()
    assert np.isnan(look.age).all()
