"""The life of tracks as events."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.settings import EventsConfig
from core.types import ENDED, LOST, SEEN, Evidence, Faces, Tracks
from outputs.rows import dumps, row
from tests.make import stamp
from watch.life import Life


def tracks(states: dict[int, int], seen: bool = True, time: float = 0.0) -> Tracks:
    """Tracks with these states by id; those SEEN have a face in this frame if `seen`."""
    n = len(states)
    codes = np.array(list(states.values()), np.uint8)
    has_face = (codes == SEEN) & seen
    boxes = np.tile([10.0, 20.0, 50.0, 70.0], (n, 1))
    faces = Faces(
        np.where(has_face[:, None], boxes, np.nan),
        np.where(has_face, 0.9, np.nan).astype(np.float32),
        np.full((n, 5, 2), np.nan, np.float32),
    )
    index = np.where(has_face, np.arange(n), -1)
    ids = np.array(list(states), np.int64)
    return Tracks(ids, boxes, codes, faces, index, np.zeros(n), np.full(n, time), has_face)


def update(life: Life, index: int, states: dict[int, int], *, rate: float = 25, seen: bool = True, **more):
    found = tracks(states, seen, index / rate)
    return life.update(stamp(index, index / rate), found, Evidence.none(found.ids), **more)


def kinds(events) -> list[tuple[str, int]]:
    return [(event.kind, event.track) for event in events]


@pytest.mark.parametrize("rate", [5, 10, 30, 29.97])
def test_a_living_track_is_updated_once_an_interval_at_any_frame_rate(rate: float) -> None:
    life = Life(EventsConfig(interval=1.0))

    times = [
        event.stamp.time for i in range(round(rate * 10.5)) for event in update(life, i, {1: SEEN}, rate=rate)
    ]

    assert len(times) == 11
    assert np.diff(times) == pytest.approx(1.0, abs=1.01 / rate)
    assert times[-1] == pytest.approx(10.0, abs=1.01 / rate)


def test_interval_0_gives_a_row_a_frame_and_living_track_also_for_lost_ones() -> None:
    life = Life(EventsConfig(interval=0))

    rows = [
        update(life, 0, {1: SEEN}),
        update(life, 1, {1: LOST, 2: SEEN}),
        update(life, 2, {1: SEEN, 2: SEEN}),
    ]

    assert [kinds(events) for events in rows] == [
        [("track_started", 1)],
        [("track_updated", 1), ("track_started", 2)],
        [("track_updated", 1), ("track_updated", 2)],
    ]
    assert [rows[1][0].data["state"], rows[2][0].data["state"]] == ["lost", "seen"]


@pytest.mark.parametrize(
    ("how", "reason"),
    [({}, "left"), ({"cut": True}, "cut"), ({"last": True}, "end"), ({"cut": True, "last": True}, "end")],
)
def test_the_last_row_says_why_the_track_ended(how: dict[str, bool], reason: str) -> None:
    life = Life(EventsConfig(interval=1.0))
    update(life, 0, {1: SEEN})

    (ended,) = update(life, 1, {1: ENDED}, **how)

    assert (ended.kind, ended.data["reason"]) == ("track_ended", reason)


def test_the_last_row_keeps_the_last_state_and_counts_the_frames_with_a_face() -> None:
    life = Life(EventsConfig(interval=0))
    for i, (state, seen) in enumerate([(SEEN, True), (SEEN, False), (SEEN, True), (LOST, True)]):
        update(life, i, {1: state}, seen=seen)

    (ended,) = update(life, 4, {1: ENDED})

    assert ended.data["state"] == "lost"
    assert ended.data["frames_seen"] == 2


def test_each_row_names_its_picture_and_the_last_one_that_with_the_face() -> None:
    life = Life(EventsConfig(interval=0))
    shown = [("a.png", SEEN, {}), ("b.png", SEEN, {}), ("c.png", LOST, {}), ("d.png", ENDED, {"cut": True})]

    rows = []
    for i, (name, state, how) in enumerate(shown):
        found = tracks({1: state})
        rows += life.update(replace(stamp(i), file=name), found, Evidence.none(found.ids), **how)

    assert [(event.kind, event.stamp.index, event.stamp.file) for event in rows] == [
        ("track_started", 0, "a.png"),
        ("track_updated", 1, "b.png"),
        ("track_updated", 2, "c.png"),
        ("track_ended", 3, "b.png"),
    ]


def test_a_frame_nobody_looked_at_leaves_the_score_unknown() -> None:
    life = Life(EventsConfig(interval=0))
    update(life, 0, {1: SEEN})

    (event,) = update(life, 1, {1: SEEN}, seen=False)

    assert event.data["state"] == "seen"
    assert math.isnan(float(event.data["score"]))


def test_a_track_whose_last_row_was_lost_with_a_failed_frame_still_ends() -> None:
    life = Life(EventsConfig(interval=1.0))
    update(life, 0, {1: SEEN, 2: SEEN})

    events = update(life, 2, {2: SEEN})

    assert kinds(events) == [("track_ended", 1)]


def test_a_track_first_heard_of_at_its_end_starts_and_ends() -> None:
    life = Life(EventsConfig(interval=1.0))

    assert kinds(update(life, 0, {7: ENDED})) == [("track_started", 7), ("track_ended", 7)]


def test_what_no_network_said_is_null_in_the_row() -> None:
    (event,) = update(Life(EventsConfig()), 0, {1: SEEN})

    record = json.loads(dumps(row(event)))

    unknown = {"age", "age_low", "age_high", "female", "emotion", "quality", "p_happy"}
    assert {key: record[key] for key in unknown} == dict.fromkeys(unknown)
    assert (record["gender"], record["looks"], record["utc"]) == ("unknown", 0.0, None)


@given(
    st.lists(
        st.dictionaries(st.integers(1, 5), st.sampled_from([SEEN, LOST, ENDED]), max_size=5), max_size=12
    ),
    st.sampled_from([0.0, 0.1, 1.0]),
)
def test_started_is_an_ids_first_row_and_ended_its_last_exactly_once(
    frames: list[dict[int, int]], interval: float
) -> None:
    life = Life(EventsConfig(interval=interval))
    over: set[int] = set()
    rows: dict[int, list[str]] = defaultdict(list)

    for i, frame in enumerate([*frames, {}]):
        alive = {track: state for track, state in frame.items() if track not in over}
        # An id that is ended, or left out, never comes back.
        events = update(life, i, alive, last=i == len(frames))
        over |= {track for track, state in alive.items() if state == ENDED}
        over |= {event.track for event in events if event.kind == "track_ended"}
        for event in events:
            rows[event.track].append(event.kind)

    for history in rows.values():
        assert history[0] == "track_started"
        assert history[-1] == "track_ended"
        assert set(history[1:-1]) <= {"track_updated"}
