"""Live times, pacing, and the thread that keeps the newest picture: without a network."""

import math
import queue

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.clock import LiveClock
from capture.live import Grab, Live, Lost
from core.errors import SourceError
from core.types import Frame, SourceInfo

INFO = SourceInfo("door", "webcam", "0", live=True)


def grab(value=0, damaged=False) -> Grab:
    return Grab(lambda: np.full((4, 6, 3), value, np.uint8), math.nan, damaged)


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
    source = Live(INFO, lambda: script, 1.0)

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


def test_what_never_opens_is_an_error_at_once() -> None:
    def refuse():
        raise Lost("camera 0: there is none; plug one in.")

    with pytest.raises(SourceError, match="plug one in"):
        Live(INFO, refuse, 1.0)


def test_without_hope_a_lost_camera_is_an_error_after_its_last_picture() -> None:
    script = Script(grab(1), Lost("unplugged", math.inf))
    source = Live(INFO, lambda: script, 1.0)
    source._thread.join()

    assert isinstance(source.read(), Frame)
    with pytest.raises(SourceError, match="unplugged"):
        source.read()
    source.close()


def test_an_error_of_another_library_ends_the_source_without_its_text() -> None:
    with pytest.raises(SourceError, match="failed with RuntimeError") as caught:
        Live(INFO, lambda: Script(RuntimeError("rtsp://u:hunter2@cam")), 1.0)

    assert "hunter2" not in str(caught.value)


@given(
    st.lists(st.tuples(st.floats(0.001, 2), st.one_of(st.floats(-1e4, 1e4), st.just(math.nan))), max_size=40)
)
def test_live_time_always_rises_and_is_never_far_from_arrival(steps) -> None:
    clock = LiveClock(tolerance=1.0)
    arrival, last = 0.0, -1.0
    for step, presentation in steps:
        arrival += step
        time = clock.time(presentation, arrival)

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
