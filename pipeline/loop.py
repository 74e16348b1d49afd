"""The loop: collects frames from the sources' threads, runs a turn, hands the results on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.errors import SourceError, StageError, StreamError, in_words
from core.types import Event, Frame, Gap, Result
from pipeline.delivery import Delivery
from pipeline.intake import Arrival, Begun, Done, Intake, Item, Over
from pipeline.load import Load
from pipeline.ports import Listener, Outputs
from pipeline.report import Report, SourceReport
from pipeline.signal import Signal, nothing_seen, source_event
from pipeline.step import Pipeline

log = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 30  # frames of a live run that may fail one after the other
HUNG_READ = 2.0  # s that the reading threads have to end before they are left behind
_GLANCE = 0.1  # s between two looks at what a signal may have asked for

Change = tuple[Sequence[Intake], Mapping[str, str]]  # to add; to end, by the first source, with the reason


def _no_change() -> Change:
    return (), {}


@dataclass(slots=True)
class Loop:
    """Runs until the sources end, `stop` is called, the window is closed or something fails.

    Attributes:
        batch_window: seconds to wait for other live sources.
        patient: cameras that do not open at the start are called on, even if none opens.
        load: what is left undone under load; None: nothing is.
        beat: called at least every 0.1 s, from the loop's thread, as long as it is alive.
        change: asked, after `reload`, which sources come and go.
    """

    pipeline: Pipeline
    intakes: list[Intake]
    changed: threading.Condition
    outputs: Outputs
    listener: Listener
    batch_window: float = 0.005
    report: Report = field(default_factory=Report)
    patient: bool = False
    load: Load | None = None
    beat: Callable[[], None] = lambda: None
    change: Callable[[], Change] = _no_change
    _delivery: Delivery = field(init=False)
    _stopping: bool = False
    _asked: bool = False
    _failed_in_a_row: int = 0
    _waiting: list[Intake] = field(default_factory=list)  # for a source of the same name to end
    _active: dict[str, SourceReport] = field(default_factory=dict)
    _signals: dict[str, Signal] = field(default_factory=dict)
    _leaving: dict[str, str] = field(default_factory=dict)  # sources that a reload ends, and the reason
    _begun: set[str] = field(default_factory=set)
    _cut_lost: set[str] = field(default_factory=set)  # sources whose first frame of a shot failed

    def __post_init__(self) -> None:
        self._delivery = Delivery(self.outputs, self.report, self._broke)

    def stop(self) -> None:
        """Ask the loop to finish its turn and end everything in order. Callable from a signal."""
        self._stopping = True
        for outlet in self.outputs.outlets:
            outlet.hurry()

    def reload(self) -> None:
        """Ask the loop to add and leave sources as `change` says. Callable from a signal."""
        self._asked = True

    def run(self) -> Report:
        """All turns; the report says how it went."""
        began = time.monotonic()
        for intake in self.intakes:
            intake.start()
        try:
            while not self._stopping and (self._waiting or not all(i.done for i in self.intakes)):
                self._exchange()
                self._handle(self._collect())
                self.report.turned = time.monotonic()
                if not self._stopping and (self._delivery.quit or self._delivery.failed()):
                    self.stop()
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
            while not enough(intake.box for intake in open_ones) and not self._stopping and not self._asked:
                self.beat()
                self.changed.wait(_GLANCE)
                self.report.turned = time.monotonic()
            self.beat()
            if live and len(open_ones) > 1 and not all(intake.box for intake in open_ones):
                self.changed.wait(self.batch_window)
            items: list[Item] = []
            for intake in open_ones if not self._asked else ():
                item = intake.box.take()
                if item is not None:
                    items.append(item)
                    intake.done = isinstance(item, Done)
            return items

    def _exchange(self) -> None:
        """Begin with sources that have come, and ask those to end that are left."""
        if self._asked:
            self._asked = False
            coming, leaving = self.change()
            waiting = [intake for intake in self._waiting if intake.infos[0].name not in leaving]
            self._waiting = [*waiting, *coming]
            for intake in self.intakes:
                if not intake.done and (reason := leaving.get(intake.infos[0].name)):
                    intake.stop()
                    self._leaving |= {info.name: reason for info in intake.infos}
        for intake in list(self._waiting):
            taken = {info.name for other in self.intakes if not other.done for info in other.infos}
            if taken.isdisjoint(info.name for info in intake.infos):
                self._waiting.remove(intake)
                self.intakes = [other for other in self.intakes if not other.done] + [intake]
                self._begun.difference_update(info.name for info in intake.infos)
                intake.start()

    def _handle(self, items: Sequence[Item]) -> None:
        arrivals = [item for item in items if isinstance(item, Arrival)]
        for item in items:
            if isinstance(item, Begun):
                self._begin(item)
            elif isinstance(item, Over):
                self._end(item.report, item.error)
        frames: Sequence[Arrival] = [a for a in arrivals if isinstance(a.item, Frame)]
        if self.load is not None:
            offered, frames = frames, self.load.spared(frames)
            spared = (arrival.item for arrival in offered if arrival not in frames)
            self._cut_lost |= {
                frame.stamp.source for frame in spared if isinstance(frame, Frame) and frame.cut
            }
        if frames:
            self._turn(frames)
        for arrival in arrivals:
            if isinstance(arrival.item, Gap):
                self._gap(arrival.item, arrival)
        self._give_up_if_hopeless()

    def _begin(self, item: Begun) -> None:
        info = item.report.info
        self.report.sources.append(item.report)
        self._active[info.name] = item.report
        self._signals[info.name] = Signal(item.report)
        self.pipeline.start(info)
        self._delivery.begin(info)
        self.listener.begun(info, item.length)

    def _turn(self, arrivals: Sequence[Arrival]) -> None:
        frames = [self._with_lost_cut(a.item) for a in arrivals if isinstance(a.item, Frame)]
        began = time.monotonic()
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
            now = time.monotonic()
            events = self._signals[frame.stamp.source].frame(frame, now)
            self._deliver(self._with_start(result, arrival.report, events), arrival.report, frame)
            arrival.report.rate_out.add(now)
            self.report.took(time.monotonic() - arrival.at)
            self.listener.moved(frame.stamp, self.report)
        self._shed(time.monotonic() - began, len(arrivals))

    def _shed(self, work: float, taken: int) -> None:
        """Let the governor know what a turn took, and do as it says."""
        if self.load is not None and self.load.turned(work, taken, self._active.values()):
            self.pipeline.shed = self.load.shed
            self.report.shed = str(self.load.shed)
            log.info("load: %s", self.report.shed or "all frames, looks and estimates again")

    def _gap(self, gap: Gap, arrival: Arrival) -> None:
        result = self.pipeline.gap(gap)
        events = self._signals[gap.stamp.source].gap(gap, time.monotonic())
        if result.events or events:
            self._deliver(replace(result, events=(*events, *result.events)), arrival.report)

    def _give_up_if_hopeless(self) -> None:
        """End if all that is left are cameras that did not open, and no camera ever has."""
        left = list(self._active.values())
        if self.patient or not left or len(left) < sum(not intake.done for intake in self.intakes):
            return
        live = (report for report in self.report.sources if report.info.live)
        shown = any(report.frames_in or report.rested for report in live)
        if not shown and all(report.state == "lost" for report in left):
            log.warning("no camera opened, so the program ends; capture.wait=true has it wait for them.")
            for report in left:
                self._end(report, SourceError(report.reason))
            self._stopping = True

    def _with_lost_cut(self, frame: Frame) -> Frame:
        """A frame after one that failed begins the shot in its place."""
        return replace(frame, cut=True) if frame.stamp.source in self._cut_lost else frame

    def _with_start(self, result: Result, report: SourceReport, events: Sequence[Event]) -> Result:
        """The first result of a source carries the event that it has started."""
        stamp = result.stamp
        if stamp.source not in self._begun:
            self._begun.add(stamp.source)
            report.width, report.height = stamp.size
            events = (*events, source_event("source_started", stamp))
        return replace(result, events=(*events, *result.events)) if events else result

    def _stage_failed(self, arrivals: Sequence[Arrival], error: Exception) -> None:
        log.debug("stage failed", exc_info=True)
        for arrival in arrivals:
            arrival.report.drops["stage"] += 1
        self._failed_in_a_row += 1
        words = in_words(error)
        stamp = arrivals[0].item.stamp
        live = all(intake.live for intake in self.intakes if not intake.infos[0].fault)
        if not live or self._failed_in_a_row >= FAILURES_IN_A_ROW:
            where = f"{stamp.source}, frame {stamp.index} at {stamp.time:.2f} s"
            self.report.fail(StageError.exit_code, f"{where}: {words}")
            self._stopping = True
        elif self._failed_in_a_row == 1:
            log.warning("%s: a frame was skipped: %s", stamp.source, words)

    def _broke(self, error: Exception) -> None:
        """Something failed that no frame can be skipped for."""
        log.debug("the loop failed", exc_info=True)
        self.report.fail(StageError.exit_code, in_words(error))
        self._stopping = True

    def _end(self, report: SourceReport, error: StreamError | None) -> None:
        name = report.info.name
        if error is not None:
            report.error = str(error)
            if self.report.failures or sum(len(intake.infos) for intake in self.intakes) > 1:
                log.error("%s", error)  # that of a source alone is the last word of the program
            self.report.fail(error.exit_code, str(error))
        elif report.state == "lost":
            report.error = report.reason
        result: Result | None = None
        if name in self._active:
            del self._active[name]
            result = self.pipeline.end(name)
            self._delivery.flush(name)
        else:  # it never opened
            self.report.sources.append(report)
        reason = self._leaving.pop(name, "stopped" if self._stopping else "end")
        result = result or nothing_seen(report)
        ended = source_event("source_ended", result.stamp, "error" if error else reason, report.error or "")
        self._deliver(replace(result, events=(*result.events, ended)), report)
        report.enter("over", report.error or "", time.monotonic())
        self.listener.over(report.info)

    def _deliver(self, result: Result, report: SourceReport, frame: Frame | None = None) -> None:
        report.heed(result)
        self._delivery.deliver(result, frame)

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
        self.report.arrange(info for intake in self.intakes for info in intake.infos)
        self._delivery.close()
