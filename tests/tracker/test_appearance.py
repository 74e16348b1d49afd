"""Face prints: who was away is known again, and who is near is told apart."""

from __future__ import annotations

import numpy as np
import pytest

from core.settings import TrackerConfig
from core.types import LOST, SEEN
from tests.make import faces
from tracker.appearance import Appearances, Prints
from tracker.assignment import assign
from tracker.sort import Sort

FACE, ELSEWHERE = (100, 100, 150, 160), (500, 100, 550, 160)
ANNA, BERT = np.eye(8, dtype=np.float32)[:2]
UNKNOWN = np.full(8, np.nan, np.float32)


def prints(*rows):
    return np.array(rows, np.float32).reshape(-1, 8)


def near(print_, distance: float):
    """A unit vector that far from another."""
    other = np.eye(8, dtype=np.float32)[7]
    angle = 2 * np.arcsin(distance / 2)
    return np.cos(angle) * print_ + np.sin(angle) * other


def away(tracker: Sort, since: float, until: float) -> None:
    for i in range(round((until - since) * 10)):
        tracker.update(faces(), since + (i + 1) / 10)


def seen(tracker: Sort, print_=ANNA) -> None:
    for i in range(5):
        tracker.update(faces(FACE), i / 10, embeddings=prints(print_))


def test_whoever_comes_back_elsewhere_after_seconds_has_the_same_id() -> None:
    tracker = Sort(TrackerConfig())
    seen(tracker)
    away(tracker, 0.4, 4.0)

    rows = tracker.update(faces(ELSEWHERE), 4.1, embeddings=prints(near(ANNA, 0.2)))

    assert rows.ids.tolist() == [1]
    assert rows.states.tolist() == [SEEN]
    assert rows.boxes[0, 0] == pytest.approx(500, abs=1)


@pytest.mark.parametrize("print_", [BERT, UNKNOWN, near(ANNA, 0.45)])
def test_whoever_looks_different_or_like_nobody_gets_an_id_of_their_own(print_) -> None:
    tracker = Sort(TrackerConfig())
    seen(tracker)
    away(tracker, 0.4, 3.0)

    rows = tracker.update(faces(ELSEWHERE), 3.1, embeddings=prints(print_))

    assert rows.ids.tolist() == [1, 2]
    assert rows.states.tolist() == [LOST, SEEN]


def test_a_face_that_could_be_two_lost_people_is_neither() -> None:
    tracker = Sort(TrackerConfig())
    for i in range(5):
        twins = prints(near(ANNA, 0.02), ANNA)
        tracker.update(faces(FACE, (300, 100, 350, 160)), i / 10, embeddings=twins)
    away(tracker, 0.4, 3.0)

    assert tracker.update(faces(ELSEWHERE), 3.1, embeddings=prints(ANNA)).ids.tolist() == [1, 2, 3]


def test_whoever_comes_back_is_known_again_while_somebody_without_a_print_is_lost_too() -> None:
    tracker = Sort(TrackerConfig())
    for i in range(5):
        tracker.update(faces(FACE, (300, 100, 350, 160)), i / 10, embeddings=prints(UNKNOWN, ANNA))
    away(tracker, 0.4, 0.8)

    rows = tracker.update(faces(ELSEWHERE), 0.9, embeddings=prints(ANNA))

    assert rows.ids.tolist() == [1, 2]
    assert rows.states.tolist() == [LOST, SEEN]


def test_a_known_face_is_waited_for_known_gap_seconds_and_an_unknown_one_max_gap() -> None:
    known, unknown = Sort(TrackerConfig(known_gap=5.0)), Sort(TrackerConfig(known_gap=5.0))
    seen(known)
    seen(unknown, UNKNOWN)

    living = [[len(t.update(faces(), 0.4 + s)) for s in (0.9, 4.9, 5.1, 5.2)] for t in (known, unknown)]

    assert living == [[1, 1, 1, 0], [1, 1, 0, 0]]


def test_a_lost_track_is_not_continued_by_a_face_in_its_place_that_looks_different() -> None:
    tracker = Sort(TrackerConfig())
    seen(tracker)
    tracker.update(faces(), 0.5)

    rows = tracker.update(faces(FACE), 0.6, embeddings=prints(BERT))

    assert rows.ids.tolist() == [1, 2]


