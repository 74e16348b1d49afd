"""The task `video`: what it counts, and that the record played again says what the stream says."""

import json
import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.settings import EvidenceConfig, LooksConfig, Settings, TrackerConfig
from core.types import EMOTIONS, FEMALE, MALE, UNKNOWN, Estimates, Faces, Frame, SourceInfo
from estimators.evidence import Fusion
from evaluation.__main__ import main
from evaluation.report import Figure
from evaluation.video_figures import (
    Person,
    coverage,
    flips,
    groups,
    settled,
    settled_age,
    steadiness,
    surest,
    truthfulness,
)
from evaluation.video_tracks import EVERY, History, Replay, belonging, every_look, play, record
from pipeline.schedule import Chooser
from pipeline.step import Lane, Pipeline
from tests.evaluation.sets import text
from tests.make import faces, stamp
from tests.portraits import PICTURES
from tracker.sort import Sort
from watch.life import Life
from watch.still import Still

RATE = 25
NAN = float("nan")


class Walkers:
    """A detector: two people walk side by side; the picture's grey level tells the frame."""

    def detect(self, images):
        return [faces((20 + n, 60, 80 + n, 140), (320 - n, 60, 380 - n, 140)) for n in map(number, images)]


class Guesses:
    """A panel: made-up looks, the same for the same face of the same frame whoever asks."""

    def look(self, views):
        return [self._judge(number(image), found) for image, found in views]

    def _judge(self, frame: int, found: Faces):
        said = Estimates.none(len(found))
        for row, left in enumerate(found.boxes[:, 0].round().astype(int).tolist()):
            rng = np.random.default_rng([frame, left])
            shares = np.exp(-0.5 * ((np.arange(101) - rng.normal(40, 4)) / 7) ** 2)
            moods = rng.random(len(EMOTIONS))
            said.quality[row] = rng.uniform(0.3, 0.9)
            said.age[row] = shares / shares.sum()
            said.female[row] = rng.uniform(0.5, 1)
            said.emotion[row] = moods / moods.sum()
        return said


def number(image):
    return int(image[0, 0, 0])


def film(count=100):
    for i in range(count):
        yield Frame(stamp(i, i / RATE, size=(400, 200)), np.full((200, 400, 3), i, np.uint8))


class Posters:
    """A detector: two faces that never move."""

    def detect(self, images):
        return [faces((20, 60, 80, 140), (320, 60, 380, 140)) for _ in images]


def pipeline(settings: Settings, detector=None, static_after=None) -> Pipeline:
    return Pipeline(
        detector or Walkers(),
        Guesses(),
        lambda _, first_id: Lane(
            tracker=Sort(TrackerConfig(scores="face"), first_id),
            chooser=Chooser(settings.looks),
            fusion=Fusion(settings.evidence),
            life=Life(settings.events),
            still=Still(static_after),
        ),
    )


def way(fused=True, **looks):
    return Replay(LooksConfig(**looks), EvidenceConfig(), fused)


@pytest.fixture(scope="module")
def moments():
    return record(pipeline(every_look(Settings())), "door", film())


def history(ages=(), genders=(), born=0.0, step=1.0, **more):
    """A track looked at every `step` seconds."""
    count = max(len(ages), len(genders))
    ages = list(ages) or [30.0] * count
    return History(
        born=born,
        seen=born + 60,
        looks=count,
        times=[born + step * (i + 1) for i in range(count)],
        ages=ages,
        lows=[age - 5 for age in ages],
        highs=[age + 5 for age in ages],
        female=more.pop("female", [0.9] * count),
        genders=list(genders) or [FEMALE] * count,
        moods=[6] * count,
    )


def test_the_record_played_again_says_what_the_stream_says(moments):
    """Not to play a looser program than the real one: beliefs, looks and spared looks are the same."""
    stream = pipeline(Settings())
    stream.start(SourceInfo("door", "video", "door"))
    last = [stream.turn([frame])[0] for frame in film()][-1].evidence

    histories, saved = play(moments, way())

    assert saved == stream.looks_saved
    assert sum(one.looks for one in histories.values()) == stream.looks_run
    for row, track in enumerate(last.ids.tolist()):
        assert histories[track].ages[-1] == float(last.age_mean[row])
        assert histories[track].genders[-1] == int(last.gender[row])
        assert histories[track].times[-1] == float(last.updated[row])


