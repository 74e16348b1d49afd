"""What is known of the faces of one source around a moment, before and after it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from core.geometry import iou
from core.types import ENDED, F64, SEEN, Evidence, Faces, Result, Tracks
from render.paths import EXACT, Path

_SAME_FACE = 0.15  # overlap by which a face is recognised in the frame before
_ELSEWHERE = 0.1  # overlap under which a detection is of another face
_ALIKE = 0.6  # overlap above which two boxes are covered as one


@dataclass(slots=True, eq=False)
class Moment:
    """One frame's result and, as far as known by now, which detection is which id's."""

    result: Result
    shot: int
    owners: dict[int, int] = field(default_factory=dict)

    @property
    def time(self) -> float:
        """Seconds."""
        return self.result.stamp.time

    def strays(self) -> F64:
        """(K, 4): the detections that belong to nobody."""
        boxes = self.result.faces.boxes
        return boxes[[row for row in range(len(boxes)) if row not in self.owners]]


class Knowledge:
    """Gathers results of one source in their order, and answers about any of the last ones."""

    def __init__(self, reach: float) -> None:
        """`reach`: seconds that a face is thought to be about before and after it was seen."""
        self._reach = reach
        self._shot = 0
        self._moments: deque[Moment] = deque()
        self._paths: dict[int, Path] = {}
        self._beliefs: dict[int, tuple[Evidence, int, float]] = {}

    def add(self, result: Result, cut: bool) -> Moment:
        """Take in a result: where each id is, and where a new one came from."""
        self._shot += cut
        moment = Moment(result, self._shot)
        self._moments.append(moment)
        tracks = result.tracks
        for row, track in enumerate(tracks.ids.tolist()):
            self._beliefs[track] = (result.evidence, row, moment.time)
            if tracks.index[row] < 0 or tracks.states[row] == ENDED:
                continue
            moment.owners[int(tracks.index[row])] = track
            if track in self._paths:
                self._paths[track].add(moment.time, tracks.boxes[row])
            else:
                self._paths[track] = Path(moment.shot, [moment.time], [tracks.boxes[row]])
                self._look_back(self._paths[track], track, float(tracks.born[row]))
        return moment

    def _look_back(self, path: Path, track: int, born: float) -> None:
        """Find the faces of a track in the frames between its birth and its confirmation."""
        for moment in list(self._moments)[-2::-1]:
            if moment.time < born - EXACT or moment.shot != path.shot:
                return
            boxes = moment.result.faces.boxes
            free = [row for row in range(len(boxes)) if row not in moment.owners]
            overlaps = iou(path.boxes[0][None], boxes[free])[0]
            if free and overlaps.max() >= _SAME_FACE:
                row = free[int(overlaps.argmax())]
                moment.owners[row] = track
                path.prepend(moment.time, boxes[row])

    def about(self, moment: Moment) -> tuple[Tracks, Evidence]:
        """The ids in that frame, where they were, and the latest belief about each.

        Ids that were confirmed later are there from their first detection on. A face that was
        missed between two sights is on the line between them.
        """
        tracks = moment.result.tracks.take(moment.result.tracks.states != ENDED)
        boxes = tracks.boxes.copy()
        for row in np.flatnonzero(tracks.index < 0):
            box = self._at(int(tracks.ids[row]), moment)
            boxes[row] = boxes[row] if box is None else box
        known = set(tracks.ids.tolist())
        early = [(i, box) for i in self._paths if i not in known and (box := self._at(i, moment)) is not None]
        parts = [replace(tracks, boxes=boxes), *(self._early(i, box, moment) for i, box in early)]
        together = Tracks.join(parts) if early else parts[0]
        return together, self._belief(together)

    def _at(self, track: int, moment: Moment) -> F64 | None:
        path = self._paths.get(track)
        return path.at(moment.time) if path is not None and path.shot == moment.shot else None

    def _early(self, track: int, box: F64, moment: Moment) -> Tracks:
        """One row: a track that had no id yet."""
        rows = [row for row, owner in moment.owners.items() if owner == track]
        return Tracks(
            ids=np.array([track], np.int64),
            boxes=box[None],
            states=np.array([SEEN], np.uint8),
            faces=moment.result.faces.take(np.array(rows)) if rows else Faces.none(1),
            index=np.array(rows or [-1], np.int64),
            born=np.array([self._paths[track].times[0]]),
            seen=np.array([moment.time]),
            shown=np.ones(1, np.bool_),
        )

    def _belief(self, tracks: Tracks) -> Evidence:
        """The latest rows about these ids, whichever result they came with."""
        latest = [self._beliefs[track][:2] for track in tracks.ids.tolist()]
        if not latest:
            return Evidence.none()
        if all(evidence is latest[0][0] for evidence, _ in latest):
            return latest[0][0].take(np.array([row for _, row in latest]))
        return Evidence(
            *(
                np.stack([getattr(evidence, name)[row] for evidence, row in latest])
                for name in Evidence.__slots__
            )
        )

    def cover(self, moment: Moment, tracks: Tracks) -> F64:
        """Where in that frame there is, or may be, a face: (K, 4), pixels.

        All detections, however doubtful; all ids, seen or predicted; each id for a while before
        its first and after its last sight; and what was taken for a face shortly before or
        after, though it became nobody, unless that place has a face in this very frame.
        """
        about = [
            box
            for path in self._paths.values()
            if path.shot == moment.shot and (box := path.beyond(moment.time, self._reach)) is not None
        ]
        known = [moment.result.faces.boxes, moment.result.tracks.boxes, tracks.boxes]
        boxes = _merge(np.concatenate([*known, np.reshape(about, (-1, 4))]))
        for other in self._near(moment):
            strays = other.strays()
            free = iou(strays, boxes).max(axis=1, initial=0) < _ELSEWHERE
            boxes = np.concatenate([boxes, strays[free]])
        return boxes

    def _near(self, moment: Moment) -> list[Moment]:
        """Those of the same shot within reach, the nearest in time first."""
        near = [
            (abs(other.time - moment.time), other) for other in self._moments if other.shot == moment.shot
        ]
        near = [pair for pair in near if pair[0] <= self._reach + EXACT]
        return [other for _, other in sorted(near, key=lambda pair: pair[0])]

    def forget(self, time: float) -> None:
        """Nobody will ask about moments before that time any more."""
        horizon = time - self._reach
        while self._moments and self._moments[0].time < horizon:
            self._moments.popleft()
        self._beliefs = {i: belief for i, belief in self._beliefs.items() if belief[2] >= horizon}
        self._paths = {
            i: path for i, path in self._paths.items() if i in self._beliefs or path.times[-1] >= horizon
        }
        for path in self._paths.values():
            path.forget(horizon)


def _merge(boxes: F64) -> F64:
    """Boxes that are nearly the same become the one that holds them; rows with NaN go."""
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    alike = iou(boxes, boxes) > _ALIKE
    left = np.ones(len(boxes), bool)
    merged = []
    for row in range(len(boxes)):
        if left[row]:
            group = (alike[row] & left) | (np.arange(len(boxes)) == row)
            left &= ~group
            merged.append([*boxes[group, :2].min(axis=0), *boxes[group, 2:].max(axis=0)])
    return np.array(merged, np.float64).reshape(-1, 4)
