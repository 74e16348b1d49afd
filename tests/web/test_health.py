from __future__ import annotations

import json
import math

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from core.status import BOUNDS, Status
from core.types import Event, SourceInfo
from pipeline.monitor import Monitor
from pipeline.report import Report, SourceReport
from tests.make import frame, result, tracks
from tests.web.run import up
from web.health import health, verdict
from web.metrics import registry


def _of(*states: str, turned: float = 0.1) -> Status:
    return Status(turned=turned, sources=tuple(up(str(i), state=s) for i, s in enumerate(states)))


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (_of("up", "up"), "ok"),
        (_of("up", "lost"), "degraded"),
        (_of("up", "frozen"), "degraded"),
        (_of("up", "starting"), "degraded"),
        (_of("lost", "lost"), "failing"),
        (_of("starting"), "failing"),
        (_of(), "failing"),
        (_of("up", "closed"), "ok"),
        (_of("closed", "closed"), "ok"),
        (_of("closed", "lost"), "failing"),
        (_of("up", "over"), "ok"),
        (_of("up", turned=31.0), "failing"),
    ],
)
def test_a_run_is_as_well_as_its_loop_and_the_sources_that_should_be_up(status: Status, word: str) -> None:
    assert verdict(status)[0] == word
    assert bool(verdict(status)[1]) == (word != "ok")


def test_health_is_json_even_before_the_first_picture() -> None:
    said = json.loads(json.dumps(health(Status(sources=(up(age=math.nan),))), allow_nan=False))

    assert said["sources"][0]["age"] is None


def test_health_shows_no_password() -> None:
    lost = up(state="lost", reason="rtsp://user:s3cret@10.0.0.7/main: nobody listens there.")

    assert "s3cret" not in json.dumps(health(Status(sources=(lost,))))


def _read(status: Status) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    text = generate_latest(registry(lambda: status)).decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_metrics_tell_of_each_source() -> None:
    door = up(
        "door", frames_in=10, frames_out=7, drops={"mailbox": 2, "stage": 1}, people=3, tracks=1, suspect=4
    )
    till = up("till", state="lost", age=math.nan, reconnects=5, decode_errors=6)

    samples = _read(Status(sources=(door, till)))

    assert samples["stream_source_up", "door"] == 1
    assert samples["stream_source_up", "till"] == 0
    assert samples["stream_source_state", "till", "lost"] == 1
    assert samples["stream_source_state", "till", "up"] == 0
    assert samples["stream_frames_in_total", "door"] == 10
    assert samples["stream_frames_out_total", "door"] == 7
    assert samples["stream_drops_total", "mailbox", "door"] == 2
    assert samples["stream_suspect_frames_total", "door"] == 4
    assert samples["stream_people_total", "door"] == 3
    assert samples["stream_tracks", "door"] == 1
    assert samples["stream_reconnects_total", "till"] == 5
    assert samples["stream_decode_errors_total", "till"] == 6
    assert samples["stream_fps_out", "door"] == 24.5
    assert samples["stream_frame_age_seconds", "door"] == 0.04
    assert math.isnan(samples["stream_frame_age_seconds", "till"])


def test_a_poster_takes_nobody_off_the_people_that_were_counted() -> None:
    report = SourceReport(SourceInfo("door", "network", "rtsp://door", live=True))
    monitor = Monitor(Report(sources=[report]), {"door": report.info})

    def heed(kind: str, track: int, static: bool, *there: int) -> tuple[float, int]:
        event = Event(kind, frame(0).stamp, track, {"static": static})
        report.heed(result(frame(0), tracks(dict.fromkeys(there, (10, 20, 50, 70))), events=(event,)))
        said = json.loads(json.dumps(health(monitor())))
        return _read(monitor())["stream_people_total", "door"], said["sources"][0]["people"]

    counted = [
        heed("track_started", 1, False, 1),
        heed("track_ended", 1, False),
        heed("track_started", 2, False, 2),
        heed("track_updated", 2, True, 2),
        heed("track_ended", 2, True),
    ]

    assert counted == [(0, 1), (1, 1), (1, 2), (1, 1), (1, 1)]


def test_latency_is_a_histogram_that_adds_up() -> None:
    counts = tuple(range(len(BOUNDS) + 1))

    samples = _read(Status(latency=counts, latency_sum=12.5))

    assert samples["stream_latency_seconds_bucket", "0.01"] == 0
    assert samples["stream_latency_seconds_bucket", "0.05"] == 0 + 1 + 2
    assert samples["stream_latency_seconds_bucket", "+Inf"] == sum(counts)
    assert samples["stream_latency_seconds_count",] == sum(counts)
    assert samples["stream_latency_seconds_sum",] == 12.5


def test_metrics_tell_of_the_run() -> None:
    status = Status(
        "1.2.3", "CPU", 60.0, 0.5, level="fewer looks", looks_run=4, looks_saved=96, queues={"a.mp4": 3}
    )

    samples = _read(status)

    assert samples["stream_governor_level_info", "fewer looks"] == 1
    assert samples["stream_build_info", "CPU", "1.2.3"] == 1
    assert samples["stream_looks_total",] == 4
    assert samples["stream_looks_saved_total",] == 96
    assert samples["stream_queue_length", "a.mp4"] == 3
    assert samples["stream_uptime_seconds",] == 60
    assert samples["stream_turn_age_seconds",] == 0.5


def test_metrics_take_any_name_and_show_no_password() -> None:
    names = ('a"b\nc', "문", "bad\udcff")
    queues = {"rtsp://user:s3cret@host/a": 1, "rtsp://other:s3cret@host/a": 2}

    samples = _read(Status(sources=tuple(up(name) for name in names), queues=queues))

    assert samples["stream_source_up", 'a"b\nc'] == 1
    assert samples["stream_source_up", "문"] == 1
    assert samples["stream_source_up", "bad\\udcff"] == 1
    assert samples["stream_queue_length", "rtsp://***@host/a"] == 3


def test_two_runs_in_one_process_do_not_mix() -> None:
    one, other = registry(lambda: _of("up")), registry(lambda: _of("up", "up"))

    assert b'stream_source_up{source="1"}' not in generate_latest(one)
    assert b'stream_source_up{source="1"}' in generate_latest(other)
