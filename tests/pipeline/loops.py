"""A loop of made-up parts: networks that find one face, sinks that keep what they are given."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from core.errors import SinkError
from core.settings import EventsConfig, EvidenceConfig, LooksConfig, TrackerConfig
from core.types import Estimates, Faces, Image, Result, SourceInfo
from estimators.evidence import Fusion
from pipeline.intake import Intake
from pipeline.loop import Loop
from pipeline.outlet import Outlet
from pipeline.ports import Outputs
from pipeline.progress import Progress
from pipeline.schedule import Chooser
from pipeline.step import Lane, Pipeline
from tests.make import faces
from tests.pipeline.films import Film
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
    """Networks that say nothing of any face."""

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


def lane_of(info: SourceInfo, first_id: int, static_after: float = 60.0) -> Lane:
    """What is kept of one source."""
    looks, fusion = Chooser(LooksConfig(), stills=info.stills), Fusion(EvidenceConfig())
    return Lane(Sort(TrackerConfig(), first_id), looks, fusion, Life(EventsConfig()), Still(static_after))


def loop_of(
    films: Sequence[Film], sink: Notes, detector=None, max_seconds: float = float("inf"), outputs=None, **more
) -> Loop:
    """A loop of these films into that sink."""
    changed = threading.Condition()
    by_name = {film.info.name: film for film in films}
    intakes = [Intake([f.info], lambda i: by_name[i.name], changed, max_seconds) for f in films]
    pipeline = Pipeline(detector or OneFace(), NoPanel(), lane_of)
    outputs = outputs or Outputs([Outlet(sink, "notes.csv")])
    return Loop(pipeline, intakes, changed, outputs, Progress(shown=False), **more)
