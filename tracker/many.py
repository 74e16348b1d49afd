"""Many tracks, as one table: the arithmetic of `Few`, for all of them at once."""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np

from core.types import F64, Array
from tracker.assignment import Pair
from tracker.association import Place, overlaps_of_many
from tracker.few import Noises
from tracker.found import Found
from tracker.hidden import PART, SPAN
from tracker.hidden import WHOLE as ENOUGH
from tracker.life import Ended, Living, Patience, State
from tracker.motion import CENTRE, SIDES, Box, Noise, Step, step
from tracker.table import (
    BORN,
    BOX,
    CENTRE_A,
    FIELDS,
    HIDDEN,
    ID,
    LOOKS,
    PARTLY,
    ROW,
    SCORE,
    SEEN,
    SIDES_A,
    SIZE,
    STATE,
    VW,
    VX,
    WHOLE,
    WHOLE_TIME,
    H,
    W,
    X,
    Y,
)


class Many:
    """The tracks of one source, as a table."""

    def __init__(self, table: F64) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table[0])

    def table(self) -> F64:
        """All that is known, a column a track."""
        return self._table

    def predict(self, centre: Step, sides: Step) -> None:
        """Move all on by a span of time."""
        _predict(self._table, centre, sides)
        self._table[ROW] = -1

    def ahead(self, centre: Step, sides: Step) -> list[Box]:
        """Where all will be after a span of time."""
        moved = self._table[:WHOLE].copy()
        _predict(moved, centre, sides)
        return [(x1, y1, x2, y2) for x1, y1, x2, y2 in _boxes(moved).T.tolist()]

    def fade(self, time: float, patience: Patience, known: Container[int], cut: bool) -> list[Ended]:
        """Forget what is unseen for too long, at a cut all; returns those of them that counted."""
        table = self._table
        if cut:
            over = np.ones(len(self), bool)
        else:
            seen = table[SEEN]
            given = np.maximum(patience.young + patience.growth * (seen - table[BORN]), patience.looks)
            over = time - seen > np.minimum(patience.longest, given)
            for i in np.flatnonzero(over & (time - seen <= patience.known)).tolist():
                if int(table[ID, i]) in known:
                    over[i] = False
                    table[STATE, i] = State.REMEMBERED
        if not over.any():
            return []
        gone, self._table = table[:, over], table[:, ~over]
        gone = gone[:, gone[ID] > 0]
        boxes = [(x1, y1, x2, y2) for x1, y1, x2, y2 in gone[BOX].T.tolist()]
        rest = zip(gone[ID].tolist(), boxes, gone[BORN].tolist(), gone[SEEN].tolist(), strict=True)
        return [Ended(int(number), box, born, seen) for number, box, born, seen in rest]

    def counting(self) -> list[int]:
        """Those with an id that their place can find."""
        return _where((self._table[ID] > 0) & (self._table[STATE] != State.REMEMBERED))

    def tentative(self) -> list[int]:
        """Those without an id."""
        return _where(self._table[ID] == 0)

    def lost(self) -> list[int]:
        """Those with an id that no look has found since one missed them."""
        return _where(self._table[STATE] >= State.LOST)

    def recent(self, tracks: Sequence[int], since: float) -> list[int]:
        """Those of them that were seen at `since` or later."""
        seen = self._table[SEEN].tolist()
        return [i for i in tracks if seen[i] >= since]

    def hidden(self, tracks: Sequence[int]) -> list[int]:
        """Those of them that were lost while something slid before them."""
        return [i for i in tracks if self._table[HIDDEN, i]]

    def ids(self, tracks: Sequence[int]) -> list[int]:
        """Their ids."""
        return [int(number) for number in self._table[ID, tracks].tolist()]

    def places(self, tracks: Sequence[int]) -> list[Place]:
        """Their boxes, and the standard deviations of their centres, pixels."""
        some = self._table[:WHOLE, tracks]
        doubts = np.sqrt(some[CENTRE_A]).tolist()
        boxes = [(x1, y1, x2, y2) for x1, y1, x2, y2 in _boxes(some).T.tolist()]
        return list(zip(tracks, boxes, doubts, strict=True))

    def overlaps(self, tracks: Sequence[int], faces: Sequence[int], found: Found, least: float) -> list[Pair]:
        """Pairs of a track and a detection that overlap by `least` or more, with their costs."""
        mine, theirs = np.array(tracks), np.array(faces)
        scores = np.array(found.scores)[theirs]
        boxes = _boxes(self._table[:WHOLE, mine]), found.table[theirs].T
        cost, i, j = overlaps_of_many(*boxes, self._table[SCORE, mine], scores, least)
        return list(zip(cost.tolist(), mine[i].tolist(), theirs[j].tolist(), strict=True))

    def find(self, pairs: Sequence[tuple[int, int]], found: Found, time: float, noise: Noises) -> None:
        """Detections continue tracks."""
        if not pairs:
            return
        tracks, faces = np.array(pairs).T
        boxes, table = found.table[faces].T, self._table[:, tracks]
        scores = [found.scores[j] for j in faces.tolist()]
        _update(table, boxes, np.array([noise(score) for score in scores]))
        _keep_whole(table, boxes, time)
        table[BOX] = _boxes(table)
        table[SEEN], table[SCORE], table[HIDDEN] = time, scores, 0
        table[ROW] = [found.rows[j] for j in faces.tolist()]
        table[LOOKS] += 1
        table[STATE, table[STATE] >= State.LOST] = State.CONFIRMED
        self._table[:, tracks] = table

    def miss(self, time: float, centre: Noise) -> None:
        """The look is over: what it did not find is lost, or over if it was tentative."""
        table = self._table
        missed = table[ROW] < 0
        if not missed.any():
            return
        for i in np.flatnonzero(missed & (table[STATE] == State.CONFIRMED)).tolist():
            table[HIDDEN, i] = table[PARTLY, i]
            if table[PARTLY, i]:
                whole, since = table[WHOLE : 2 * WHOLE, i : i + 1].copy(), time - table[WHOLE_TIME, i]
                _predict(whole, step(centre, since), step(SIDES, since))
                table[:WHOLE, i : i + 1] = whole
            table[STATE, i] = State.LOST
        self._table = table[:, ~(missed & (table[ID] == 0))]

    def begin(self, faces: Sequence[int], found: Found, time: float) -> None:
        """Detections begin tracks."""
        if not faces:
            return
        new = np.zeros((FIELDS, len(faces)))
        x1, y1, x2, y2 = boxes = found.table[list(faces)].T
        new[W], new[H] = x2 - x1, y2 - y1
        new[X], new[Y] = x1 + new[W] / 2, y1 + new[H] / 2
        new[SIZE] = np.sqrt(new[W]) * np.sqrt(new[H])
        for first, noise in ((CENTRE_A, CENTRE), (SIDES_A, SIDES)):
            new[first] = (noise.measurement * new[SIZE]) ** 2
            new[first + 2] = (noise.velocity * new[SIZE]) ** 2
        new[WHOLE : 2 * WHOLE] = new[:WHOLE]
        new[WHOLE_TIME] = new[BORN] = new[SEEN] = time
        new[BOX], new[LOOKS] = boxes, 1
        new[SCORE], new[ROW] = [found.scores[j] for j in faces], [found.rows[j] for j in faces]
        self._table = np.concatenate([self._table, new], axis=1)

    def confirm(self, number: int, looks: int, score: float) -> int:
        """Give ids, from `number` on, to what was found often or surely enough; returns the next one."""
        table = self._table
        ready = np.flatnonzero((table[ID] == 0) & ((table[LOOKS] >= looks) | (table[SCORE] >= score)))
        table[ID, ready] = np.arange(number, number + len(ready))
        table[STATE, ready] = State.CONFIRMED
        return number + len(ready)

    def living(self) -> Living:
        """Those with an id, in the order of their ids."""
        table = self._table
        order = np.flatnonzero(table[ID] > 0)
        order = order[np.argsort(table[ID, order])]
        table = table[:, order]
        return Living(
            table[ID].astype(np.int64),
            _boxes(table).T.copy(),
            table[STATE] != State.CONFIRMED,
            table[ROW].astype(np.int64),
            table[BORN],
            table[SEEN],
            table[LOOKS],
        )


