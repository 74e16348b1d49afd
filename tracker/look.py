"""One look: which detection of a frame continues which track, in passes from the surest to the boldest."""

from __future__ import annotations

from collections.abc import Sequence

from core.types import Array
from tracker.appearance import Appearances, Prints
from tracker.assignment import Pair, assign
from tracker.association import by_distance, by_part
from tracker.few import Few, Noises
from tracker.found import Found
from tracker.many import Many
from tracker.presets import Points, Preset

Indices = list[int]


class Look:
    """The detections of a frame meet the tracks.

    Attributes:
        high: detections that may continue any track and are not taken yet.
        low: the same of those that may only continue a track that was seen just now.
        taken: detections that continue a track.
    """

    def __init__(
        self, tracks: Few | Many, found: Found, rules: tuple[Preset, Points], noise: Noises, time: float
    ) -> None:
        """Begin a look.

        Args:
            tracks: predicted to `time`.
            found: the detections.
            rules: how what is tracked moves, and what scores mean.
            noise: by how much the variance of a detection of a score is multiplied.
            time: seconds.
        """
        preset, points = rules
        self._tracks, self._found, self._time = tracks, found, time
        self._preset, self._noise = preset, noise
        self._prints: Prints | None = None
        self.high = [j for j, score in enumerate(found.scores) if score >= points.match]
        self.low = [j for j, score in enumerate(found.scores) if points.low <= score < points.match]
        self.taken: Indices = []

    def know(self, appearances: Appearances, prints: Array) -> None:
        """The prints of the detections, (N, D) as in `found`, have a say where places are unclear."""
        tracks = self._tracks
        ids = dict(enumerate(tracks.ids(range(len(tracks)))))
        self._prints = Prints(appearances, prints, ids, set(tracks.lost()))

    def match(self, group: Indices, low_since: float) -> None:
        """Let tracks find their faces; those of low score only tracks that were seen since then."""
        if not group or not (self.high or self.low):
            return
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
                self._take(hidden, self.high, by_part(places, faces))

    def recognise(self) -> None:
        """Lost tracks find their faces by the prints alone."""
        if self._prints is not None:
            lost = self._tracks.lost()
            self._take(lost, self.high, self._prints.recognise(lost, self.high))

    def _overlapping(self, group: Indices, faces: Indices, least: float) -> Indices:
        if not group or not faces:
            return group
        return self._take(group, faces, self._tracks.overlaps(group, faces, self._found, least))

    def _take(self, group: Indices, faces: Indices, pairs: Sequence[Pair]) -> Indices:
        """Choose among pairs; faces that are taken leave `faces`, the tracks that are left come back."""
        if self._prints is not None:
            pairs = self._prints.weigh(pairs)
        if not pairs:
            return group
        chosen = assign(pairs)
        self._tracks.find(chosen, self._found, self._time, self._noise)
        self.taken += [face for _, face in chosen]
        if len(chosen) == len(faces):
            faces.clear()
        else:
            taken = {face for _, face in chosen}
            faces[:] = [face for face in faces if face not in taken]
        matched = {track for track, _ in chosen}
        return [track for track in group if track not in matched]
