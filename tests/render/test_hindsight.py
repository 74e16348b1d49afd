import logging

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.geometry import area
from core.settings import TrackerConfig
from core.types import ENDED, LOST, SEEN, Faces, Tracks
from render import hindsight
from render.hindsight import Hindsight
from tests.make import evidence, faces, frame, result, tracks

RATE = 25


def box(x: float, size: float = 40.0):
    return (x, 100.0, x + size, 100.0 + size)


def run(held: Hindsight, results):
    shown = [s for f, r in results for s in held.push(f, r)]
    return shown + held.flush()


def film(*rows):
    """(frame, result) for each (tracks, faces), 25 a second."""
    pairs = []
    for i, (found, detections) in enumerate(rows):
        picture = frame(i)
        pairs.append((picture, result(picture, found, detections)))
    return pairs


def covers(shown, where) -> bool:
    """Does one box of the cover hold nearly all of `where`, without being vastly larger?"""
    x1, y1, x2, y2 = shown.cover.T
    width = np.minimum(x2, where[2]) - np.maximum(x1, where[0])
    height = np.minimum(y2, where[3]) - np.maximum(y1, where[1])
    share = np.maximum(width, 0) * np.maximum(height, 0) / ((where[2] - where[0]) * (where[3] - where[1]))
    return bool(((share > 0.95) & (area(shown.cover) < 4 * 40 * 40)).any())


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0.001, 0.4), min_size=1, max_size=40),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.lists(st.booleans(), min_size=40, max_size=40),
)
def test_each_frame_comes_out_once_in_order_and_never_early(gaps, delay, cuts):
    held, out = Hindsight(delay, covering=True), []
    times = np.cumsum(gaps).tolist()

    for i, time in enumerate(times):
        picture = frame(i, time, size=(32, 20), cut=cuts[i])
        for shown in held.push(picture, result(picture, Tracks.none())):
            assert shown.result.stamp.time <= time - delay + 1e-6
            out.append(shown.frame.stamp.index)
    out += [shown.frame.stamp.index for shown in held.flush()]

    assert out == list(range(len(times)))


def test_without_delay_a_frame_comes_out_at_once():
    picture = frame(0)

    (shown,) = Hindsight(0.0, covering=True).push(picture, result(picture, tracks({1: box(10)})))

    assert shown.frame is picture
    assert shown.tracks.ids.tolist() == [1]


def test_a_track_confirmed_later_is_shown_from_its_first_detection_on():
    rows = [(Tracks.none(), faces(box(10 + 4 * i), (400, 10, 440, 50))) for i in range(3)]
    rows += [(tracks({7: box(10 + 4 * i)}, time=i / RATE), faces(box(10 + 4 * i))) for i in range(3, 6)]

    shown = run(Hindsight(0.5, covering=True), film(*rows))

    assert [s.tracks.ids.tolist() for s in shown] == [[7]] * 6
    assert [s.tracks.boxes[0, 0] for s in shown] == [10 + 4 * i for i in range(6)]
    assert [s.tracks.index.tolist() for s in shown[:3]] == [[0]] * 3
    assert [s.evidence.ids.tolist() for s in shown] == [[7]] * 6


def test_a_track_is_not_shown_before_it_was_born():
    rows = [(Tracks.none(), faces(box(10))) for _ in range(3)]
    rows += [(tracks({7: box(10)}, born=3 / RATE), faces(box(10)))]

    shown = run(Hindsight(0.5, covering=True), film(*rows))

    assert [len(s.tracks) for s in shown] == [0, 0, 0, 1]


def test_nothing_is_looked_for_before_a_cut():
    pairs = film((Tracks.none(), faces(box(10))), (tracks({7: box(10)}), faces(box(10))))
    after = frame(1, cut=True)
    pairs[1] = (after, result(after, tracks({7: box(10)}, born=-1.0)))

    shown = run(Hindsight(0.5, covering=True), pairs)

    assert [len(s.tracks) for s in shown] == [0, 1]


def test_a_face_missed_between_two_sights_is_shown_on_the_line_between_them():
    seen = [(tracks({1: box(10)}), faces(box(10)))]
    wrong = [(tracks({1: box(300)}, LOST), faces()) for _ in range(3)]
    again = [(tracks({1: box(50)}), faces(box(50)))]

    shown = run(Hindsight(0.5, covering=True), film(*seen, *wrong, *again))

    assert [s.tracks.boxes[0, 0] for s in shown] == pytest.approx([10, 20, 30, 40, 50])
    assert all(covers(s, box(10 + 10 * i)) for i, s in enumerate(shown))


@pytest.mark.parametrize("others", [(), ((400, 10, 440, 50),)], ids=["nobody else", "somebody else"])
def test_a_face_missed_before_it_had_an_id_is_shown_on_its_way_and_not_at_anothers_place(others):
    rows = [(Tracks.none(), faces(box(10))), (Tracks.none(), faces(*others))]
    rows += [(tracks({7: box(10 + 4 * i)}, time=i / RATE), faces(box(10 + 4 * i))) for i in (2, 3)]

    shown = run(Hindsight(0.5, covering=True), film(*rows))

    assert [s.tracks.ids.tolist() for s in shown] == [[7]] * 4
    assert [s.tracks.boxes[0, 0] for s in shown] == pytest.approx([10, 14, 18, 22])


