"""The published tracker's tracks as plain numbers: for a handful, several times faster than arrays."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np

from core.types import F64
from tracker.published.overlaps import Corners, Found, match
from tracker.published.rules import Rules

SMALLEST, LARGEST = 1e-6, 1e9  # px: sides and coordinates beyond which a detection is passed over
FIELDS = 24  # of a track in a table: 14 of the state, 5 of the life, 5 of what is shown
# The rest of a new track's state after its position: variances of 10, of speeds 10000, predicted once.
BORN = (0.0, 0.0, 0.0, 10011.0, 10011.0, 11.0, 1e4, 1e4, 10000.01, 10000.0001)


class Track:
    """One track.

    Attributes:
        state: of the filter, predicted for the frame to come: centre x, y, area, ratio; speeds of the first
            three; variances of centre, area, ratio; covariances of centre and of area with their speeds;
            variances of those. Centre x and y are always measured together, so their variances are the same.
        unseen: frames since the last detection.
        streak: detections in a row, after the first.
        row: which of this frame's detections it is, -1 for none.
        born, seen: seconds, time of the first and last detection.
        shown: x1 y1 x2 y2 in this frame, and the id.
        id: the same.
    """

    __slots__ = ("born", "id", "row", "seen", "shown", "state", "streak", "unseen")

    def __init__(self, column: Sequence[float]) -> None:
        self.state = tuple(column[:14])
        self.unseen, self.streak, self.row, self.born, self.seen = column[14:19]
        x1, y1, x2, y2, self.id = column[19:]
        self.shown = x1, y1, x2, y2, self.id

    @property
    def column(self) -> tuple[float, ...]:
        """All of it."""
        return (*self.state, self.unseen, self.streak, self.row, self.born, self.seen, *self.shown)

    def step(self, found: Found | None) -> Corners:
        """Take in what this frame has of it; returns the box predicted for the next one."""
        x, y, area, ratio, vx, vy, growth, centre, size, shape, cross, drift, speed, rise = self.state
        if found is None:
            self.unseen += 1
            self.row = -1.0
        else:
            x1, y1, x2, y2, square, self.row = found
            w, h = x2 - x1, y2 - y1
            # A variance times (1 - gain) is the gain times the measurement's variance, which is 1, 10 and 10.
            gain, rate = centre / (centre + 1), cross / (centre + 1)
            off = x1 + w / 2 - x
            x, vx = x + gain * off, vx + rate * off
            off = y1 + h / 2 - y
            y, vy = y + gain * off, vy + rate * off
            speed -= rate * cross
            centre, cross = gain, rate
            gain, rate = size / (size + 10), drift / (size + 10)
            off = square - area
            area, growth = area + gain * off, growth + rate * off
            rise -= rate * drift
            size, drift = 10 * gain, 10 * rate
            gain = shape / (shape + 10)
            ratio += gain * (w / h - ratio)
            shape = 10 * gain
            w = sqrt(area * ratio) / 2
            h = area / w / 4
            self.shown = x - w, y - h, x + w, y + h, self.id
            self.streak = 1.0 if self.unseen else self.streak + 1
            self.unseen = 0.0
        growth = growth if area + growth > 0 else 0.0
        x, y, area = x + vx, y + vy, area + growth
        centre, size, shape = centre + (2 * cross + speed) + 1, size + (2 * drift + rise) + 1, shape + 1
        cross, drift, speed, rise = cross + speed, drift + rise, speed + 0.01, rise + 0.0001
        self.state = x, y, area, ratio, vx, vy, growth, centre, size, shape, cross, drift, speed, rise
        w = sqrt(area * ratio) / 2
        h = area / w / 4
        x1, y1, x2, y2 = x - w, y - h, x + w, y + h
        return x1, y1, x2, y2, (x2 - x1) * (y2 - y1)


def corners(x: float, y: float, area: float, ratio: float) -> Corners:
    """The box of a state."""
    w = sqrt(area * ratio) / 2
    h = area / w / 4
    x1, y1, x2, y2 = x - w, y - h, x + w, y + h
    return x1, y1, x2, y2, (x2 - x1) * (y2 - y1)


class Few:
    """The living tracks, oldest first."""

    LEAST, MOST = 0, 30  # tracks: beyond, a table is faster, by `python -m benchmarks.tracker --switch`

    def __init__(self, rules: Rules, table: F64) -> None:
        self._max_age, self._min_iou = rules.max_age, rules.min_iou
        self._tracks = [Track(column) for column in table.T.tolist()]
        self._boxes = [corners(*track.state[:4]) for track in self._tracks]
        self.size = len(self._tracks)

    @property
    def table(self) -> F64:
        """All that is known, float64 (24, N): a column a track, as `Track` says."""
        columns = [track.column for track in self._tracks]
        return np.array(columns, np.float64).reshape(-1, FIELDS).T

    def look(self, detections: F64, hits: int, time: float, next_id: int) -> tuple[F64, int]:
        """Take a frame in.

        Args:
            detections: float64 (N, 5).
            hits: in a row, from which a track is shown.
            time: of the frame, seconds.
            next_id: of the first track that begins.

        Returns:
            float64 (M, 5), x1 y1 x2 y2 id of the tracks shown, newest first; and the next id now.
        """
        found = _usable(detections)
        places, fresh = match(found, self._boxes, self._min_iou)
        tracks, boxes, shown = [], [], []
        for column, place in enumerate(places):
            track = self._tracks[column]
            if place >= 0:
                boxes.append(track.step(found[place]))
                track.seen = time
                if track.streak >= hits:
                    shown.append(track.shown)
            elif track.unseen < self._max_age:
                track.shown = (*self._boxes[column][:4], track.id)
                boxes.append(track.step(None))
            else:
                continue
            tracks.append(track)
        for place in fresh:
            track = _begin(found[place], float(next_id), time)
            next_id += 1
            tracks.append(track)
            boxes.append(corners(*track.state[:4]))
            if not hits:
                shown.append(track.shown)
        self._tracks, self._boxes, self.size = tracks, boxes, len(tracks)
        shown.reverse()
        return (np.array(shown) if shown else np.zeros((0, 5))), next_id


def _begin(found: Found, number: float, time: float) -> Track:
    """The track of a first detection."""
    x1, y1, x2, y2, area, row = found
    w, h = x2 - x1, y2 - y1
    place = (x1 + w / 2, y1 + h / 2, area, w / h)
    return Track((*place, *BORN, 0.0, 0.0, row, time, time, *corners(*place)[:4], number))


def _usable(detections: F64) -> list[Found]:
    """Those with a finite box of positive size."""
    found = []
    for row, (x1, y1, x2, y2, _) in enumerate(detections.tolist()):
        w, h = x2 - x1, y2 - y1
        # Each comparison is false for NaN.
        if (
            w >= SMALLEST
            and h >= SMALLEST
            and x1 > -LARGEST
            and y1 > -LARGEST
            and x2 < LARGEST
            and y2 < LARGEST
        ):
            found.append((x1, y1, x2, y2, w * h, row))
    return found
