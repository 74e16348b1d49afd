"""Numbers are fitted by the labels that there are; the others stay as stated."""

from dataclasses import replace

import numpy as np
import pytest

from core.cards import Output
from core.errors import SourceError
from evaluation.calibrate import fit, report_faces, report_moods
from evaluation.looks import Looks, collect, together
from evaluation.poor import report_bands, report_mood_bands, report_tracks

STATED = {
    "age": Output(role="age", name="a", values=tuple(map(float, range(101))), deviation=3.0, doubt=0.15),
    "gender": Output(role="gender", name="g", classes=("female", "male"), temperature=0.7, doubt=0.1),
    "emotion": Output(role="emotion", name="e", temperature=0.8, doubt=0.2),
}
N = 300


def looks(**changed):
    """As many good as poor looks, sure of themselves and right in four of five cases."""
    generator = np.random.default_rng(0)
    right, poor = generator.random(2 * N) < 0.8, np.arange(2 * N) >= N
    years, woman = generator.integers(25, 30, 2 * N).astype(float), generator.integers(0, 2, 2 * N)
    mood = generator.integers(0, 7, 2 * N)
    made = Looks(
        quality=np.where(poor, 0.1, 0.9),
        age=np.eye(101)[np.where(right, years, years + 9).astype(int)],
        female=np.where(right == (woman == 1), 0.95, 0.05),
        emotion=0.9 * np.eye(7)[np.where(right, mood, (mood + 1) % 7)] + 0.1 / 7,
        years=years,
        woman=woman.astype(float),
        mood=mood,
        tuning=np.ones(2 * N, bool),
        person=np.arange(2 * N) % N,
        poor=poor,
    )
    return replace(made, **changed)


def nothing(role):
    """The looks without a label for a role."""
    column = {"age": "years", "gender": "woman", "emotion": "mood"}[role]
    return looks(**{column: np.full(2 * N, -1 if role == "emotion" else np.nan)})


def test_all_numbers_are_fitted_where_all_is_labelled(caplog):
    fitted = fit([looks()], [looks()], STATED)

    assert all(fitted[role] != STATED[role] for role in STATED)
    assert fitted["gender"].temperature > 1
    assert caplog.messages == []


@pytest.mark.parametrize("role", ["age", "gender", "emotion"])
def test_what_is_not_labelled_stays_as_stated_and_is_said(role, caplog):
    whole = fit([looks()], [looks()], STATED)

    fitted = fit([nothing(role)], [nothing(role)], STATED)

    assert fitted == whole | {role: STATED[role]}
    assert len(caplog.messages) == 2
    assert all(message.startswith(f"{role}, ") and "as stated" in message for message in caplog.messages)


@pytest.mark.parametrize("role", ["age", "gender", "emotion"])
def test_a_set_without_labels_changes_nothing_that_others_are_fitted_by(role):
    both = [looks(), nothing(role)]

    assert fit(both, both, STATED)[role] == fit([looks()], [looks()], STATED)[role]


def test_without_poor_looks_the_doubts_stay_as_stated():
    good = looks().take(np.arange(2 * N) < N)

    fitted = fit([good], [good], STATED)

    assert {role: output.doubt for role, output in fitted.items()} == {
        "age": 0.15,
        "gender": 0.1,
        "emotion": 0.2,
    }
    assert all(fitted[role].temperature != STATED[role].temperature for role in STATED)


def test_without_good_looks_only_the_doubts_are_fitted():
    poor = looks().take(np.arange(2 * N) >= N)

    fitted = fit([poor], [poor], STATED)

    assert {role: output.temperature for role, output in fitted.items()} == {
        role: output.temperature for role, output in STATED.items()
    }
    assert fitted["gender"].doubt != STATED["gender"].doubt


def test_tables_have_dashes_where_nothing_is_labelled():
    bare = replace(nothing("age"), woman=np.full(2 * N, np.nan), mood=np.full(2 * N, -1))

    bands = report_bands(bare, STATED).splitlines()

    assert f"| 0 to 0.15 | {N} |" + " - |" * 8 in bands
    assert f"| 0 to 1 | {2 * N} |" + " - |" * 8 in bands
    assert report_faces(bare, STATED).endswith("Gender: calibration error -\n")
    assert (report_tracks(bare, STATED), report_moods(bare, STATED["emotion"])) == ("", "n = 0\n")
    assert len(report_mood_bands(bare, STATED["emotion"]).splitlines()) == 2


def test_tables_of_some_labels_are_those_of_the_labelled_looks_alone():
    mixed = together([nothing("gender"), looks()])

    table = report_faces(mixed, STATED)

    assert table.splitlines()[-1] == report_faces(looks(), STATED).splitlines()[-1]


def test_a_set_in_which_no_face_is_found_is_an_error_of_one_sentence():
    with pytest.raises(SourceError, match=r"^walls: no face is found in any of its pictures\.$"):
        collect(None, iter([]), "walls")