def test_with_every_look_none_is_saved_and_the_answers_stay_near(moments):
    some, _ = play(moments, way())
    every, saved = play(moments, way(**EVERY))

    assert saved == 0
    assert sum(one.looks for one in every.values()) > 3 * sum(one.looks for one in some.values())
    for track, one in some.items():
        assert one.ages[-1] == pytest.approx(every[track].ages[-1], abs=3)


def test_the_newest_look_alone_wavers_where_fusion_is_steady(moments):
    fused, alone = (play(moments, way(fused=fused))[0] for fused in (True, False))

    for track, one in fused.items():
        assert np.std(one.ages) < np.std(alone[track].ages)
        assert UNKNOWN not in alone[track].genders


def test_a_damaged_frame_is_not_looked_at(moments):
    damaged = [replace(moment, damaged=moment.stamp.index % 2 == 1) for moment in moments]

    histories, _ = play(damaged, way(**EVERY))

    times = {round(time * RATE) % 2 for one in histories.values() for time in one.times}
    assert times == {0}


def test_tracks_belong_to_the_face_that_they_lie_on(moments):
    boxes = np.array([[20.0 + i, 60, 80 + i, 140] for i in range(len(moments))])
    ids = moments[-1].tracks.ids[np.argsort(moments[-1].tracks.boxes[:, 0])].tolist()

    assert belonging(moments[:50], boxes[:50]) == {ids[0]}


def test_looks_that_tell_nothing_are_counted_as_the_stream_counts_them(monkeypatch):
    def dark(self, views):
        return [replace(said, quality=said.quality * (number(views[0][0]) % 3)) for said in look(self, views)]

    look = Guesses.look
    monkeypatch.setattr(Guesses, "look", dark)
    stream = pipeline(Settings())
    stream.start(SourceInfo("door", "video", "door"))
    for frame in film():
        stream.turn([frame])

    histories, _ = play(record(pipeline(every_look(Settings())), "door", film()), way())

    assert sum(one.looks for one in histories.values()) == stream.looks_run
    assert all(len(one.times) < one.looks for one in histories.values())


def test_faces_that_never_move_are_not_looked_at_when_the_record_is_played_again():
    stream = pipeline(Settings(), Posters(), static_after=2.0)
    stream.start(SourceInfo("door", "video", "door"))
    for frame in film():
        stream.turn([frame])
    moments = record(pipeline(every_look(Settings()), Posters(), static_after=2.0), "door", film())

    histories, saved = play(moments, replace(way(), static_after=2.0))

    assert saved == stream.looks_saved
    assert sum(one.looks for one in histories.values()) == stream.looks_run
    assert all(one.times[-1] < 2.5 for one in histories.values())


def test_unknown_between_two_answers_hides_no_flip():
    assert flips([FEMALE, UNKNOWN, MALE, MALE, UNKNOWN, MALE, FEMALE], UNKNOWN) == 2
    assert flips([UNKNOWN, FEMALE, UNKNOWN, FEMALE], UNKNOWN) == 0


def test_an_answer_is_final_when_it_no_longer_changes():
    late = history(genders=[UNKNOWN, FEMALE, MALE, FEMALE, FEMALE], born=10.0)

    assert settled(late, late.genders) == 4.0
    assert settled_age(history(ages=[20, 25, 29, 30.5, 30], born=5.0)) == 3.0
    assert np.isnan(settled_age(history()))
    assert np.isnan(settled_age(history(ages=[np.nan, np.nan])))


def test_flips_are_counted_per_minute_of_track_and_deviations_per_track():
    people = [Person(history(ages=[20, 30], genders=[FEMALE, MALE])), Person(history(ages=[40, 40]))]

    figures = steadiness(people)

    assert figures["gender_flips_per_minute"].value == pytest.approx(0.5)
    assert figures["age_deviation_within_track"].value == pytest.approx(2.5)
    assert figures["looks_per_track"].value == 2
    assert figures["gender_unknown"].value == 0


