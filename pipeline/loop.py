"""The loop: collects frames from the sources' threads, runs a turn, hands the results on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import nan

from core.errors import ReaderGone, SinkError, StageError, StreamError
from core.types import Event, Evidence, Faces, Frame, Result, Stamp, Tracks
from pipeline.intake import Arrival, Begun, Intake, Item, Over
from pipeline.ports import Drawn, Listener, Outputs, Renderer
from pipeline.report import Report, SourceReport
from pipeline.step import Pipeline

log = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 30  # frames of a live run that may fail one after the other
HUNG_READ = 2.0  # s that the reading threads have to end before they are left behind


@dataclass(slots=True)
class Loop:
    """Runs until the sources end, `stop` is called, the window is closed or something fails."""

    pipeline: Pipeline
    intakes: Sequence[Intake]
    changed: threading.Condition
    outputs: Outputs
    listener: Listener
    batch_window: float = 0.005
    report: Report = field(default_factory=Report)
    _stopping: bool = False
    _failed_in_a_row: int = 0
    _renderers: dict[str, Renderer] = field(default_factory=dict)
    _active: dict[str, SourceReport] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)
    _cut_lost: set[str] = field(default_factory=set)  # sources whose first frame of a shot failed

    def stop(self) -> None:
        """Ask the loop to finish its turn and end everything in order. Callable from a signal."""
        self._stopping = True
        for outlet in self.outputs.outlets:
            outlet.hurry()

    def run(self) -> Report:
        """All turns; the report says how it went."""
        began = time.monotonic()
        for intake in self.intakes:
            intake.start()
        try:
            while not self._stopping and not all(intake.done for intake in self.intakes):
                self._handle(self._collect())
                self._check_sinks()
        except Exception as error:  # such as a picture that cannot be drawn: all that was seen is kept
            self._broke(error)
        self._shut_down()
        self.report.seconds = time.monotonic() - began
        return self.report

    def _collect(self) -> list[Item]:
        """What has arrived, at most one item a source.

        An archive waits for every file: the order of the turns, and so of shared outputs,
        is then always the same. A live run takes what is there.
        """
        open_ones = [intake for intake in self.intakes if not intake.done]
        live = any(intake.live for intake in open_ones)
        enough = any if live else all
        with self.changed:
            # Woken now and then: a signal's handler cannot notify what the main thread holds.
            while not enough(intake.box for intake in open_ones) and not self._stopping:
                self.changed.wait(0.1)
            if live and len(open_ones) > 1 and not all(intake.box for intake in open_ones):
                self.changed.wait(self.batch_window)
            items: list[Item] = []
            for intake in open_ones:
                item = intake.box.take()
                if item is not None:
                    items.append(item)
                    intake.done = not isinstance(item, Begun | Arrival | Over)
            return items

    def _handle(self, items: Sequence[Item]) -> None:
        arrivals = [item for item in items if isinstance(item, Arrival)]
        for item in items:
            if isinstance(item, Begun):
                self._begin(item)
            elif isinstance(item, Over):
                self._end(item.report, item.error)
        frames = [a for a in arrivals if isinstance(a.item, Frame)]
        if frames:
            self._turn(frames)
        for arrival in arrivals:
            if not isinstance(arrival.item, Frame):
                result = self.pipeline.gap(arrival.item)
                if result.events:
                    self._deliver(result)

    def _begin(self, item: Begun) -> None:
        info = item.report.info
        self.report.sources.append(item.report)
        self._active[info.name] = item.report
        self.pipeline.start(info.name, info.stills)
        if self.outputs.renderer is not None:
            self._renderers[info.name] = self.outputs.renderer(info)
        self.listener.begun(info, item.length)

    def _turn(self, arrivals: Sequence[Arrival]) -> None:
        frames = [self._with_lost_cut(a.item) for a in arrivals if isinstance(a.item, Frame)]
        try:
            results = self.pipeline.turn(frames)
        except Exception as error:
            self._cut_lost.update(frame.stamp.source for frame in frames if frame.cut)
            self._stage_failed(arrivals, error)
            return
        self._cut_lost.difference_update(frame.stamp.source for frame in frames)
        self._failed_in_a_row = 0
        for arrival in arrivals:
            arrival.report.frames_out += 1
        for arrival, frame, result in zip(arrivals, frames, results, strict=True):
            self._deliver(self._with_start(result, arrival.report), frame)
            self.report.latencies.append(time.monotonic() - arrival.at)
            self.listener.moved(frame.stamp, self.report)

    def _with_lost_cut(self, frame: Frame) -> Frame:
        """A frame after one that failed begins the shot in its place."""
        return replace(frame, cut=True) if frame.stamp.source in self._cut_lost else frame

    def _with_start(self, result: Result, report: SourceReport) -> Result:
        """The first result of a source carries the event that it has started."""
        stamp = result.stamp
        if stamp.source in self._begun:
            return result
        self._begun.add(stamp.source)
        report.width, report.height = stamp.size
        started = _source_event("source_started", stamp)
        return replace(result, events=(started, *result.events))

    def _stage_failed(self, arrivals: Sequence[Arrival], error: Exception) -> None:
        log.debug("stage failed", exc_info=True)
        for arrival in arrivals:
            arrival.report.drops["stage"] += 1
        self._failed_in_a_row += 1
        words = _words(error)
        stamp = arrivals[0].item.stamp
        live = all(intake.live for intake in self.intakes)
        if not live or self._failed_in_a_row >= FAILURES_IN_A_ROW:
            where = f"{stamp.source}, frame {stamp.index} at {stamp.time:.2f} s"
            self.report.fail(StageError.exit_code, f"{where}: {words}")
            self._stopping = True
        elif self._failed_in_a_row == 1:
            log.warning("%s: a frame was skipped: %s", stamp.source, words)

    def _broke(self, error: Exception) -> None:
        """Something failed that no frame can be skipped for."""
        log.debug("the loop failed", exc_info=True)
        self.report.fail(StageError.exit_code, _words(error))
        self._stopping = True

    def _end(self, report: SourceReport, error: StreamError | None) -> None:
        name = report.info.name
        if error is not None:
            report.error = str(error)
            self.report.fail(error.exit_code, str(error))
            if len(self._active) > 1:  # the last words of the program say it otherwise
                log.error("%s", error)
        result: Result | None = None
        if name in self._active:
            del self._active[name]
            result, report.tracks = self.pipeline.end(name)
            self._flush(name)
        else:  # it never opened
            self.report.sources.append(report)
        reason = "error" if error else "stopped" if self._stopping else "end"
        result = result or _nothing_seen(report)
        ended = _source_event("source_ended", result.stamp, reason, report.error or "")
        self._deliver(replace(result, events=(*result.events, ended)))
        self.listener.over(report.info)

    def _flush(self, name: str) -> None:
        """Show the pictures of a source that are still held back."""
        if name in self._renderers:
            try:
                self._show(self._renderers.pop(name).flush())
            except Exception as caught:  # the tracks end all the same
                self._broke(caught)

    def _deliver(self, result: Result, frame: Frame | None = None) -> None:
        pictures: Sequence[Drawn] = ()
        renderer = self._renderers.get(result.stamp.source)
        if frame is not None and renderer is not None:
            status = self.outputs.status(result.stamp, self.report)
            pictures = renderer.push(frame, result, status)
        for outlet in self.outputs.outlets:
            if outlet.wants == "data" or result.last:
                outlet.put(result)
        self._show(pictures)

    def _show(self, pictures: Sequence[Drawn]) -> None:
        for picture in pictures:
            for outlet in self.outputs.outlets:
                if outlet.wants != "data":
                    outlet.put(picture.result, picture.raw if outlet.wants == "raw" else picture.drawn)
            if self.outputs.window is not None:
                self.outputs.window.write(picture.result, picture.drawn)
                self._stopping = self._stopping or self.outputs.window.quit

    def _check_sinks(self) -> None:
        outlets = self.outputs.outlets
        if self._stopping or not any(outlet.error for outlet in outlets):
            return
        self._report_sinks()
        gone = all(isinstance(outlet.error, ReaderGone) for outlet in outlets)
        if self._sink_failed() or (gone and self.outputs.window is None):
            self.stop()

    def _sink_failed(self) -> bool:
        return any(code == SinkError.exit_code for code, _ in self.report.failures)

    def _report_sinks(self) -> None:
        """Remember the failures of the sinks, once each."""
        for outlet in self.outputs.outlets:
            failure = (SinkError.exit_code, str(outlet.error))
            if outlet.error is None or isinstance(outlet.error, ReaderGone) or not outlet.required:
                continue
            if failure not in self.report.failures:
                self.report.fail(*failure)

    def _shut_down(self) -> None:
        for intake in self.intakes:
            intake.stop()
        with self.changed:
            left = [(intake, item) for intake in self.intakes for item in intake.box.close()]
        for intake, item in left:
            intake.lose(item)
        until = time.monotonic() + HUNG_READ
        for intake in self.intakes:
            if not intake.join(max(until - time.monotonic(), 0.0)):
                log.warning("a read did not return within %.0f s and is left behind", HUNG_READ)
        for report in list(self._active.values()):
            self._end(report, None)
        self._list_all()
        for outlet in self.outputs.outlets:
            outlet.close()
            self.report.pictures_dropped += outlet.dropped
        self._report_sinks()
        if self.outputs.window is not None:
            with suppress(Exception):  # the window may be gone already; nothing is lost with it
                self.outputs.window.close()

    def _list_all(self) -> None:
        """The report holds every source, in the order asked for, one never reached included."""
        told = {source.info.name: source for source in self.report.sources}
        infos = [info for intake in self.intakes for info in intake.infos]
        self.report.sources = [told.get(info.name) or SourceReport(info) for info in infos]


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, StreamError) else f"{type(error).__name__}: {error}"


def _source_event(kind: str, stamp: Stamp, reason: str = "", error: str = "") -> Event:
    width, height = stamp.size
    data: Mapping[str, str | int | float] = {
        "width": width,
        "height": height,
        "reason": reason,
        "error": error,
    }
    return Event(kind, stamp, 0, data)


def _nothing_seen(report: SourceReport) -> Result:
    """The last result of a source that never gave a picture."""
    stamp = Stamp(report.info.name, 0, report.info.start, nan, (0, 0))
    return Result(stamp, Faces.none(), Tracks.none(), Evidence.none(), last=True)
