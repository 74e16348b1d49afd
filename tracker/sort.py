"""SORT in seconds: predict each track, match the faces of the frame, begin and end tracks."""

from __future__ import annotations

from math import inf, isfinite

import numpy as np

from core.settings import TrackerConfig
from core.types import ENDED, F64, I64, Array, Faces, Tracks
from tracker.appearance import Appearances
from tracker.association import overlap
from tracker.few import Few
from tracker.found import Found
from tracker.life import Ended, Patience
from tracker.look import Look
from tracker.many import Many
from tracker.motion import CENTRE, SIDES, step
from tracker.pace import Pace
from tracker.presets import PRESETS, points
from tracker.published.program import Published
from tracker.published.rules import Rules
from tracker.report import shown, to_tracks, with_ended

TWICE = 0.5  # IoU with a face that continues a track from which a detection is that face again
NEAR = 0.1  # IoU with where a track should be from which its print may help
PATIENT = 6.0  # usual looks that a track is waited for, however rare they are
SOON = 2  # looks back to which a track is still recent
TINY = 1e-9  # s, for times that were added up
HANDFUL, CROWD = 20, 28  # tracks or faces up to which objects are faster, and from which a table is


class Sort:
    """Tracker of one source's faces. A track has an id from its confirmation to its end.

    Source: Bewley et al., "Simple online and realtime tracking", ICIP 2016; time is in seconds here,
    a track is confirmed once and for all, and low scores get a second pass. With `compatibility` it is
    the published program instead, in frames.
    """

    def __init__(self, config: TrackerConfig) -> None:
        self._config = config
        self._preset = PRESETS[config.preset]
        self._points = points(config)
        self._centre = CENTRE._replace(acceleration=self._preset.acceleration)
        self._tracks: Few | Many = Few()
        self._pace = Pace()
        self._time = -inf
        self._suspected = -inf  # time of a look at what seems another shot
        self._usual_score = 0.5
        self._next_id = 1
        self._prints = Appearances()
        frames = config.compatibility
        self._published = (
            Published(Rules(frames.max_age, frames.min_hits, frames.iou_threshold)) if frames else None
        )

    def rows(self, detections: F64) -> F64:
        """Track one frame as the published program does; only with `compatibility`.

        Args:
            detections: float64 (N, 5), x1 y1 x2 y2 score, pixels.

        Returns:
            float64 (M, 5), x1 y1 x2 y2 id, in the program's own order.

        Raises:
            ValueError: no `compatibility` in the config, or a misshapen array.
        """
        if self._published is None:
            raise ValueError("rows: set tracker.compatibility; without it, call update.")
        return self._published.rows(detections)

    def update(
        self, faces: Faces | None, time: float, *, cut: bool = False, embeddings: Array | None = None
    ) -> Tracks:
        """Take the faces of one frame.

        Args:
            faces: what the detector found, in any order; None: nobody looked. Rows without a
                finite box of positive size and a finite score are passed over.
            time: seconds, not before that of the last call.
            cut: the frame begins another shot: the tracks of the one before end.
            embeddings: (N, D), face prints of the rows of `faces`, unit length, NaN where there is none.
                They decide on lost tracks and contested faces only.

        Returns:
            One row for each confirmed track by id: those that live, and those that end now.

        Raises:
            ValueError: `time` is not a number or runs backward; nothing has changed.
        """
        if self._published is not None:
            return self._published.update(faces, time, cut=cut)
        if not isfinite(time) or time < self._time:
            raise ValueError(f"time: expected seconds, {self._time} or later, got {time}")
        self._predict(time)
        if faces is not None:
            self._pace.add(time)
        ended = self._tracks.fade(time, self._patience(), self._prints, cut)
        if faces is not None:
            self._look(Found(faces), time, embeddings)
        tracks = self._report(ended, faces)
        self._remember(tracks, time, embeddings)
        return tracks

    def end(self) -> Tracks:
        """The source is over: every track ends."""
        if self._published is not None:
            return self._published.end()
        self._prints = Appearances()
        ended = self._tracks.fade(self._time, self._patience(), (), cut=True)
        return self._report(ended, None)

    def wants(self, faces: Faces, time: float) -> I64:
        """The rows of `faces` whose prints would help the `update` that follows; nothing changes.

        Those are faces that might be a lost track, that several tracks contest, or whose track has no
        print of late.
        """
        tracks, found = self._tracks, Found(faces)
        if self._published is not None or not len(tracks):
            return np.zeros(0, np.int64)
        seconds = max(0.0, time - self._time)
        boxes = tracks.ahead(step(self._centre, seconds), step(SIDES, seconds))
        ids, lost = tracks.ids(range(len(tracks))), tracks.lost()
        wanted = []
        for j, face in enumerate(found.boxes):
            near = [i for i, box in enumerate(boxes) if overlap(face, box) >= NEAR]
            calm = len(near) == 1 and near[0] not in lost
            if self._prints.due(ids[near[0]], time) if calm else lost or len(near) > 1:
                wanted.append(found.rows[j])
        return np.array(sorted(wanted), np.int64)

    def _predict(self, time: float) -> None:
        seconds = time - self._time if len(self._tracks) else 0.0
        self._time = time
        self._tracks.predict(step(self._centre, seconds), step(SIDES, seconds))

    def _patience(self) -> Patience:
        preset, config, pace = self._preset, self._config, self._pace
        longest = pace.patience(config.max_gap, PATIENT)
        return Patience(longest, preset.young, preset.growth, self._time - pace.since(SOON), config.known_gap)

    def _look(self, found: Found, time: float, embeddings: Array | None) -> None:
        tracks = self._fitting(len(found))
        look = Look(tracks, found, (self._preset, self._points), self._noise, time)
        if embeddings is not None:
            look.know(self._prints, embeddings[found.rows])
        counting, tentative = tracks.counting(), tracks.tentative()
        low_since = min(time - self._preset.low_gap - TINY, self._pace.since(SOON))
        # Those that have an id choose first: else what shows of a hidden face would begin a track of its own,
        # which then fits the rest of it better than the guess of where the known one should reappear.
        look.match(counting, low_since)
        all_lost = not look.taken and bool(set(counting).difference(tracks.lost()))
        look.match(tentative, low_since)
        look.recognise()
        births = [j for j in look.high if found.scores[j] >= self._points.birth]
        if all_lost and births:
            self._suspected = time
        if len(look.taken) < len(tracks):
            tracks.miss(time, self._centre)
        if births:
            tracks.begin(_single(births, look.taken, found), found, time)
        if births or tentative:
            config = self._config
            self._next_id = tracks.confirm(self._next_id, config.confirm_looks, config.confirm_score)
        for j in look.taken:
            up = found.scores[j] > self._usual_score
            self._usual_score += (0.02 if up else -0.02) * max(0.02, 1 - self._usual_score)

    def _remember(self, tracks: Tracks, time: float, embeddings: Array | None) -> None:
        """Learn the prints of the faces that were found; forget those of tracks that ended."""
        if embeddings is None and not self._prints:
            return
        if embeddings is not None:
            for track, row in zip(tracks.ids.tolist(), tracks.index.tolist(), strict=True):
                if row >= 0 and np.isfinite(embeddings[row]).all():
                    self._prints.learn(track, embeddings[row], time)
        self._prints.forget(tracks.ids[tracks.states == ENDED].tolist())

    def _fitting(self, faces: int) -> Few | Many:
        """The tracks in the form that is faster for so many."""
        n = max(len(self._tracks), faces)
        if n >= CROWD and isinstance(self._tracks, Few):
            self._tracks = Many(self._tracks.table())
        elif n <= HANDFUL and isinstance(self._tracks, Many):
            self._tracks = Few(self._tracks.table())
        return self._tracks

    def _noise(self, score: float) -> float:
        """By how much the variance of a detection of this score is multiplied.

        Source: Du et al., "GIAOTracker", ICCVW 2021, whose noise scales with 1 - score. It is flatter for
        faces, and relative to the usual score for people, since some detectors give each clear face nearly 1.
        """
        if not self._preset.steep:
            return 1.5 - score
        return max(0.35, (1 - score) / (1 - min(self._usual_score, 0.9)))

    def _report(self, ended: list[Ended], faces: Faces | None) -> Tracks:
        living = self._tracks.living()
        since = max(min(self._time - self._preset.coast - TINY, self._pace.since(1)), self._suspected)
        tracks = to_tracks(living, faces, shown(living, since, self._preset.covered))
        return with_ended(tracks, ended) if ended else tracks


def _single(births: list[int], taken: list[int], found: Found) -> list[int]:
    """Those that are not a second box of a face that was taken already."""
    if not births or not taken:
        return births
    boxes = [found.boxes[j] for j in taken]
    return [j for j in births if not any(overlap(found.boxes[j], box) > TWICE for box in boxes)]
