"""The state of a run for those who ask from outside: health, metrics, availability."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.status import SourceStatus, Status
from core.types import SourceInfo
from pipeline.outlet import Outlet
from pipeline.report import Report, SourceReport
from pipeline.step import Pipeline


@dataclass(slots=True)
class Monitor:
    """Made before the outputs, which ask it, from any thread; the rest is put in as it comes to be."""

    report: Report
    infos: Mapping[str, SourceInfo]  # in the order asked for
    version: str = ""
    device: str = ""
    pipeline: Pipeline | None = None
    outlets: Sequence[Outlet] = ()

    def __call__(self) -> Status:
        """How the run is doing now."""
        now, report = time.monotonic(), self.report
        return Status(
            version=self.version,
            device=self.device,
            seconds=now - report.began,
            turned=now - report.turned,
            sources=tuple(_source(source, now) for source in self._in_order()),
            level=report.shed,
            looks_run=self.pipeline.looks_run if self.pipeline else 0,
            looks_saved=self.pipeline.looks_saved if self.pipeline else 0,
            latency=tuple(report.latency.counts),
            latency_sum=report.latency.sum,
            queues={outlet.name: outlet.waiting for outlet in self.outlets},
        )

    def _in_order(self) -> list[SourceReport]:
        """The newest report of each source that has begun."""
        told = {source.info.name: source for source in list(self.report.sources)}
        return [told[name] for name in list(self.infos) if name in told]


def _source(report: SourceReport, now: float) -> SourceStatus:
    info = report.info
    return SourceStatus(
        name=info.name,
        kind=info.kind,
        live=info.live,
        state=report.state,
        reason=report.reason,
        since=now - report.changed,
        size=report.size,
        age=math.nan if math.isnan(report.last) else now - report.last,
        fps_in=report.rate_in.per_second(now),
        fps_out=report.rate_out.per_second(now),
        frames_in=report.frames_in,
        frames_out=report.frames_out,
        drops=dict(report.drops),
        suspect=report.suspect,
        decode_errors=report.decode_errors,
        reconnects=report.reconnects,
        tracks=report.living,
        people=report.people,
    )
