"""Which detection continues which track: gates, costs, and the passes in which they are matched.

Sources: Bewley et al., ICIP 2016 (overlap with the predicted box, assigned as a whole); Zhang et
al., "ByteTrack", ECCV 2022 (a second pass for low scores); Yang et al., "Hybrid-SORT", AAAI 2024
(overlap of heights in the cost).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import hypot, log

import numpy as np

from tracker.assignment import Pair, assign
from tracker.life import Detection, Track
from tracker.motion import Box

REACH = 1.5  # standard deviations that a centre may be off in the pass by distance
ZOOM = 0.6  # change of the size from look to look that is too much there, e-folds
LEAST_SIDE = 0.6  # share of one side of a hidden face that its part must have: behind a pillar, its height
INSIDE = 0.8  # share of a part's area that must lie where the whole face may be
SCALAR_PAIRS = 400  # above it, NumPy compares all boxes with all sooner than a loop does


Rule = Callable[[Sequence[Track], Sequence[Detection]], list[tuple[int, int]]]


def by_overlap(least: float) -> Rule:
    """Match predicted boxes with faces by an IoU of `least` or more."""

    def match(tracks: Sequence[Track], faces: Sequence[Detection]) -> list[tuple[int, int]]:
        compare = overlaps if len(tracks) * len(faces) <= SCALAR_PAIRS else overlaps_of_many
        return assign(compare([track.motion.box for track in tracks], [face.box for face in faces], least))

    return match


def by_distance(tracks: Sequence[Track], faces: Sequence[Detection]) -> list[tuple[int, int]]:
    """Match by centres, for faces that move more than their size between two looks.

    How far off a centre may be follows from how unsure the track is, so it grows with the time unseen.
    """
    pairs: list[Pair] = []
    for i, track in enumerate(tracks):
        ax1, ay1, ax2, ay2 = track.motion.box
        reach = REACH * track.motion.doubt
        for j, face in enumerate(faces):
            bx1, by1, bx2, by2 = face.box
            off = hypot(ax1 + ax2 - bx1 - bx2, ay1 + ay2 - by1 - by2) / 2
            if off < reach:
                zoom = abs(log((bx2 - bx1) * (by2 - by1) / ((ax2 - ax1) * (ay2 - ay1)))) / 2
                cost = off / reach + zoom / ZOOM
                if cost < 1:
                    pairs.append((cost, i, j))
    return assign(pairs)


def by_part(tracks: Sequence[Track], faces: Sequence[Detection]) -> list[tuple[int, int]]:
    """Match hidden tracks with what shows of them again: a smaller box, most of it where the whole should be.

    The whole may be off by how unsure the track is. Only tracks that were seen to go into hiding come here:
    for all that are lost, the rule hands ids to other people (half a point of HOTA less on MOT17).
    """
    pairs: list[Pair] = []
    for i, track in enumerate(tracks):
        ax1, ay1, ax2, ay2 = track.motion.box
        doubt = track.motion.doubt
        for j, face in enumerate(faces):
            bx1, by1, bx2, by2 = face.box
            w, h = (bx2 - bx1) / (ax2 - ax1), (by2 - by1) / (ay2 - ay1)
            if not LEAST_SIDE <= max(w, h) <= 1:
                continue
            width = max(0.0, min(ax2 + doubt, bx2) - max(ax1 - doubt, bx1))
            height = max(0.0, min(ay2 + doubt, by2) - max(ay1 - doubt, by1))
            share = width * height / ((bx2 - bx1) * (by2 - by1))
            if share >= INSIDE:
                pairs.append((1 - share / 2, i, j))
    return assign(pairs)


def overlaps(predicted: Sequence[Box], found: Sequence[Box], least: float) -> list[Pair]:
    """Pairs with an IoU of `least` or more; cost 1 - IoU x overlap of heights."""
    pairs: list[Pair] = []
    for i, (ax1, ay1, ax2, ay2) in enumerate(predicted):
        area = (ax2 - ax1) * (ay2 - ay1)
        for j, (bx1, by1, bx2, by2) in enumerate(found):
            width = (ax2 if ax2 < bx2 else bx2) - (ax1 if ax1 > bx1 else bx1)
            if width <= 0:
                continue
            height = (ay2 if ay2 < by2 else by2) - (ay1 if ay1 > by1 else by1)
            if height <= 0:
                continue
            shared = width * height
            iou = shared / (area + (bx2 - bx1) * (by2 - by1) - shared)
            if iou >= least:
                span = (ay2 if ay2 > by2 else by2) - (ay1 if ay1 < by1 else by1)
                pairs.append((1 - iou * height / span, i, j))
    return pairs


def overlaps_of_many(predicted: Sequence[Box], found: Sequence[Box], least: float) -> list[Pair]:
    """The same as `overlaps`, by arrays."""
    a, b = np.array(predicted).T[:, :, None], np.array(found).T[:, None, :]
    width = np.minimum(a[2], b[2]) - np.maximum(a[0], b[0])
    height = np.minimum(a[3], b[3]) - np.maximum(a[1], b[1])
    i, j = np.nonzero((width > 0) & (height > 0))
    a, b = a[:, i, 0], b[:, 0, j]
    height = height[i, j]
    shared = width[i, j] * height
    iou = shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)
    span = np.maximum(a[3], b[3]) - np.minimum(a[1], b[1])
    near = iou >= least
    cost = 1 - iou * height / span
    return list(zip(cost[near].tolist(), i[near].tolist(), j[near].tolist(), strict=True))
