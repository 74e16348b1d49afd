"""Whether a source gives pictures, as events: lost, back, frozen, moving, closed, opened."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

from core.types import Event, Evidence, Faces, Frame, Gap, Result, Stamp, Tracks
from pipeline.intake import CLOSED
from pipeline.report import SourceReport

log = logging.getLogger(__name__)

_FROZEN = "sends the very same picture again and again; restart it."


class Signal:
    """Watches one source; each change is one event and one line of the log."""

    def __init__(self, report: SourceReport) -> None:
        self._report = report
        self._last = math.nan  # s, time of the last frame
        self._frozen = math.nan  # s, time since which it has been frozen

    def frame(self, frame: Frame, now: float) -> list[Event]:
        """A picture came; `now` is monotonic seconds."""
        events, stamp, report = [], frame.stamp, self._report
        if report.state == "lost":
            away = now - report.changed if math.isnan(self._last) else stamp.time - self._last
            report.reconnects += not math.isnan(self._last)
            log.warning("camera '%s' is back after %.0f s.", stamp.source, now - report.changed)
            events.append(Event("source_back", stamp, 0, {"seconds": away}))
        elif report.state == CLOSED:
            log.info("camera '%s': opening hours begin.", stamp.source)
            events.append(Event("source_opened", stamp, 0, {}))
        if frame.frozen and math.isnan(self._frozen):
            self._frozen = stamp.time
            log.warning("camera '%s': %s", stamp.source, _FROZEN)
            events.append(Event("source_frozen", stamp, 0, {"reason": "frozen", "error": _FROZEN}))
        elif not frame.frozen and not math.isnan(self._frozen):
            events.append(Event("source_moving", stamp, 0, {"seconds": stamp.time - self._frozen}))
            log.warning("camera '%s' shows new pictures again.", stamp.source)
            self._frozen = math.nan
        self._last, report.last, report.size = stamp.time, now, stamp.size
        report.enter(*(("frozen", _FROZEN) if frame.frozen else ("up", "")), now)
        return events

    def gap(self, gap: Gap, now: float) -> list[Event]:
        """A second without a picture; its reason says whether anything is wrong."""
        report, stamp = self._report, gap.stamp
        if not gap.reason:
            return []
        before = report.state
        self._frozen = math.nan  # said anew if it is still so afterwards
        report.enter(CLOSED if gap.reason == CLOSED else "lost", gap.error, now)
        if gap.reason == CLOSED:
            report.rested = True
            if before != CLOSED:
                log.info("camera '%s': opening hours are over; it is not looked at.", stamp.source)
                return [Event("source_closed", stamp, 0, {})]
            return []
        if before == "lost":
            return []
        data: Mapping[str, str | int | float]
        data = {"reason": gap.reason, "error": gap.error, "last_t": self._last}
        return [Event("source_lost", stamp, 0, data)]


def source_event(kind: str, stamp: Stamp, reason: str = "", error: str = "") -> Event:
    """A source has started or ended."""
    width, height = stamp.size
    data: Mapping[str, str | int | float] = {
        "width": width,
        "height": height,
        "reason": reason,
        "error": error,
    }
    return Event(kind, stamp, 0, data)


def nothing_seen(report: SourceReport) -> Result:
    """The last result of a source that never gave a picture."""
    stamp = Stamp(report.info.name, 0, report.info.start, math.nan, (0, 0))
    return Result(stamp, Faces.none(), Tracks.none(), Evidence.none(), last=True)