def test_a_label_says_the_latest_that_was_known_in_time():
    pairs = []
    for i in range(30):
        picture = frame(i)
        belief = evidence([1], age=20.0 + i)
        pairs.append((picture, result(picture, tracks({1: box(10)}), evidence=belief)))

    shown = run(Hindsight(0.4, covering=True), pairs)

    assert [s.evidence.age_mean[0] for s in shown] == [min(30.0 + i, 49.0) for i in range(30)]


def test_beliefs_that_came_with_different_results_stand_beside_their_own_ids():
    pictures = [frame(0), frame(1)]
    first = result(pictures[0], tracks({1: box(10), 2: box(200)}), evidence=evidence([1, 2], age=20))
    second = result(pictures[1], tracks({2: box(200)}), evidence=evidence([2], age=60))

    shown = run(Hindsight(0.5, covering=True), list(zip(pictures, [first, second], strict=True)))

    assert shown[0].evidence.ids.tolist() == [1, 2]
    assert shown[0].evidence.age_mean.tolist() == [20, 60]


@pytest.mark.parametrize("rate", [5, 25])
def test_a_face_is_covered_before_its_first_and_after_its_last_sight_on_its_way(rate):
    pairs = []
    for i in range(2 * rate):
        x = 50 + 60 * i / rate
        picture = frame(i, i / rate)
        seen = 0.599 <= i / rate <= 1.201
        found = tracks({1: box(x)}, time=i / rate, born=0.6) if seen else Tracks.none()
        pairs.append((picture, result(picture, found)))

    shown = run(Hindsight(0.5, covering=True), pairs)

    near = [s for s in shown if 0.099 <= s.result.stamp.time <= 1.701]
    assert all(covers(s, box(50 + 60 * s.result.stamp.time)) for s in near)
    assert not [s for s in shown if not 0.099 <= s.result.stamp.time <= 1.701 and len(s.cover)]


def test_a_face_that_turned_back_is_covered_where_it_came_from_and_where_it_was_going():
    there_and_back = [10 + 8 * min(i, 20 - i) for i in range(20)]  # px, at 25 frames/s
    rows = [(Tracks.none(), faces())] * 5
    rows += [(tracks({3: box(x)}, time=(5 + i) / RATE), faces(box(x))) for i, x in enumerate(there_and_back)]
    rows += [(Tracks.none(), faces())] * 5

    shown = run(Hindsight(0.5, covering=True), film(*rows))

    (before,), (after,) = shown[4].cover, shown[25 + 2].cover
    assert (before[0], before[2]) == pytest.approx((10 - 8, 50))
    assert (after[0], after[2]) == pytest.approx((18 - 3 * 8, 58))


def test_detections_that_become_nobody_are_covered_around_their_time():
    rows = [(Tracks.none(), faces(box(200), score=0.31) if i == 10 else Faces.none()) for i in range(21)]

    shown = run(Hindsight(0.2, covering=True), film(*rows))

    assert [covers(s, box(200)) for s in shown[5:16]] == [True] * 11


def test_a_lost_face_is_covered_where_it_was_and_where_it_is_thought_to_be():
    rows = [(tracks({1: box(10)}), faces(box(10))), (tracks({1: box(80)}, LOST), faces())]

    shown = run(Hindsight(0.0, covering=True), film(*rows))

    assert covers(shown[1], box(10))
    assert covers(shown[1], box(80))


def test_nothing_is_covered_across_a_cut():
    pictures = [frame(0), frame(1, cut=True)]
    results = [result(pictures[0], tracks({1: box(10)})), result(pictures[1], Tracks.none())]

    shown = run(Hindsight(0.5, covering=True), list(zip(pictures, results, strict=True)))

    assert len(shown[1].cover) == 0


def test_faces_alike_are_covered_once():
    row = (tracks({1: box(10)}), faces(box(10), box(11)))

    shown = run(Hindsight(0.5, covering=True), film(row, row, row))

    assert [len(s.cover) for s in shown] == [1, 1, 1]


def test_large_pictures_leave_sooner_than_the_memory_allows_and_that_is_said_once(monkeypatch, caplog):
    monkeypatch.setattr(hindsight, "HELD_BYTES", 5 * 32 * 20 * 3)
    held, waiting = Hindsight(0.5, covering=True), []

    with caplog.at_level(logging.WARNING):
        for i in range(20):
            picture = frame(i, size=(32, 20))
            out = held.push(picture, result(picture, Tracks.none()))
            waiting.append((waiting[-1] if waiting else 0) + 1 - len(out))

    assert max(waiting) == 5
    assert len(caplog.records) == 1


def test_what_is_remembered_does_not_grow_with_the_film():
    held = Hindsight(0.2, covering=True)

    for i in range(300):
        picture = frame(i, size=(32, 20))
        found = tracks({i + 1: box(10)}, SEEN if i % 2 else ENDED, time=i / RATE, born=i / RATE)
        held.push(picture, result(picture, found))

    knowledge = held._knowledge
    assert max(len(knowledge._moments), len(knowledge._paths), len(knowledge._beliefs)) < 2 * RATE


def test_every_track_of_the_real_tracker_is_shown_from_its_birth():
    from tracker.sort import Sort

    tracker, pairs = Sort(TrackerConfig()), []
    for i in range(30):
        picture, found = frame(i), faces(box(20 + 5 * i), (400 - 3 * i, 40, 450 - 3 * i, 100), score=0.75)
        known = tracker.update(found, picture.stamp.time)
        pairs.append((picture, result(picture, known, found)))
    late = sum(len(r.tracks) == 0 for _, r in pairs)

    shown = run(Hindsight(0.5, covering=True), pairs)

    assert late > 0
    assert [len(s.tracks) for s in shown] == [2] * 30
