"""Some tracks, each an object of plain numbers: for a handful a loop is several times faster than arrays.

`Few` and `Many` know the same tracks by their place, from 0, until the next `fade` or `miss`.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from operator import attrgetter
from typing import Any

from core.types import F64
from tracker.assignment import Pair
from tracker.association import Place, overlaps
from tracker.found import Found
from tracker.life import CONFIRMED, LOST, REMEMBERED, Ended, Living, Patience, State, Track
from tracker.motion import Box, Motion, Noise, Step
from tracker.table import from_table, to_table
from tracker.trust import Trust

by_id = attrgetter("id")


class Few:
    """The tracks of one source, as objects."""

    def __init__(self, table: F64 | None = None) -> None:
        self._tracks: list[Track] = [] if table is None else from_table(table)

    def __len__(self) -> int:
        return len(self._tracks)

    def table(self) -> F64:
        """All that is known, a column a track."""
        return to_table(self._tracks)

    def predict(self, centre: Step, sides: Step) -> None:
        """Move all on by a span of time."""
        for track in self._tracks:
            track.row = -1
            track.motion.predict(centre, sides)

    def ahead(self, centre: Step, sides: Step) -> list[Box]:
        """Where all will be after a span of time."""
        return [track.motion.ahead(centre, sides) for track in self._tracks]

    def unseen(self, time: float, longest: float) -> bool:
        """Whether one of them was not seen for more than so many seconds."""
        return bool([track for track in self._tracks if time - track.seen > longest])

    def fade(self, time: float, patience: Patience, known: Container[int], cut: bool) -> list[Ended]:
        """Forget what is unseen for too long, at a cut all; returns those of them that counted."""
        before = self._tracks
        for track in before:
            if cut:
                track.state = State.ENDED
            elif track.seen < time:
                track.fade(time - track.seen, patience, track.id in known)
        over = [track for track in before if track.state == State.ENDED]
        if over:
            self._tracks = [track for track in before if track.state != State.ENDED]
        return [Ended(t.id, t.box, t.born, t.seen) for t in over if t.id]

    def groups(self) -> tuple[list[int], list[int]]:
        """Those with an id that their place can find, and those without an id."""
        counting, tentative = [], []
        for i, track in enumerate(self._tracks):
            if not track.id:
                tentative.append(i)
            elif track.state != REMEMBERED:
                counting.append(i)
        return counting, tentative

    def lost(self) -> list[int]:
        """Those with an id that no look has found since one missed them."""
        return [i for i, t in enumerate(self._tracks) if t.state >= LOST]

    def recent(self, tracks: Sequence[int], since: float) -> list[int]:
        """Those of them that were seen at `since` or later."""
        return [i for i in tracks if self._tracks[i].seen >= since]

    def hidden(self, tracks: Sequence[int]) -> list[int]:
        """Those of them that were lost while something slid before them."""
        return [i for i in tracks if self._tracks[i].hidden]

    def ids(self, tracks: Sequence[int]) -> list[int]:
        """Their ids."""
        return [self._tracks[i].id for i in tracks]

    def places(self, tracks: Sequence[int]) -> list[Place]:
        """Their boxes, and the standard deviations of their centres, pixels."""
        motions = [(i, self._tracks[i].motion) for i in tracks]
        return [(i, motion.box, motion.doubt) for i, motion in motions]

    def overlaps(self, tracks: Sequence[int], faces: Sequence[int], found: Found, least: float) -> list[Pair]:
        """Pairs of a track and a detection that overlap by `least` or more, with their costs."""
        known = self._tracks
        mine = [(i, known[i].motion.box, known[i].score) for i in tracks]
        return overlaps(mine, found.take(faces), least)

    def restart(self, pairs: Sequence[tuple[int, int]], found: Found) -> None:
        """Tracks turn up far from where they should be: how they moved says nothing any more."""
        for i, j in pairs:
            self._tracks[i].motion = Motion(found.boxes[j])

    def find(self, pairs: Sequence[tuple[int, int]], found: Found, time: float, trust: Trust) -> None:
        """Detections continue tracks."""
        tracks, boxes, scores, rows = self._tracks, found.boxes, found.scores, found.rows
        for i, j in pairs:
            score = scores[j]
            tracks[i].find(boxes[j], score, rows[j], time, trust.noise(score))

    def miss(self, time: float, centre: Noise) -> None:
        """The look is over: what it did not find is lost, or over if it was tentative."""
        missed = [track for track in self._tracks if track.row < 0]
        for track in missed:
            track.miss(time, centre)
        if missed:
            self._tracks = [track for track in self._tracks if track.state != State.ENDED]

    def begin(self, faces: Sequence[int], found: Found, time: float) -> None:
        """Detections begin tracks."""
        self._tracks += [Track(found.boxes[j], found.scores[j], found.rows[j], time) for j in faces]

    def confirm(self, number: int, looks: int, score: float) -> int:
        """Give ids, from `number` on, to what was found often or surely enough; returns the next one."""
        for track in self._tracks:
            if not track.id and (track.looks >= looks or track.score >= score):
                track.confirm(number)
                number += 1
        return number

    def living(self) -> Living:
        """Those with an id, in the order of their ids."""
        columns: tuple[list[Any], ...] = ([], [], [], [], [], [], [])
        ids, boxes, lost, rows, born, seen, looks = columns
        for track in sorted(self._tracks, key=by_id) if len(self._tracks) > 1 else self._tracks:
            if not track.id:
                continue
            ids.append(track.id)
            # If this frame has found it, and not begun it, its box was made then; where it is after a long
            # absence nobody knows.
            known = (track.row >= 0 and track.looks > 1) or track.state == REMEMBERED
            boxes.append(track.box if known else track.motion.box)
            lost.append(track.state != CONFIRMED)
            rows.append(track.row)
            born.append(track.born)
            seen.append(track.seen)
            looks.append(track.looks)
        return Living(*columns)
