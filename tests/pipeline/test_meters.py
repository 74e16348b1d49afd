"""Rates and histograms of a run."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.status import BOUNDS
from core.types import SourceInfo
from pipeline.meters import Histogram, Rate
from pipeline.report import Report, SourceReport, peak_mb


@given(st.lists(st.integers(0, 12_000), max_size=300), st.integers(0, 15))
def test_a_rate_counts_the_last_five_whole_seconds(milliseconds, now) -> None:
    times = sorted(m / 1000 for m in milliseconds if m / 1000 < now + 1)
    rate = Rate()
    for time in times:
        rate.add(time)

    first = max(now - 5, int(times[0])) if times else now
    counted = sum(first <= int(time) < now for time in times)
    assert rate.per_second(now + 0.5) == (counted / (now - first) if now > first else 0)


@given(st.lists(st.floats(0, 10), max_size=50))
def test_a_histogram_holds_every_duration_in_its_class(durations) -> None:
    histogram = Histogram()
    for seconds in durations:
        histogram.add(seconds)

    assert sum(histogram.counts) == len(durations)
    for i, bound in enumerate(BOUNDS):
        assert sum(histogram.counts[: i + 1]) == sum(s <= bound for s in durations)


@pytest.mark.skipif(sys.platform == "win32", reason="nobody tells it there")
def test_the_most_memory_is_told_also_where_the_state_of_a_process_leaves_it_out(tmp_path) -> None:
    status = tmp_path / "status"

    status.write_text("Name:\tpython\nVmSize:\t 9 kB\nVmRSS:\t 9 kB\nThreads:\t1\n")  # as gVisor has it
    assert 10 < peak_mb(status) < 1e6

    status.write_text("Name:\t문\nVmHWM:\t  2048 kB\nVmRSS:\t 9 kB\n", encoding="utf-8")
    assert peak_mb(status) == 2.0
    assert 10 < peak_mb() < 1e6


def test_the_last_words_of_a_run_say_how_fast_it_was_who_came_and_what_was_left_undone() -> None:
    door = SourceReport(SourceInfo("door", "webcam", "0", live=True), frames_out=90, tracks=5, static=2)
    door.drops["late"] = 7
    report = Report([door], seconds=4.0)
    report.took(0.02)

    assert report.words().splitlines()[:2] == [
        "90 frames in 4.0 s (22.5 frames/s), latency 20 ms (p95 20)",
        "people seen: 3; frames dropped: 7 late",
    ]
    assert Report().words().splitlines()[0] == "0 frames in 0.0 s (0.0 frames/s)"
