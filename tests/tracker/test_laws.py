"""What is true of the tracker for any film."""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.settings import TrackerConfig
from core.types import ENDED, LOST, SEEN, Faces, Tracks
from tests.make import faces
from tracker.sort import Sort

rough = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 2**32 - 1)


def play(seed: int, shuffle: int | None = None) -> list[Tracks]:
    """A film of walking faces with false, missing and unusable detections, unseen frames and cuts."""
    random = np.random.default_rng(seed)
    order = np.random.default_rng(shuffle)
    count = random.integers(1, 6)
    place, speed = random.uniform(0, 600, (count, 2)), random.normal(0, 150, (count, 2))
    size = random.uniform(20, 90, (count, 1))
    tracker, rows, time = Sort(TrackerConfig()), [], 0.0
    for _ in range(random.integers(2, 40)):
        span = random.choice([0.0, 0.03, 0.1, 0.4, 3.0], p=[0.05, 0.5, 0.3, 0.1, 0.05])
        time += span
        place = place + span * speed
        found = scene(random, place, size)
        cut = random.random() < 0.03
        if random.random() < 0.15:
            rows.append(tracker.update(None, time, cut=cut))
            continue
        turn = order.permutation(len(found)) if shuffle is not None else np.arange(len(found))
        made = tracker.update(found.take(turn), time, cut=cut)
        rows.append(with_index(made, np.where(made.index < 0, -1, turn[made.index])))
    return [*rows, tracker.end()]


def scene(random: np.random.Generator, place, size) -> Faces:
    seen = random.random(len(place)) > 0.2
    corner = place[seen] + random.normal(0, 2, (seen.sum(), 2))
    boxes = np.concatenate([np.c_[corner, corner + size[seen] * [1, 1.2]], random.uniform(0, 600, (2, 4))])
    found = faces(*boxes)
    found.scores[:] = random.uniform(0.1, 1, len(boxes))
    if random.random() < 0.1:
        found.boxes[random.integers(len(boxes))] = np.nan
    return found


def with_index(rows: Tracks, index) -> Tracks:
    return replace(rows, index=index)


@rough
@given(seeds)
def test_rows_come_by_id_and_each_track_ends_exactly_once(seed: int) -> None:
    rows = play(seed)

    ended: set[int] = set()
    for row in rows:
        assert (np.diff(row.ids) > 0).all()
        assert not ended & set(row.ids.tolist())
        ended |= set(row.ids[row.states == ENDED].tolist())
    everybody = {number for row in rows for number in row.ids.tolist()}
    assert ended == everybody == set(range(1, len(everybody) + 1))


@rough
@given(seeds)
def test_a_living_track_has_a_row_in_every_frame(seed: int) -> None:
    rows = play(seed)

    places = Counter(number for row in rows for number in row.ids.tolist())
    for number, count in places.items():
        present = [i for i, row in enumerate(rows) if number in row.ids]
        assert present == list(range(present[0], present[0] + count))


@rough
@given(seeds)
def test_a_row_has_a_face_exactly_if_its_index_says_so(seed: int) -> None:
    for row in play(seed):
        assert ((row.index >= 0) == np.isfinite(row.faces.scores)).all()
        assert ((row.index >= 0) == np.isfinite(row.faces.boxes).all(axis=1)).all()
        assert (row.index[row.states != SEEN] == -1).all()
        assert len(set(row.index[row.index >= 0])) == (row.index >= 0).sum()
        assert np.isfinite(row.boxes).all()
        assert (row.boxes[:, 2:] > row.boxes[:, :2]).all()
        assert (row.born <= row.seen).all()


@rough
@given(seeds, seeds)
def test_the_order_of_the_faces_changes_nothing(seed: int, shuffle: int) -> None:
    for plain, shuffled in zip(play(seed), play(seed, shuffle), strict=True):
        for name in ("ids", "boxes", "states", "index", "born", "seen"):
            np.testing.assert_array_equal(getattr(shuffled, name), getattr(plain, name))


@rough
@given(seeds)
def test_what_comes_later_changes_no_earlier_row(seed: int) -> None:
    random = np.random.default_rng(seed)
    tracker = Sort(TrackerConfig())
    kept, copies = [], []
    for i in range(20):
        found = scene(random, np.array([[100.0, 100.0], [300.0, 100.0]]), np.array([[50.0], [60.0]]))
        row = tracker.update(found, i / 10)
        kept.append(row)
        copies.append((row.ids.copy(), row.boxes.copy(), row.states.copy(), row.faces.boxes.copy()))
        found.boxes[:] = 0

    for row, (ids, boxes, states, face_boxes) in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(row.ids, ids)
        np.testing.assert_array_equal(row.boxes, boxes)
        np.testing.assert_array_equal(row.states, states)
        np.testing.assert_array_equal(row.faces.boxes, face_boxes)


@pytest.mark.parametrize("count", [1, 3, 60])
def test_rows_share_no_memory_with_the_faces_or_with_later_rows(count: int) -> None:
    found = faces(*((x * 80.0, 0.0, x * 80.0 + 50.0, 60.0) for x in range(count)))
    tracker = Sort(TrackerConfig())

    before, after = (arrays(tracker.update(found, time)) for time in (0.0, 0.1))

    assert all(len(array) == count for array in before + after)
    for array, other in product(before, [*after, found.boxes, found.scores, found.landmarks]):
        assert not np.shares_memory(array, other)


def arrays(rows: Tracks) -> list[np.ndarray]:
    columns = [getattr(rows, name) for name in Tracks.__slots__ if name != "faces"]
    return columns + [getattr(rows.faces, name) for name in Faces.__slots__]


@pytest.mark.parametrize("name", [name for name in Tracks.__slots__ if name != "faces"])
def test_a_column_of_the_wrong_length_or_type_is_named(name: str) -> None:
    rows = Sort(TrackerConfig()).update(faces((100, 100, 150, 160)), 0.0)
    column = getattr(rows, name)

    with pytest.raises(ValueError, match=f"^(ids|{name}|boxes): expected"):
        replace(rows, **{name: np.concatenate([column, column])})
    with pytest.raises(ValueError, match=f"^{name}: expected {column.dtype}"):
        replace(rows, **{name: column.astype(np.float16)})


@rough
@given(seeds)
def test_only_a_look_that_failed_loses_a_track(seed: int) -> None:
    random = np.random.default_rng(seed)
    tracker = Sort(TrackerConfig())
    tracker.update(faces((100, 100, 150, 160)), 0.0)
    lost = False
    for i in range(1, 20):
        looked, there = random.random(2) < 0.6
        found = faces((100, 100, 150, 160)) if there else faces()

        rows = tracker.update(found if looked else None, i / 30)

        lost = not there if looked else lost
        assert rows.states.tolist() == [LOST if lost else SEEN]


def test_a_tracker_remembers_no_more_after_twenty_thousand_frames() -> None:
    tracker = Sort(TrackerConfig(max_gap=0.2))
    random = np.random.default_rng(0)
    place = np.array([[100.0, 100.0], [300.0, 100.0]])
    films = [scene(random, place, np.full((2, 1), 50.0)) for _ in range(50)]

    sizes = []
    for i in range(20_000):
        tracker.update(films[i % 50] if i % 4 == 0 else None, i / 30)
        if i % 1000 == 999:
            sizes.append(len(pickle.dumps(tracker)))

    assert max(sizes[10:]) <= 1.2 * max(sizes[:10])
