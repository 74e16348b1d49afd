"""The loop with made-up sources, networks and sinks: what arrives, and what is counted."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from core.errors import SourceError
from core.types import Frame, Gap, Image, Result
from pipeline.governor import Shed
from pipeline.intake import Arrival, Begun, Intake
from pipeline.load import Load
from pipeline.loop import Loop
from pipeline.monitor import Monitor
from pipeline.outlet import Outlet
from pipeline.ports import Outputs
from pipeline.progress import Progress
from pipeline.report import Report, SourceReport
from pipeline.step import Pipeline
from render.renderer import Picture
from tests.make import faces, frame, stamp
from tests.pipeline.films import Film, cut_at, described
from tests.pipeline.loops import NoPanel, Notes, OneFace, lane_of, loop_of


def test_every_frame_of_a_file_becomes_one_result_in_order() -> None:
    film, sink = Film(described(), 60), Notes()

    report = loop_of([film], sink).run()

    assert [r.stamp.index for r in sink.results if not r.last] == list(range(60))
    assert (report.sources[0].frames_in, report.sources[0].frames_out) == (60, 60)
    assert sink.kinds()[0] == "source_started"
    assert sink.kinds()[-2:] == ["track_ended", "source_ended"]
    assert film.closed
    assert sink.closed == 1
    assert report.exit_code == 0


def test_no_id_of_a_source_is_used_again_when_it_ends_and_begins_again() -> None:
    pipeline, door, till = Pipeline(OneFace(), NoPanel(), lane_of), described(), described("till")
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

    loop_of([Film(described("till"), 30)], alone).run()
    loop_of([Film(described("door"), 50), Film(described("till"), 30)], together).run()

    beside = [r for r in together.results if r.stamp.source == "till"]
    assert [repr(r.events) for r in beside] == [repr(r.events) for r in alone.results]
    assert [r.stamp.source for r in together.results[:4]] == ["door", "till", "door", "till"]


def test_a_source_that_breaks_off_ends_its_tracks_and_the_others_go_on() -> None:
    sink = Notes()
    broken = Film(described("door"), 10, SourceError("door: the cable was pulled"))

    report = loop_of([broken, Film(described("till"), 40)], sink).run()

    assert report.exit_code == 4
    assert sink.kinds("door")[-2:] == ["track_ended", "source_ended"]
    last = [
        e for r in sink.results for e in r.events if e.kind == "source_ended" and e.stamp.source == "door"
    ]
    assert last[0].data["error"] == "door: the cable was pulled"
    assert sum(r.stamp.source == "till" and not r.last for r in sink.results) == 40


def test_what_a_slow_loop_misses_of_a_camera_is_counted_to_the_frame() -> None:
    sink = Notes()

    report = loop_of([Film(described(live=True), 500)], sink).run()

    door = report.sources[0]
    assert door.frames_in == 500
    assert door.frames_in == door.frames_out + sum(door.drops.values())
    assert door.frames_out == sum(not r.last for r in sink.results)


def test_what_a_camera_let_go_of_before_it_was_read_is_counted_too() -> None:
    film = Film(described(live=True), 100)
    film._items = film._items[:40] + film._items[55:]

    door = loop_of([film], Notes()).run().sources[0]

    assert door.frames_in == 100
    assert door.drops["late"] >= 15
    assert door.frames_in == door.frames_out + sum(door.drops.values())


def test_a_frame_of_a_camera_that_fails_leaves_its_cut_to_the_next_that_does_not() -> None:
    sink, report = Notes(), SourceReport(described(live=True))
    loop = loop_of([Film(report.info, 0)], sink, OneFace(fails=range(3, 5)))

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
    loop = loop_of([Film(report.info, 0)], sink, load=EverySecond())

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
    loop = loop_of([Film(report.info, 0)], sink)

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

    loop = loop_of([Hanging(described(live=True), 0)], Notes(), change=change)
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

    loop_of([Film(described(), 5, gaps=2)], sink).run()

    times = [r.stamp.time for r in sink.results]
    assert times == sorted(times)
    assert times[-1] == 5 / 25 + 1


def test_a_source_that_was_never_reached_is_in_the_report_all_the_same() -> None:
    loop = loop_of([Film(described(name), 10) for name in ("till", "door", "attic")], Notes())
    loop.stop()

    report = loop.run()

    assert [source.info.name for source in report.sources] == ["till", "door", "attic"]
    assert "nan" not in report.words()


def test_one_picture_is_one_frame_in_the_summary() -> None:
    assert loop_of([Film(described(), 1)], Notes()).run().words().startswith("1 frame in ")
    assert loop_of([Film(described(), 2)], Notes()).run().words().startswith("2 frames in ")


def test_the_summary_names_only_the_reasons_for_which_frames_were_dropped() -> None:
    door, till = SourceReport(described("door")), SourceReport(described("till"))
    report = Report([door, till])
    assert "frames dropped: none\n" in report.words()

    door.drops["stalled"] += 2
    till.drops["stalled"] += 1

    assert "frames dropped: 3 stalled\n" in report.words()


def test_seconds_without_a_picture_end_tracks_by_time() -> None:
    sink = Notes()

    loop_of([Film(described(), 25, gaps=5)], sink).run()

    ended = [e for r in sink.results for e in r.events if e.kind == "track_ended"]
    assert len(ended) == 1
    assert ended[0].data["reason"] == "left"
    assert ended[0].data["last_t"] == pytest.approx(24 / 25)


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
    loop = loop_of(films, Notes(), outputs=outputs)

    report = loop.run()

    pictures = [result.stamp.source for result in video.results]
    out = {source.info.name: source.frames_out for source in report.sources}
    assert pictures.count("door") == out["door"] == 200
    assert pictures.count("camera") + outlet.dropped == out["camera"]


def test_frames_of_one_source_may_share_a_turn() -> None:
    one, many = Pipeline(OneFace(), NoPanel(), lane_of), Pipeline(OneFace(), NoPanel(), lane_of)
    for pipeline in (one, many):
        pipeline.start(described())

    singly = [one.turn([frame(i)])[0] for i in range(20)]
    together = [r for i in range(0, 20, 5) for r in many.turn([frame(i + j) for j in range(5)])]

    assert [repr(r.events) for r in together] == [repr(r.events) for r in singly]
    assert [r.stamp.index for r in together] == list(range(20))


def test_a_loss_is_in_the_record_however_busy_the_loop_is() -> None:
    film, sink = Film(described(live=True), 300), Notes()
    film._items[150:150] = [Gap(stamp(149, time=6.0), "stalled", "no picture")]

    door = loop_of([film], sink).run().sources[0]

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
        Pipeline(OneFace(), NoPanel(), lane_of),
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
        Pipeline(Poster(), NoPanel(), lambda info, first_id: lane_of(info, first_id, 1.0)),
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

    report = loop_of([film], Notes()).run()

    (status,) = Monitor(report, {"door": film.info})().sources
    row = report.sources[0].row()
    assert status.size == (1920, 1080)
    assert (row["width"], row["height"]) == (640, 360)
