"""The tracker as its callers see it: ids, states, rows, time."""

from __future__ import annotations

import pickle
from typing import get_args

import numpy as np
import pytest

from core.errors import ConfigError
from core.settings import TrackerConfig
from core.types import ENDED, LOST, SEEN, Faces, Tracks
from tests.make import faces, ids, walk
from tracker.presets import POINTS, points
from tracker.published.program import Published
from tracker.published.rules import Rules
from tracker.sort import Sort

FACE = (100, 100, 150, 160)
OTHER = (400, 100, 450, 160)


def sort(**settings) -> Sort:
    return Sort(TrackerConfig(**settings))


def run(tracker: Sort, film) -> list[Tracks]:
    return [tracker.update(found, time) for time, found in film]


def with_scores(*scores: float, boxes=(FACE, OTHER)) -> Faces:
    made = faces(*boxes[: len(scores)])
    made.scores[:] = scores
    return made


def test_two_trackers_have_their_own_ids() -> None:
    first, second = sort(), sort()

    run(first, walk(30, 1))

    assert ids(run(second, walk(30, 1))) == {1}


@pytest.mark.parametrize("settings", [{}, {"compatibility": {"min_hits": 0}}])
def test_ids_begin_where_they_are_told_to(settings) -> None:
    tracker = Sort(TrackerConfig(**settings), first_id=7)

    for i in range(4):
        tracks = tracker.update(faces(FACE, OTHER), i / 25)

    assert tracks.ids.tolist() == [7, 8]


def test_one_missed_detection_does_not_silence_a_track() -> None:
    tracker = sort()
    film = [(t, faces() if i == 6 else found) for i, (t, found) in enumerate(walk(10, 1.2))]

    rows = run(tracker, film)

    assert [row.states.tolist() for row in rows] == [[SEEN]] * 6 + [[LOST]] + [[SEEN]] * 5
    assert ids(rows) == {1}


def test_two_missed_detections_do_not_make_a_new_id() -> None:
    film = [(t, faces() if i in (6, 7) else found) for i, (t, found) in enumerate(walk(10, 1.2))]

    assert ids(run(sort(), film)) == {1}


def test_a_face_is_a_track_at_its_first_good_look_whenever_it_comes() -> None:
    tracker = sort()
    run(tracker, [(i / 10, faces()) for i in range(4)])

    assert len(tracker.update(faces(FACE, score=0.95), 0.4)) == 1


def test_a_weaker_face_is_a_track_at_its_second_look_in_a_row() -> None:
    tracker = sort(confirm_score=0.9)
    weak = with_scores(0.75)

    rows = [tracker.update(found, i / 10) for i, found in enumerate([weak, faces(), weak, weak])]

    assert [len(row) for row in rows] == [0, 0, 0, 1]


def test_clutter_burns_no_id() -> None:
    tracker = sort()
    random = np.random.default_rng(1)
    for i in range(400):
        x, y = random.uniform(0, 5000, 2)
        tracker.update(faces((x, y, x + 50, y + 60), score=0.75), i / 30)

    rows = [tracker.update(faces(FACE), 20 + i / 30) for i in range(3)]

    assert ids(rows) == {1}


def test_a_low_score_starts_no_track() -> None:
    tracker = sort(birth_score=0.6)

    assert not ids([tracker.update(faces(FACE, score=0.55), i / 30) for i in range(30)])


def test_a_low_score_continues_a_track() -> None:
    tracker = sort(birth_score=0.6)
    tracker.update(faces(FACE), 0.0)

    rows = [tracker.update(faces(FACE, score=0.3), i / 30) for i in range(1, 30)]

    assert all(row.states.tolist() == [SEEN] for row in rows)


