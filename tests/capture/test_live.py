"""Live times, pacing, and the thread that keeps the newest picture: without a network."""

import gc
import math
import queue
import threading
import time
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture import live
from capture.clock import LiveClock, WallClock
from capture.connection import Grab, Lost
from capture.live import Live
from core.errors import SourceError
from core.hours import Hours
from core.settings import CaptureConfig
from core.types import Frame, Gap, SourceInfo

INFO = SourceInfo("door", "webcam", "0", live=True)


def grab(value=0, damaged=False, presentation=math.nan) -> Grab:
    return Grab(lambda: np.full((4, 6, 3), value, np.uint8), presentation, damaged)


class Script:
    """A connection that gives what is put into its queue: pictures, errors, None for the end."""

    codec = "made up"
    errors = 2

    def __init__(self, *items) -> None:
        self.items = queue.Queue()
        for item in items:
            self.items.put(item)
        self.closed = False

    def grab(self):
        item = self.items.get()
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        self.closed = True


def test_pictures_come_with_rising_times_until_the_stream_ends() -> None:
    script = Script(grab(1))
    source = Live(INFO, lambda: script, CaptureConfig())

    first = source.read()
    script.items.put(grab(2, damaged=True))
    second = source.read()
    script.items.put(None)

    assert source.read() is None
    assert (first.stamp.index, first.stamp.time, first.stamp.size) == (0, 0.0, (6, 4))
    assert second.stamp.index == 1
    assert second.stamp.time > 0
    assert second.damaged
    assert second.image[0, 0, 0] == 2
    assert source.decode_errors == 2
    source.close()
    assert script.closed


@pytest.mark.parametrize("wait", [False, True])
def test_what_does_not_open_is_said_and_called_again(monkeypatch, caplog, wait) -> None:
    monkeypatch.setattr(live, "BACK_OFF", (0.01,))
    monkeypatch.setattr(live, "_SILENCE", 0.02)
    there = threading.Event()

    def plug():
        if not there.is_set():
            raise Lost("camera 0: there is none; plug one in.", "missing")
        return Script(grab(7))

    source = Live(INFO, plug, CaptureConfig(wait=wait))
    while not (gap := source.read()).error:
        pass
    there.set()
    while isinstance(frame := source.read(), Gap):
        pass
    source.close()

    assert (gap.reason, gap.error, gap.stamp.time) == (
        "missing",
        "camera 0: there is none; plug one in.",
        0.0,
    )
    assert (frame.stamp.index, frame.stamp.time, frame.image[0, 0, 0]) == (0, 0.0, 7)
    assert caplog.text.count("plug one in") == 1
    assert ("Trying again" in caplog.text) == wait  # else the program may end instead


@pytest.fixture
def clock(monkeypatch):
    """A clock of our own, set as the test says: what is told of a silence does not depend on the machine."""
    now = [0.0]
    ours = SimpleNamespace(monotonic=lambda: now[0], time=lambda: 1e9 + now[0])
    monkeypatch.setattr(live, "time", ours)
    monkeypatch.setattr(live, "_SILENCE", 0.05)
    return now


def next_picture(source) -> Frame:
    while isinstance(item := source.read(), Gap):
        assert source.stalled == 0
    return item


def test_a_slow_cameras_picture_is_given_though_a_gap_was_told_just_before(clock) -> None:
    script = Script(grab(1, presentation=0.0))
    source = Live(INFO, lambda: script, CaptureConfig())
    source.read()
    clock[0] = 0.05
    gap = source.read()
    script.items.put(grab(2, presentation=gap.stamp.time - 0.02))  # no burst: it only travelled a bit longer

    item = next_picture(source)
    source.close()

    assert item.image[0, 0, 0] == 2
    assert item.stamp.time > gap.stamp.time


def test_after_a_silence_the_pictures_of_a_slow_camera_keep_their_distance(clock) -> None:
    script = Script(grab(presentation=0.0))
    source = Live(INFO, lambda: script, CaptureConfig())
    source.read()
    clock[0] = 0.5
    assert source.read().stamp.time == 0.5
    script.items.put(grab(presentation=0.2))  # so far behind our clock
    next_picture(source)
    clock[0] = 0.7
    for _ in range(2):
        assert isinstance(source.read(), Gap)  # silence again
    times = []
    for presentation in (0.52, 0.56, 0.58):
        clock[0] = presentation + 0.25
        script.items.put(grab(presentation=presentation))
        times.append(next_picture(source).stamp.time)
    script.items.put(None)
    source.close()

    assert times == pytest.approx([0.52, 0.56, 0.58])


def test_an_outage_of_a_moment_is_told_before_the_picture_that_ends_it(monkeypatch) -> None:
    monkeypatch.setattr(live, "BACK_OFF", (0.0,))
    scripts = [Script(grab(1), Lost("cut off", "ended")), Script(grab(2), None)]

    source = Live(INFO, lambda: scripts.pop(0), CaptureConfig())
    items: list[Any] = list(iter(source.read, None))
    source.close()

    told = [item.reason if isinstance(item, Gap) else int(item.image[0, 0, 0]) for item in items]
    assert told in (["ended", 2], [1, "ended", 2])
    assert [item.stamp.time for item in items] == sorted(item.stamp.time for item in items)


