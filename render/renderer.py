"""The pictures of one source: blurred, drawn on, in time."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Set
from dataclasses import dataclass

import numpy as np

from core.settings import PrivacyConfig, RenderConfig
from core.types import F64, LOST, Frame, Image, Result, Tracks
from render.blur import blur
from render.hindsight import Hindsight, Shown
from render.overlay import Overlay, Scene


@dataclass(slots=True, eq=False)
class Picture:
    """What the sinks get for one frame; read-only pixels, None where nobody wants them.

    Attributes:
        result: of the frame.
        raw: uint8 (H, W, 3) without drawings; faces blurred if privacy asks for it.
        drawn: the same with the overlay.
    """

    result: Result
    raw: Image | None
    drawn: Image | None


class Renderer:
    """Makes the pictures of one source, in order, `delay` seconds after their frames."""

    def __init__(self, render: RenderConfig, privacy: PrivacyConfig, wants: Set[str], delay: float) -> None:
        """`wants`: raw, drawn or both; `delay` in seconds: 0 for live sources and stills."""
        self._blur = privacy.blur
        self._wants = wants
        self._plain = "drawn" not in wants and not privacy.blur
        self._overlay = Overlay(render)
        self._trails = Trails(render.trail)
        self._hindsight = Hindsight(delay, covering=privacy.blur)
        self._status: deque[str] = deque()

    def push(self, frame: Frame, result: Result, status: str = "") -> list[Picture]:
        """Take a frame, what was found in it and its status line; the pictures that are ready."""
        if self._plain:  # nothing is drawn or hidden, so nothing is waited for
            return [Picture(result, frame.image if "raw" in self._wants else None, None)]
        self._status.append(status)
        return [self._finish(shown) for shown in self._hindsight.push(frame, result)]

    def flush(self) -> list[Picture]:
        """The pictures that are still held back; the source is over."""
        return [self._finish(shown) for shown in self._hindsight.flush()]

    def _finish(self, shown: Shown) -> Picture:
        status = self._status.popleft()
        raw = shown.frame.image
        if self._blur:
            raw = raw.copy()
            blur(raw, shown.cover)
            raw.flags.writeable = False
        drawn = self._draw(raw, shown, status) if "drawn" in self._wants else None
        return Picture(shown.result, raw if "raw" in self._wants else None, drawn)

    def _draw(self, raw: Image, shown: Shown, status: str) -> Image:
        stamp = shown.result.stamp
        trails = self._trails.update(stamp.time, shown.tracks)
        drawn = raw.copy()
        self._overlay.draw(drawn, Scene(stamp.time, shown.tracks, shown.evidence, trails, status))
        drawn.flags.writeable = False
        return drawn


class Trails:
    """Where each face came from in the last seconds: the middle of its box's lower side."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._points: dict[int, deque[tuple[float, F64]]] = {}

    def update(self, time: float, tracks: Tracks) -> Mapping[int, F64]:
        """The trails of the tracks of this frame: float64 (T, 2) pixels, the oldest first."""
        ids = tracks.ids.tolist()
        self._points = {i: self._points.get(i, deque()) for i in ids}
        for row, track in enumerate(ids):
            points, box = self._points[track], tracks.boxes[row]
            if tracks.states[row] != LOST and np.isfinite(box).all():
                points.append((time, np.array([(box[0] + box[2]) / 2, box[3]])))
            while points and points[0][0] < time - self._seconds:
                points.popleft()
        return {i: np.array([p for _, p in points]).reshape(-1, 2) for i, points in self._points.items()}