@pytest.mark.parametrize("interval", [0.04, 1.0])
def test_a_low_score_continues_a_track_that_the_look_before_missed_however_rare_looks_are(interval) -> None:
    tracker = sort()
    for i in range(6):
        tracker.update(faces(FACE), i * interval)
    tracker.update(faces(), 6 * interval)

    assert tracker.update(faces(FACE, score=0.3), 7 * interval).states.tolist() == [SEEN]


@pytest.mark.parametrize(("missed", "state"), [(9, SEEN), (15, LOST)])
def test_a_low_score_continues_a_track_for_half_a_second_unseen(missed: int, state: int) -> None:
    tracker = sort()
    run(tracker, [(i / 25, faces(FACE)) for i in range(25)])
    run(tracker, [(1 + i / 25, faces()) for i in range(missed)])

    assert tracker.update(faces(FACE, score=0.3), 1 + missed / 25).states.tolist() == [state]


BAD = [
    (np.nan, 100, 150, 160),
    (100, 100, np.inf, 160),
    (-np.inf, 100, 150, 160),
    (100, 100, 100, 160),
    (100, 160, 150, 160),
    (150, 100, 100, 160),
    (-1e300, 100, 150, 160),
    (100, -1e300, 150, 160),
    (100, 100, 1e300, 160),
    (100, 100, 150, 1e300),
    (100, 100, 100 + 1e-12, 160),
]


@pytest.mark.parametrize("bad", BAD)
def test_a_row_without_a_usable_box_is_passed_over_and_burns_no_id(bad) -> None:
    tracker = sort()
    found = faces(FACE, FACE)
    found.boxes[0] = bad

    rows = [tracker.update(found, i / 30) for i in range(5)]

    assert ids(rows) == {1}
    assert all(row.index.tolist() == [1] for row in rows)


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_a_row_without_a_usable_score_is_passed_over(score: float) -> None:
    rows = sort().update(with_scores(score, 0.9), 0.0)

    assert rows.index.tolist() == [1]


def test_the_rows_know_their_detections() -> None:
    tracker = sort()
    tracker.update(faces(FACE, OTHER), 0.0)

    found = faces(OTHER, (700, 100, 750, 160), FACE)
    rows = tracker.update(found, 0.04)

    assert rows.index.tolist() == [2, 0, 1]
    np.testing.assert_array_equal(rows.faces.boxes, found.boxes[rows.index])
    np.testing.assert_array_equal(rows.faces.landmarks, found.landmarks[rows.index])
    assert rows.ids.tolist() == [1, 2, 3]


def test_a_coasting_track_has_no_face() -> None:
    tracker = sort()
    tracker.update(faces(FACE, OTHER), 0.0)

    rows = tracker.update(faces(OTHER), 0.04)

    assert rows.index.tolist() == [-1, 0]
    assert np.isnan(rows.faces.boxes[0]).all()
    assert np.isnan(rows.faces.scores[0])
    assert np.isnan(rows.faces.landmarks[0]).all()
    assert rows.seen.tolist() == [0.0, 0.04]


def test_when_nobody_looks_no_state_changes_and_boxes_move_on() -> None:
    tracker = sort()
    before = run(tracker, walk(10, 1, speed=100))[-1]

    rows = tracker.update(None, 1.0)

    assert rows.states.tolist() == [SEEN]
    assert rows.index.tolist() == [-1]
    assert rows.boxes[0, 0] == pytest.approx(before.boxes[0, 0] + 10, abs=1)


def test_a_tentative_track_lives_through_frames_nobody_looked_at() -> None:
    tracker = sort(confirm_score=1.0)
    tracker.update(faces(FACE), 0.0)
    for i in range(1, 5):
        tracker.update(None, i / 30)

    assert tracker.update(faces(FACE), 5 / 30).ids.tolist() == [1]


def test_a_lost_track_ends_once_after_max_gap_even_if_nobody_looks() -> None:
    tracker = sort(max_gap=1.0)
    run(tracker, walk(10, 1))

    rows = [tracker.update(None, 0.9 + gap) for gap in (0.5, 0.99, 1.01, 1.5)]

    assert [row.states.tolist() for row in rows] == [[SEEN], [SEEN], [ENDED], []]
    assert rows[2].seen.tolist() == pytest.approx([0.9])


