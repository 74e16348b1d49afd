"""The published tracker's tracks as one table: for a crowd, several times faster than plain numbers."""

from __future__ import annotations

from math import inf

import numpy as np

from core.types import F64, I64
from tracker.published.few import BORN, FIELDS, LARGEST, SMALLEST
from tracker.published.overlaps import match_arrays
from tracker.published.rules import Rules

# Rows of the table, in the order of `few.Track.column`.
POSITION, SPEED, VARIANCE = slice(0, 4), slice(4, 7), slice(7, 10)
CROSS, SPEED_VARIANCE = slice(10, 12), slice(12, 14)
UNSEEN, STREAK, ROW, BORN_AT, SEEN_AT = range(14, 19)
BOX, ID, SHOWN = slice(19, 23), 23, slice(19, 24)
MEASUREMENT = np.array([[1.0], [10.0], [10.0]])  # variance of a detection's centre, area, ratio
NOISE = np.array([[0.01], [0.0001]])  # what a frame adds to the variance of speeds; 1 to that of the others
SHARED = np.array([0, 0, 1, 2])  # which of the three is that of x, y, area, ratio


class Many:
    """The living tracks, oldest first."""

    LEAST, MOST = 24, inf  # tracks: below, plain numbers are faster; room between, not to go to and fro

    def __init__(self, rules: Rules, table: F64) -> None:
        self._rules = rules
        self.table = np.array(table, order="C")
        self.size = len(table.T)

    def look(self, detections: F64, hits: int, time: float, next_id: int) -> tuple[F64, int]:
        """As `Few.look`."""
        found, rows = _usable(detections)
        places, fresh = match_arrays(found, corners(self.table), self._rules.min_iou)
        kept = (places >= 0) | (self.table[UNSEEN] < self._rules.max_age)
        table, places = self.table[:, kept], places[kept]
        measured = _measure(found)
        _learn(table, measured, places)
        table[ROW] = np.append(rows, -1)[places]
        table[SEEN_AT, places >= 0] = time
        table[BOX] = corners(table)[:4]
        _predict(table)
        if len(fresh):
            new = _begin(measured[:, fresh], time)
            new[ID] = np.arange(next_id, next_id + len(fresh))
            new[ROW] = rows[fresh]
            table = np.concatenate([table, new], axis=1)
        self.table, self.size = table, table.shape[1]
        shown = (table[UNSEEN] == 0) & (table[STREAK] >= hits)
        return table[SHOWN].T[np.flatnonzero(shown)[::-1]], next_id + len(fresh)


def corners(table: F64) -> F64:
    """float64 (5, N): x1 y1 x2 y2 and the area between, of the states."""
    half = np.empty((2, table.shape[1]))
    np.sqrt(table[2] * table[3], out=half[0])
    half[0] /= 2
    np.divide(table[2], half[0], out=half[1])
    half[1] /= 4
    boxes = np.empty((5, table.shape[1]))
    np.subtract(table[:2], half, out=boxes[:2])
    np.add(table[:2], half, out=boxes[2:4])
    np.multiply(boxes[2] - boxes[0], boxes[3] - boxes[1], out=boxes[4])
    return boxes


def _usable(detections: F64) -> tuple[F64, I64]:
    """Those with a finite box of positive size, float64 (5, N), x1 y1 x2 y2 area; and which rows they are."""
    found = np.array(detections.T, order="C")
    with np.errstate(invalid="ignore", over="ignore"):
        sides = found[2:4] - found[:2]
        good = (found[:2] > -LARGEST) & (found[2:4] < LARGEST) & (sides >= SMALLEST)
        np.multiply(sides[0], sides[1], out=found[4])
    rows = np.flatnonzero(good[0] & good[1])
    return (found if len(rows) == len(detections) else found[:, rows]), rows


def _measure(found: F64) -> F64:
    """float64 (4, N): centre x and y, area, ratio."""
    sides = found[2:4] - found[:2]
    measured = np.empty((4, found.shape[1]))
    np.add(found[:2], sides / 2, out=measured[:2])
    measured[2] = found[4]
    np.divide(sides[0], sides[1], out=measured[3])
    return measured


def _learn(table: F64, measured: F64, places: I64) -> None:
    """Let each track follow the measurement at its place, if it has one."""
    hit = places >= 0
    table[STREAK] *= table[UNSEEN] == 0
    table[STREAK] += hit
    table[UNSEEN] += 1
    table[UNSEEN] *= ~hit
    if not hit.any():
        return
    variance, cross = table[VARIANCE], table[CROSS]
    whole = variance + MEASUREMENT
    gain, rate = variance / whole, cross / whole[:2]
    off = (measured.take(places, axis=1) - table[POSITION]) * hit
    table[POSITION] += gain.take(SHARED, axis=0) * off
    table[SPEED] += rate.take(SHARED[:3], axis=0) * off[:3]
    table[SPEED_VARIANCE] -= rate * cross * hit
    # A variance times (1 - gain) is the gain times the measurement's variance.
    np.copyto(variance, MEASUREMENT * gain, where=hit)
    np.copyto(cross, MEASUREMENT[:2] * rate, where=hit)


def _predict(table: F64) -> None:
    """Move on by a frame."""
    variance, cross, speed_variance = table[VARIANCE], table[CROSS], table[SPEED_VARIANCE]
    table[6] *= table[2] + table[6] > 0  # an area that would vanish stays
    table[:3] += table[SPEED]
    variance[:2] += 2 * cross + speed_variance
    variance += 1
    cross += speed_variance
    speed_variance += NOISE


def _begin(measured: F64, time: float) -> F64:
    new = np.zeros((FIELDS, measured.shape[1]))
    new[POSITION] = measured
    new[4:14] = np.array(BORN)[:, None]
    new[[BORN_AT, SEEN_AT]] = time
    new[BOX] = corners(new)[:4]
    return new
