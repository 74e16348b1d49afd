"""The run's state in the terms of Prometheus. docs/monitoring.md explains every name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from core.masking import mask
from core.status import BOUNDS, STATES, SourceStatus, Status
from web.health import label

# Name, what it says, and how it is read from a source. A counter's name gets `_total` behind it.
_COUNTERS: tuple[tuple[str, str, Callable[[SourceStatus], int]], ...] = (
    ("stream_frames_in", "Frames read.", lambda s: s.frames_in),
    ("stream_frames_out", "Frames judged.", lambda s: s.frames_out),
    ("stream_suspect_frames", "Frames that the decoder flagged, or that build on one.", lambda s: s.suspect),
    ("stream_decode_errors", "Packets that could not be decoded.", lambda s: s.decode_errors),
    ("stream_reconnects", "Times that the source came back.", lambda s: s.reconnects),
    ("stream_people", "People seen, counted when they have gone.", lambda s: s.people),
)
_GAUGES: tuple[tuple[str, str, Callable[[SourceStatus], float]], ...] = (
    ("stream_source_up", "1 while the source gives pictures.", lambda s: float(s.state == "up")),
    ("stream_frame_age_seconds", "Since the last picture; NaN before the first.", lambda s: s.age),
    ("stream_fps_in", "Frames read a second, lately.", lambda s: s.fps_in),
    ("stream_fps_out", "Frames judged a second, lately.", lambda s: s.fps_out),
    ("stream_tracks", "People there now, without faces that never move.", lambda s: float(s.tracks)),
)


class RunCollector(Collector):
    """Asks for the state at each scrape; keeps nothing itself."""

    def __init__(self, status: Callable[[], Status]) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """All metrics of the run, from one state."""
        status = self._status()
        yield from _of_sources(status)
        yield from _of_run(status)

    def describe(self) -> list[Metric]:
        """Nothing ahead, so that registering asks for no state."""
        return []


def registry(status: Callable[[], Status]) -> CollectorRegistry:
    """A registry of its own, so that two runs in one process do not mix."""
    own = CollectorRegistry()
    own.register(RunCollector(status))
    ProcessCollector(registry=own)
    return own


def _of_sources(status: Status) -> Iterator[Metric]:
    for name, words, value in _COUNTERS:
        counter = CounterMetricFamily(name, words, labels=["source"])
        for source in status.sources:
            counter.add_metric([label(source.name)], value(source))
        yield counter
    for name, words, number in _GAUGES:
        gauge = GaugeMetricFamily(name, words, labels=["source"])
        for source in status.sources:
            gauge.add_metric([label(source.name)], number(source))
        yield gauge
    drops = CounterMetricFamily("stream_drops", "Frames that nobody judged.", labels=["source", "cause"])
    states = GaugeMetricFamily("stream_source_state", "1 for the state it is in.", labels=["source", "state"])
    for source in status.sources:
        for cause, count in source.drops.items():
            drops.add_metric([label(source.name), cause], count)
        for state in STATES:
            states.add_metric([label(source.name), state], float(source.state == state))
    yield drops
    yield states


def _of_run(status: Status) -> Iterator[Metric]:
    yield CounterMetricFamily("stream_looks", "Faces shown to the networks.", value=status.looks_run)
    yield CounterMetricFamily(
        "stream_looks_saved", "Faces that were not judged, though fit.", value=status.looks_saved
    )
    counts = list(accumulate(status.latency))
    bounds = [*map(str, BOUNDS), "+Inf"]
    yield HistogramMetricFamily(
        "stream_latency_seconds",
        "From a frame's arrival to its result.",
        buckets=list(zip(bounds, counts, strict=True)),
        sum_value=status.latency_sum,
    )
    yield _queues(status)
    yield InfoMetricFamily("stream_governor_level", "What is shed to keep up.", value={"level": status.level})
    about = {"version": status.version, "device": status.device}
    yield InfoMetricFamily("stream_build", "Version and device.", value=about)
    yield GaugeMetricFamily("stream_uptime_seconds", "Since the start.", value=status.seconds)
    yield GaugeMetricFamily("stream_turn_age_seconds", "Since the loop's last turn.", value=status.turned)


def _queues(status: Status) -> Metric:
    """By output, whose address may hold a password; those that look alike without it are one."""
    lengths: Counter[str] = Counter()
    for output, length in status.queues.items():
        lengths[label(mask(output))] += length
    queue = GaugeMetricFamily("stream_queue_length", "Results that wait.", labels=["output"])
    for output, length in lengths.items():
        queue.add_metric([output], length)
    return queue