def test_a_connection_that_was_lost_is_let_go_of(monkeypatch) -> None:
    monkeypatch.setattr(live, "BACK_OFF", (0.0,))
    first = Script(grab(1), Lost("cut off", "ended"))
    gone, scripts = weakref.ref(first), [first, Script(grab(2), grab(3), None)]
    del first

    source = Live(INFO, lambda: scripts.pop(0), CaptureConfig())
    while not isinstance(item := source.read(), Frame) or item.image[0, 0, 0] < 3:
        pass

    gc.collect()  # the script holds the error that holds it

    assert gone() is None  # it held threads of the decoder
    source.close()


def test_a_call_that_hangs_is_left_behind_and_another_one_gets_the_pictures(monkeypatch, caplog) -> None:
    monkeypatch.setattr(live, "_HANGS", 0.05)
    monkeypatch.setattr(live, "_SILENCE", 0.02)
    hung, made = Script(grab(1)), []  # its second grab waits for ever

    def connect():
        made.append(hung if not made else Script(grab(2)))
        return made[-1]

    source = Live(INFO, connect, CaptureConfig(open_timeout=0.05, stall_timeout=0.05))
    shown = []
    while len(shown) < 2:
        item = source.read()
        shown += [int(item.image[0, 0, 0])] if isinstance(item, Frame) else []
    hung.codec = "too late"
    hung.items.put(grab(3))  # it comes back, too late

    source._left[0].join(5)
    assert not source._left[0].is_alive()
    assert hung.closed
    assert shown == [1, 2]
    assert "did not return" in caplog.text
    made[1].items.put(None)
    source.close()


def test_a_call_within_its_time_out_is_waited_for(monkeypatch) -> None:
    monkeypatch.setattr(live, "_SILENCE", 0.02)
    there, calls = threading.Event(), []

    def connect() -> Script:
        calls.append(1)
        there.wait()
        return Script(grab(5))

    source = Live(INFO, connect, CaptureConfig(open_timeout=5))
    before = [source.read() for _ in range(5)]
    there.set()
    while isinstance(item := source.read(), Gap):
        pass
    source.close()

    assert all(isinstance(gap, Gap) for gap in before)
    assert int(item.image[0, 0, 0]) == 5
    assert len(calls) == 1


def test_no_more_than_three_calls_hang_at_once(monkeypatch) -> None:
    monkeypatch.setattr(live, "_HANGS", 0.01)
    monkeypatch.setattr(live, "_SILENCE", 0.01)
    let_go, calls = threading.Event(), []

    def connect():
        calls.append(1)
        let_go.wait()
        raise Lost("camera: gone", "lost", math.inf)

    source = Live(INFO, connect, CaptureConfig(open_timeout=0.01))
    for _ in range(30):
        source.read()
    let_go.set()
    for thread in source._left:
        thread.join(5)
    source.close()

    assert len(calls) == 4


@pytest.mark.parametrize(("least", "low", "high"), [(0, 0.8, 5.0), (60, 60, 72), (300, 300, 360)])
def test_pauses_between_calls_grow_and_never_fall_below_what_the_answer_asks_for(least, low, high) -> None:
    source = Live(INFO, lambda: Script(None), CaptureConfig())
    pauses = [source._pause(failure, least) for failure in range(50)]
    source.close()

    assert low <= min(pauses) <= max(pauses) <= high
    assert len(set(pauses[10:])) > 30


def test_the_pictures_of_a_frozen_camera_say_so() -> None:
    grabs = [Grab(lambda: np.zeros((4, 6, 3), np.uint8), math.nan, False, True, digest=5) for _ in range(9)]
    source = Live(INFO, lambda: Script(*grabs, None), CaptureConfig(frozen_after=1e-9))
    frames = []
    while (item := source.read()) is not None:
        frames += [item] if isinstance(item, Frame) else []
    source.close()

    assert frames[-1].frozen


def test_without_hope_a_lost_camera_is_an_error_after_its_last_picture() -> None:
    script = Script(grab(1), Lost("unplugged", "gone", math.inf))
    source = Live(INFO, lambda: script, CaptureConfig())
    source._thread.join()

    assert isinstance(source.read(), Frame)
    with pytest.raises(SourceError, match="unplugged"):
        source.read()
    source.close()


def test_an_error_of_another_library_ends_the_source_without_its_text() -> None:
    source = Live(INFO, lambda: Script(RuntimeError("rtsp://u:hunter2@cam")), CaptureConfig())

    with pytest.raises(SourceError, match="failed with RuntimeError") as caught:
        source.read()
    source.close()

    assert "hunter2" not in str(caught.value)


