"""Tracks as a table, a column each, and as objects: the same, to and fro."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.types import F64
from tracker.hidden import Whole
from tracker.life import State, Track
from tracker.motion import Motion, Values

# Rows of the table. A motion is fifteen of them: centre and sides, their velocities, the variances of the
# centre (position, covariance, velocity) and of the sides, and the size.
X, Y, W, H, VX, VY, VW, VH, CENTRE_A, CENTRE_B, CENTRE_C, SIDES_A, SIDES_B, SIDES_C, SIZE = range(15)
WHOLE = 15  # the same fifteen again, of the last look at all of the face
WHOLE_TIME, PARTLY, HIDDEN, ID, STATE, BORN, SEEN, LOOKS, SCORE, ROW = range(30, 40)
BOX = slice(40, 44)  # where it was last seen
FIELDS = 44


def to_table(tracks: Sequence[Track]) -> F64:
    """Float64 (FIELDS, N)."""
    return np.array([_column(track) for track in tracks], np.float64).reshape(-1, FIELDS).T.copy()


def from_table(table: F64) -> list[Track]:
    """The tracks of a table."""
    return [_track(column) for column in table.T.tolist()]


def _column(track: Track) -> list[float]:
    whole = track.whole
    return [
        *_flat(track.motion.values()),
        *_flat(whole.motion),
        whole.time,
        whole.partly,
        track.hidden,
        track.id,
        track.state,
        track.born,
        track.seen,
        track.looks,
        track.score,
        track.row,
        *track.box,
    ]


def _flat(values: Values) -> list[float]:
    *places, centre, sides, size = values
    return [*places, *centre, *sides, size]


def _track(column: list[float]) -> Track:
    track = object.__new__(Track)
    x1, y1, x2, y2 = column[BOX]
    track.motion = Motion.of(_values(column[:WHOLE]))
    whole = Motion.of(_values(column[WHOLE : 2 * WHOLE]))
    track.whole = Whole(whole, column[WHOLE_TIME], bool(column[PARTLY]))
    track.hidden = bool(column[HIDDEN])
    track.id, track.state = int(column[ID]), State(int(column[STATE]))
    track.born, track.seen = column[BORN], column[SEEN]
    track.looks, track.score, track.row = int(column[LOOKS]), column[SCORE], int(column[ROW])
    track.box = (x1, y1, x2, y2)
    return track


def _values(flat: list[float]) -> Values:
    x, y, w, h, vx, vy, vw, vh, *variances, size = flat
    a, b, c, d, e, f = variances
    return x, y, w, h, vx, vy, vw, vh, (a, b, c), (d, e, f), size