def test_an_ended_track_is_reported_where_it_was_last_seen() -> None:
    tracker = sort()
    last = run(tracker, walk(10, 1, speed=300))[-1]

    rows = tracker.update(None, 7200.0)

    np.testing.assert_array_equal(rows.boxes, last.boxes)


@pytest.mark.parametrize("interval", [0.5, 1.0, 3.0])
def test_a_track_outlives_a_failed_look_however_rare_looks_are(interval: float) -> None:
    tracker = sort(max_gap=1.0)
    film = [(i * interval, faces() if i == 6 else faces(FACE)) for i in range(10)]

    assert ids(run(tracker, film)) == {1}


def test_a_track_waits_for_the_second_look_of_all_however_rare_looks_are() -> None:
    tracker = sort(max_gap=1.0)
    film = [(i / 10, faces(FACE) if i % 20 == 0 else None) for i in range(61)]

    assert ids(run(tracker, film)) == {1}


def test_a_gap_of_hours_ends_a_track() -> None:
    tracker = sort()
    run(tracker, walk(30, 1))

    rows = tracker.update(faces((140, 100, 190, 162)), 7200.0)

    assert rows.ids.tolist() == [1, 2]
    assert rows.states.tolist() == [ENDED, SEEN]


def test_a_track_of_the_shot_before_ends_at_a_cut() -> None:
    tracker = sort()
    tracker.update(faces(FACE), 0.0)

    rows = tracker.update(faces(FACE), 0.04, cut=True)

    assert rows.ids.tolist() == [1, 2]
    assert rows.states.tolist() == [ENDED, SEEN]
    assert rows.index.tolist() == [-1, 0]


def test_the_end_of_the_source_ends_each_track_exactly_once() -> None:
    tracker = sort()
    tracker.update(faces(FACE, OTHER), 0.0)

    assert tracker.end().states.tolist() == [ENDED, ENDED]
    assert len(tracker.end()) == 0


def test_a_duplicate_time_stamp_breaks_nothing() -> None:
    tracker = sort()

    rows = [tracker.update(faces(FACE), 1.0) for _ in range(5)]

    assert ids(rows) == {1}
    assert np.isfinite(rows[-1].boxes).all()


@pytest.mark.parametrize("time", [0.9, np.nan, np.inf])
def test_time_that_runs_backward_is_refused_and_changes_nothing(time: float) -> None:
    tracker = sort()
    tracker.update(faces(FACE), 1.0)

    with pytest.raises(ValueError, match=r"time: expected seconds, 1\.0 or later"):
        tracker.update(faces(FACE), time)

    assert tracker.update(faces(FACE), 1.1).ids.tolist() == [1]


def test_born_is_the_first_detection_even_before_confirmation() -> None:
    tracker = sort(confirm_looks=3, confirm_score=1.0)

    rows = [tracker.update(faces(FACE), i / 10) for i in range(3)]

    assert rows[-1].born.tolist() == [0.0]


def test_a_thousand_faces_keep_their_ids() -> None:
    tracker = sort()
    grid = [(x * 60.0, y * 70.0, x * 60 + 50.0, y * 70 + 60.0) for x in range(40) for y in range(25)]

    rows = [tracker.update(faces(*grid), i / 30) for i in range(3)]

    assert [len(row) for row in rows] == [1000] * 3
    assert ids(rows) == set(range(1, 1001))


def test_a_face_is_shown_for_a_moment_while_it_coasts() -> None:
    tracker = sort()
    run(tracker, walk(25, 1))

    rows = [tracker.update(faces(), 0.96 + gap) for gap in (0.04, 0.12, 0.2)]

    assert [row.shown.tolist() for row in rows] == [[True], [False], [False]]
    assert [row.states.tolist() for row in rows] == [[LOST]] * 3