@given(
    st.lists(st.tuples(st.floats(0.001, 2), st.one_of(st.floats(-1e4, 1e4), st.just(math.nan))), max_size=40)
)
def test_live_time_always_rises_and_is_never_far_from_arrival(steps) -> None:
    clock = LiveClock()
    arrival, last = 0.0, -1.0
    for step, presentation in steps:
        arrival += step
        time = clock.time(presentation, arrival)
        if clock.behind:  # old news, which nobody gets
            continue

        assert time > last
        # A frame that came late may not be put before the one ahead of it, hence the millisecond.
        assert arrival - 1.0 - 1e-6 <= time <= arrival + 0.001 * len(steps) + 1e-6
        last = time


def test_a_burst_is_spread_by_its_presentation_times() -> None:
    clock = LiveClock()
    steady = [clock.time(10 + i / 10, 1 + i / 10) for i in range(5)]

    burst = [clock.time(10 + i / 10, 1.9) for i in range(5, 9)]

    assert np.diff(steady + burst) == pytest.approx(0.1)


def test_a_new_connection_has_a_new_presentation_clock() -> None:
    clock = LiveClock()
    clock.time(1000.0, 1.0)

    clock.reconnect()

    assert clock.time(3.0, 8.0) == 8.0


@pytest.mark.parametrize("jump", [3600.0, -7200.0, 10 * 365 * 86400.0])
def test_a_jump_of_this_machines_clock_moves_utc_alone(jump) -> None:
    clock = WallClock()
    before = [clock.hear(t, 1e9 + t + 0.3 * (t % 2)) for t in range(10)]  # it is slewed a little all the time

    moved = clock.hear(10.0, 1e9 + 10 + jump)

    assert not any(before)
    assert moved
    assert clock.at(11.0) == 1e9 + 11 + jump
    assert not clock.hear(11.0, 1e9 + 11 + jump)


def test_what_waited_in_a_stalled_network_is_old_news_until_it_has_caught_up() -> None:
    clock = LiveClock()
    steady = [clock.time(i / 10, i / 10) and clock.behind for i in range(1, 5)]

    burst = []
    for i in range(5, 37):  # 3.1 s of pictures come at once
        time = clock.time(i / 10, 3.6 + i / 1000)
        burst.append((time, clock.behind))

    assert not any(steady)
    assert [behind for _, behind in burst] == [True] * 22 + [False] * 10
    fresh = [time for time, behind in burst if not behind]
    assert np.diff(fresh) == pytest.approx(0.1)  # spread as they were taken


@pytest.mark.parametrize("pause", [0.1, 3.0], ids=["its clock is set", "it paused"])
def test_a_camera_whose_times_stay_behind_is_believed_anew(pause) -> None:
    clock = LiveClock()
    shown = []
    for i in range(60):
        arrival = i / 10 + (pause if i > 20 else 0.1)
        time = clock.time(i / 10 - (3 if i > 20 else 0), arrival)
        shown += [] if clock.behind else [(time, arrival)]

    assert len(shown) >= (60 if pause < 1 else 39)  # at most two seconds' pictures are lost
    assert all(abs(time - arrival) < 1.1 for time, arrival in shown)


def test_outside_of_its_hours_a_camera_is_let_go_of_and_called_again_when_they_begin(monkeypatch) -> None:
    monkeypatch.setattr(live, "_SILENCE", 0.02)
    openings, scripts = threading.Event(), []

    class Clock(Hours):
        def are_open(self, wall: float) -> bool:
            return openings.is_set()

    def connect() -> Script:
        assert openings.is_set()
        scripts.append(Script(grab(len(scripts) + 1)))
        return scripts[-1]

    monkeypatch.setattr(Hours, "parse", lambda _text: Clock())
    source = Live(INFO, connect, CaptureConfig())
    shown = []
    for day in (1, 2):
        before = [source.read() for _ in range(3)]
        assert all(isinstance(item, Gap) and not item.reason for item in before)
        assert len(scripts) == day - 1
        openings.set()
        while isinstance(item := source.read(), Gap):
            assert not item.reason
        shown.append((int(item.image[0, 0, 0]), item.stamp.index))
        openings.clear()
        scripts[-1].items.put(grab(9))  # the last one before it is told that the hours are over
        while not scripts[-1].closed:
            source.read()
        source.read()
    source.close()

    assert [value for value, _ in shown] == [1, 2]
    assert shown[1][1] > shown[0][1]


def test_a_clock_that_is_set_while_no_picture_comes_is_followed_all_the_same(monkeypatch) -> None:
    monkeypatch.setattr(live, "_SILENCE", 0.02)
    script, real = Script(grab()), time.time
    source = Live(INFO, lambda: script, CaptureConfig())
    shown = source.read()

    monkeypatch.setattr(time, "time", lambda: real() + 7200)
    gap = source.read()
    script.items.put(None)
    source.close()

    assert isinstance(gap, Gap)
    assert 7199 < gap.stamp.wall - shown.stamp.wall < 7230