def test_the_last_answer_is_compared_with_the_truth():
    people = [
        Person(history(ages=[50, 33], genders=[MALE, FEMALE]), age=30, female=1),
        Person(history(ages=[60], genders=[MALE], female=[0.1]), age=70, female=1),
        Person(history(ages=[20], genders=[UNKNOWN], female=[0.4]), age=24, female=0),
    ]

    figures = {name: figure.value for name, figure in truthfulness(people).items()}

    assert figures["age_mae"] == pytest.approx(17 / 3)
    assert figures["age_bias"] == pytest.approx(-11 / 3)
    assert figures["age_in_90"] == pytest.approx(2 / 3)
    assert figures["gender_accuracy"] == pytest.approx(2 / 3)
    assert figures["gender_said"] == pytest.approx(2 / 3)
    assert figures["gender_said_accuracy"] == pytest.approx(1 / 2)
    assert {name: len(members) for name, members in groups(people).items()} == {
        "age 20-29": 1,
        "age 30-39": 1,
        "age 70+": 1,
        "women": 2,
        "men": 1,
    }
    assert surest(people).right.tolist() == [True, False, True]
    assert coverage(surest(people)).rows[0][:4] == ["1.00", "3", "0.667", "5.67"]


def test_tracks_are_grouped_by_race_where_the_set_tells_it():
    people = [Person(history(ages=[30.0]), 30.0, 1.0, race) for race in ("black", "", "asian", "black")]

    found = {name: len(members) for name, members in groups(people).items()}

    assert found == {"age 30-39": 4, "women": 4, "race black": 2, "race asian": 1}


def test_what_nobody_knows_is_no_figure():
    figures = {**steadiness([]), **truthfulness([Person(history(ages=[NAN], female=[NAN]))])}

    assert all(isinstance(figure, Figure) for figure in figures.values())
    assert np.isnan(figures["age_mae"].value)
    assert np.isnan(figures["gender_flips_per_minute"].value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give either -s"),
        (["-s", "demo", "--data", "."], "give either -s"),
        (["-s", "demo", "--fps", "0"], "--fps 1 to 60"),
    ],
)
def test_options_that_do_not_go_together_are_refused(capsys, words, said):
    assert main(["video", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_the_demo_is_measured_and_written_down(tmp_path, capsys):
    assert main(["video", "-s", "demo", "--set", "capture.to=2", "--out", str(tmp_path)]) == 0

    found = json.loads((tmp_path / "summary.json").read_text())
    assert "gender_flips_per_minute" in capsys.readouterr().out
    assert found["task"] == "video"
    assert found["n"] > 3
    assert found["metrics"]["looks_run"]["value"] < found["metrics"]["looks_run_every_frame"]["value"]
    assert {model["role"] for model in found["models"]} == {"detector", "age", "gender", "emotion"}
    assert "age_mae" not in found["metrics"]
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")


@pytest.mark.slow
def test_a_still_that_cannot_be_read_is_a_film_without_an_answer(tmp_path):
    still = tmp_path / "stills" / "51_1_0_20170104173400001.jpg"
    text(still, "broken")
    whole = cv2.imread(str(PICTURES / "astronaut.png"))
    assert whole is not None
    cv2.imwrite(str(still.with_name("30_1_0_20170104173400000.jpg")), whole[50:190, 153:293])
    words = ["--data", str(still.parent), "--part", "all", "--fps", "5", "--out", str(tmp_path)]

    assert main(["video", *words]) == 0

    found = json.loads((tmp_path / "summary.json").read_text())
    assert found["n"] >= 1
    assert found["missed"] == 1
    assert list(found["by_group"]) == ["age 30-39", "women", "race white"]


@pytest.mark.slow
@pytest.mark.skipif("STREAM_DATA" not in os.environ, reason="STREAM_DATA names no folder of data")
def test_films_made_of_stills_are_measured_against_the_truth(tmp_path):
    words = ["--data", str(Path(os.environ["STREAM_DATA"])), "--layout", "aaf_public", "--limit", "3"]

    assert main(["video", *words, "--fps", "5", "--out", str(tmp_path)]) == 0

    found = json.loads((tmp_path / "summary.json").read_text())
    assert found["n"] + found["missed"] >= 3
    assert found["metrics"]["age_mae"]["value"] >= 0
    assert sum(group.startswith("age") for group in found["by_group"]) >= 1
    assert all("gender_flips_per_minute" in figures for figures in found["by_group"].values())
    assert "svg" in (tmp_path / "report.html").read_text()
