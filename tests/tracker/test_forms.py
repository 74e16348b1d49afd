"""Tracks as objects and as a table: the same films give the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tracker.sort
from core.settings import TrackerConfig
from core.types import Faces, Tracks
from tests.make import faces
from tracker.few import Few
from tracker.many import Many
from tracker.sort import Sort

rough = settings(deadline=None, max_examples=40)
seeds = st.integers(0, 2**32 - 1)


def film(seed: int, most: int = 40):
    """Frames of walking faces that hide each other, with misses, false faces, unseen frames and cuts."""
    random = np.random.default_rng(seed)
    n = random.integers(1, most)
    place, speed = random.uniform(0, 900, (n, 2)), random.normal(0, 120, (n, 2))
    size, time = random.uniform(20, 90, (n, 1)), 0.0
    for _ in range(random.integers(2, 30)):
        span = random.choice([0.0, 0.04, 0.1, 0.3, 2.0], p=[0.05, 0.5, 0.3, 0.1, 0.05])
        time, place = time + span, place + span * speed
        found = look(random, place, size) if random.random() > 0.1 else None
        yield found, time, random.random() < 0.03


def look(random: np.random.Generator, place, size) -> Faces:
    here = random.random(len(place)) > random.choice([0.05, 0.9], p=[0.95, 0.05])
    shown = random.uniform(0.4, 1.0, (len(place), 2)) ** (random.random((len(place), 1)) < 0.2)
    corner = place + random.normal(0, 1.5, place.shape)
    boxes = np.concatenate([corner, corner + size * [1, 1.25] * shown], axis=1)[here]
    made = faces(*boxes, *random.uniform(0, 900, (2, 4)))
    made.scores[:] = random.uniform(0.05, 1, len(made))
    return made


def prints(found: Faces | None):
    """Of every other face one of four, by its height: so that some are taken for each other."""
    if found is None:
        return None
    made = np.eye(4, dtype=np.float32)[(np.nan_to_num(found.boxes[:, 3]) // 60).astype(int) % 4]
    made[::2] = np.nan
    return made


def play(seed: int, monkeypatch, handful: int, crowd: int, known: bool = False, **config) -> list[Tracks]:
    with monkeypatch.context() as patch:
        patch.setattr(tracker.sort, "HANDFUL", handful)
        patch.setattr(tracker.sort, "CROWD", crowd)
        made = Sort(TrackerConfig(**config))
        rows = [
            made.update(found, time, cut=cut, embeddings=prints(found) if known else None)
            for found, time, cut in film(seed)
        ]
        return [*rows, made.end()]


def assert_same(one: list[Tracks], other: list[Tracks]) -> None:
    for a, b in zip(one, other, strict=True):
        for name in ("ids", "states", "index", "shown", "born", "seen"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)
        np.testing.assert_allclose(a.boxes, b.boxes, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(a.faces.boxes, b.faces.boxes)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("preset", ["faces", "people"])
def test_objects_and_the_table_give_the_same_rows_and_so_does_any_change_between(preset, known, monkeypatch):
    @rough
    @given(seeds)
    def same(seed: int) -> None:
        few = play(seed, monkeypatch, 1000, 1001, known, preset=preset)

        assert_same(few, play(seed, monkeypatch, -1, 0, known, preset=preset))
        assert_same(few, play(seed, monkeypatch, 5, 10, known, preset=preset))

    same()


@rough
@given(seeds)
def test_nothing_is_lost_on_the_way_to_the_table_and_back(seed: int) -> None:
    made = Sort(TrackerConfig())
    for found, time, cut in film(seed, 12):
        made.update(found, time, cut=cut)
    table = made._tracks.table()

    np.testing.assert_array_equal(Few(table).table(), table)
    np.testing.assert_array_equal(Few(Many(table).table()).table(), table)


def test_a_crowd_is_a_table_and_a_handful_is_not() -> None:
    made = Sort(TrackerConfig())
    grid = [(x * 60.0, y * 70.0, x * 60 + 50.0, y * 70 + 60.0) for x in range(10) for y in range(5)]

    made.update(faces(*grid), 0.0)
    assert isinstance(made._tracks, Many)
    for i in range(1, 20):
        made.update(faces(*grid[:3]), i / 10)

    assert isinstance(made._tracks, Few)
