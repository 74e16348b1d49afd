"""How a soak plans its faults, watches a program, and judges what it saw."""

import json
import math
import os
import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import soak
from benchmarks.faults import KINDS, QUIET, Fault, Kind, carry_out, plan
from benchmarks.verdicts import (
    Seen,
    accounted,
    counted_alike,
    read_rows,
    recoveries,
    steady,
    timely,
    told,
    undisturbed,
)
from benchmarks.vitals import Sample, parse, sample, trend

NAMES = ["a", "b"]


def fault(kind="drop", camera=0, at=100.0, over=110.0) -> Fault:
    return Fault(kind, camera, at, over, KINDS[kind])


def frames(*spans):
    """Ten frames/s in each span of seconds."""
    return [begin + i / 10 for begin, end in spans for i in range(round((end - begin) * 10))]


def test_the_seed_fixes_the_faults() -> None:
    assert plan(1, 4, 30, 600) == plan(1, 4, 30, 600)
    assert plan(1, 4, 30, 600) != plan(2, 4, 30, 600)


@pytest.mark.parametrize("seed", range(5))
def test_one_camera_fails_at_a_time_with_a_pause_between_and_all_is_well_at_the_end(seed) -> None:
    faults = plan(seed, 4, 30, 1200)

    assert faults[0].at >= 30 + QUIET
    for one, other in pairwise(faults):
        assert one.over + one.how.limit + QUIET <= other.at
    assert faults[-1].over + faults[-1].how.limit <= 1200


def test_every_kind_comes_before_any_comes_again() -> None:
    kinds = [fault.kind for fault in plan(1, 4, 30, 3600)]

    assert set(kinds[: len(KINDS)]) == set(KINDS)


def test_orders_reach_the_camera_that_is_meant() -> None:
    given = []

    class Cameras:
        def order(self, camera, order, **more):
            given.append((camera, order, more))

    carry_out(Cameras(), fault("404", camera=3), KINDS["404"].begin)

    assert given == [(3, "faults", {"status": 404}), (3, "drop", {})]


def test_metrics_are_read_and_causes_added_up() -> None:
    text = (
        "# HELP stream_drops_total Frames lost.\n# TYPE stream_drops_total counter\n"
        'stream_drops_total{source="a \\"b\\"",cause="late"} 3.0\n'
        'stream_drops_total{cause="queue",source="a \\"b\\""} 2.0\n'
        'stream_frame_age_seconds{source="c"} NaN\n\nup 1 1700000000\n'
    )

    found = parse(text)

    assert found["stream_drops_total", 'a \\"b\\"'] == 5
    assert math.isnan(found["stream_frame_age_seconds", "c"])
    assert found["up", ""] == 1


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_sample_is_that_of_the_process() -> None:
    taken = sample(os.getpid(), 5.0, {})

    assert taken.at == 5
    assert 10 < taken.memory < 5000
    assert taken.threads >= 1
    assert taken.descriptors >= 3


def test_a_trend_is_a_line_and_two_medians() -> None:
    moved = trend(range(0, 3600, 36), [100 + i for i in range(100)])

    assert moved.slope == pytest.approx(100)
    assert (moved.first, moved.last, moved.highest) == (112, 187, 199)
    assert math.isnan(trend([1, 2], [1, 2]).slope)


@pytest.mark.parametrize(("growth", "good"), [(0.0, True), (0.01, True), (0.5, False)])
def test_memory_that_grows_is_found(growth, good) -> None:
    samples = [Sample(float(i), 200 + growth * i, 20, 10) for i in range(100)]

    assert steady(samples)[0].good is good


