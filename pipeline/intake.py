"""A thread for each source, or for sources read in turn; what it reads waits in a mailbox."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from capture.mailbox import Mailbox
from core.errors import SourceError, StreamError, in_words
from core.hours import Hours
from core.protocols import Source
from core.types import Frame, Gap, SourceInfo
from pipeline.report import SourceReport

log = logging.getLogger(__name__)

ARCHIVE_ROOM = 4  # frames that a file's reader may be ahead of the loop
CLOSED = "closed"  # the reason of a Gap outside of the opening hours
_CLOSED = 1.0  # s between two of them
_ON_TIME = 1e-6  # s; the difference of two times may fall short by rounding
_UNDATED = "source '%s': its hours are not kept, as nobody knows when it was recorded; say so by --start."


@dataclass(frozen=True, slots=True)
class Begun:
    """A source was opened, or tried to."""

    report: SourceReport
    length: float  # seconds, NaN if not known


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """A frame, or a second without one, and when it came (monotonic seconds)."""

    item: Frame | Gap
    at: float
    report: SourceReport


@dataclass(frozen=True, slots=True)
class Over:
    """A source has ended; `error` says why if it was not meant to."""

    report: SourceReport
    error: StreamError | None


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more comes from this thread."""


Item = Begun | Arrival | Over | Done


class Intake:
    """One thread that opens its sources in turn, reads them, and closes them."""

    def __init__(
        self,
        infos: Sequence[SourceInfo],
        open_source: Callable[[SourceInfo], Source],
        changed: threading.Condition,
        max_seconds: float = float("inf"),
    ) -> None:
        self.live = any(info.live for info in infos)
        self.box: Mailbox[Item] = Mailbox(ARCHIVE_ROOM, self.live, changed)
        self.done = False
        self.infos = infos
        self._open = open_source
        self._max_seconds = max_seconds
        self._cut_lost = False  # with a frame, and none has come since
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=infos[0].name, daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end. A read that hangs is left behind: closing it from here crashes."""
        self._stop.set()

    def join(self, seconds: float) -> bool:
        """Wait for the thread to end; False if it still hangs in a read."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def lose(self, item: Item) -> None:
        """Count a frame that never reaches the loop since it is leaving."""
        if isinstance(item, Arrival) and isinstance(item.item, Frame):
            item.report.drops["queue"] += 1

    def _run(self) -> None:
        for info in self.infos:
            if self._stop.is_set() or not self._read_source(SourceReport(info)):
                break
        self._put(Done())

    def _read_source(self, report: SourceReport) -> bool:
        """Read one source to its end; False once the loop takes nothing more."""
        error: StreamError | None = None
        taken = True
        self._cut_lost = False
        try:
            source = self._open(report.info)
            try:
                taken = self._put(Begun(report, min(source.length, self._max_seconds))) and self._pump(
                    source, report
                )
            finally:
                report.decode_errors = source.decode_errors
                source.close()
        except StreamError as caught:
            error = caught
        except Exception as caught:
            log.debug("unexpected", exc_info=True)
            error = SourceError(f"{report.info.address}: {in_words(caught)}")
        return self._put(Over(report, error)) and taken

    def _pump(self, source: Source, report: SourceReport) -> bool:
        hours, last, told = Hours.parse(report.info.hours), -1, -math.inf
        until = time.monotonic() + self._max_seconds
        while not self._stop.is_set():
            item = source.read()
            if item is None or item.stamp.time - report.info.start >= self._max_seconds - _ON_TIME:
                return True
            shut = not math.isnan(item.stamp.wall) and not hours.are_open(item.stamp.wall)
            if isinstance(item, Frame):
                if last < 0 and report.info.hours and math.isnan(item.stamp.wall):
                    log.warning(_UNDATED, report.info.name)
                _count(item, last, source, report)
                last = item.stamp.index
            # Before the first picture no time of the source goes by. One that is slow to open may be so.
            elif last < 0 and report.info.live and (shut or item.reason) and time.monotonic() >= until:
                return shut or self._put(Arrival(item, time.monotonic(), report))
            if shut:
                report.drops["closed"] += isinstance(item, Frame)
                if item.stamp.time - told < _CLOSED:
                    continue
                told = item.stamp.time
                item = Gap(item.stamp, CLOSED)
            else:
                told = -math.inf
            arrival = Arrival(item, time.monotonic(), report)
            if not self._put(arrival):
                self.lose(arrival)
                return False
        return True

    def _put(self, item: Item) -> bool:
        return self.box.put(self._with_lost_cut(item), _must_arrive, self._late)

    def _late(self, lost: Item, newer: Item) -> Item:
        """Count a frame that a newer one replaces."""
        if isinstance(lost, Arrival) and isinstance(lost.item, Frame):
            lost.report.drops["late"] += 1
            same = isinstance(newer, Arrival) and newer.report is lost.report
            self._cut_lost = self._cut_lost or (lost.item.cut and same)
        return self._with_lost_cut(newer)

    def _with_lost_cut(self, item: Item) -> Item:
        """A frame after one that was lost begins the shot in its place."""
        if not self._cut_lost or not isinstance(item, Arrival) or not isinstance(item.item, Frame):
            return item
        self._cut_lost = False
        return replace(item, item=replace(item.item, cut=True))


def _count(frame: Frame, last: int, source: Source, report: SourceReport) -> None:
    """Count a frame, and those since `last` that a camera's own thread let go of."""
    missed = frame.stamp.index - last - 1 if report.info.live else 0
    stalled = min(missed, getattr(source, "stalled", 0) - report.drops["stalled"])
    report.drops["stalled"] += stalled
    report.drops["late"] += missed - stalled
    report.frames_in += 1 + missed
    report.suspect += frame.damaged
    report.decode_errors = source.decode_errors
    report.rate_in.add(time.monotonic(), 1 + missed)


def _must_arrive(item: Item) -> bool:
    """All but pictures, and seconds without one that say nothing; the record tells of each loss."""
    return not isinstance(item, Arrival) or (isinstance(item.item, Gap) and item.item.reason != "")
