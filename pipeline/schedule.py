"""Which faces the networks look at: a budget of looks per second of source time, best spent."""

from __future__ import annotations

import math

import numpy as np

from core.settings import LooksConfig
from core.types import I64, SEEN, UNKNOWN, Evidence, Stamp, Tracks
from estimators.quality import yaw

BURST = 0.25  # s of budget that may be saved up, so that a group that enters does not queue for long
EAGER = 3.0  # a track that is not yet known well is looked at this much more often
BETTER = 1.3  # a view this much better than the best one looked at is taken soon, too
LARGE = 100.0  # px; a taller face is no better view
WIDE = 30.0  # years; an age interval wider than this may still narrow
ENOUGH = 4.0  # effective looks after which what is still open stays open

_NEVER = 0.0, 0, -math.inf
_NONE: I64 = np.zeros(0, np.int64)


class Chooser:
    """Spends the looks of one source.

    Only a face seen in this very frame is looked at, if it is large enough and turned to the
    camera. New tracks come first. A known track is due every `refresh` seconds, so that its
    mood is followed; one whose gender or age is open, or that shows a much better view than
    before, three times as often; so is one whose looks told nothing, as it is blurred or dark, for
    its first few looks. Of those that are due, the longest overdue comes first.
    Everything is counted in source time: the machine's speed changes nothing.

    Attributes:
        saved: faces seen and fit to be judged, but not looked at, so far.
        unfit: faces seen, but too small or turned away, so far.
    """

    def __init__(self, config: LooksConfig, *, stills: bool = False) -> None:
        """Take the budget; with `stills`, every large enough face is looked at."""
        self.saved = 0
        self.unfit = 0
        self._config = config
        self._stills = stills
        self._most = max(1.0, config.per_second * BURST)
        self._budget = self._most
        self._time = -math.inf
        # Best view looked at, how often and when last it was looked at, of each living track.
        self._looked: dict[int, tuple[float, int, float]] = {}

    def choose(self, tracks: Tracks, evidence: Evidence, stamp: Stamp, share: float = 1.0) -> I64:
        """The rows of `tracks` to look at in this frame, most urgent first.

        Args:
            tracks: of this frame.
            evidence: what is believed so far; ids that it does not know are new.
            stamp: of this frame.
            share: of the budget that may be spent; the rest is left undone under load.
        """
        if stamp.time > self._time:
            earned = (stamp.time - self._time) * self._config.per_second * share
            self._budget, self._time = min(self._budget + earned, self._most), stamp.time
        visible = np.flatnonzero((tracks.states == SEEN) & (tracks.index >= 0)).tolist()
        if not visible:
            return _NONE
        views = self._views_of(tracks, visible)
        self.unfit += len(visible) - len(views)
        if self._stills:
            return np.array(list(views), np.int64)
        due = self._due(tracks.ids.tolist(), views, evidence, stamp.time)
        chosen = due[: int(self._budget + 1e-9)]
        self._budget -= len(chosen)
        self.saved += len(views) - len(chosen)
        self._remember(tracks.ids.tolist(), chosen, views, stamp.time)
        return np.array(chosen, np.int64)

    def _views_of(self, tracks: Tracks, visible: list[int]) -> dict[int, float]:
        """How good the view of each row that can be judged is, 0 to 1."""
        config, views = self._config, {}
        boxes, scores = tracks.faces.boxes.tolist(), tracks.faces.scores.tolist()
        turns = yaw(tracks.faces.landmarks).tolist()
        for row in visible:
            height = boxes[row][3] - boxes[row][1]
            turn = 0.0 if math.isnan(turns[row]) else abs(turns[row])  # no landmarks: taken as it is
            if height >= config.min_face and (self._stills or turn <= config.max_yaw):
                views[row] = min(height / LARGE, 1.0) * (1 - turn / 90) * scores[row]
        return views

    def _due(self, ids: list[int], views: dict[int, float], evidence: Evidence, time: float) -> list[int]:
        times = evidence.updated.tolist()
        believed = {track: i for i, track in enumerate(evidence.ids.tolist()) if not math.isnan(times[i])}
        order: list[tuple[float, float, int, int]] = []
        for row, view in views.items():
            belief = believed.get(ids[row])
            best, count, last = self._looked.get(ids[row], _NEVER)
            if belief is None and not count:
                order.append((-math.inf, -view, ids[row], row))
                continue
            if belief is not None:
                last = max(last, times[belief])  # looks that told nothing had their turn, too
            is_open = count < ENOUGH if belief is None else _is_open(evidence, belief)
            eager = is_open or view > BETTER * best
            overdue = (time - last) / self._config.refresh * (EAGER if eager else 1.0)
            if overdue >= 1 - 1e-6:  # frame times are sums of fractions
                order.append((-overdue, -view, ids[row], row))
        return [row for *_, row in sorted(order)]

    def _remember(self, ids: list[int], chosen: list[int], views: dict[int, float], time: float) -> None:
        for row in chosen:
            best, count, _ = self._looked.get(ids[row], _NEVER)
            self._looked[ids[row]] = max(views[row], best), count + 1, time
        if len(self._looked) > 2 * len(ids) + 16:
            self._looked = {track: self._looked[track] for track in ids if track in self._looked}


def _is_open(evidence: Evidence, row: int) -> bool:
    """Whether more looks would still tell much about this track."""
    if evidence.looks[row] >= ENOUGH:
        return False
    wide = float(evidence.age_high[row]) - float(evidence.age_low[row]) > WIDE
    return wide or (int(evidence.gender[row]) == UNKNOWN and not math.isnan(evidence.female[row]))