@pytest.mark.parametrize("pairs", [[(0.4, 0, 1), (0.5, 0, 0)], [(0.4, 1, 0), (0.5, 0, 0)]])
def test_of_two_pairs_in_doubt_the_one_that_looks_more_alike_is_made(pairs) -> None:
    """Two faces for one track, or two tracks for one face; the other one lies a little better."""
    known = Appearances()
    known.learn(1, ANNA, 0.0)
    known.learn(2, near(ANNA, 0.5), 0.0)
    found = prints(near(ANNA, 0.1), near(ANNA, 0.4))

    assert assign(Prints(known, found, {0: 1, 1: 2}, set()).weigh(pairs)) == [(0, 0)]


def test_two_who_cross_unclearly_are_told_apart_by_their_prints() -> None:
    tracker = Sort(TrackerConfig())
    left, right = (100, 100, 150, 160), (130, 100, 180, 160)
    for i in range(5):
        tracker.update(faces(left, right), i / 10, embeddings=prints(ANNA, BERT))

    swapped = [(112, 100, 162, 160), (118, 100, 168, 160)]  # Bert is left now
    rows = tracker.update(faces(*swapped), 0.5, embeddings=prints(BERT, ANNA))

    assert rows.index.tolist() == [1, 0]


def test_prints_are_wanted_of_new_lost_and_contested_faces_only() -> None:
    tracker = Sort(TrackerConfig())
    assert tracker.wants(faces(FACE), 0.0).tolist() == []

    seen(tracker)
    assert tracker.wants(faces(FACE), 0.5).tolist() == []  # printed a moment ago
    assert tracker.wants(faces(FACE), 1.5).tolist() == [0]  # a second ago
    assert tracker.wants(faces(ELSEWHERE, FACE), 0.5).tolist() == []

    tracker.update(faces(), 0.5)
    assert tracker.wants(faces(ELSEWHERE, FACE), 0.6).tolist() == [0, 1]  # either may be the lost one


def test_the_print_of_a_new_face_is_wanted_while_one_of_several_is_missing() -> None:
    tracker = Sort(TrackerConfig())
    for i in range(5):
        tracker.update(faces(FACE, (300, 100, 350, 160)), i / 10, embeddings=prints(ANNA, BERT))

    assert tracker.wants(faces(FACE, ELSEWHERE), 0.5).tolist() == [1]


def test_no_print_is_wanted_of_small_faces_or_of_rows_that_are_no_face() -> None:
    tracker = Sort(TrackerConfig())
    seen(tracker)
    tracker.update(faces(), 0.5)
    found = faces(ELSEWHERE, (700, 100, 725, 130), FACE, (300, 100, 350, 160), (900, 100, 950, 160))
    found.boxes[2:4] = [[np.nan] * 4, [0, 0, np.inf, np.inf]]

    assert tracker.wants(found, 0.6).tolist() == [0, 4]
    assert tracker.wants(found.take(np.array([2, 3])), 0.6).tolist() == []


def test_asking_what_is_wanted_changes_nothing() -> None:
    asked, other = Sort(TrackerConfig()), Sort(TrackerConfig())
    for i in range(10):
        found = faces((100 + 9 * i, 100, 150 + 9 * i, 160))
        asked.wants(found, i / 10)

        np.testing.assert_array_equal(asked.update(found, i / 10).boxes, other.update(found, i / 10).boxes)


def test_without_prints_nothing_is_different() -> None:
    plain, given = Sort(TrackerConfig()), Sort(TrackerConfig())
    for i in range(20):
        found = faces((100 + 9 * i, 100, 150 + 9 * i, 160)) if i % 7 else faces()
        one = plain.update(found, i / 10)
        other = given.update(found, i / 10, embeddings=np.full((len(found), 8), np.nan, np.float32))

        np.testing.assert_array_equal(one.boxes, other.boxes)
        assert one.ids.tolist() == other.ids.tolist()


def test_the_print_of_a_track_that_ended_is_forgotten() -> None:
    tracker = Sort(TrackerConfig(known_gap=2.0))
    seen(tracker)
    assert 1 in tracker._prints

    tracker.update(faces(), 3.0)
    assert len(tracker._prints) == 0

    seen_again = Sort(TrackerConfig())
    seen(seen_again)
    seen_again.end()
    assert len(seen_again._prints) == 0