def _where(mask: Array) -> list[int]:
    places: list[int] = np.flatnonzero(mask).tolist()
    return places


def _boxes(table: F64) -> F64:
    """Float64 (4, N), as `Motion.box`."""
    least = table[SIZE] / 8
    w, h = np.maximum(table[W], least) / 2, np.maximum(table[H], least) / 2
    return np.array([table[X] - w, table[Y] - h, table[X] + w, table[Y] + h])


def _predict(table: F64, centre: Step, sides: Step) -> None:
    """As `Motion.predict`."""
    area = table[SIZE] ** 2
    for place, velocity, first, span in ((X, VX, CENTRE_A, centre), (W, VW, SIDES_A, sides)):
        table[place : place + 2] += span.reach * table[velocity : velocity + 2]
        table[velocity : velocity + 2] *= span.decay
        a, b, c = table[first : first + 3]
        table[first], table[first + 1], table[first + 2] = (
            a + span.reach * (2 * b + span.reach * c) + area * span.position,
            span.decay * (b + span.reach * c) + area * span.cross,
            span.decay * span.decay * c + area * span.velocity,
        )


def _update(table: F64, boxes: F64, noise: F64) -> None:
    """As `Motion.update`."""
    x1, y1, x2, y2 = boxes
    w, h = x2 - x1, y2 - y1
    table[SIZE] = np.sqrt(w) * np.sqrt(h)
    variance = table[SIZE] ** 2 * noise
    for place, velocity, first, measured, model in (
        (X, VX, CENTRE_A, np.array([x1 + w / 2, y1 + h / 2]), CENTRE),
        (W, VW, SIDES_A, np.array([w, h]), SIDES),
    ):
        measurement = variance * model.measurement**2
        a, b, c = table[first : first + 3]
        whole = a + measurement
        gain, rate, rest = a / whole, b / whole, measurement / whole
        off = measured - table[place : place + 2]
        table[place : place + 2] += gain * off
        table[velocity : velocity + 2] += rate * off
        table[first], table[first + 1], table[first + 2] = a * rest, b * rest, c - rate * b


def _keep_whole(table: F64, boxes: F64, time: float) -> None:
    """As `Whole.look`."""
    shown = np.minimum((boxes[2] - boxes[0]) / table[WHOLE + W], (boxes[3] - boxes[1]) / table[WHOLE + H])
    table[PARTLY] = shown < PART
    anew = (shown >= ENOUGH) | (time - table[WHOLE_TIME] > SPAN)
    table[WHOLE : 2 * WHOLE, anew] = table[:WHOLE, anew]
    table[WHOLE_TIME, anew] = time