def test_nobody_is_shown_any_more_where_all_vanish_and_others_appear_as_at_a_cut() -> None:
    tracker = sort()
    run(tracker, walk(25, 1))

    rows = tracker.update(faces((700, 300, 780, 400)), 1.0)

    assert rows.ids.tolist() == [1, 2]
    assert rows.shown.tolist() == [False, True]


def test_who_is_missed_is_shown_for_a_moment_though_another_comes_while_a_third_stays() -> None:
    tracker = sort()
    run(tracker, [(i / 25, faces(FACE, OTHER)) for i in range(25)])

    rows = tracker.update(faces(OTHER, (700, 300, 780, 400)), 1.0)

    assert rows.states.tolist() == [LOST, SEEN, SEEN]
    assert rows.shown.tolist() == [True, True, True]


def test_of_people_only_those_behind_others_are_shown_while_they_coast() -> None:
    behind, alone = (100, 100, 150, 250), (400, 100, 450, 250)
    tracker = sort(preset="people", scores="yolox")
    for i in range(15):
        left = 250 - 10 * i
        front = (left, 105, left + 50, 265)
        rows = tracker.update(faces(behind, front, alone) if i < 14 else faces(front), i / 25)

    assert rows.states.tolist() == [LOST, SEEN, LOST]
    assert rows.shown.tolist() == [True, True, False]


@pytest.mark.parametrize(("looks", "feet", "shown"), [(5, 265, False), (14, 265, True), (14, 235, False)])
def test_of_people_only_those_of_some_standing_are_shown_behind_others(looks, feet, shown) -> None:
    """Whose feet are higher in the picture is farther away, and hides nobody."""
    behind = (100, 100, 150, 250)
    tracker = sort(preset="people", scores="yolox")
    for i in range(15):
        front = (250 - 10 * i, feet - 160, 300 - 10 * i, feet)
        rows = tracker.update(faces(behind, front) if 14 - looks <= i < 14 else faces(front), i / 25)

    hidden = rows.states == LOST
    assert rows.shown[hidden].tolist() == [shown]


def test_a_second_box_of_a_face_begins_no_track() -> None:
    tracker = sort()
    run(tracker, walk(10, 1))

    for i in range(5):
        left = 140.0 + 4 * i
        twice = faces((left, 100, left + 50, 162.5), (left + 6, 104, left + 56, 166))
        rows = tracker.update(twice, 1.0 + i / 10)

    assert rows.ids.tolist() == [1]


def test_faces_outside_the_picture_are_tracked_as_any_other() -> None:
    tracker = sort()

    rows = [tracker.update(faces((-80 + 4 * i, -30, -30 + 4 * i, 30)), i / 25) for i in range(25)]

    assert ids(rows) == {1}
    assert rows[0].boxes[0].tolist() == [-80, -30, -30, 30]


def test_a_stored_tracker_goes_on_as_if_nothing_had_been() -> None:
    tracker = sort()
    run(tracker, walk(10, 1))
    stored = pickle.loads(pickle.dumps(tracker))

    for time, found in walk(10, 1, start=1.0):
        np.testing.assert_array_equal(stored.update(found, time).boxes, tracker.update(found, time).boxes)


def test_the_score_points_are_those_of_the_detector_but_for_those_that_are_set() -> None:
    assert points(TrackerConfig()) == points(TrackerConfig(scores="yunet"))
    assert points(TrackerConfig(scores="tara", birth_score=0.9)) == (0.1, 0.2, 0.9)
    named = get_args(TrackerConfig.model_fields["scores"].annotation)
    assert set(named) == {"auto", *POINTS}


