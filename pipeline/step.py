"""One turn: some frames in, one result each out. No threads, no clock, no files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.protocols import Detector, Tracker
from core.types import (
    ENDED,
    F32,
    F64,
    I64,
    Estimates,
    Evidence,
    Faces,
    Frame,
    Gap,
    Image,
    Result,
    SourceInfo,
    Stamp,
    Tracks,
)
from estimators.align import squared
from estimators.embedder import Embedder
from estimators.evidence import Fusion
from estimators.night import in_the_dark, is_grey
from estimators.panel import Panel
from pipeline.gate import Gate, outside
from pipeline.governor import Shed
from pipeline.schedule import Chooser
from watch.life import Life
from watch.still import Still

Found = tuple[Faces | None, Faces]  # those that count, None where nobody looked; all, these first

_NOBODY = np.zeros(0, np.int64)


@dataclass(slots=True)
class Lane:
    """What the pipeline remembers of one source."""

    tracker: Tracker
    chooser: Chooser
    fusion: Fusion
    life: Life
    still: Still
    stills: bool = False  # its frames are unrelated pictures
    gate: Gate | None = None
    ignore: tuple[F64, ...] = ()  # corners (K, 2) of areas without faces, shares of the picture
    evidence: Evidence = field(default_factory=Evidence.none)
    last_id: int = 0  # the highest that its tracks have had
    looked: float = -np.inf  # time of the last frame that was shown to the detector
    stamp: Stamp | None = None


class Pipeline:
    """Detect, track, choose, estimate, fuse, watch.

    Detection and estimation may batch frames of many sources; the rest goes frame by frame,
    so a source gives the same results alone, beside others and at any batch size.
    """

    def __init__(
        self,
        detector: Detector,
        panel: Panel,
        lane: Callable[[SourceInfo, int], Lane],
        interval: float = 0.0,
        embedder: Embedder | None = None,
    ) -> None:
        """Take ready parts.

        Args:
            detector: finds faces.
            panel: the networks that judge them.
            lane: makes the memory of a new source, whose first track has this id.
            interval: least seconds between two looks of the detector at a source.
            embedder: computes the face prints that a tracker asks for; None: it is not asked.
        """
        self._detector = detector
        self._panel = panel
        self._make_lane = lane
        self._interval = interval
        self._embedder = embedder
        self._lanes: dict[str, Lane] = {}
        self._last_ids: dict[str, int] = {}  # of sources that are over: they may come again, ids may not
        self.shed = Shed()  # what is left undone under load
        self.looks_run = 0
        self._spent = Counter(saved=0, unfit=0)  # of sources that are over

    @property
    def looks_saved(self) -> int:
        """Faces that could have been judged and were not: enough was known, or all looks were spent."""
        return self._spent["saved"] + sum(lane.chooser.saved for lane in self._lanes.values())

    @property
    def looks_unfit(self) -> int:
        """Faces that were seen, but too small or turned away to be judged."""
        return self._spent["unfit"] + sum(lane.chooser.unfit for lane in self._lanes.values())

    def start(self, info: SourceInfo) -> None:
        """Make room for a new source."""
        before = self._last_ids.get(info.name, 0)
        lane = self._lanes[info.name] = self._make_lane(info, before + 1)
        lane.last_id = before

    def turn(self, frames: Sequence[Frame]) -> list[Result]:
        """One result a frame, in the same order; frames of a source come in order."""
        found = self._detect(frames)
        results: list[Result | None] = [None] * len(frames)
        for wave in _waves(frames):
            made = self._wave([frames[i] for i in wave], [found[i] for i in wave])
            for i, result in zip(wave, made, strict=True):
                results[i] = result
        return [result for result in results if result is not None]

    def find(self, image: Image) -> Faces:
        """The faces of one picture that belongs to no source."""
        return self._detector.detect([image])[0]

    def gap(self, gap: Gap) -> Result:
        """A second without a picture: nobody looked, but time went on."""
        lane = self._lanes[gap.stamp.source]
        lane.stamp = gap.stamp
        return self._close(lane, gap.stamp, lane.tracker.update(None, gap.stamp.time))

    def end(self, source: str) -> Result | None:
        """The source is over: its last result; None if nothing ever came of it."""
        lane = self._lanes.pop(source)
        self._last_ids[source] = lane.last_id
        self._spent.update(saved=lane.chooser.saved, unfit=lane.chooser.unfit)
        if lane.stamp is None:
            return None
        result = self._close(lane, lane.stamp, lane.tracker.end(), last=True)
        return replace(result, last=True)

    def _detect(self, frames: Sequence[Frame]) -> list[Found]:
        due = [i for i, frame in enumerate(frames) if self._is_due(frame)]
        found: list[Found] = [(None, Faces.none())] * len(frames)
        for i, faces in zip(due, self._detector.detect([frames[i].image for i in due]), strict=True):
            lane = self._lanes[frames[i].stamp.source]
            size = frames[i].stamp.size
            found[i] = outside(lane.ignore, faces, size) if lane.ignore else (faces, faces)
            if lane.gate is not None:
                lane.gate.looked(frames[i], anybody=len(faces) > 0)
        return found

    def _is_due(self, frame: Frame) -> bool:
        """Whether the detector is to look at this frame."""
        lane, time = self._lanes[frame.stamp.source], frame.stamp.time
        soon = time - lane.looked < max(self._interval, self.shed.interval) - 1e-6 and not frame.cut
        if soon or (lane.gate is not None and not len(lane.evidence) and lane.gate.is_still(frame)):
            return False
        lane.looked = time
        return True

    def _wave(self, frames: Sequence[Frame], found: Sequence[Found]) -> list[Result]:
        """Frames of different sources, each with its faces."""
        counted = [faces for faces, _ in found]
        prints = self._embed(frames, counted)
        tracks = [
            self._lanes[f.stamp.source].tracker.update(
                faces, f.stamp.time, cut=f.cut, damaged=f.damaged, embeddings=own
            )
            for f, faces, own in zip(frames, counted, prints, strict=True)
        ]
        rows = [self._choose(f, t) for f, t in zip(frames, tracks, strict=True)]
        looks = self._look(frames, tracks, rows)
        return [
            self._fuse(f, seen, t, r, look)
            for f, (_, seen), t, r, look in zip(frames, found, tracks, rows, looks, strict=True)
        ]

    def _embed(self, frames: Sequence[Frame], found: Sequence[Faces | None]) -> list[F32 | None]:
        """The face prints that the trackers ask for, (N, D) for N faces; None where none is asked for.

        They go to the tracker and nowhere else: no result holds them, so no output can write them.
        """
        prints: list[F32 | None] = [None] * len(frames)
        if self._embedder is None:
            return prints
        asked = {
            i: (faces, rows)
            for i, (frame, faces) in enumerate(zip(frames, found, strict=True))
            if faces is not None and len(rows := self._asked(frame, faces))
        }
        if asked:
            views = [
                squared(frames[i].image, faces.take(rows), frames[i].pixel)
                for i, (faces, rows) in asked.items()
            ]
            for (i, (faces, rows)), made in zip(asked.items(), self._embedder.embed(views), strict=True):
                whole = np.full((len(faces), made.shape[1]), np.nan, np.float32)
                whole[rows] = made
                prints[i] = whole
        return prints

    def _asked(self, frame: Frame, faces: Faces) -> I64:
        """The rows whose face prints the tracker wants; at a cut there is nothing to compare with."""
        if not len(faces) or frame.damaged or frame.cut:
            return _NOBODY
        return self._lanes[frame.stamp.source].tracker.wants(faces, frame.stamp.time)

    def _choose(self, frame: Frame, tracks: Tracks) -> I64:
        lane = self._lanes[frame.stamp.source]
        if frame.damaged:
            return _NOBODY
        if not lane.still.ids:
            return lane.chooser.choose(tracks, lane.evidence, frame.stamp, self.shed.looks)
        moving = lane.still.moving(tracks)
        rows = lane.chooser.choose(tracks.take(moving), lane.evidence, frame.stamp, self.shed.looks)
        return moving[rows]

    def _look(
        self, frames: Sequence[Frame], tracks: Sequence[Tracks], rows: Sequence[I64]
    ) -> list[Estimates]:
        views = [
            squared(f.image, t.faces.take(r), f.pixel)
            for f, t, r in zip(frames, tracks, rows, strict=True)
            if len(r)
        ]
        self.looks_run += sum(len(r) for r in rows)
        looks = iter(self._panel.look(views)) if views else iter(())
        return [
            self._by_light(f, next(looks)) if len(r) else Estimates.none()
            for f, r in zip(frames, rows, strict=True)
        ]

    def _by_light(self, frame: Frame, looks: Estimates) -> Estimates:
        """Looks at a film without colours, as at night, say less; photographs may be meant so."""
        dark = not self._lanes[frame.stamp.source].stills and len(looks) and is_grey(frame.image)
        return in_the_dark(looks) if dark else looks

    def _fuse(self, frame: Frame, seen: Faces, tracks: Tracks, rows: I64, looks: Estimates) -> Result:
        lane = self._lanes[frame.stamp.source]
        stamp = lane.stamp = frame.stamp
        lane.last_id = max([lane.last_id, *tracks.ids.tolist()])
        lane.evidence = lane.fusion.update(tracks, rows, looks, stamp.time)
        static = lane.still.update(tracks, stamp.time)
        events = lane.life.update(stamp, tracks, lane.evidence, static, cut=frame.cut)
        return Result(stamp, seen, tracks, lane.evidence, tuple(events), tracks.ids[rows], looks)

    def _close(self, lane: Lane, stamp: Stamp, tracks: Tracks, last: bool = False) -> Result:
        """A result without a picture: only what ended is in it."""
        lane.evidence = lane.fusion.update(tracks, _NOBODY, Estimates.none(), stamp.time)
        static = lane.still.update(tracks, stamp.time)
        events = lane.life.update(stamp, tracks, lane.evidence, static, last=last)
        ended = np.flatnonzero(tracks.states == ENDED)
        return Result(stamp, Faces.none(), tracks.take(ended), lane.evidence.take(ended), tuple(events))


def _waves(frames: Sequence[Frame]) -> list[list[int]]:
    """Row numbers in waves: the first frame of each source, then the second, ..."""
    waves: list[list[int]] = []
    count: dict[str, int] = {}
    for i, frame in enumerate(frames):
        nth = count[frame.stamp.source] = count.get(frame.stamp.source, -1) + 1
        if nth == len(waves):
            waves.append([])
        waves[nth].append(i)
    return waves
