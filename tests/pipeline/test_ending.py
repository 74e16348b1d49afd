"""How a run of made-up parts ends: at its time, when it is stopped, and when a part fails."""

from __future__ import annotations

import threading
from dataclasses import replace

from core.errors import SourceError
from core.types import Frame, Image, Result, SourceInfo
from pipeline.intake import Intake
from pipeline.loop import Loop
from pipeline.outlet import Outlet
from pipeline.ports import Outputs
from pipeline.progress import Progress
from pipeline.step import Pipeline
from tests.pipeline.films import Film, described
from tests.pipeline.loops import NoPanel, Notes, OneFace, lane_of, loop_of
from tests.waiting import until


def test_max_seconds_ends_each_source_at_the_same_frame_every_time() -> None:
    sink = Notes()

    report = loop_of([Film(described(), 100)], sink, max_seconds=1.0).run()

    assert report.sources[0].frames_out == report.sources[0].frames_in == 25
    assert report.exit_code == 0


def test_max_seconds_of_a_film_that_begins_later_are_as_many_frames() -> None:
    sink = Notes()

    report = loop_of([Film(replace(described(), start=2 / 25), 100)], sink, max_seconds=0.4).run()

    assert report.sources[0].frames_in == 2 + 10  # 0.48 s less 0.08 is, rounded, a little under 0.4


def test_a_stage_that_fails_on_a_file_stops_the_run_with_its_place() -> None:
    sink = Notes()

    report = loop_of([Film(described(), 60)], sink, OneFace(fails=range(30, 31))).run()

    assert report.exit_code == 5
    assert "frame 30" in report.failures[0][1]
    assert sink.kinds()[-2:] == ["track_ended", "source_ended"]
    door = report.sources[0]
    assert door.drops["stage"] == 1
    assert door.frames_in == door.frames_out + sum(door.drops.values())


def test_a_stage_that_fails_on_some_frames_of_a_camera_skips_them() -> None:
    class Patient(Film):
        """Waits until its last frame was taken, as a camera at 25 frames/s in effect does."""

        def read(self):
            if self.info.name in taken and not taken[self.info.name].wait(10):
                raise AssertionError("the loop takes no frame")
            taken[self.info.name] = threading.Event()
            return super().read()

    class Taking(OneFace):
        def detect(self, images):
            taken["door"].set()
            return super().detect(images)

    taken: dict[str, threading.Event] = {}
    sink = Notes()

    report = loop_of([Patient(described(live=True), 60)], sink, Taking(fails=range(30, 33))).run()

    assert report.exit_code == 0
    assert report.sources[0].drops["stage"] == 3
    assert report.sources[0].frames_out == 57


def test_a_camera_beside_a_source_that_never_was_is_still_live() -> None:
    """A frame that fails is skipped, as if the other one had not been asked for."""
    typo = replace(described("typo"), fault="no such address")

    def opened(info: SourceInfo) -> Film:
        raise SourceError(info.fault)

    loop = loop_of([Film(described(live=True), 30)], Notes(), OneFace(fails=range(10, 11)))
    loop.intakes.append(Intake([typo], opened, loop.changed))

    assert [code for code, _ in loop.run().failures] == [SourceError.exit_code]


def test_a_sink_that_fails_ends_the_run_and_closes_the_others() -> None:
    sink, other = Notes(fail_at=5), Notes()
    loop = loop_of([Film(described(), 300)], sink)
    loop.outputs.outlets = [*loop.outputs.outlets, Outlet(other, "other.csv")]

    report = loop.run()

    assert report.exit_code == 6
    assert "disk full" in report.failures[0][1]
    assert other.kinds()[-1] == "source_ended"
    assert other.closed == sink.closed == 1


def test_stopping_ends_tracks_and_sources_and_loses_no_result() -> None:
    class Stopping(Notes):
        def write(self, result: Result, picture: Image | None) -> None:
            super().write(result, picture)
            if result.stamp.index == 20:
                loop.stop()

    sink = Stopping()
    loop = loop_of([Film(described(), 300)], sink)

    report = loop.run()

    assert report.exit_code == 0
    assert sink.kinds()[-2:] == ["track_ended", "source_ended"]
    door = report.sources[0]
    assert door.frames_out == sum(not r.last for r in sink.results) >= 20
    assert door.frames_in == door.frames_out + sum(door.drops.values())