def test_in_compatibility_it_is_the_published_program() -> None:
    tracker = sort(compatibility={"max_age": 1, "min_hits": 3, "iou_threshold": 0.3})
    plain = Published(Rules())

    for i in range(12):
        found = faces() if i == 6 else faces((10 + 2 * i, 10, 60 + 2 * i, 70))
        rows = tracker.update(found, i / 30)
        expected = plain.rows(np.column_stack([found.boxes, found.scores]))

        shown = rows.states == SEEN
        np.testing.assert_array_equal(rows.boxes[shown], expected[:, :4])
    assert tracker.rows(np.zeros((0, 5))).shape == (0, 5)


def test_rows_of_the_published_program_are_had_in_compatibility_only() -> None:
    with pytest.raises(ValueError, match=r"set tracker\.compatibility"):
        sort().rows(np.zeros((0, 5)))


@pytest.mark.parametrize("every", [2, 3, 5])
def test_a_face_keeps_its_id_and_its_place_where_only_every_kth_frame_is_looked_at(every: int) -> None:
    tracker = sort()

    for i, (time, found) in enumerate(walk(25, 4, speed=150)):
        rows = tracker.update(found if i % every == 0 else None, time)
        if i > 25:
            assert rows.states.tolist() == [SEEN]
            np.testing.assert_allclose(rows.boxes, found.boxes, atol=3)
    assert rows.ids.tolist() == [1]


def test_where_looks_are_rare_a_face_is_shown_for_one_missed_look() -> None:
    tracker = sort()
    run(tracker, walk(5, 2))

    rows = [tracker.update(faces(), 1.8 + gap) for gap in (0.2, 0.4)]

    assert [row.shown.tolist() for row in rows] == [[True], [False]]


def test_trackers_side_by_side_know_nothing_of_each_other() -> None:
    films = [list(walk(10, 1, x=100 + 30 * i, speed=40 + i)) for i in range(40)]
    trackers = [sort() for _ in films]
    together = [
        [t.update(film[i][1], film[i][0]) for t, film in zip(trackers, films, strict=True)] for i in range(10)
    ]

    for number, film in enumerate(films):
        for alone, rows in zip(run(sort(), film), together, strict=True):
            assert alone.ids.tolist() == rows[number].ids.tolist() == [1]
            np.testing.assert_array_equal(alone.boxes, rows[number].boxes)


@pytest.mark.parametrize("gap", [1.0, 5.0])
def test_people_seen_briefly_are_waited_for_a_share_of_max_gap(gap: float) -> None:
    tracker = sort(preset="people", scores="yolox", max_gap=gap)
    run(tracker, walk(10, 1))

    waited = [i / 10 for i in range(1, 80) if LOST in tracker.update(faces(), 0.9 + i / 10).states]

    assert waited[-1] == pytest.approx((0.5 + 0.15 * 0.9) * gap, abs=0.11)


def test_score_points_that_fall_are_an_error() -> None:
    with pytest.raises(ConfigError, match=r"low_score 0.9, match_score 0.2, birth_score 0.7"):
        sort(low_score=0.9, match_score=0.2)


def test_on_a_broken_picture_known_tracks_go_on_and_none_begins_or_gets_an_id() -> None:
    tracker = sort()
    run(tracker, [(i / 10, faces(FACE)) for i in range(3)])

    broken = [tracker.update(faces(FACE, OTHER), 0.3 + i / 10, damaged=True) for i in range(10)]
    whole = [tracker.update(faces(FACE, OTHER), 1.3 + i / 10) for i in range(3)]

    assert ids(broken) == {1}
    assert all(rows.states.tolist() == [SEEN] for rows in broken)
    assert whole[-1].ids.tolist() == [1, 2]


def test_a_track_that_is_half_known_is_not_confirmed_by_a_broken_picture() -> None:
    tracker = sort(confirm_looks=2, confirm_score=1.0)
    tracker.update(faces(FACE), 0.0)

    broken = tracker.update(faces(FACE), 0.1, damaged=True)
    whole = tracker.update(faces(FACE), 0.2)

    assert (len(broken), whole.ids.tolist()) == (0, [1])
