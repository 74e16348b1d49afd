"""SORT in seconds: predict each track, match the faces of the frame, begin and end tracks."""

from __future__ import annotations

from math import inf, isfinite

import numpy as np

from core.geometry import iou
from core.settings import TrackerConfig
from core.types import ENDED, F64, I64, Array, Faces, Tracks
from tracker.appearance import Appearances
from tracker.association import overlap
from tracker.few import Few
from tracker.found import Found
from tracker.life import Ended, Patience
from tracker.look import Look
from tracker.many import Many
from tracker.motion import CENTRE, steps
from tracker.pace import Pace
from tracker.presets import PRESETS, points
from tracker.published.program import Published
from tracker.published.rules import Rules
from tracker.report import coasting, to_tracks, with_ended
from tracker.trust import Trust

SAME_FACE = 0.5  # IoU with a face that continues a track from which a detection is that face again
NEAR_TRACK = 0.1  # IoU with where a track should be from which a face may be its own
PRINTABLE = 40.0  # px, height of a face from which its print is one person's
PATIENT_LOOKS = 6.0  # usual looks that a track is waited for, however rare they are
RECENT_LOOKS = 2  # looks back to which a track was seen just now
TINY = 1e-9  # s, for times that were added up
# Tracks or faces up to which objects are faster, and from which a table is: both take as long at 40 to 45, in
# the two scenes of `benchmarks.scenes`. Room between, not to go to and fro.
HANDFUL, CROWD = 36, 43


