"""Tells faces that never move from people: posters, screens that stand, mannequins."""

from __future__ import annotations

import math
from collections.abc import Set
from dataclasses import dataclass

import numpy as np

from core.types import F64, I64, SEEN, Tracks

_MOVED = 0.10  # of the face's size: a middle that goes further away has moved
_TURNED = 0.08  # of the distance of the eyes: a nose that goes further, seen from them, has turned
_NOISE = 1.5  # px that a box of a small face trembles by at the most
_SAME_PLACE = 0.15  # of the face's size, within which a known one is found again
_AGAIN = 3.0  # s without moving after which a face at a known place is the known one
_PLACES = 100  # known places


@dataclass(slots=True)
class _Pose:
    """Where a face was, and since when it has been there."""

    where: F64  # (4,): middle and size of the box, px
    nose: F64  # (2,): its place seen from the eyes, in their distance; NaN if not known
    since: float


class Still:
    """Watches the tracks of one source.

    People breathe, turn and shift their weight: nobody holds a face within a tenth of its size, and
    its nose within a twelfth of the eyes' distance, for a minute. What does is `static`, until it moves
    after all. A track that begins where a static one was counts as static after a few seconds.

    Attributes:
        ids: tracks that are static now.
    """

    def __init__(self, after: float | None) -> None:
        """`after`: seconds without moving; None: nothing is ever static."""
        self.ids: frozenset[int] = frozenset()
        self._after = math.inf if after is None else after
        self._poses: dict[int, _Pose] = {}
        self._places: list[F64] = []  # (4,) each, the newest last

    def moving(self, tracks: Tracks) -> I64:
        """The rows of the tracks that are not static: those that may be looked at, int64 (M,)."""
        return np.flatnonzero(~np.isin(tracks.ids, list(self.ids)))

    def update(self, tracks: Tracks, time: float) -> Set[int]:
        """The ids of the static tracks of this frame.

        Args:
            tracks: of this frame.
            time: of this frame, seconds.
        """
        if self._after == math.inf:
            return self.ids
        ids = tracks.ids.tolist()
        for row in np.flatnonzero((tracks.states == SEEN) & (tracks.index >= 0)).tolist():
            self._watch(ids[row], tracks, row, time)
        if len(self._poses) > len(ids):
            self._poses = {track: pose for track, pose in self._poses.items() if track in ids}
        static = frozenset(track for track, pose in self._poses.items() if self._is_static(track, pose, time))
        for track in static - self.ids:
            self._remember(self._poses[track].where)
        self.ids = static
        return static

    def _watch(self, track: int, tracks: Tracks, row: int, time: float) -> None:
        where, nose = _place(tracks.faces.boxes[row]), _nose(tracks.faces.landmarks[row].astype(np.float64))
        pose = self._poses.get(track)
        if pose is None or _apart(where, pose.where, _MOVED) or _turned(nose, pose.nose):
            self._poses[track] = _Pose(where, nose, time)

    def _is_static(self, track: int, pose: _Pose, time: float) -> bool:
        known = track in self.ids or any(not _apart(pose.where, place, _SAME_PLACE) for place in self._places)
        return time - pose.since >= (min(_AGAIN, self._after) if known else self._after)

    def _remember(self, where: F64) -> None:
        self._places = [place for place in self._places if _apart(place, where, _SAME_PLACE)][1 - _PLACES :]
        self._places.append(where)


def _place(box: F64) -> F64:
    """Middle and size, (4,) px, of a box x1 y1 x2 y2."""
    return np.concatenate([(box[:2] + box[2:]) / 2, box[2:] - box[:2]])


def _apart(a: F64, b: F64, share: float) -> bool:
    return bool(np.abs(a - b).max() > max(share * float(b[2:].mean()), _NOISE))


def _nose(points: F64) -> F64:
    """Where the nose lies, seen from the middle of the eyes, in their distance; points (5, 2) px."""
    left, right, nose = points[:3]
    between = float(np.hypot(*(right - left)))
    return (nose - (left + right) / 2) / between if between > 0 else np.full(2, np.nan)


def _turned(now: F64, before: F64) -> bool:
    """NaN, where landmarks are not known, is no turn."""
    return bool(np.abs(now - before).max() > _TURNED)
