"""Face prints of the tracks, by which a face is known again after an absence and told from its neighbour.

A print is a unit vector; two are as far apart as their difference is long. The distances below are those of
dlib's network on pictures as a camera gives them: looks at one person are up to 0.35 apart, rarely 0.45;
different people at least 0.3, mostly 0.5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import isnan, nan

import numpy as np

from core.types import F32, Array
from tracker.assignment import Pair

SAME = 0.35  # a print nearer than this may find a track that nothing else does
MARGIN = 0.06  # by which it must be nearer than to any other track
OTHER = 0.5  # a print farther than this cannot be that face
WEIGHT = 2.0  # cost of a distance, where several faces may continue several tracks
SHARE = 0.2  # of a new print in a track's own
REFRESH = 1.0  # s between two prints of a track about which nothing is unclear


class Appearances:
    """The print of each track that has one, by the track's id."""

    def __init__(self) -> None:
        self._prints: dict[int, tuple[F32, float]] = {}

    def __contains__(self, track: object) -> bool:
        return track in self._prints

    def __len__(self) -> int:
        return len(self._prints)

    def due(self, track: int, time: float) -> bool:
        """Whether there is no print of this track, or none of late."""
        return track not in self._prints or time - self._prints[track][1] >= REFRESH

    def check(self, prints: Array, faces: int) -> None:
        """Raise ValueError unless there is a row for each face, as long as those that are known."""
        length = next((len(known) for known, _ in self._prints.values()), None)
        if prints.ndim != 2 or len(prints) != faces or length not in (None, prints.shape[1]):
            wanted = f"({faces}, {'D' if length is None else length})"
            raise ValueError(f"embeddings: expected {wanted}, got {prints.shape}")

    def learn(self, track: int, face: F32, time: float) -> None:
        """A track's face looks like this now; a print that is not known, or of no length, teaches nothing."""
        known = self._prints.get(track)
        mean = face if known is None else (1 - SHARE) * known[0] + SHARE * face
        length = np.linalg.norm(mean)
        if length > 0:  # false for NaN
            self._prints[track] = (np.asarray(mean / length, np.float32), time)

    def forget(self, tracks: Iterable[int]) -> None:
        """These tracks are over."""
        for track in tracks:
            self._prints.pop(track, None)

    def distance(self, track: int, face: F32) -> float:
        """How far a print is from a track's; NaN if one of them is not known."""
        known = self._prints.get(track)
        return nan if known is None else float(np.linalg.norm(known[0] - face))


class Prints:
    """The prints of one frame's faces against those of the tracks.

    Tracks and detections are named by their place, as in the pairs.
    """

    def __init__(self, known: Appearances, faces: Array, ids: dict[int, int], lost: set[int]) -> None:
        """Take them.

        Args:
            known: prints of tracks.
            faces: (N, D), of the detections, NaN where there is none.
            ids: of the tracks.
            lost: which tracks are.
        """
        self._known, self._faces, self._ids, self._lost = known, faces, ids, lost

    def weigh(self, pairs: Sequence[Pair]) -> list[Pair]:
        """The pairs that the prints allow: of lost tracks only if alike, contested ones at another cost."""
        rows = Counter(row for _, row, _ in pairs)
        columns = Counter(column for _, _, column in pairs)
        weighed: list[Pair] = []
        for cost, row, column in pairs:
            contested = rows[row] > 1 or columns[column] > 1
            distance = self._distance(row, column) if contested or row in self._lost else nan
            if isnan(distance):
                weighed.append((cost, row, column))
            elif distance < OTHER:
                shifted = cost + WEIGHT * (distance - SAME) if contested else cost
                weighed.append((min(max(shifted, 0.0), 0.999), row, column))
        return weighed

    def recognise(self, tracks: Sequence[int], faces: Sequence[int]) -> list[Pair]:
        """Pairs of a track and a detection that look alike, and no other of these tracks as much."""
        pairs: list[Pair] = []
        for face in faces:
            known = ((self._distance(track, face), track) for track in tracks)
            near = sorted(pair for pair in known if pair[0] < SAME + MARGIN)
            if near and near[0][0] < SAME and (len(near) == 1 or near[1][0] - near[0][0] > MARGIN):
                pairs.append((*near[0], face))
        return pairs

    def _distance(self, track: int, face: int) -> float:
        return self._known.distance(self._ids[track], self._faces[face])