@pytest.mark.parametrize("leak", ["threads", "descriptors"])
def test_what_is_not_given_back_is_found(leak) -> None:
    kept = [(20 + i // 20 * (leak == "threads"), 10 + i // 20 * (leak == "descriptors")) for i in range(100)]

    verdicts = steady([Sample(float(i), 200.0, *counts) for i, counts in enumerate(kept)])

    assert [v.claim.split()[0] for v in verdicts if not v.good] == [leak]


def row(event, at, **more):
    return json.dumps({"event": event, "utc": datetime.fromtimestamp(at, UTC).isoformat(), **more})


def test_a_frame_with_many_faces_counts_once_and_rows_of_a_silence_not_at_all() -> None:
    lines = [
        row("source_started", 100.0, source="a", frame=0),
        row("track_started", 100.0, source="a", frame=0),
        row("track_started", 100.0, source="a", frame=0),
        row("track_updated", 100.1, source="a", frame=1),
        row("source_lost", 102.0, source="a", frame=1),
        row("track_ended", 103.0, source="a", frame=1),
        row("source_back", 104.0, source="a", frame=2),
        row("track_started", 104.0, source="a", frame=2),
    ]

    seen = read_rows(lines)["a"]

    assert seen.frames == [100.0, 100.1, 104.0]
    assert (seen.lost, seen.back) == ([102.0], [104.0])


@pytest.mark.parametrize(
    ("spans", "after"),
    [
        ([(90, 100), (113, 130)], 3.0),
        ([(90, 110.5), (112, 130)], 2.0),  # noticed late
        ([(90, 100)], math.inf),
    ],
)
def test_the_time_to_come_back_counts_from_the_cameras_own_return(spans, after) -> None:
    assert Seen(frames(*spans)).returned(fault()) == pytest.approx(after, abs=0.11)


def test_what_loses_no_connection_is_back_with_the_next_frame() -> None:
    seen = Seen(frames((90, 130)))

    assert seen.returned(fault("night")) < 0.11


def test_a_camera_that_comes_back_too_late_is_found() -> None:
    seen = {"a": Seen(frames((90, 100), (150, 160))), "b": Seen(frames((90, 160)))}

    (verdict,) = recoveries([fault()], NAMES, seen)

    assert not verdict.good


@pytest.mark.parametrize(("lost", "good"), [((), True), ((100.0, 104.0), False)])
def test_another_camera_that_is_slowed_down_is_found(lost, good) -> None:
    every = frames((90, 130))
    kept = [at for at in every if not (lost and lost[0] <= at < lost[1])]

    verdict = undisturbed([fault()], NAMES, {"a": Seen(frames((90, 100))), "b": Seen(kept)})

    assert verdict.good is good


@pytest.mark.parametrize(
    ("lost", "back", "good"),
    [
        ([105.0], [113.0], True),
        ([], [], False),
        ([105.0], [], False),
        ([105.0, 107.0], [106.0, 113.0], False),
        ([105.0, 300.0], [113.0, 301.0], False),
    ],
)
def test_losses_are_told_once_and_nothing_else_is(lost, back, good) -> None:
    seen = {"a": Seen([], lost, back), "b": Seen()}

    assert told([fault()], NAMES, seen).good is good


def test_a_connection_that_is_back_at_once_need_not_be_told() -> None:
    dropped = fault(at=100.0, over=100.0)

    assert told([dropped], NAMES, {"a": Seen(), "b": Seen()}).good
    assert told([dropped], NAMES, {"a": Seen([], [100.0], [102.0]), "b": Seen()}).good
    assert not told([dropped], NAMES, {"a": Seen([], [100.0], []), "b": Seen()}).good


def test_a_frozen_camera_is_no_loss() -> None:
    assert told([fault("frozen")], NAMES, {"a": Seen(), "b": Seen()}).good
    assert not told([fault("frozen")], NAMES, {"a": Seen([], [105.0]), "b": Seen()}).good


SUMMARY: dict = {
    "latency_ms": {"p50": 10.0, "p95": 20.0},
    "sources": [
        {
            **{"name": "a", "frames_in": 10, "frames_out": 7, "drops": {"late": 2, "queue": 1}},
            **{"tracks": 5, "static": 2},
        }
    ],
}


@pytest.mark.parametrize(("came", "good"), [(10, True), (11, False)])
def test_every_frame_is_accounted_for(came, good) -> None:
    (verdict,) = accounted({"sources": [SUMMARY["sources"][0] | {"frames_in": came}]})

    assert verdict.good is good


def counters(**more):
    values = {"frames_in": 9.0, "frames_out": 6.0, "drops": 2.0, "people": 1.0, **more}
    return {(f"stream_{key}_total", "a"): value for key, value in values.items()}


@pytest.mark.parametrize(
    ("name", "counts", "good"),
    [
        ("frames_in", (5, 9), True),
        ("frames_in", (9, 5), False),
        ("frames_in", (5, 11), False),
        ("people", (2, 3), True),
        ("people", (3, 2), False),
        ("people", (3, 4), False),
        ("reconnects", (2, 1), False),
    ],
)
def test_metrics_that_fall_or_count_too_much_are_found(name, counts, good) -> None:
    samples = [Sample(float(i), 0, 0, 0, counters(**{name: count})) for i, count in enumerate(counts)]

    assert counted_alike(samples, SUMMARY).good is good


@pytest.mark.parametrize(("growth", "good"), [(0.0, True), (0.01, False)])
def test_frames_that_grow_older_are_found(growth, good) -> None:
    ages = [{("stream_frame_age_seconds", "a"): 0.05 + growth * i} for i in range(100)]

    verdict = timely([Sample(float(i), 0, 0, 0, age) for i, age in enumerate(ages)], SUMMARY)

    assert verdict.good is good
    assert "p95 20.0 ms" in verdict.figures


PRETENDER = Path(__file__).with_name("pretender.py")
SHORT = [
    Fault("drop", 0, 3.0, 3.0, Kind(0.0, KINDS["drop"].begin, (), 3.0, loses=True)),
    Fault("night", 1, 7.0, 8.0, Kind(1.0, KINDS["night"].begin, KINDS["night"].end, 1.0)),
]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize(("vice", "failed"), [("", []), ("leak", ["descriptors do not grow"])])
def test_a_program_that_does_all_right_passes_and_one_that_leaks_does_not(
    vice, failed, monkeypatch, tmp_path, capsys
) -> None:
    usual = soak.command
    monkeypatch.setattr(soak, "command", lambda *given: [str(PRETENDER), vice, *usual(*given)[1:]])
    monkeypatch.setattr(soak, "plan", lambda *_: SHORT)
    monkeypatch.setattr(soak, "EVERY", 0.25)

    code = soak.main(["--minutes", "0.2", "--cameras", "2", "--out", str(tmp_path)])

    said = capsys.readouterr().out
    assert [line[6:].split(":")[0] for line in said.splitlines() if line.startswith("FAIL")] == failed, said
    assert code == bool(failed)
    assert "back after 'drop' of camera 0" in said
    assert "1 reconnects" in said
    assert len((tmp_path / soak.SAMPLES).read_text().splitlines()) > 20


@pytest.mark.slow
def test_a_program_that_dies_is_said(monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setattr(soak, "command", lambda *_: ["-c", "raise SystemExit('no more')"])

    code = soak.main(["--minutes", "0.1", "--cameras", "1", "--out", str(tmp_path)])

    said = capsys.readouterr()
    assert code == 1
    assert "no more" in said.err
    assert "FAIL" in said.out


def test_the_program_is_gone_even_if_the_watcher_fails(tmp_path) -> None:
    with pytest.raises(ZeroDivisionError), soak.running(["-c", "input()"], tmp_path) as process:
        raise ZeroDivisionError

    assert isinstance(process, subprocess.Popen)
    assert process.returncode is not None
