"""One look: which detection of a frame continues which track, in passes from the surest to the boldest."""

from __future__ import annotations

from collections.abc import Sequence

from core.types import Array
from tracker.appearance import Appearances, Prints
from tracker.assignment import Pair, assign
from tracker.association import by_distance, by_part
from tracker.few import Few
from tracker.found import Found
from tracker.many import Many
from tracker.presets import Points, Preset
from tracker.trust import Trust

Indices = list[int]


class Look:
    """The detections of a frame meet the tracks.

    Attributes:
        high: detections that may continue any track and are not taken yet.
        low: the same of those that may only continue a track that was seen just now.
        taken: detections that continue a track.
    """

    __slots__ = ("_found", "_preset", "_prints", "_time", "_tracks", "_trust", "high", "low", "taken")

    def __init__(
        self, tracks: Few | Many, found: Found, rules: tuple[Preset, Points], trust: Trust, time: float
    ) -> None:
        """Begin a look.

        Args:
            tracks: predicted to `time`.
            found: the detections.
            rules: how what is tracked moves, and what scores mean.
            trust: how far a detection of a score is trusted.
            time: seconds.
        """
        preset, points = rules
        self._tracks, self._found, self._time = tracks, found, time
        self._preset, self._trust = preset, trust
        self._prints: Prints | None = None
        self.high: Indices = []
        self.low: Indices = []
        self.taken: Indices = []
        match, low = points.match, points.low
        for j, score in enumerate(found.scores):
            if score >= match:
                self.high.append(j)
            elif score >= low:
                self.low.append(j)

    def know(self, appearances: Appearances, prints: Array) -> None:
        """The prints of the detections, (N, D) as in `found`, have a say where places are unclear."""
        tracks = self._tracks
        ids = dict(enumerate(tracks.ids(range(len(tracks)))))
        self._prints = Prints(appearances, prints, ids, set(tracks.lost()))

    def match(self, group: Indices, low_since: float) -> Indices:
        """Let tracks find their faces, those of low score only tracks that were seen since then.

        Returns:
            The tracks that found none.
        """
        if not group or not (self.high or self.low):
            return group
        preset, tracks = self._preset, self._tracks
        group = self._overlapping(group, self.high, preset.min_iou)
        if group and self.low:
            recent = tracks.recent(group, low_since)
            left = self._overlapping(recent, self.low, preset.low_iou)
            if len(left) < len(recent):
                found = set(recent).difference(left)
                group = [i for i in group if i not in found]
        if group and self.high and preset.reach:
            places, faces = tracks.places(group), self._found.take(self.high)
            group = self._take(group, self.high, by_distance(places, faces, preset.reach))
            hidden = tracks.hidden(group)
            if hidden and self.high:
                places, faces = tracks.places(hidden), self._found.take(self.high)
                left = self._take(hidden, self.high, by_part(places, faces))
                if len(left) < len(hidden):
                    found = set(hidden).difference(left)
                    group = [i for i in group if i not in found]
        return group

    def recognise(self, group: Indices) -> None:
        """Tracks that found no face in their place find it by the prints alone."""
        if self._prints is not None:
            chosen = assign(self._prints.recognise(group, self.high))
            self._tracks.restart(chosen, self._found)
            self._follow(chosen, group, self.high)

    def _overlapping(self, group: Indices, faces: Indices, least: float) -> Indices:
        if not group or not faces:
            return group
        return self._take(group, faces, self._tracks.overlaps(group, faces, self._found, least))

    def _take(self, group: Indices, faces: Indices, pairs: Sequence[Pair]) -> Indices:
        """Choose among pairs; faces that are taken leave `faces`, the tracks that are left come back."""
        if self._prints is not None:
            pairs = self._prints.weigh(pairs)
        return self._follow(assign(pairs), group, faces) if pairs else group

    def _follow(self, chosen: Sequence[tuple[int, int]], group: Indices, faces: Indices) -> Indices:
        self._tracks.find(chosen, self._found, self._time, self._trust)
        for _, face in chosen:
            self.taken.append(face)
        faces[:] = _left(faces, chosen, 1)
        return _left(group, chosen, 0)


def _left(some: Indices, chosen: Sequence[tuple[int, int]], side: int) -> Indices:
    """Those that are on this side of none of the pairs chosen among them."""
    if len(chosen) == len(some):
        return []
    gone = {pair[side] for pair in chosen}
    return [one for one in some if one not in gone]
