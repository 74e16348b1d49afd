"""Which detection continues which track of the published tracker, by plain numbers or by arrays.

The published rule: if the pairs with an IoU above the bound share no row and no column, they are the
matches. Otherwise the sum of all IoU is made as great as possible over the whole table, without a
bound, and pairs below it are released. That sum has ties, of all that do not overlap; how SciPy breaks
them decides which id a new track gets, so that nothing less than its answer for the whole table will do.
Only of pairs that overlap is the IoU ever computed; the rest of the table is zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.types import F64, I64
from tracker.assignment import by_scipy

MARGIN = 1e-9  # of IoU; sums of doubles are a million times as exact

Corners = tuple[float, float, float, float, float]  # x1 y1 x2 y2 and the area between
Found = tuple[float, float, float, float, float, int]  # the same, and which row of the detections it was


def match(found: Sequence[Found], tracks: Sequence[Corners], least: float) -> tuple[list[int], list[int]]:
    """Place in `found` of each track's detection, -1 for none; and the places that begin tracks, in order."""
    count = len(tracks)
    if len(found) == count == 1:
        return ([0], []) if _iou(found[0], tracks[0]) >= least else ([-1], [0])
    places, alone = [-1] * count, list(range(len(found)))
    if not found or not tracks:
        return places, alone
    overlaps: dict[int, float] = {}  # by the place in the table
    near, plain, start = 0, True, -count
    for i, (ax1, ay1, ax2, ay2, area, _) in enumerate(found):
        start += count
        for j, (bx1, by1, bx2, by2, other) in enumerate(tracks):
            if ax1 < bx2 and bx1 < ax2 and ay1 < by2 and by1 < ay2:
                width = (ax2 if ax2 < bx2 else bx2) - (ax1 if ax1 > bx1 else bx1)
                shared = width * ((ay2 if ay2 < by2 else by2) - (ay1 if ay1 > by1 else by1))
                overlaps[start + j] = overlap = shared / (area + other - shared)
                if overlap > least:
                    plain = plain and places[j] < 0 <= alone[i]
                    places[j], alone[i] = i, -1
                    near += 1
    if not plain or not near:
        clear = _match_clear(overlaps, len(found), count, least) if max(alone) < 0 else []
        return (clear, []) if clear else _match_whole(overlaps, len(found), count, least)
    return places, [] if near == len(found) else [i for i in alone if i >= 0]


def _iou(a: Found, b: Corners) -> float:
    """IoU of two boxes."""
    ax1, ay1, ax2, ay2, area, _ = a
    bx1, by1, bx2, by2, other = b
    if ax1 < bx2 and bx1 < ax2 and ay1 < by2 and by1 < ay2:
        width = (ax2 if ax2 < bx2 else bx2) - (ax1 if ax1 > bx1 else bx1)
        shared = width * ((ay2 if ay2 < by2 else by2) - (ay1 if ay1 > by1 else by1))
        return shared / (area + other - shared)
    return 0.0


def _match_clear(overlaps: dict[int, float], rows: int, columns: int, least: float) -> list[int]:
    """The places if the greatest sum is plain to see; empty if not.

    It is if no detection is without a track, and each overlaps one the most, by a `MARGIN` and beyond the
    bound, that is nobody else's favourite: any other assignment of all detections then sums to less.
    """
    if rows > columns or least <= 0:
        return []
    best, second, favourites = [least] * rows, [0.0] * rows, [-1] * rows
    for place, overlap in overlaps.items():
        if overlap > least:
            i, j = divmod(place, columns)
            if overlap > best[i]:
                best[i], second[i], favourites[i] = overlap, best[i], j
            elif overlap > second[i]:
                second[i] = overlap
    if len(set(favourites)) < rows or any(a - b < MARGIN for a, b in zip(best, second, strict=True)):
        return []
    places = [-1] * columns
    for i, j in enumerate(favourites):
        places[j] = i
    return places


def _match_whole(
    overlaps: dict[int, float], rows: int, columns: int, least: float
) -> tuple[list[int], list[int]]:
    """The same by the whole table: those left out begin tracks before those released."""
    table = np.zeros(rows * columns)
    for place, overlap in overlaps.items():
        table[place] = -overlap
    chosen = by_scipy(table.reshape(rows, columns))
    places, left, released = [-1] * columns, [True] * rows, []
    for i, j in zip(chosen[0].tolist(), chosen[1].tolist(), strict=True):
        left[i] = False
        if overlaps.get(i * columns + j, 0.0) >= least:
            places[j] = i
        else:
            released.append(i)
    return places, [i for i, alone in enumerate(left) if alone] + released


def match_arrays(found: F64, tracks: F64, least: float) -> tuple[I64, I64]:
    """The same for float64 (5, N) and (5, M): x1, y1, x2, y2, area in rows."""
    places = np.full(tracks.shape[1], -1)
    if not found.size or not tracks.size:
        return places, np.arange(found.shape[1])
    i, j = _touching(found, tracks)
    a, b = found.take(i, axis=1), tracks.take(j, axis=1)
    sides = np.minimum(a[2:4], b[2:4])
    sides -= np.maximum(a[:2], b[:2])
    shared = sides[0] * sides[1]
    overlap = shared / (a[4] + b[4] - shared)
    near = overlap > least
    rows, columns = i[near], j[near]
    free = np.ones(found.shape[1], bool)
    free[rows] = False
    places[columns] = rows
    fresh = np.flatnonzero(free)
    if len(rows) and len(rows) == found.shape[1] - len(fresh) == np.count_nonzero(places >= 0):
        return places, fresh
    table = np.zeros((found.shape[1], tracks.shape[1]))
    table[i, j] = -overlap
    return _match_whole_arrays(table, least)


def _touching(a: F64, b: F64) -> tuple[I64, I64]:
    """Pairs of columns whose boxes share some area, in order."""
    near = np.less.outer(a[0], b[2])
    other = np.greater.outer(a[2], b[0])
    near &= other
    near &= np.less.outer(a[1], b[3], out=other)
    near &= np.greater.outer(a[3], b[1], out=other)
    places = np.flatnonzero(near)
    rows = places // b.shape[1]
    return rows, places - rows * b.shape[1]


def _match_whole_arrays(costs: F64, least: float) -> tuple[I64, I64]:
    rows, columns = by_scipy(costs)
    kept = -costs[rows, columns] >= least
    places = np.full(costs.shape[1], -1)
    places[columns[kept]] = rows[kept]
    left = np.ones(len(costs), bool)
    left[rows] = False
    return places, np.concatenate([np.flatnonzero(left), rows[~kept]])
