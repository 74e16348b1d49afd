"""What a tracker says of its tracks: rows of `Tracks`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.types import BYTE, DOUBLE, ENDED, I64, LONG, Faces, Tracks
from tracker.association import covered
from tracker.life import Ended, Living

BEHIND = 0.2  # share of a box that another one covers, from which that is why it is not seen
NEARER = 0.02  # of its height that the lower edge of what covers it may be above its own
ESTABLISHED = 10  # looks after which a track is believed in though something covers it


def coasting(living: Living, since: float, only_covered: bool) -> list[int]:
    """Which rows are unseen, but for so short a time that they are most likely still there.

    Args:
        living: the tracks.
        since: seconds; those that were last seen before it are not shown.
        only_covered: show of those unseen only tracks of some standing, behind one that is seen.
    """
    return [
        i
        for i, lost in enumerate(living.lost)
        if lost and living.seen[i] >= since and (not only_covered or _is_behind(living, i))
    ]


def _is_behind(living: Living, i: int) -> bool:
    if living.looks[i] < ESTABLISHED:
        return False
    box = living.boxes[i]
    lowest = box[3] - NEARER * (box[3] - box[1])
    seen = (other for other, lost in zip(living.boxes, living.lost, strict=True) if not lost)
    return covered(box, (other for other in seen if other[3] >= lowest)) > BEHIND


def to_tracks(living: Living, faces: Faces | None, coasting: Sequence[int]) -> Tracks:
    """The living tracks, one at least; `faces` is what their rows point into, `coasting` are shown unseen."""
    lost, index = np.array(living.lost), np.array(living.rows, LONG)
    shown = ~lost
    if coasting:
        shown[coasting] = True
    return Tracks(
        np.array(living.ids, LONG),
        np.array(living.boxes, DOUBLE),
        lost.view(BYTE),  # SEEN is 0, LOST is 1
        _faces(faces, living, index),
        index,
        np.array(living.born, DOUBLE),
        np.array(living.seen, DOUBLE),
        shown,
    )


def _faces(faces: Faces | None, living: Living, index: I64) -> Faces:
    if faces is None:
        return Faces.none(len(index))
    return faces.pick(index) if -1 in living.rows else faces.take(index)


def with_ended(tracks: Tracks, ended: Sequence[Ended]) -> Tracks:
    """The same with a last row for each track that ended, where it was last seen; all by id."""
    n = len(ended)
    over = Tracks(
        ids=np.array([track.id for track in ended], np.int64),
        boxes=np.array([track.box for track in ended], np.float64),
        states=np.full(n, ENDED, np.uint8),
        faces=Faces.none(n),
        index=np.full(n, -1, np.int64),
        born=np.array([track.born for track in ended], np.float64),
        seen=np.array([track.seen for track in ended], np.float64),
        shown=np.zeros(n, np.bool_),
    )
    return by_id([tracks, over])


def by_id(parts: Sequence[Tracks]) -> Tracks:
    """The rows of all parts in the order of their ids."""
    joined = Tracks.join(parts)
    return joined.take(np.argsort(joined.ids))
