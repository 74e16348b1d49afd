"""The loop with made-up sources, networks and sinks: what arrives, what is counted, how it ends."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from core.errors import SinkError, SourceError
from core.settings import EventsConfig, EvidenceConfig, LooksConfig, TrackerConfig
from core.types import Estimates, Faces, Frame, Gap, Image, Result, SourceInfo
from estimators.evidence import Fusion
from pipeline.governor import Shed
from pipeline.intake import Arrival, Begun, Intake
from pipeline.load import Load
from pipeline.loop import Loop
from pipeline.monitor import Monitor
from pipeline.outlet import Outlet
from pipeline.ports import Outputs
from pipeline.progress import Progress
from pipeline.report import Report, SourceReport
from pipeline.schedule import Chooser
from pipeline.step import Lane, Pipeline
from render.renderer import Picture
from tests.make import faces, frame, stamp
from tests.pipeline.films import Film, cut_at, described
from tests.waiting import until
from tracker.sort import Sort
from watch.life import Life
from watch.still import Still


class OneFace:
    """Finds one face wherever it looks; fails on pictures whose grey value is in `fails`."""

    def __init__(self, fails: range = range(0)) -> None:
        self._fails = fails

    def detect(self, images: Sequence[Image]) -> list[Faces]:
        if any(int(image[0, 0, 0]) in self._fails for image in images):
            raise RuntimeError("the network is upset")
        return [faces((100, 100, 150, 162)) for _ in images]


class NoPanel:
    def look(self, views) -> list[Estimates]:
        return [Estimates.none(len(f)) for _, f in views]


class Notes:
    """A sink that keeps what it is given; fails at its n-th write if asked to."""

    wants = "data"

    def __init__(self, fail_at: int = -1) -> None:
        self.results: list[Result] = []
        self.closed = 0
        self._fail_at = fail_at

    def write(self, result: Result, picture: Image | None) -> None:
        if len(self.results) == self._fail_at:
            raise SinkError("notes.csv: disk full")
        self.results.append(result)

    def close(self) -> None:
        self.closed += 1

    def kinds(self, source: str = "door") -> list[str]:
        return [e.kind for r in self.results for e in r.events if e.stamp.source == source]


def _lane(info: SourceInfo, first_id: int, static_after: float = 60.0) -> Lane:
    looks, fusion = Chooser(LooksConfig(), stills=info.stills), Fusion(EvidenceConfig())
    return Lane(Sort(TrackerConfig(), first_id), looks, fusion, Life(EventsConfig()), Still(static_after))


def _loop(
    films: Sequence[Film], sink: Notes, detector=None, max_seconds: float = float("inf"), outputs=None, **more
) -> Loop:
    changed = threading.Condition()
    by_name = {film.info.name: film for film in films}
    intakes = [Intake([f.info], lambda i: by_name[i.name], changed, max_seconds) for f in films]
    pipeline = Pipeline(detector or OneFace(), NoPanel(), _lane)
    outputs = outputs or Outputs([Outlet(sink, "notes.csv")])
    return Loop(pipeline, intakes, changed, outputs, Progress(shown=False), **more)


def test_every_frame_of_a_file_becomes_one_result_in_order() -> None:
    film, sink = Film(described(), 60), Notes()

    report = _loop([film], sink).run()

    assert [r.stamp.index for r in sink.results if not r.last] == list(range(60))
    assert (report.sources[0].frames_in, report.sources[0].frames_out) == (60, 60)
    assert sink.kinds()[0] == "source_started"
    assert sink.kinds()[-2:] == ["track_ended", "source_ended"]
    assert film.closed
    assert sink.closed == 1
    assert report.exit_code == 0


def test_no_id_of_a_source_is_used_again_when_it_ends_and_begins_again() -> None:
    pipeline, door, till = Pipeline(OneFace(), NoPanel(), _lane), described(), described("till")
    started: dict[str, list[int]] = {"door": [], "till": []}
    for part in range(3):
        for info in [door] if part else [door, till]:
            pipeline.start(info)
            for index in range(20):
                pictures = Frame(
                    stamp(index, source=info.name), np.full((360, 640, 3), 90, np.uint8), cut=index == 10
                )
                (result,) = pipeline.turn([pictures])
                started[info.name] += [e.track for e in result.events if e.kind == "track_started"]
            pipeline.end(info.name)

    assert started == {"door": [1, 2, 3, 4, 5, 6], "till": [1, 2]}


def test_files_beside_each_other_take_turns_and_give_what_each_gives_alone() -> None:
    alone, together = Notes(), Notes()

    _loop([Film(described("till"), 30)], alone).run()
    _loop([Film(described("door"), 50), Film(described("till"), 30)], together).run()

    beside = [r for r in together.results if r.stamp.source == "till"]
    assert [repr(r.events) for r in beside] == [repr(r.events) for r in alone.results]
    assert [r.stamp.source for r in together.results[:4]] == ["door", "till", "door", "till"]


def test_a_source_that_breaks_off_ends_its_tracks_and_the_others_go_on() -> None:
    sink = Notes()
    broken = Film(described("door"), 10, SourceError("door: the cable was pulled"))

    report = _loop([broken, Film(described("till"), 40)], sink).run()

    assert report.exit_code == 4
    assert sink.kinds("door")[-2:] == ["track_ended", "source_ended"]
    last = [
        e for r in sink.results for e in r.events if e.kind == "source_ended" and e.stamp.source == "door"
    ]
    assert last[0].data["error"] == "door: the cable was pulled"
    assert sum(r.stamp.source == "till" and not r.last for r in sink.results) == 40


def test_what_a_slow_loop_misses_of_a_camera_is_counted_to_the_frame() -> None:
    sink = Notes()

    report = _loop([Film(described(live=True), 500)], sink).run()

    door = report.sources[0]
    assert door.frames_in == 500
    assert door.frames_in == door.frames_out + sum(door.drops.values())
    assert door.frames_out == sum(not r.last for r in sink.results)


def test_what_a_camera_let_go_of_before_it_was_read_is_counted_too() -> None:
    film = Film(described(live=True), 100)
    film._items = film._items[:40] + film._items[55:]

    door = _loop([film], Notes()).run().sources[0]

    assert door.frames_in == 100
    assert door.drops["late"] >= 15
    assert door.frames_in == door.frames_out + sum(door.drops.values())


def test_a_frame_of_a_camera_that_fails_leaves_its_cut_to_the_next_that_does_not() -> None:
    sink, report = Notes(), SourceReport(described(live=True))
    loop = _loop([Film(report.info, 0)], sink, OneFace(fails=range(3, 5)))

    loop._handle([Begun(report, float("nan"))])
    for item in cut_at(3)._items:
        loop._handle([Arrival(item, 0.0, report)])
    loop.outputs.outlets[0].close()

    ended = [(r.stamp.index, e.data["reason"]) for r in sink.results for e in r.events if "ended" in e.kind]
    assert ended == [(5, "cut")]
    assert report.drops["stage"] == 2


def test_a_frame_that_is_shed_leaves_its_cut_to_the_next_that_is_not() -> None:
    class EverySecond(Load):
        shed = Shed(every=2)

    sink, report = Notes(), SourceReport(described(live=True))
    loop = _loop([Film(report.info, 0)], sink, load=EverySecond())

    loop._handle([Begun(report, float("nan"))])
    for item in cut_at(3)._items:
        loop._handle([Arrival(item, 0.0, report)])
    loop.outputs.outlets[0].close()

    ended = [(r.stamp.index, e.data["reason"]) for r in sink.results for e in r.events if "ended" in e.kind]
    assert report.drops["shed"] == 3
    assert ended == [(4, "cut")]


@pytest.mark.parametrize(("before", "ends"), [((), True), (("closed",), False)])
def test_a_camera_that_was_outside_its_hours_is_called_on_when_it_does_not_answer(before, ends) -> None:
    sink, report = Notes(), SourceReport(described(live=True))
    loop = _loop([Film(report.info, 0)], sink)

    loop._handle([Begun(report, float("nan"))])
    for reason in (*before, "refused"):
        loop._handle([Arrival(Gap(stamp(0), reason, "nobody listens"), 0.0, report)])
    loop.outputs.outlets[0].close()

    assert ("source_ended" in sink.kinds()) is ends


def test_a_second_change_of_the_settings_takes_back_what_has_not_begun_yet() -> None:
    class Hanging(Film):
        def read(self) -> Frame | None:
            let_go.wait(20)
            return None

    class Opened(Film):
        def read(self) -> Frame | Gap | None:
            opened.append(self.info.address)
            began.set()
            return super().read()

    let_go, began, opened = threading.Event(), threading.Event(), []
    asked, versions = threading.Semaphore(0), ["second", "third"]

    def change():
        asked.release()
        info = replace(described(live=True), address=versions.pop(0))
        return [Intake([info], lambda i: Opened(i, 1), loop.changed)], {"door": "stopped"}

    loop = _loop([Hanging(described(live=True), 0)], Notes(), change=change)
    run = threading.Thread(target=loop.run)
    run.start()
    for _ in range(2):
        loop.reload()
        assert asked.acquire(timeout=20)
    let_go.set()
    assert began.wait(20)
    loop.stop()
    run.join(20)

    assert opened[0] == "third"
    assert "second" not in opened


def test_the_last_word_of_a_source_is_not_older_than_the_second_without_a_picture_before() -> None:
    sink = Notes()

    _loop([Film(described(), 5, gaps=2)], sink).run()

    times = [r.stamp.time for r in sink.results]
    assert times == sorted(times)
    assert times[-1] == 5 / 25 + 1


def test_a_source_that_was_never_reached_is_in_the_report_all_the_same() -> None:
    loop = _loop([Film(described(name), 10) for name in ("till", "door", "attic")], Notes())
    loop.stop()

    report = loop.run()

    assert [source.info.name for source in report.sources] == ["till", "door", "attic"]
    assert "nan" not in report.words()


def test_one_picture_is_one_frame_in_the_summary() -> None:
    assert _loop([Film(described(), 1)], Notes()).run().words().startswith("1 frame in ")
    assert _loop([Film(described(), 2)], Notes()).run().words().startswith("2 frames in ")


def test_the_summary_names_only_the_reasons_for_which_frames_were_dropped() -> None:
    door, till = SourceReport(described("door")), SourceReport(described("till"))
    report = Report([door, till])
    assert "frames dropped: none\n" in report.words()

    door.drops["stalled"] += 2
    till.drops["stalled"] += 1

    assert "frames dropped: 3 stalled\n" in report.words()


def test_seconds_without_a_picture_end_tracks_by_time() -> None:
    sink = Notes()

    _loop([Film(described(), 25, gaps=5)], sink).run()

    ended = [e for r in sink.results for e in r.events if e.kind == "track_ended"]
    assert len(ended) == 1
    assert ended[0].data["reason"] == "left"
    assert ended[0].data["last_t"] == pytest.approx(24 / 25)


def test_max_seconds_ends_each_source_at_the_same_frame_every_time() -> None:
    sink = Notes()

    report = _loop([Film(described(), 100)], sink, max_seconds=1.0).run()

    assert report.sources[0].frames_out == report.sources[0].frames_in == 25
    assert report.exit_code == 0


def test_max_seconds_of_a_film_that_begins_later_are_as_many_frames() -> None:
    sink = Notes()

    report = _loop([Film(replace(described(), start=2 / 25), 100)], sink, max_seconds=0.4).run()

    assert report.sources[0].frames_in == 2 + 10  # 0.48 s less 0.08 is, rounded, a little under 0.4


def test_a_stage_that_fails_on_a_file_stops_the_run_with_its_place() -> None:
    sink = Notes()

    report = _loop([Film(described(), 60)], sink, OneFace(fails=range(30, 31))).run()

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

    report = _loop([Patient(described(live=True), 60)], sink, Taking(fails=range(30, 33))).run()

    assert report.exit_code == 0
    assert report.sources[0].drops["stage"] == 3
    assert report.sources[0].frames_out == 57


def test_a_camera_beside_a_source_that_never_was_is_still_live() -> None:
    """A frame that fails is skipped, as if the other one had not been asked for."""
    typo = replace(described("typo"), fault="no such address")

    def opened(info: SourceInfo) -> Film:
        raise SourceError(info.fault)

    loop = _loop([Film(described(live=True), 30)], Notes(), OneFace(fails=range(10, 11)))
    loop.intakes.append(Intake([typo], opened, loop.changed))

    assert [code for code, _ in loop.run().failures] == [SourceError.exit_code]


def test_a_sink_that_fails_ends_the_run_and_closes_the_others() -> None:
    sink, other = Notes(fail_at=5), Notes()
    loop = _loop([Film(described(), 300)], sink)
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
    loop = _loop([Film(described(), 300)], sink)

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
        Pipeline(OneFace(), NoPanel(), _lane),
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
    loop = _loop([Film(described(), 600)], Hanging())
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

    loop = _loop([Film(described(), 600)], Hanging())
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


def test_beside_a_camera_a_slow_video_still_gets_every_picture_of_a_file() -> None:
    class Slow(Notes):
        wants = "drawn"

        def write(self, result: Result, picture: Image | None) -> None:
            if picture is not None:
                busy.wait(0.002)
                super().write(result, picture)

    class Plain:
        def push(self, frame: Frame, result: Result, status: str):
            return [Picture(result, None, frame.image)]

        def flush(self):
            return []

    busy, video = threading.Event(), Slow()
    outlet = Outlet(video, "video", {"camera"})
    outputs = Outputs([outlet], renderer=lambda _info: Plain())
    films = [Film(described("door"), 200), Film(described("camera", live=True), 200)]
    loop = _loop(films, Notes(), outputs=outputs)

    report = loop.run()

    pictures = [result.stamp.source for result in video.results]
    out = {source.info.name: source.frames_out for source in report.sources}
    assert pictures.count("door") == out["door"] == 200
    assert pictures.count("camera") + outlet.dropped == out["camera"]


def test_a_picture_that_cannot_be_drawn_ends_the_run_in_order() -> None:
    class Broken:
        def push(self, frame: Frame, result: Result, status: str):
            if result.stamp.index == 10:
                raise ValueError("no such colour")
            return ()

        def flush(self):
            raise ValueError("no such colour either")

    sink = Notes()
    loop = _loop([Film(described(), 60)], sink)
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
    loop = Loop(Pipeline(OneFace(), NoPanel(), _lane), intakes, changed, outputs, Progress(shown=False))
    loop.stop()

    report = loop.run()
    woken.set()

    assert report.seconds < 4  # 5 one after the other


def test_frames_of_one_source_may_share_a_turn() -> None:
    one, many = Pipeline(OneFace(), NoPanel(), _lane), Pipeline(OneFace(), NoPanel(), _lane)
    for pipeline in (one, many):
        pipeline.start(described())

    singly = [one.turn([frame(i)])[0] for i in range(20)]
    together = [r for i in range(0, 20, 5) for r in many.turn([frame(i + j) for j in range(5)])]

    assert [repr(r.events) for r in together] == [repr(r.events) for r in singly]
    assert [r.stamp.index for r in together] == list(range(20))


def test_outputs_that_take_long_to_end_are_waited_for_together() -> None:
    together = threading.Barrier(3)

    class Slow(Notes):
        def close(self) -> None:
            together.wait(5)  # breaks, and fails the sink, unless all three close at once
            super().close()

    outputs = Outputs([Outlet(Slow(), f"{i}.csv") for i in range(3)])
    report = _loop([Film(described(), 5)], Notes(), outputs=outputs).run()

    assert report.exit_code == 0


def test_a_loss_is_in_the_record_however_busy_the_loop_is() -> None:
    film, sink = Film(described(live=True), 300), Notes()
    film._items[150:150] = [Gap(stamp(149, time=6.0), "stalled", "no picture")]

    door = _loop([film], sink).run().sources[0]

    told = [kind for kind in sink.kinds() if kind in ("source_lost", "source_back")]
    assert told == ["source_lost", "source_back"]
    assert door.frames_in == door.frames_out + sum(door.drops.values())


def test_sources_that_come_and_go_are_begun_and_ended_in_order() -> None:
    class Endless(Film):
        def read(self) -> Frame:
            self.index = getattr(self, "index", -1) + 1
            return Frame(stamp(self.index, source=self.info.name), np.full((360, 640, 3), 90, np.uint8))

    class Watching(Notes):
        def write(self, result: Result, picture: Image | None) -> None:
            super().write(result, picture)
            if result.stamp.source == "door" and any(
                event.kind == "source_started" for event in result.events
            ):
                loop.reload()

    def beat() -> None:
        if "source_ended" in sink.kinds("door") and "source_started" in sink.kinds("till"):
            said.append(loop.report.line())
            loop.stop()

    changed, sink = threading.Condition(), Watching()
    said: list[str] = []
    infos = [described(name, live=True) for name in ("door", "till")]
    door, till = (Intake([info], lambda i: Endless(i, 0), changed) for info in infos)
    loop = Loop(
        Pipeline(OneFace(), NoPanel(), _lane),
        [door],
        changed,
        Outputs([Outlet(sink, "notes.csv")]),
        Progress(shown=False),
        change=lambda: ([till], {"door": "removed"}),
        beat=beat,
    )

    report = loop.run()

    assert sink.kinds("door")[-1] == "source_ended"
    assert sink.kinds("till")[0] == "source_started"
    assert sink.kinds("till")[-1] == "source_ended"
    ends = [
        (e.stamp.source, e.data["reason"]) for r in sink.results for e in r.events if e.kind == "source_ended"
    ]
    assert ends == [("door", "removed"), ("till", "stopped")]
    assert said[0].startswith("1 of 1 sources up")  # the one that was removed is missed by nobody
    assert [source.info.name for source in report.sources] == ["door", "till"]
    assert report.exit_code == 0


def test_a_poster_is_there_until_it_is_known_to_be_one_and_a_person_while_in_sight() -> None:
    class Poster(OneFace):
        """A face that never moves; beside it, in the last second, one that does."""

        def detect(self, images):
            shift = 3 * int(images[0][0, 0, 0])
            people = [(100 + shift, 200, 150 + shift, 262)] * (shift >= 225)
            return [faces((400, 100, 450, 162), *people)]

    report, pipeline = (
        SourceReport(described()),
        Pipeline(Poster(), NoPanel(), lambda info, first_id: _lane(info, first_id, 1.0)),
    )
    pipeline.start(report.info)
    there = []
    for i in range(100):
        report.heed(pipeline.turn([frame(i, value=i)])[0])
        there.append(report.living)
    report.heed(pipeline.end("door"))

    assert (there[20], there[50], there[-1], report.living) == (1, 0, 1, 0)
    assert (report.tracks, report.static) == (2, 1)


def test_the_status_says_the_size_of_the_last_picture_and_the_summary_that_of_the_first() -> None:
    film = Film(described(), 3)
    film._items[2] = frame(2, size=(1920, 1080))

    report = _loop([film], Notes()).run()

    (status,) = Monitor(report, {"door": film.info})().sources
    row = report.sources[0].row()
    assert status.size == (1920, 1080)
    assert (row["width"], row["height"]) == (640, 360)
