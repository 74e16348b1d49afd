"""Many tracks, as one table: the arithmetic of `Few`, for all of them at once."""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np

from core.types import F64, Array
from tracker.assignment import Pair
from tracker.association import Place, overlaps_of_many
from tracker.found import Found
from tracker.hidden import PART_SHARE, SPAN, WHOLE_SHARE
from tracker.life import CONFIRMED, LOST, Ended, Living, Patience, State
from tracker.motion import CENTRE, CENTRE_VARIANCE, SIDES, SIDES_VARIANCE, Box, Noise, Step, steps
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
    VH,
    VX,
    WHOLE,
    WHOLE_TIME,
    H,
    W,
    X,
    Y,
)
from tracker.trust import Trust

PLACES, VELOCITIES = slice(X, H + 1), slice(VX, VH + 1)
A, B, C = (slice(CENTRE_A + i, SIDES_A + i + 1, 3) for i in range(3))  # variances of the centre and the sides
BOTH = np.array([0, 0, 1, 1])  # which of the two is that of x, y, w, h
MEASUREMENT = np.array([[CENTRE_VARIANCE], [SIDES_VARIANCE]])


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

    def unseen(self, time: float, longest: float) -> bool:
        """Whether one of them was not seen for more than so many seconds."""
        return bool((time - self._table[SEEN] > longest).any())

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
        gone, self._table = table[:, over & (table[ID] > 0)], table.compress(~over, axis=1)
        boxes = [(x1, y1, x2, y2) for x1, y1, x2, y2 in gone[BOX].T.tolist()]
        rest = zip(gone[ID].tolist(), boxes, gone[BORN].tolist(), gone[SEEN].tolist(), strict=True)
        return [Ended(int(number), box, born, seen) for number, box, born, seen in rest]

    def groups(self) -> tuple[list[int], list[int]]:
        """Those with an id that their place can find, and those without an id."""
        known = self._table[ID] > 0
        return _where(known & (self._table[STATE] != State.REMEMBERED)), _where(~known)

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
        table, scores = self._table.take(mine, axis=1), np.array(found.scores).take(theirs)
        boxes = _boxes(table), found.table.take(theirs, axis=1)
        cost, i, j = overlaps_of_many(*boxes, table[SCORE], scores, least)
        return list(zip(cost.tolist(), mine.take(i).tolist(), theirs.take(j).tolist(), strict=True))

    def restart(self, pairs: Sequence[tuple[int, int]], found: Found) -> None:
        """Tracks turn up far from where they should be: how they moved says nothing any more."""
        if pairs:
            boxes = found.table.take([j for _, j in pairs], axis=1)
            self._table[:WHOLE, [i for i, _ in pairs]] = _at_rest(boxes)

    def find(self, pairs: Sequence[tuple[int, int]], found: Found, time: float, trust: Trust) -> None:
        """Detections continue tracks."""
        if not pairs:
            return
        tracks, faces = [i for i, _ in pairs], [j for _, j in pairs]
        boxes, table = found.table.take(faces, axis=1), self._table.take(tracks, axis=1)
        scores = [found.scores[j] for j in faces]
        _update(table, boxes, np.array([trust.noise(score) for score in scores]))
        _keep_whole(table, boxes, time)
        table[BOX] = _boxes(table)
        table[SEEN], table[SCORE], table[HIDDEN] = time, scores, 0
        table[ROW] = [found.rows[j] for j in faces]
        table[LOOKS] += 1
        np.copyto(table[STATE], CONFIRMED, where=table[STATE] >= LOST)
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
                _predict(whole, *steps(centre, since))
                table[:WHOLE, i : i + 1] = whole
            table[STATE, i] = State.LOST
        self._table = table.compress(~missed | (table[ID] > 0), axis=1)

    def begin(self, faces: Sequence[int], found: Found, time: float) -> None:
        """Detections begin tracks."""
        if not faces:
            return
        new = np.zeros((FIELDS, len(faces)))
        boxes = found.table.take(faces, axis=1)
        new[:WHOLE] = new[WHOLE : 2 * WHOLE] = _at_rest(boxes)
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
        order = np.argsort(table[ID], kind="stable")
        table = table.take(order[np.count_nonzero(table[ID] == 0) :], axis=1)
        return Living(
            table[ID].astype(np.int64),
            np.where(table[STATE] == State.REMEMBERED, table[BOX], _boxes(table)).T.copy(),
            table[STATE] != State.CONFIRMED,
            table[ROW].astype(np.int64),
            table[BORN],
            table[SEEN],
            table[LOOKS],
        )


def _at_rest(boxes: F64) -> F64:
    """Float64 (WHOLE, N), as `Motion` of each of the boxes (4, N)."""
    new = np.zeros((WHOLE, boxes.shape[1]))
    x1, y1, x2, y2 = boxes
    new[W], new[H] = x2 - x1, y2 - y1
    new[X], new[Y] = x1 + new[W] / 2, y1 + new[H] / 2
    new[SIZE] = np.sqrt(new[W]) * np.sqrt(new[H])
    for first, noise in ((CENTRE_A, CENTRE), (SIDES_A, SIDES)):
        new[first] = (noise.measurement * new[SIZE]) ** 2
        new[first + 2] = (noise.velocity * new[SIZE]) ** 2
    return new


def _where(mask: Array) -> list[int]:
    places: list[int] = np.flatnonzero(mask).tolist()
    return places


def _boxes(table: F64) -> F64:
    """Float64 (4, N), as `Motion.box`."""
    half = np.maximum(table[W : H + 1], table[SIZE] / 8) / 2
    return np.concatenate([table[X : Y + 1] - half, table[X : Y + 1] + half])


def _predict(table: F64, centre: Step, sides: Step) -> None:
    """As `Motion.predict`."""
    area = table[SIZE] ** 2
    spans = np.array([centre, sides]).T[:, :, None]
    reach, decay, position, cross, velocity = spans
    table[PLACES] += reach[BOTH] * table[VELOCITIES]
    table[VELOCITIES] *= decay[BOTH]
    a, b, c = table[A], table[B], table[C]
    table[A], table[B], table[C] = (
        a + reach * (2 * b + reach * c) + area * position,
        decay * (b + reach * c) + area * cross,
        decay * decay * c + area * velocity,
    )


def _update(table: F64, boxes: F64, noise: F64) -> None:
    """As `Motion.update`."""
    sides = boxes[2:] - boxes[:2]
    w, h = np.sqrt(sides)
    table[SIZE] = w * h
    measurement = table[SIZE] ** 2 * noise * MEASUREMENT
    a, b, c = table[A], table[B], table[C]
    whole = a + measurement
    gain, rate, rest = a / whole, b / whole, measurement / whole
    off = np.concatenate([boxes[:2] + sides / 2, sides]) - table[PLACES]
    table[PLACES] += gain[BOTH] * off
    table[VELOCITIES] += rate[BOTH] * off
    table[A], table[B], table[C] = a * rest, b * rest, c - rate * b


def _keep_whole(table: F64, boxes: F64, time: float) -> None:
    """As `Whole.look`."""
    shown = ((boxes[2:] - boxes[:2]) / table[WHOLE + W : WHOLE + H + 1]).min(axis=0)
    table[PARTLY] = shown < PART_SHARE
    anew = (shown >= WHOLE_SHARE) | (time - table[WHOLE_TIME] > SPAN)
    np.copyto(table[WHOLE : 2 * WHOLE], table[:WHOLE], where=anew)
    np.copyto(table[WHOLE_TIME], time, where=anew)
