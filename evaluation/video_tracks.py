"""Films through the whole program, once; and what would have been said with fewer looks, or without fusion.

Every face that is fit is looked at in every frame. Tracks don't depend on looks, so who would have been
looked at, and what would have been believed, is played again from the record by the very `Chooser`,
`Still` and `Fusion` of the stream, at little cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from core.geometry import iou
from core.settings import EvidenceConfig, LooksConfig, Settings
from core.types import F64, FEMALE, I64, MALE, SEEN, Estimates, Evidence, Frame, SourceInfo, Stamp, Tracks
from estimators.evidence import Fusion
from evaluation.fuse import always_seen
from pipeline.schedule import Chooser
from pipeline.step import Pipeline
from watch.still import Still

_NOBODY: I64 = np.zeros(0, np.int64)
SAME_FACE = 0.3  # least overlap of a track with the face that is known to be there
EVERY = {"per_second": 10000.0, "refresh": 1e-3}  # looks: no face of any frame is left out


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One frame: its tracks, and a look at each that was fit (a row of `looks` for each of `looked`)."""

    stamp: Stamp
    tracks: Tracks
    looked: I64
    looks: Estimates
    damaged: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """What to change: the budget of looks, and whether they are fused or the newest alone is the answer.

    `static_after` is that of the record: nobody looked at a face that never moved for so many seconds.
    """

    looks: LooksConfig
    evidence: EvidenceConfig
    fused: bool = True
    static_after: float | None = None


@dataclass(slots=True)
class History:
    """One track: after each look at it that told something, what was said; lists of the same length.

    Attributes:
        times, born, seen: seconds; of the looks, of its first and last detection.
        ages, lows, highs, female, genders, moods: the columns of `Evidence`; moods by index, -1 not known.
        looks: faces of it that were judged, also those whose quality of 0 told nothing.
    """

    born: float
    seen: float = 0.0
    looks: int = 0
    times: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    lows: list[float] = field(default_factory=list)
    highs: list[float] = field(default_factory=list)
    female: list[float] = field(default_factory=list)
    genders: list[int] = field(default_factory=list)
    moods: list[int] = field(default_factory=list)

    def note(self, time: float, belief: Evidence, row: int) -> None:
        """Take down what is believed after a look that told something."""
        self.times.append(time)
        self.ages.append(float(belief.age_mean[row]))
        self.lows.append(float(belief.age_low[row]))
        self.highs.append(float(belief.age_high[row]))
        self.female.append(float(belief.female[row]))
        self.genders.append(int(belief.gender[row]))
        known = not np.isnan(belief.emotion[row, 0])
        self.moods.append(int(belief.emotion[row].argmax()) if known else -1)


def every_look(settings: Settings) -> Settings:
    """The same settings, with a look at every face of every frame."""
    return settings.model_copy(update={"looks": settings.looks.model_copy(update=EVERY)})


def record(pipeline: Pipeline, source: str, frames: Iterable[Frame]) -> list[Moment]:
    """Show a film to a pipeline that looks at every face (`every_look`)."""
    pipeline.start(SourceInfo(source, "video", source))
    moments = []
    for frame in frames:
        (result,) = pipeline.turn([frame])
        moments.append(Moment(result.stamp, result.tracks, result.looked, result.looks, frame.damaged))
    pipeline.end(source)
    return moments


def play(moments: Iterable[Moment], setting: Replay) -> tuple[dict[int, History], int]:
    """Each track's history by id, and how many faces were spared a look."""
    chooser, fusion, still = Chooser(setting.looks), Fusion(setting.evidence), Still(setting.static_after)
    belief, histories = Evidence.none(), dict[int, History]()
    for moment in moments:
        tracks, time = moment.tracks, moment.stamp.time
        _meet(histories, tracks)
        moving = still.moving(tracks)
        wanted = (
            _NOBODY if moment.damaged else moving[chooser.choose(tracks.take(moving), belief, moment.stamp)]
        )
        looks = _picked(moment, wanted)
        belief = fusion.update(tracks, wanted, looks, time)
        for look, row in enumerate(wanted.tolist()):
            history = histories[int(tracks.ids[row])]
            history.looks += 1
            if looks.quality[look] > 0:
                if setting.fused:
                    history.note(time, belief, row)
                else:
                    history.note(time, alone(looks, look), 0)
        still.update(tracks, time)
    return histories, chooser.saved


def alone(looks: Estimates, look: int) -> Evidence:
    """One look as the whole answer: the likelier gender, whatever is likelier by."""
    one = looks.take(slice(look, look + 1))
    said = Fusion(EvidenceConfig()).update(always_seen(1), np.zeros(1, np.int64), one, 0.0)
    said.female[:] = one.female
    if not np.isnan(one.female[0]):
        said.gender[:] = FEMALE if one.female[0] >= 0.5 else MALE
    return said


def belonging(moments: Iterable[Moment], boxes: F64) -> set[int]:
    """The tracks that lie on the one known face in most of the frames in which they are seen.

    Args:
        moments: of a film of one person.
        boxes: float64 (frames, 4), where the face truly is.
    """
    counts: dict[int, list[bool]] = {}
    for moment, box in zip(moments, boxes, strict=True):
        seen = moment.tracks.states == SEEN
        overlaps = iou(moment.tracks.boxes[seen], box[None])[:, 0] >= SAME_FACE
        for track, on in zip(moment.tracks.ids[seen].tolist(), overlaps.tolist(), strict=True):
            counts.setdefault(track, []).append(on)
    return {track for track, on in counts.items() if np.mean(on) > 0.5}


def _meet(histories: dict[int, History], tracks: Tracks) -> None:
    """Begin the histories of new tracks; note until when the others are seen."""
    columns = (tracks.ids.tolist(), tracks.born.tolist(), tracks.seen.tolist())
    for track, born, seen in zip(*columns, strict=True):
        histories.setdefault(track, History(born)).seen = seen


def _picked(moment: Moment, wanted: I64) -> Estimates:
    """Of the looks of a frame those at these rows of its tracks."""
    places = {track: place for place, track in enumerate(moment.looked.tolist())}
    found = [places[track] for track in moment.tracks.ids[wanted].tolist()]
    return moment.looks.take(np.array(found, np.int64))
