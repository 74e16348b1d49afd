"""SORT as it was published, in frames: for comparing with results that others have reported.

Source: Bewley et al., "Simple online and realtime tracking", ICIP 2016: the filter's state is
(cx, cy, area, ratio) with a velocity for all but the ratio. Its noise couples each of them with its
own velocity alone, so that the filter falls into four small ones in closed form.

The tracks are plain numbers while they are few and one table when they are many; the rows are the same.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite, nan

import numpy as np

from core.types import DOUBLE, ENDED, F64, LOST, SEEN, Faces, Tracks
from tracker.published import many as at
from tracker.published.few import FIELDS, Few
from tracker.published.many import Many
from tracker.published.rules import Rules
from tracker.report import by_id

LONGEST = 100_000  # frames unseen; beyond 30 times that a track is so unsure that its area could round to 0


class Published:
    """Takes one frame's detections at a time, by `rows` or by `update`; call it for empty frames, too."""

    def __init__(self, rules: Rules) -> None:
        if not 0 <= rules.max_age <= LONGEST:
            raise ValueError(f"max_age: expected 0 to {LONGEST} frames, got {rules.max_age}")
        self._rules = rules
        self._tracks: Few | Many = self._none()
        self._next_id = rules.first_id
        self._frame = 0
        self._time = -inf
        self._reported = Tracks.none()  # those that live

    def _none(self) -> Few:
        return Few(self._rules, np.zeros((FIELDS, 0)))

    def rows(self, detections: F64, time: float = nan) -> F64:
        """Track one frame.

        Args:
            detections: float64 (N, 5), x1 y1 x2 y2 score, pixels; the score is not used. Rows without a
                finite box of positive size are passed over.
            time: of the frame, seconds; it changes no row.

        Returns:
            float64 (M, 5), x1 y1 x2 y2 id, newest track first.
        """
        detections = np.asarray(detections, DOUBLE)
        if detections.shape == (0,):  # an empty list
            detections = np.zeros((0, 5))
        if detections.ndim != 2 or detections.shape[1] != 5:
            raise ValueError(f"detections: expected float64 (N, 5), got {detections.shape}")
        tracks, rules = self._tracks, self._rules
        if not tracks.LEAST <= tracks.size <= tracks.MOST:
            other = Many if isinstance(tracks, Few) else Few
            self._tracks = tracks = other(rules, tracks.table)
        self._frame += 1
        hits = rules.min_hits if self._frame > rules.min_hits else 0
        rows, self._next_id = tracks.look(detections, hits, time, self._next_id)
        return rows

    def update(
        self,
        faces: Faces | None,
        time: float,
        *,
        cut: bool = False,
    ) -> Tracks:
        """Take the faces of one frame: `rows` in the terms of the program.

        Args:
            faces: what the detector found, in the order that decides ids; None: nobody looked, which is no
                frame of the published program, so that nothing moves.
            time: seconds, not before that of the last call.
            cut: the frame begins another shot: all tracks end.

        Returns:
            One row for each track that was ever reported, by id: SEEN if it is reported now, LOST if it is
            not but lives, ENDED in the frame that it is dropped, then with the box of the frame before.

        Raises:
            ValueError: `time` is not a number or runs backward; nothing has changed.
        """
        if not isfinite(time) or time < self._time:
            raise ValueError(f"time: expected seconds, {self._time} or later, got {time}")
        self._time = time
        ended = self.end() if cut else Tracks.none()
        before = self._reported
        if faces is None:
            self._reported = _unseen(before)
        else:
            self._reported = self._look(faces, time)
            ended = ended if cut else _unseen(before.take(~np.isin(before.ids, self._reported.ids)), ENDED)
        return by_id([ended, self._reported])

    def end(self) -> Tracks:
        """The source is over: every track ends."""
        ended = _unseen(self._reported, ENDED)
        self._tracks, self._reported = self._none(), Tracks.none()
        return ended

    def _look(self, faces: Faces, time: float) -> Tracks:
        """The tracks reported now or before that live after this frame."""
        shown = self.rows(np.column_stack([faces.boxes, faces.scores]), time)[:, 4]
        table = self._tracks.table
        table = table[:, np.isin(table[at.ID], np.union1d(shown, self._reported.ids))]
        seen = np.isin(table[at.ID], shown)
        index = np.where(seen, table[at.ROW], -1).astype(np.int64)
        return Tracks(
            ids=table[at.ID].astype(np.int64),
            boxes=table[at.BOX].T.copy(),
            states=np.where(seen, SEEN, LOST).astype(np.uint8),
            faces=faces.pick(index),
            index=index,
            born=table[at.BORN_AT].copy(),
            seen=table[at.SEEN_AT].copy(),
            shown=seen,
        )


def _unseen(tracks: Tracks, state: int | None = None) -> Tracks:
    """The same tracks in a frame that none of them was found in."""
    n = len(tracks)
    states = tracks.states if state is None else np.full(n, state, np.uint8)
    return replace(tracks, states=states, faces=Faces.none(n), index=np.full(n, -1), shown=states == SEEN)
