"""The load of a live run: asks the governor what to leave undone, and leaves out frames."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from pipeline.governor import Governor, Shed
from pipeline.intake import Arrival
from pipeline.report import SourceReport


class Load:
    """Counts what live sources offer and what becomes of it."""

    def __init__(self) -> None:
        self._governor = Governor()
        self._read = 0  # frames that live sources had read by the last turn

    @property
    def shed(self) -> Shed:
        """What is left undone now."""
        return self._governor.shed

    def spared(self, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        """Those frames that are to be taken; the others are counted."""
        if self.shed.every == 1:
            return arrivals
        taken = []
        for arrival in arrivals:
            nth = arrival.report.drops["shed"] + arrival.report.frames_out
            if arrival.report.info.live and nth % self.shed.every:
                arrival.report.drops["shed"] += 1
            else:
                taken.append(arrival)
        return taken

    def turned(self, work: float, taken: int, reports: Iterable[SourceReport]) -> bool:
        """Take note of a turn of `work` seconds over `taken` frames; True if something else is shed now."""
        read = sum(report.frames_in for report in reports if report.info.live)
        offered, self._read = max(read - self._read, taken), read
        return self._governor.hear(time.monotonic(), work, taken, offered)
