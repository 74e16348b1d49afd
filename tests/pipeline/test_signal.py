"""Lost and back, frozen and moving, closed and open: each change is one event."""

from __future__ import annotations

import logging
from dataclasses import replace

from core.types import Gap, SourceInfo
from pipeline.intake import CLOSED
from pipeline.report import SourceReport
from pipeline.signal import Signal
from tests.make import frame, stamp


def signal() -> tuple[Signal, SourceReport]:
    report = SourceReport(SourceInfo("door", "network", "rtsp://door", live=True))
    return Signal(report), report


def gap(time: float, reason: str = "", error: str = "") -> Gap:
    return Gap(stamp(0, time=time), reason, error)


def test_an_outage_is_one_event_when_it_begins_and_one_when_it_ends(caplog) -> None:
    caplog.set_level(logging.INFO)
    door, report = signal()
    door.frame(frame(0, time=0.5), 100.0)
    quiet = door.gap(gap(1.0), 101.0)
    begun = [door.gap(gap(2.0 + i, "stalled", "no picture"), 102.0 + i) for i in range(4)]
    state = report.state, report.reason
    ended = door.frame(frame(1, time=7.5), 107.5)

    assert quiet == []
    assert [e.kind for e in begun[0]] == ["source_lost"]
    assert begun[0][0].data == {"reason": "stalled", "error": "no picture", "last_t": 0.5}
    assert begun[1:] == [[], [], []]
    assert state == ("lost", "no picture")
    assert [(e.kind, e.data) for e in ended] == [("source_back", {"seconds": 7.0})]
    assert (report.state, report.reason, report.reconnects) == ("up", "", 1)
    assert caplog.text.count("back after") == caplog.text.count("is back after 6 s.") == 1


def test_a_camera_that_is_off_at_the_start_is_no_reconnect() -> None:
    door, report = signal()
    door.gap(gap(0.0, "refused", "nobody listens"), 100.0)

    (back,) = door.frame(frame(0), 130.0)

    assert (back.kind, back.data["seconds"], report.reconnects) == ("source_back", 30.0, 0)


def test_a_frozen_camera_is_said_once_and_so_is_its_end() -> None:
    door, report = signal()
    door.frame(frame(0), 100.0)
    frozen = [door.frame(replace(frame(i), frozen=True), 100.0 + i) for i in (1, 2, 3)]
    state = report.state
    (moving,) = door.frame(frame(4), 104.0)

    assert [[e.kind for e in events] for events in frozen] == [["source_frozen"], [], []]
    assert state == "frozen"
    assert moving.kind == "source_moving"
    assert moving.data["seconds"] == 3 / 25
    assert report.state == "up"


def test_a_camera_that_is_frozen_still_when_its_hours_begin_is_said_to_be_so_anew() -> None:
    door, report = signal()
    door.frame(replace(frame(0), frozen=True), 100.0)
    reason = report.reason
    door.gap(gap(1.0, CLOSED), 101.0)

    events = door.frame(replace(frame(9, time=4.0), frozen=True), 104.0)

    assert "the very same picture" in reason
    assert [event.kind for event in events] == ["source_opened", "source_frozen"]
    assert report.state == "frozen"


def test_opening_hours_begin_and_end_once(caplog) -> None:
    caplog.set_level(logging.INFO)
    door, report = signal()
    door.frame(frame(0), 100.0)
    closed = [door.gap(gap(1.0 + i, CLOSED), 101.0 + i) for i in range(3)]
    state = report.state
    (opened,) = door.frame(frame(9, time=4.0), 104.0)

    assert [[e.kind for e in events] for events in closed] == [["source_closed"], [], []]
    assert (state, opened.kind, report.state) == ("closed", "source_opened", "up")
    assert caplog.text.count("hours are over") == caplog.text.count("hours begin") == 1