class Sort:
    """Tracker of one source's faces. A track has an id from its confirmation to its end.

    Source: Bewley et al., "Simple online and realtime tracking", ICIP 2016; time is in seconds here,
    a track is confirmed once and for all, and low scores get a second pass. With `compatibility` it is
    the published program instead, in frames.
    """

    def __init__(self, config: TrackerConfig, first_id: int = 1) -> None:
        """Begin without a track; `first_id` is that of the first one."""
        self._config = config
        self._preset = PRESETS[config.preset]
        self._points = points(config)
        self._rules = self._preset, self._points
        self._trust = Trust(self._preset.relative)
        self._centre = CENTRE._replace(acceleration=self._preset.acceleration)
        self._tracks: Few | Many = Few()
        self._pace = Pace()
        self._time = -inf
        self._suspected = -inf  # time of a look at what seems another shot
        self._next_id = first_id
        self._prints = Appearances()
        frames = config.compatibility
        self._published = (
            Published(Rules(frames.max_age, frames.min_hits, frames.iou_threshold, first_id))
            if frames
            else None
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
        self,
        faces: Faces | None,
        time: float,
        *,
        cut: bool = False,
        damaged: bool = False,
        embeddings: Array | None = None,
    ) -> Tracks:
        """Take the faces of one frame.

        Args:
            faces: what the detector found, in any order; None: nobody looked. Rows without a
                finite box of positive size and a finite score are passed over.
            time: seconds, not before that of the last call.
            cut: the frame begins another shot: the tracks of the one before end.
            damaged: what looks like a face may be none: known tracks go on, none begins or gets its id.
            embeddings: (N, D), face prints of the rows of `faces`, unit length, NaN where there is none.
                They decide on lost tracks and contested faces only.

        Returns:
            One row for each confirmed track by id: those that live, and those that end now.

        Raises:
            ValueError: `time` is not a number or runs backward, or `embeddings` has another shape; nothing
                has changed.
        """
        if self._published is not None:
            return self._published.update(faces, time, cut=cut)
        if not isfinite(time) or time < self._time:
            raise ValueError(f"time: expected seconds, {self._time} or later, got {time}")
        if embeddings is not None:
            self._prints.check(embeddings, 0 if faces is None else len(faces))
        self._predict(time)
        if faces is not None:
            self._pace.add(time)
        ended = self._fade(time, cut)
        if faces is not None:
            self._look(Found(faces), time, embeddings, begin=not damaged)
        tracks = self._report(ended, faces)
        if embeddings is not None or self._prints:
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

        Those are faces that several tracks contest, that are in no track's place while a track is lost or has
        no face in its place, and, once a second, the face of each other track; if they are large enough.
        """
        tracks, found = self._tracks, Found(faces)
        if self._published is not None or not len(tracks) or not len(found):
            return np.zeros(0, np.int64)
        boxes = np.array(tracks.ahead(*steps(self._centre, max(0.0, time - self._time))))
        found_boxes = np.array(found.boxes)
        near = iou(boxes, found_boxes) >= NEAR_TRACK
        ids, lost = tracks.ids(range(len(tracks))), tracks.lost()
        near[lost] &= False  # in whose place they are says little
        missing = bool(lost) or not near.any(axis=1).all()
        wanted = near.sum(axis=0) > 1
        wanted |= missing & ~near.any(axis=0)
        for track, face in np.argwhere(near & ~wanted).tolist():
            wanted[face] = self._prints.due(ids[track], time)
        large = found_boxes[:, 3] - found_boxes[:, 1] >= PRINTABLE
        return np.sort(np.array(found.rows)[wanted & large])

    def _predict(self, time: float) -> None:
        if len(self._tracks):
            self._tracks.predict(*steps(self._centre, time - self._time))
        self._time = time

    def _fade(self, time: float, cut: bool) -> list[Ended]:
        """Forget what is unseen for too long, at a cut all."""
        tracks = self._tracks
        least = min(self._config.max_gap, time - self._pace.since(RECENT_LOOKS))  # s that each track is given
        if cut or tracks.unseen(time, least):
            return tracks.fade(time, self._patience(), self._prints, cut)
        return []

    def _patience(self) -> Patience:
        preset, config, pace = self._preset, self._config, self._pace
        longest = pace.patience(config.max_gap, PATIENT_LOOKS)
        young, growth = config.max_gap * preset.young, config.max_gap * preset.growth
        return Patience(longest, young, growth, self._time - pace.since(RECENT_LOOKS), config.known_gap)

    def _look(self, found: Found, time: float, embeddings: Array | None, begin: bool) -> None:
        tracks = self._fitting(len(found))
        look = Look(tracks, found, self._rules, self._trust, time)
        if embeddings is not None:
            look.know(self._prints, embeddings[found.rows])
        counting, tentative = tracks.groups()
        low_since = (
            min(time - self._preset.low_gap - TINY, self._pace.since(RECENT_LOOKS)) if look.low else time
        )
        # Those that have an id choose first: else what shows of a hidden face would begin a track of its own,
        # which then fits the rest of it better than the guess of where the known one should reappear.
        left = look.match(counting, low_since)
        all_lost = not look.taken and bool(set(counting).difference(tracks.lost()))
        if tentative:
            look.match(tentative, low_since)
        if embeddings is not None:
            look.recognise(sorted({*left, *tracks.lost()}))
        births = (
            [j for j in look.high if found.scores[j] >= self._points.birth] if begin and look.high else []
        )
        if all_lost and births:
            self._suspected = time
        if len(look.taken) < len(tracks):
            tracks.miss(time, self._centre)
        if births:
            tracks.begin(_single(births, look.taken, found), found, time)
        if births or (begin and tentative):
            config = self._config
            self._next_id = tracks.confirm(self._next_id, config.confirm_looks, config.confirm_score)
        if self._preset.relative:
            self._trust.learn(found.scores[j] for j in look.taken)

    def _remember(self, tracks: Tracks, time: float, embeddings: Array | None) -> None:
        """Learn the prints of the faces that were found; forget those of tracks that ended."""
        if embeddings is not None:
            for track, row in zip(tracks.ids.tolist(), tracks.index.tolist(), strict=True):
                if row >= 0:
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

    def _report(self, ended: list[Ended], faces: Faces | None) -> Tracks:
        living = self._tracks.living()
        if not len(living.ids):
            return with_ended(Tracks.none(), ended) if ended else Tracks.none()
        unseen: list[int] = []
        if True in living.lost:
            since = max(min(self._time - self._preset.coast - TINY, self._pace.since(1)), self._suspected)
            unseen = coasting(living, since, self._preset.covered)
        tracks = to_tracks(living, faces, unseen)
        return with_ended(tracks, ended) if ended else tracks


def _single(births: list[int], taken: list[int], found: Found) -> list[int]:
    """Those that are not a second box of a face that was taken already."""
    if not births or not taken:
        return births
    boxes = [found.boxes[j] for j in taken]
    return [j for j in births if not any(overlap(found.boxes[j], box) > SAME_FACE for box in boxes)]
