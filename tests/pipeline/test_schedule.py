"""Which faces are looked at."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from core.settings import EvidenceConfig, LooksConfig
from core.types import LOST, SEEN, Estimates, Evidence, Faces, Tracks
from estimators.evidence import Fusion
from pipeline.schedule import Chooser
from tests.make import faces, stamp

NOBODY = np.zeros(0, np.int64)


def tracks(*sizes, state=SEEN, ids=None):
    """A track for each face height."""
    n = len(sizes)
    found = faces(*[(200 * i, 50, 200 * i + 0.8 * size, 50 + size) for i, size in enumerate(sizes)])
    index = np.arange(n) if state == SEEN else np.full(n, -1)
    names = np.arange(1, n + 1) if ids is None else np.array(ids, np.int64)
    states, time, shown = np.full(n, state, np.uint8), np.zeros(n), np.full(n, state == SEEN)
    return Tracks(names, found.boxes, states, found, index, time, time, shown)


def look(n, female=0.99, deviation=5.0):
    ages = np.exp(-0.5 * ((np.arange(101) - 30) / deviation) ** 2)
    return Estimates(
        np.full(n, 0.9, np.float32),
        np.tile(ages / ages.sum(), (n, 1)).astype(np.float32),
        np.full(n, female, np.float32),
        np.full((n, 7), 1 / 7, np.float32),
        np.zeros((n, 0), np.float32),
    )


def run(chooser, frames, rate, *, seconds, female=0.99, deviation=5.0):
    """Choose and fuse at `rate` frames/s; the (time, id) of each look."""
    fusion, seen = Fusion(EvidenceConfig()), []
    for i in range(round(seconds * rate)):
        now = frames(i / rate) if callable(frames) else frames
        belief = fusion.update(now, NOBODY, Estimates.none(), i / rate)
        rows = chooser.choose(now, belief, stamp(i, i / rate))
        fusion.update(now, rows, look(len(rows), female, deviation), i / rate)
        seen += [(i / rate, int(now.ids[row])) for row in rows]
    return seen


@pytest.mark.parametrize("rate", [10, 25, 30, 60])
def test_looks_are_counted_in_seconds_at_any_frame_rate(rate):
    """The first program looked at every third frame."""
    taken = run(Chooser(LooksConfig(per_second=6)), tracks(80, 80, 80, 80, 80), rate, seconds=10, female=0.5)

    assert len(taken) == pytest.approx(60, abs=4)


@pytest.mark.parametrize("rate", [5, 25, 30])
def test_a_known_face_is_refreshed_every_so_many_seconds(rate):
    taken = run(Chooser(LooksConfig(refresh=0.4)), tracks(80), rate, seconds=20)

    late = [time for time, _ in taken if time > 4]
    assert len(late) == pytest.approx(16 / 0.4, rel=0.2)


@pytest.mark.parametrize("doubt", [{"female": 0.5}, {"deviation": 14.0}])
def test_a_face_not_yet_known_is_looked_at_more_often(doubt):
    """Of open gender, or of an age that may be anything."""
    known = run(Chooser(LooksConfig()), tracks(80), 25, seconds=1.5)
    doubtful = run(Chooser(LooksConfig()), tracks(80), 25, seconds=1.5, **doubt)

    assert len(doubtful) > 1.5 * len(known)


@pytest.mark.parametrize("female", [0.5, np.nan])
def test_what_stays_open_or_cannot_be_known_is_not_pursued_for_ever(female):
    taken = run(Chooser(LooksConfig(refresh=0.4)), tracks(80), 25, seconds=20, female=female)

    late = [time for time, _ in taken if time > 10]
    assert len(late) == pytest.approx(10 / 0.4, rel=0.2)


def test_a_gender_that_no_network_tells_is_not_asked_for_more_often():
    known, untold = (
        run(Chooser(LooksConfig()), tracks(80), 25, seconds=1.5, female=female) for female in (0.99, np.nan)
    )

    assert len(untold) <= len(known)


@pytest.mark.parametrize("count", [1, 4, 30])
def test_the_budget_is_never_exceeded(count):
    config = LooksConfig(per_second=8)

    taken = run(Chooser(config), tracks(*[60] * count), 25, seconds=6, female=0.5)

    times = np.array([time for time, _ in taken])
    for start in np.arange(0, 5, 0.2):
        assert ((times >= start) & (times < start + 1)).sum() <= 8 + 2 + 1e-9


def test_under_load_that_share_of_the_budget_is_spent():
    chooser, belief, now = Chooser(LooksConfig(per_second=8)), Evidence.none(), tracks(*[60] * 30)

    looks = [len(chooser.choose(now, belief, stamp(i), share=0.25)) for i in range(500)]

    assert sum(looks) == pytest.approx(20 * 8 * 0.25, abs=2)


def test_every_face_has_its_turn_when_the_budget_is_short():
    taken = run(Chooser(LooksConfig(per_second=5)), tracks(*[60] * 10), 25, seconds=10, female=0.5)

    counts = np.bincount([track for _, track in taken])[1:]
    assert counts.min() >= 4
    assert counts.max() <= 6


@pytest.mark.parametrize("begins", [0.0, 2.0])
def test_faces_that_tell_nothing_take_no_looks_from_the_others(begins):
    """Out of focus or in the dark, from the beginning or after they were known."""
    chooser, fusion, now, seen = Chooser(LooksConfig()), Fusion(EvidenceConfig()), tracks(80, 80, 80, 80), []
    for i in range(300):
        time = i / 25
        belief = fusion.update(now, NOBODY, Estimates.none(), time)
        rows = chooser.choose(now, belief, stamp(i, time))
        looks = look(len(rows))
        looks.quality[(rows > 1) & (time >= begins)] = 0
        fusion.update(now, rows, looks, time)
        seen += now.ids[rows].tolist() if time >= 2 else []

    clear, blurred = np.split(np.bincount(seen, minlength=5)[1:], 2)
    assert clear.min() >= 10 / 0.5
    assert clear.min() >= 0.9 * blurred.max()


def test_new_tracks_come_first_and_among_them_the_best_view():
    chooser = Chooser(LooksConfig(per_second=8))
    belief = Fusion(EvidenceConfig()).update(tracks(90), np.array([0]), look(1), 0.0)

    rows = chooser.choose(tracks(90, 40, 70), belief, stamp(0, 100.0))

    assert rows.tolist()[:2] == [2, 1]


def test_a_much_better_view_of_a_known_face_is_taken_soon():
    def approaching(time):
        return tracks(30 if time < 3 else 90)

    taken = [time for time, _ in run(Chooser(LooksConfig(refresh=2.0)), approaching, 25, seconds=6)]

    assert min(time for time in taken if time >= 3) < 3.1
    assert max(time for time in taken if time < 3) > 1.5


@pytest.mark.parametrize("state", [LOST, SEEN])
def test_nothing_is_looked_at_that_was_not_seen_in_this_frame(state):
    """The first program fed old boxes again as if newly seen."""
    old = tracks(80, 80)
    codes = np.full(2, state, np.uint8)
    coasting = replace(old, states=codes, faces=Faces.none(2), index=np.full(2, -1))
    chooser = Chooser(LooksConfig())

    rows = [chooser.choose(coasting, Evidence.none(old.ids), stamp(i)).tolist() for i in range(50)]

    assert rows == [[]] * 50
    assert chooser.saved == 0
    assert chooser.unfit == 0


def turned(rows, row, nose):
    """The same tracks, one with its nose so far to the right of the middle, in distances of its eyes."""
    points = rows.faces.landmarks.copy()
    eyes = points[row, :2, 0]
    points[row, 2, 0] = eyes.mean() + nose * (eyes[1] - eyes[0])
    return replace(rows, faces=replace(rows.faces, landmarks=points))


@pytest.mark.parametrize("nose", [-1.0, 1.0])  # nearly a profile
def test_tiny_and_turned_faces_stay_unknown_and_are_counted(nose):
    rows = turned(tracks(20, 80), 1, nose)
    chooser, stills = Chooser(LooksConfig(min_face=24, max_yaw=40)), Chooser(LooksConfig(), stills=True)

    assert chooser.choose(rows, Evidence.none(rows.ids), stamp()).tolist() == []
    assert chooser.unfit == 2
    assert stills.choose(rows, Evidence.none(rows.ids), stamp()).tolist() == [1]


def test_of_new_faces_that_are_large_enough_the_more_frontal_and_the_surer_come_first():
    rows = turned(tracks(400, 120, 160), 0, 0.3)
    rows.faces.scores[1] = 0.7

    assert Chooser(LooksConfig()).choose(rows, Evidence.none(rows.ids), stamp()).tolist() == [2, 1, 0]


def test_stills_know_no_budget():
    chooser = Chooser(LooksConfig(per_second=1), stills=True)

    rows = [len(chooser.choose(tracks(*[60] * 30), Evidence.none(), stamp(i, 0.0))) for i in range(3)]

    assert rows == [30, 30, 30]
    assert chooser.saved == 0


def test_what_was_not_looked_at_is_counted_as_saved():
    chooser = Chooser(LooksConfig())

    taken = run(chooser, tracks(80, 80), 25, seconds=10)

    assert chooser.saved + len(taken) == 2 * 250
    assert chooser.saved > 400
    assert chooser.unfit == 0


def test_the_same_film_twice_gives_the_same_looks_and_rows_in_any_order_the_same_ids():
    first = run(Chooser(LooksConfig()), tracks(80, 60, 40), 25, seconds=5)
    again = run(Chooser(LooksConfig()), tracks(80, 60, 40), 25, seconds=5)
    straight = tracks(50, 70, 90, ids=(5, 6, 7))
    mixed = tracks(90, 50, 70, ids=(7, 5, 6))

    assert first == again
    one = Chooser(LooksConfig()).choose(straight, Evidence.none(straight.ids), stamp())
    other = Chooser(LooksConfig()).choose(mixed, Evidence.none(mixed.ids), stamp())
    assert straight.ids[one].tolist() == mixed.ids[other].tolist()


def test_no_tracks_are_no_looks():
    assert len(Chooser(LooksConfig()).choose(Tracks.none(), Evidence.none(), stamp())) == 0


def test_a_crowd_that_comes_and_goes_is_forgotten_but_for_those_who_stay():
    chooser, fusion, looked, sizes = Chooser(LooksConfig(per_second=100)), Fusion(EvidenceConfig()), [], []
    for i in range(1000):
        others = 2 if i else 100
        now = tracks(*[80] * (1 + others), ids=(1, *range(100 * i + 2, 100 * i + 2 + others)))
        belief = fusion.update(now, NOBODY, Estimates.none(), i / 25)
        rows = chooser.choose(now, belief, stamp(i, i / 25))
        fusion.update(now, rows, look(len(rows)), i / 25)
        looked += [i / 25] if 0 in rows.tolist() else []
        sizes.append(len(pickle.dumps(chooser)))

    assert max(sizes[100:]) <= 1.2 * max(sizes[1:100])
    assert np.diff(looked)[-50:].min() > 0.39
