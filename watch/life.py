"""The life of each track as events: started, updated now and then, ended."""

from __future__ import annotations

import math
from collections.abc import Set
from dataclasses import dataclass, replace

from core.settings import EventsConfig
from core.types import EMOTIONS, ENDED, GENDERS, SEEN, STATES, Event, Evidence, Stamp, Tracks

Data = dict[str, str | int | float]

_ON_TIME = 1e-6  # s; 30 steps of 1/30 s may fall short of 1 s by rounding


@dataclass(slots=True)
class _Past:
    """What must be remembered of a living track."""

    due: float  # s, time of its next row
    state: int  # SEEN or LOST, the last one
    file: str  # the picture file that last showed the face
    frames_seen: int = 0  # frames with a detection, since the id was given
    static: bool = False

    def show(self, file: str) -> None:
        """A frame with a detection."""
        self.file = file
        self.frames_seen += 1

    def note(self, state: int, static: bool, time: float) -> None:
        """How it is at `time`; that it does not move, or does after all, is said at once."""
        self.state = state
        if static != self.static:
            self.static, self.due = static, time


class Life:
    """Turns the tracks of one source into rows: each id starts once and ends once."""

    def __init__(self, config: EventsConfig) -> None:
        self._interval = config.interval
        self._past: dict[int, _Past] = {}
        self._before: tuple[Tracks, Evidence] = (Tracks.none(), Evidence.none())

    def update(
        self,
        stamp: Stamp,
        tracks: Tracks,
        evidence: Evidence,
        static: Set[int] = frozenset(),
        *,
        cut: bool = False,
        last: bool = False,
    ) -> list[Event]:
        """The events of this frame, at most one a track (two if it starts and ends here).

        Args:
            stamp: where and when.
            tracks: the living tracks and those that end here.
            evidence: the belief about each row of `tracks`.
            static: ids of those that never move.
            cut: the frame shows another shot than the one before.
            last: the source is over, so that is why tracks end.
        """
        reason = "end" if last else "cut" if cut else "left"
        ids = tracks.ids.tolist()
        events = [] if self._past.keys() <= set(ids) else self._bury_vanished(stamp, ids, reason)
        states, index = tracks.states.tolist(), tracks.index.tolist()
        for row, (track, state) in enumerate(zip(ids, states, strict=True)):
            new = track not in self._past
            past = self._past.setdefault(track, _Past(stamp.time, SEEN, stamp.file))
            if index[row] >= 0:
                past.show(stamp.file)
            if state != ENDED:
                past.note(state, track in static, stamp.time)
            if stamp.time + _ON_TIME >= past.due and (state != ENDED or new):
                past.due = _next(past.due, self._interval, stamp.time)
                kind = "track_started" if new else "track_updated"
                events.append(Event(kind, stamp, track, self._describe(tracks, evidence, row)))
            if state == ENDED:
                events.append(self._end(stamp, tracks, evidence, row, reason))
        self._before = tracks, evidence
        return events

    def _end(self, stamp: Stamp, tracks: Tracks, evidence: Evidence, row: int, reason: str) -> Event:
        track = int(tracks.ids[row])
        data = self._describe(tracks, evidence, row)
        past = self._past.pop(track)
        data["first_t"] = float(tracks.born[row])
        data["last_t"] = float(tracks.seen[row])
        data["frames_seen"] = past.frames_seen
        shares = evidence.emotion_share[row].tolist()
        data.update((f"share_{name}", share) for name, share in zip(EMOTIONS, shares, strict=True))
        data["reason"] = reason
        # A still's faces end with the next one, whose file is not theirs.
        return Event("track_ended", replace(stamp, file=past.file), track, data)

    def _describe(self, tracks: Tracks, evidence: Evidence, row: int) -> Data:
        past = self._past[int(tracks.ids[row])]
        return {**describe(tracks, evidence, row, past.state), "static": past.static}

    def _bury_vanished(self, stamp: Stamp, ids: list[int], reason: str) -> list[Event]:
        """End the tracks whose last row was lost with a frame that failed, as they were then."""
        tracks, evidence = self._before
        gone = self._past.keys() - set(ids)
        rows = [row for row, track in enumerate(tracks.ids.tolist()) if track in gone]
        return [self._end(stamp, tracks, evidence, row, reason) for row in rows]


def _next(due: float, interval: float, time: float) -> float:
    """When the next row is due: on the grid of the track's start, or anew after a gap."""
    return due + interval if due + interval > time else time + interval


def describe(tracks: Tracks, evidence: Evidence, row: int, state: int) -> Data:
    """One track now, in the words of the record; NaN or "" for not known."""
    x1, y1, x2, y2 = tracks.boxes[row].tolist()
    moods = evidence.emotion[row].tolist()
    data: Data = {
        "x1": x1,
        "y1": y1,
        "x2": x2,
        "y2": y2,
        "score": float(tracks.faces.scores[row]),
        "state": STATES[state],
        "age": float(evidence.age_mean[row]),
        "age_low": float(evidence.age_low[row]),
        "age_high": float(evidence.age_high[row]),
        "gender": GENDERS[evidence.gender[row]],
        "female": float(evidence.female[row]),
        "emotion": "" if math.isnan(moods[0]) else EMOTIONS[moods.index(max(moods))],
    }
    data.update((f"p_{name}", mood) for name, mood in zip(EMOTIONS, moods, strict=True))
    data["quality"] = float(evidence.quality[row])
    data["looks"] = float(evidence.looks[row])
    return data
