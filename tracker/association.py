"""Which detection may continue which track, and at what cost.

Sources: Bewley et al., ICIP 2016 (overlap with the predicted box, assigned as a whole); Zhang et
al., "ByteTrack", ECCV 2022 (a second pass for low scores); Yang et al., "Hybrid-SORT", AAAI 2024
(overlap of heights in the cost).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import hypot, log, sqrt

import numpy as np

from core.types import F64, I64
from tracker.assignment import Pair
from tracker.motion import Box

FARTHEST = 2.0  # sizes that a centre may be off in the pass by distance, however unsure the track is
ZOOM = 0.5  # change of the size from look to look that is too much in the pass by distance, e-folds
LEAST_SIDE = 0.6  # share of one side of a hidden face that its part must have: behind a pillar, its height
INSIDE = 0.8  # share of a part's area that must lie where the whole face may be
SCORE = 0.2  # cost of a score that differs by 1 from the last one: whoever was half hidden still is

Place = tuple[int, Box, float]  # a track, its box, the standard deviation of its centre in pixels
Scored = tuple[int, Box, float]  # a track or detection, its box, its last score


def by_distance(tracks: Sequence[Place], faces: Sequence[Scored], reach: float) -> list[Pair]:
    """Pairs whose centres are near, for faces that move more than their size between two looks.

    How far off a centre may be, `reach` standard deviations, follows from how unsure the track is, so it
    grows with the time unseen; but not for ever: in a group photograph the next face is near.
    """
    pairs: list[Pair] = []
    for i, (ax1, ay1, ax2, ay2), doubt in tracks:
        farthest = min(reach * doubt, FARTHEST * sqrt((ax2 - ax1) * (ay2 - ay1)))
        for j, (bx1, by1, bx2, by2), _ in faces:
            off = hypot(ax1 + ax2 - bx1 - bx2, ay1 + ay2 - by1 - by2) / 2
            if off < farthest:
                zoom = abs(log((bx2 - bx1) * (by2 - by1) / ((ax2 - ax1) * (ay2 - ay1)))) / 2
                cost = off / farthest + zoom / ZOOM
                if cost < 1:
                    pairs.append((cost, i, j))
    return pairs


def by_part(tracks: Sequence[Place], faces: Sequence[Scored]) -> list[Pair]:
    """Pairs of a hidden track and what shows of it again: a smaller box, mostly where the whole should be.

    The whole may be off by how unsure the track is. Only tracks that were seen to go into hiding come here:
    for all that are lost, the rule hands ids to other people (half a point of HOTA less on MOT17).
    """
    pairs: list[Pair] = []
    for i, (ax1, ay1, ax2, ay2), doubt in tracks:
        for j, (bx1, by1, bx2, by2), _ in faces:
            w, h = (bx2 - bx1) / (ax2 - ax1), (by2 - by1) / (ay2 - ay1)
            if not LEAST_SIDE <= max(w, h) <= 1:
                continue
            width = max(0.0, min(ax2 + doubt, bx2) - max(ax1 - doubt, bx1))
            height = max(0.0, min(ay2 + doubt, by2) - max(ay1 - doubt, by1))
            share = width * height / ((bx2 - bx1) * (by2 - by1))
            if share >= INSIDE:
                pairs.append((1 - share / 2, i, j))
    return pairs


def overlaps(tracks: Sequence[Scored], faces: Sequence[Scored], least: float) -> list[Pair]:
    """Pairs with an IoU of `least` or more; the faces come from left to right.

    The cost is 1 - (IoU x overlap of heights)^1.5, so that one good pair goes before two poor ones, and a
    little for a score that changed.
    """
    pairs: list[Pair] = []
    for i, (ax1, ay1, ax2, ay2), before in tracks:
        area = (ax2 - ax1) * (ay2 - ay1)
        for j, (bx1, by1, bx2, by2), score in faces:
            if bx1 >= ax2:
                break
            if bx2 <= ax1 or by1 >= ay2 or by2 <= ay1:
                continue
            height = (ay2 if ay2 < by2 else by2) - (ay1 if ay1 > by1 else by1)
            shared = ((ax2 if ax2 < bx2 else bx2) - (ax1 if ax1 > bx1 else bx1)) * height
            iou = shared / (area + (bx2 - bx1) * (by2 - by1) - shared)
            if iou >= least:
                span = (ay2 if ay2 > by2 else by2) - (ay1 if ay1 < by1 else by1)
                near = iou * height / span
                cost = 1 - near * sqrt(near) + SCORE * abs(score - before)
                if cost < 1:
                    pairs.append((cost, i, j))
    return pairs


def overlaps_of_many(tracks: F64, faces: F64, before: F64, scores: F64, least: float) -> tuple[F64, I64, I64]:
    """The same as `overlaps`, by arrays.

    Args:
        tracks, faces: float64 (4, N) and (4, M), boxes.
        before, scores: float64 (N,) and (M,), last scores of the tracks, and of the detections.
        least: IoU.

    Returns:
        Costs, and the places of the tracks and of the detections in these arrays.
    """
    each = tracks[:, :, None]
    touching = (each[0] < faces[2]) & (faces[0] < each[2]) & (each[1] < faces[3]) & (faces[1] < each[3])
    places = np.flatnonzero(touching)  # several times faster than by two axes
    i = places // faces.shape[1]
    j = places - i * faces.shape[1]
    a, b = tracks.take(i, axis=1), faces.take(j, axis=1)
    width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    (aw, ah), (bw, bh) = a[2:] - a[:2], b[2:] - b[:2]
    shared = width * height
    iou = shared / (aw * ah + bw * bh - shared)
    near = iou * height / (np.maximum(a[3], b[3]) - np.minimum(a[1], b[1]))
    cost = 1 - near * np.sqrt(near) + SCORE * np.abs(scores.take(j) - before.take(i))
    allowed = np.flatnonzero((iou >= least) & (cost < 1))
    return cost.take(allowed), i.take(allowed), j.take(allowed)


def overlap(a: Box, b: Box) -> float:
    """IoU of two boxes."""
    shared = _shared(a, b)
    return shared / (_area(a) + _area(b) - shared)


def covered(box: Box, others: Iterable[Box]) -> float:
    """Largest share of a box that another one covers."""
    return max((_shared(box, other) for other in others), default=0.0) / _area(box)


def _shared(a: Box, b: Box) -> float:
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