def test_a_tracks_print_is_a_unit_vector_that_follows_its_looks() -> None:
    known = Appearances()
    known.learn(1, ANNA, 0.0)
    for i in range(20):
        known.learn(1, near(ANNA, 0.4), i)

    assert known.distance(1, near(ANNA, 0.4)) < 0.02
    assert known.distance(1, ANNA) > 0.35
    assert np.isnan(known.distance(2, ANNA))


def test_only_contested_pairs_and_lost_tracks_are_weighed() -> None:
    known = Appearances()
    known.learn(1, ANNA, 0.0)
    calm = Prints(known, prints(BERT), {0: 1}, lost=set())

    assert calm.weigh([(0.3, 0, 0)]) == [(0.3, 0, 0)]
    assert Prints(known, prints(BERT), {0: 1}, lost={0}).weigh([(0.3, 0, 0)]) == []


@pytest.mark.parametrize("score", [0.75, 0.95])
def test_a_face_that_jumps_is_known_at_once(score: float) -> None:
    tracker = Sort(TrackerConfig())
    seen(tracker)
    jumped = faces(ELSEWHERE, score=score)

    assert tracker.wants(jumped, 0.5).tolist() == [0]
    assert tracker.update(jumped, 0.5, embeddings=prints(ANNA)).ids.tolist() == [1]


def test_a_remembered_face_is_reported_where_it_was_last_seen() -> None:
    tracker = Sort(TrackerConfig())
    for i in range(10):
        last = tracker.update(faces((100 + 20 * i, 100, 150 + 20 * i, 160)), i / 10, embeddings=prints(ANNA))

    away(tracker, 0.9, 6.0)

    np.testing.assert_array_equal(tracker.update(faces(), 6.1).boxes, last.boxes)


@pytest.mark.parametrize(
    "wrong", [np.zeros((0, 8)), np.zeros((2, 8)), np.zeros(8), np.zeros((1, 5)), np.zeros((1, 8, 1))]
)
def test_prints_of_another_shape_are_refused_and_change_nothing(wrong) -> None:
    tracker, other = Sort(TrackerConfig()), Sort(TrackerConfig())
    seen(tracker)
    seen(other)

    with pytest.raises(ValueError, match=r"embeddings: expected \(1, 8\), got \("):
        tracker.update(faces(FACE), 0.7, embeddings=wrong)

    for time in (0.6, 0.8):  # 0.7 was never taken
        expected = other.update(faces(FACE), time, embeddings=prints(ANNA))
        rows = tracker.update(faces(FACE), time, embeddings=prints(ANNA))
        np.testing.assert_array_equal(rows.boxes, expected.boxes)


def test_a_print_of_no_length_teaches_nothing() -> None:
    known = Appearances()
    known.learn(1, np.zeros(8, np.float32), 0.0)
    known.learn(2, UNKNOWN, 0.0)

    assert len(known) == 0


def test_what_is_wanted_suffices_to_know_people_again_over_a_whole_film() -> None:
    """Two people walk about, jump, vanish for seconds and come back; only wanted prints are handed in."""
    tracker, random = Sort(TrackerConfig()), np.random.default_rng(3)
    people, names, asked = {0: ANNA, 1: BERT}, {0: set(), 1: set()}, 0
    place = np.array([[100.0, 100.0], [600.0, 100.0]])
    for i in range(600):
        place += random.normal(0, 2, place.shape)
        if i % 100 == 99:
            place = random.uniform(0, 900, (2, 2))
        here = [p for p in people if (i // 60 + p) % 4]
        found = faces(*[(*place[p], *(place[p] + [50, 62])) for p in here])
        wanted = tracker.wants(found, i / 10)
        rows = np.tile(UNKNOWN, (len(here), 1))
        for row in wanted.tolist():
            rows[row] = near(people[here[row]], 0.15)
        asked += len(wanted)
        tracks = tracker.update(found, i / 10, embeddings=rows)
        for track, row in zip(tracks.ids.tolist(), tracks.index.tolist(), strict=True):
            if row >= 0:
                names[here[row]].add(track)

    assert names == {0: {1}, 1: {2}} or names == {0: {2}, 1: {1}}
    assert asked < 300
