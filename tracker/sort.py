"""SORT in seconds: predict each track, match the faces of the frame, begin and end tracks."""

from __future__ import annotations

from math import inf, isfinite

import numpy as np

from core.settings import TrackerConfig
from core.types import ENDED, I64, LOST, SEEN, Array, Faces, Tracks
from tracker.association import Rule, by_distance, by_overlap, by_part
from tracker.life import Detection, State, Track
from tracker.looks import Looks
from tracker.motion import CENTRE, SIDES, step

COLUMNS = {State.CONFIRMED: SEEN, State.LOST: LOST, State.ENDED: ENDED}
LOW_GAP = 0.5  # s unseen up to which a face of low score may continue a track
SMALLEST, LARGEST = 1e-3, 1e7  # px, sides and coordinates beyond which a box is no face


class Sort:
    """Tracker of one source's faces. A track has an id from its confirmation to its end.

    Source: Bewley et al., "Simple online and realtime tracking", ICIP 2016; time is in seconds here,
    a track is confirmed once and for all, and low scores get a second pass.
    """

    def __init__(self, config: TrackerConfig) -> None:
        self._config = config
        self._tracks: list[Track] = []
        self._looks = Looks()
        self._time = -inf
        self._ids = 0

    def update(
        self,
        faces: Faces | None,
        time: float,
        *,
        cut: bool = False,
        embeddings: Array | None = None,  # noqa: ARG002 - appearance is not used yet
    ) -> Tracks:
        """Take the faces of one frame.

        Args:
            faces: what the detector found, in any order; None: nobody looked. Rows without a
                finite box of positive size and a finite score are passed over.
            time: seconds, not before that of the last call.
            cut: the frame begins another shot: the tracks of the one before end.

        Returns:
            One row for each confirmed track by id: those that live, and those that end now.

        Raises:
            ValueError: `time` is not a number or runs backward; nothing has changed.
        """
        if not isfinite(time) or time < self._time:
            raise ValueError(f"time: expected seconds, {self._time} or later, got {time}")
        self._predict(time)
        if faces is not None:
            self._looks.add(time)
        self._end_old(time, cut)
        if faces is not None:
            self._look(detections(faces), time)
        return self._report(faces)

    def end(self) -> Tracks:
        """The source is over: every track ends."""
        for track in self._tracks:
            track.row = -1
            track.end()
        return self._report(None)

    def _predict(self, time: float) -> None:
        seconds = time - self._time if self._tracks else 0.0
        self._time = time
        centre, sides = step(CENTRE, seconds), step(SIDES, seconds)
        for track in self._tracks:
            track.row = -1
            track.motion.predict(centre, sides)

    def _end_old(self, time: float, cut: bool) -> None:
        longest = self._looks.patience(self._config.max_gap)
        for track in self._tracks:
            if cut or time - track.seen > longest:
                track.end()

    def _look(self, found: list[Detection], time: float) -> None:
        config = self._config
        tracks = [track for track in self._tracks if track.state is not State.ENDED]
        high = [face for face in found if face.score >= config.high_score]
        low = [face for face in found if face.score < config.high_score]
        # Those that have an id choose first: else what shows of a hidden face would begin a track of its own,
        # which then fits the rest of it better than the guess of where the known one should reappear.
        for group in ([t for t in tracks if t.id], [t for t in tracks if not t.id]):
            high, low = self._continue(group, high, low, time)
        for track in tracks:
            if track.row < 0:
                track.miss(time)
        self._tracks += [Track(face, time) for face in high if face.score >= config.birth_score]
        self._confirm()

    def _continue(
        self, tracks: list[Track], high: list[Detection], low: list[Detection], time: float
    ) -> tuple[list[Detection], list[Detection]]:
        """Continue tracks by faces of high and low score; returns the faces that are left."""
        if not tracks:
            return high, low
        tracks, high = _match(tracks, high, time, by_overlap(self._config.min_iou))
        if low:
            recent = [t for t in tracks if time - t.seen <= self._looks.patience(LOW_GAP)]
            _, low = _match(recent, low, time, by_overlap(self._config.low_iou))
            tracks = [track for track in tracks if track.row < 0]
        tracks, high = _match(tracks, high, time, by_distance)
        _, high = _match([track for track in tracks if track.hidden], high, time, by_part)
        return high, low

    def _confirm(self) -> None:
        config = self._config
        for track in self._tracks:
            if track.state is State.TENTATIVE and (
                track.looks >= config.confirm_looks or track.score >= config.confirm_score
            ):
                self._ids += 1
                track.confirm(self._ids)

    def _report(self, faces: Faces | None) -> Tracks:
        """The rows of the confirmed tracks; those that ended are forgotten."""
        rows = sorted((t for t in self._tracks if t.id), key=lambda track: track.id)
        self._tracks = [t for t in self._tracks if t.state is not State.ENDED]
        return to_rows(rows, faces)


def _match(
    tracks: list[Track], faces: list[Detection], time: float, rule: Rule
) -> tuple[list[Track], list[Detection]]:
    """Continue tracks by faces; returns the tracks and the faces that are left."""
    if not tracks or not faces:
        return tracks, faces
    pairs = rule(tracks, faces)
    for i, j in pairs:
        tracks[i].find(faces[j], time)
    taken = {j for _, j in pairs}
    return (
        [track for track in tracks if track.row < 0],
        [face for j, face in enumerate(faces) if j not in taken],
    )


def detections(faces: Faces) -> list[Detection]:
    """The usable rows, from left to right: so their order in `faces` does not matter."""
    found = []
    for row, ((x1, y1, x2, y2), score) in enumerate(
        zip(faces.boxes.tolist(), faces.scores.tolist(), strict=True)
    ):
        # Each comparison is false for NaN.
        if (
            x2 - x1 >= SMALLEST
            and y2 - y1 >= SMALLEST
            and min(x1, y1) >= -LARGEST
            and max(x2, y2) <= LARGEST
            and isfinite(score)
        ):
            found.append(Detection((x1, y1, x2, y2), min(score, 1.0), row))
    found.sort()
    return found


def to_rows(tracks: list[Track], faces: Faces | None) -> Tracks:
    """`Tracks` of these tracks, in this order; `faces` is what their rows point into."""
    if not tracks:
        return Tracks.none()
    index = np.array([track.row for track in tracks], np.int64)
    return Tracks(
        ids=np.array([track.id for track in tracks], np.int64),
        boxes=np.array([t.box if t.state is State.ENDED else t.motion.box for t in tracks]),
        states=np.array([COLUMNS[track.state] for track in tracks], np.uint8),
        faces=_rows(faces, index),
        index=index,
        born=np.array([track.born for track in tracks]),
        seen=np.array([track.seen for track in tracks]),
    )


def _rows(faces: Faces | None, index: I64) -> Faces:
    """Those rows, NaN where the index is -1."""
    unseen = index < 0
    if faces is None or unseen.all():
        return Faces.none(len(index))
    rows = faces.take(index)
    if unseen.any():
        rows.boxes[unseen] = np.nan
        rows.scores[unseen] = np.nan
        rows.landmarks[unseen] = np.nan
    return rows