def test_a_source_that_does_not_open_is_reported_and_the_others_run() -> None:
    changed = threading.Condition()
    sink = Notes()

    def opened(info: SourceInfo):
        if info.name == "door":
            raise SourceError("door: there is no such camera")
        return Film(info, 10)

    intakes = [Intake([described(name)], opened, changed) for name in ("door", "till")]
    loop = Loop(
        Pipeline(OneFace(), NoPanel(), lane_of),
        intakes,
        changed,
        Outputs([Outlet(sink, "n")]),
        Progress(shown=False),
    )

    report = loop.run()

    assert report.exit_code == 4
    assert {s.info.name: s.error for s in report.sources}["door"] == "door: there is no such camera"
    (ended,) = [e for r in sink.results for e in r.events if e.stamp.source == "door"]
    assert (ended.kind, ended.data["reason"]) == ("source_ended", "error")
    assert ended.data["error"] == "door: there is no such camera"
    assert sum(r.stamp.source == "till" and not r.last for r in sink.results) == 10


def test_stopping_does_not_wait_for_a_sink_that_hangs(monkeypatch) -> None:
    monkeypatch.setattr("pipeline.outlet.PATIENCE", 1.0)  # the other sink must take a step within it
    woken = threading.Event()

    class Hanging(Notes):
        """As a pipe whose reader sleeps."""

        def write(self, result: Result, picture: Image | None) -> None:
            loop.stop()
            woken.wait(10)

    other = Notes()
    loop = loop_of([Film(described(), 600)], Hanging())
    loop.outputs.outlets = [*loop.outputs.outlets, Outlet(other, "other.csv")]

    report = loop.run()
    woken.set()

    assert report.seconds < 5
    assert report.exit_code == 6
    assert "notes.csv: took nothing for" in report.failures[0][1]
    assert other.kinds()[-2:] == ["track_ended", "source_ended"]


def test_a_full_queue_behind_a_sink_that_hangs_does_not_keep_the_run_from_stopping(monkeypatch) -> None:
    monkeypatch.setattr("pipeline.outlet.PATIENCE", 0.2)
    monkeypatch.setattr("pipeline.outlet.ROWS", 2)
    woken = threading.Event()

    class Hanging(Notes):
        def write(self, result: Result, picture: Image | None) -> None:
            woken.wait(10)

    loop = loop_of([Film(described(), 600)], Hanging())
    (outlet,) = loop.outputs.outlets

    def stop_when_full() -> None:
        until(lambda: outlet.waiting == 2)
        loop.stop()

    stopper = threading.Thread(target=stop_when_full)
    stopper.start()

    report = loop.run()
    woken.set()
    stopper.join()

    assert report.seconds < 5
    assert report.exit_code == 6


def test_a_picture_that_cannot_be_drawn_ends_the_run_in_order() -> None:
    class Broken:
        def push(self, frame: Frame, result: Result, status: str):
            if result.stamp.index == 10:
                raise ValueError("no such colour")
            return ()

        def flush(self):
            raise ValueError("no such colour either")

    sink = Notes()
    loop = loop_of([Film(described(), 60)], sink)
    loop.outputs.renderer = lambda _info: Broken()

    report = loop.run()

    assert report.exit_code == 5
    assert "no such colour" in report.failures[0][1]
    assert sink.kinds()[-2:] == ["track_ended", "source_ended"]
    assert sink.closed == 1
    door = report.sources[0]
    assert door.frames_in == door.frames_out + sum(door.drops.values())


def test_many_sources_that_hang_while_they_open_are_waited_for_together(monkeypatch) -> None:
    monkeypatch.setattr("pipeline.loop.HUNG_READ", 0.5)
    woken, changed = threading.Event(), threading.Condition()

    def hangs(info: SourceInfo):
        woken.wait(10)
        return Film(info, 1)

    intakes = [Intake([described(str(i), live=True)], hangs, changed) for i in range(10)]
    outputs = Outputs([Outlet(Notes(), "n")])
    loop = Loop(Pipeline(OneFace(), NoPanel(), lane_of), intakes, changed, outputs, Progress(shown=False))
    loop.stop()

    report = loop.run()
    woken.set()

    assert report.seconds < 4  # 5 one after the other


def test_outputs_that_take_long_to_end_are_waited_for_together() -> None:
    together = threading.Barrier(3)

    class Slow(Notes):
        def close(self) -> None:
            together.wait(5)  # breaks, and fails the sink, unless all three close at once
            super().close()

    outputs = Outputs([Outlet(Slow(), f"{i}.csv") for i in range(3)])
    report = loop_of([Film(described(), 5)], Notes(), outputs=outputs).run()

    assert report.exit_code == 0
