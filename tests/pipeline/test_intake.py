"""What the thread that reads a source hands on: the newest frames, each loss, and when it ends."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import replace
from datetime import datetime

import pytest

from core.types import Frame, Gap
from pipeline.intake import Arrival, Intake
from tests.make import stamp
from tests.pipeline.films import Film, cut_at, described


def _frames(intake: Intake) -> list[tuple[int, bool]]:
    """Which frames lie in the box, and whether they begin another shot."""
    with intake.box._changed:
        items = [item.item for item in iter(intake.box.take, None) if isinstance(item, Arrival)]
    return [(item.stamp.index, item.cut) for item in items if isinstance(item, Frame)]


def _asked(at: datetime) -> Gap:
    """A camera does not answer at that time of this machine."""
    return Gap(replace(stamp(0), wall=at.timestamp()), "refused", "nobody listens")


@pytest.mark.parametrize(("number", "begins"), [(0, True), (3, True), (5, True), (None, False)])
def test_a_camera_s_newest_frame_begins_the_shot_whose_first_frame_it_replaces(number, begins) -> None:
    film = Film(described(live=True), 6) if number is None else cut_at(number)
    intake = Intake([film.info], lambda _info: film, threading.Condition())

    intake._run()

    assert _frames(intake) == [(5, begins)]


def test_a_second_without_a_picture_does_not_swallow_a_cut() -> None:
    class Fetched(Film):
        """The loop takes each of its items before the next is read, but for frame 2."""

        def read(self):
            if len(self._items) != 4:
                taken.extend(_frames(intake))
            return super().read()

    taken: list[tuple[int, bool]] = []
    film = Fetched(described(live=True), 7)
    film._items[2] = replace(film._items[2], cut=True)
    film._items[3] = Gap(film._items[3].stamp)
    intake = Intake([film.info], lambda _info: film, threading.Condition())

    intake._run()

    assert taken + _frames(intake) == [(0, False), (1, False), (4, True), (5, False), (6, False)]


def test_each_closing_of_a_camera_without_a_picture_is_told() -> None:
    film = Film(replace(described(live=True), hours="09:00-10:00"), 0)
    film._items = [_asked(datetime(2026, 1, day, hour, 30)) for day in (5, 6) for hour in (8, 9, 11)]
    intake = Intake([film.info], lambda _info: film, threading.Condition())

    intake._run()

    with intake.box._changed:
        items = [item.item for item in iter(intake.box.take, None) if isinstance(item, Arrival)]
    told = [reason for reason, _ in itertools.groupby(item.reason for item in items if isinstance(item, Gap))]
    assert told == ["closed", "refused", "closed", "refused", "closed"]


@pytest.mark.parametrize("hour", [8, 9])
def test_max_seconds_ends_a_camera_that_is_closed_or_does_not_answer_all_the_time(hour: int) -> None:
    class Silent(Film):
        def read(self) -> Gap:
            return _asked(datetime(2026, 1, 5, hour))

    info = replace(described(live=True), hours="09:00-10:00")
    intake = Intake([info], lambda info: Silent(info, 0), threading.Condition(), 0.05)

    intake.start()

    assert intake.join(20)


def test_a_camera_that_does_not_answer_until_max_seconds_are_over_is_told_so() -> None:
    class Slow(Film):
        def read(self) -> Gap:
            time.sleep(0.01)  # longer than the run is to last
            return _asked(datetime(2026, 1, 5, 9))

    intake = Intake([described(live=True)], lambda info: Slow(info, 0), threading.Condition(), 0.005)

    intake._run()

    with intake.box._changed:
        items = [item.item for item in iter(intake.box.take, None) if isinstance(item, Arrival)]
    assert [item.reason for item in items if isinstance(item, Gap)] == ["refused"]


def test_max_seconds_of_video_begin_with_the_first_picture_of_a_camera_that_is_slow_to_open() -> None:
    film = Film(described(live=True), 2)
    film._items.insert(0, Gap(stamp(0)))
    intake = Intake([film.info], lambda _info: film, threading.Condition(), 2e-6)

    intake._run()

    with intake.box._changed:
        items = [item.item for item in iter(intake.box.take, None) if isinstance(item, Arrival)]
    assert [item.stamp.index for item in items if isinstance(item, Frame)] == [0]
