"""Other trackers under our roof, to be measured beside ours; their packages are in requirements/peers.txt.

Each is made for the true rate of the frames and for the scores of the detector. Their settings are those that
were best of a few on public sequences; a track may stay unseen for a second, but in norfair.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from core.errors import ConfigError
from core.registry import unknown
from core.settings import CompatibilityConfig
from core.types import F64, Faces
from evaluation.follow import make_published
from evaluation.sequence import Sequence


@dataclass(frozen=True, slots=True)
class Setting:
    """What a peer is made for.

    Attributes:
        rate: frames a second.
        highest: that a threshold of scores may be.
        looks: in a row, at most, before a track is shown.
        cleaned: detections of very low scores are left out first, where a peer is the better for it.
    """

    rate: float
    highest: float = 1.0
    looks: int = 3
    cleaned: bool = True


# By the detector: highest, looks, cleaned. Faces have lower scores, but few of them are false.
SCORES = {"yolox": (1.0, 3, True), "frcnn": (1.0, 3, True), "face": (0.4, 1, False), "tara": (0.25, 1, False)}
# Of motpy: a face moves at a constant velocity, and keeps its size; as in its own examples.
MODEL = {"order_pos": 1, "dim_pos": 2, "order_size": 0, "dim_size": 2, "q_var_pos": 5000.0, "r_var_pos": 0.1}
ACTIVE, HIGH, LEAST = "track_activation_threshold", "high_conf_det_threshold", "least"


class Peer(Protocol):
    """A tracker of somebody else."""

    def update(self, faces: Faces, time: float) -> F64:
        """Take one frame; float64 (N, 6): its own id, x1, y1, x2, y2, score."""


Make = Callable[[Setting], Peer]


def follow_peer(sequence: Sequence, name: str, detector: str, *, restart: bool) -> F64:
    """Track a sequence, as `evaluation.follow.follow` does.

    Args:
        sequence: its detections, times and cuts.
        name: of the peer.
        detector: whose scores these are.
        restart: begin anew at each cut; ids stay apart.

    Raises:
        ConfigError: no such peer, or its package is not installed.
    """
    between = np.diff(sequence.times)
    rate = 1 / float(np.median(between)) if len(between) else sequence.fps
    setting = Setting(rate, *SCORES[detector])
    peer, shots = make_peer(name, setting), 0
    ids: dict[tuple[int, int], int] = {}
    rows = []
    for frame, (time, faces) in enumerate(zip(sequence.times.tolist(), sequence.detections, strict=True)):
        if restart and frame in sequence.cuts:
            peer, shots = make_peer(name, setting), shots + 1
        found = peer.update(faces, time)
        own = [ids.setdefault((shots, track), len(ids) + 1) for track in found[:, 0].astype(int).tolist()]
        rows.append(np.column_stack([np.full(len(found), frame), own, found[:, 1:]]))
    return np.concatenate(rows)


def make_peer(name: str, setting: Setting) -> Peer:
    """A new one, without memory.

    Raises:
        ConfigError: no such peer, or its package is not installed.
    """
    if name not in PEERS:
        raise ConfigError(unknown("--peer", name, PEERS))
    try:
        return PEERS[name](setting)
    except ModuleNotFoundError as error:
        where = "pip install --no-deps -r requirements/peers.txt"
        raise ConfigError(f"--peer {name} needs the package '{error.name}': {where}.") from error


class Detections:
    """Peers that take and give `supervision.Detections`: those of `trackers`, and supervision's own."""

    def __init__(self, tracker: Any, *, timed: bool, least: float = 0.0) -> None:
        self._make = import_module("supervision").Detections
        self._tracker, self._timed, self._least = tracker, timed, least

    def update(self, faces: Faces, time: float) -> F64:
        """Take one frame."""
        faces = faces.take(faces.scores >= self._least)
        given = self._make(xyxy=faces.boxes.astype(np.float32), confidence=faces.scores)
        if self._timed:
            found = self._tracker.update(given, timestamp=time)
        else:
            found = self._tracker.update_with_detections(given)
        if len(found) == 0 or found.tracker_id is None:
            return np.zeros((0, 6))
        found = found[found.tracker_id >= 0]
        return np.column_stack([found.tracker_id, found.xyxy, found.confidence]).astype(np.float64)


def _trackers(kind: str, looks: int, thresholds: Mapping[str, float], **more: Any) -> Make:
    """A tracker of the package `trackers`, with its looks and thresholds; `LEAST` is of the detections."""

    def make(setting: Setting) -> Peer:
        lowered = {name: min(value, setting.highest) for name, value in thresholds.items()}
        least = lowered.pop(LEAST)
        tracker = getattr(import_module("trackers"), kind)(
            frame_rate=setting.rate,
            minimum_consecutive_frames=min(looks, setting.looks),
            **lowered,
            **more,
        )
        return Detections(tracker, timed=True, least=least if setting.cleaned else 0.0)

    return make


def _supervision(setting: Setting) -> Peer:
    supervision = import_module("supervision")
    with warnings.catch_warnings():  # newer releases say that the class will go
        warnings.simplefilter("ignore")
        tracker = supervision.ByteTrack(
            track_activation_threshold=min(0.6, setting.highest), frame_rate=setting.rate
        )
    return Detections(tracker, timed=False)


class Norfair:
    """Tracks of two points, the corners of a box."""

    def __init__(self, setting: Setting) -> None:
        self._norfair = import_module("norfair")
        self._threshold = min(0.6, setting.highest)
        self._tracker = self._norfair.Tracker(
            distance_function="iou",
            distance_threshold=0.7,
            hit_counter_max=max(3, round(setting.rate / 2)),  # half a second; a whole one is worse
            initialization_delay=min(2, setting.looks - 1),
        )

    def update(self, faces: Faces, time: float) -> F64:  # noqa: ARG002 - it counts frames
        """Take one frame."""
        pairs = zip(faces.boxes, faces.scores.tolist(), strict=True)
        given = [
            self._norfair.Detection(points=box.reshape(2, 2), scores=np.full(2, score))
            for box, score in pairs
            if score >= self._threshold
        ]
        found = self._tracker.update(given)
        rows = [
            [t.id, *t.estimate.ravel().tolist(), float(t.last_detection.scores[0])]
            for t in found
            if t.hit_counter_is_positive
        ]
        return np.array(rows, np.float64).reshape(-1, 6)


class Motpy:
    """Filters of boxes; its ids are texts."""

    def __init__(self, setting: Setting) -> None:
        self._motpy = import_module("motpy")
        logging.getLogger("motpy").setLevel(logging.ERROR)
        self._threshold = min(0.6, setting.highest)
        self._ids: dict[str, int] = {}
        self._tracker = self._motpy.MultiObjectTracker(
            dt=1 / setting.rate,
            tracker_kwargs={"max_staleness": max(2.0, setting.rate)},
            model_spec=dict(MODEL),
            active_tracks_kwargs={"min_steps_alive": 1, "max_staleness": 2},
        )

    def update(self, faces: Faces, time: float) -> F64:  # noqa: ARG002 - it knows the rate
        """Take one frame."""
        pairs = zip(faces.boxes, faces.scores.tolist(), strict=True)
        given = [self._motpy.Detection(box=box, score=s) for box, s in pairs if s >= self._threshold]
        rows = [
            [self._ids.setdefault(track.id, len(self._ids)), *np.asarray(track.box).tolist(), track.score]
            for track in self._tracker.step(given)
        ]
        return np.array(rows, np.float64).reshape(-1, 6)


class Reference:
    """SORT as it was published; needs no package."""

    def __init__(self, rows: Callable[[F64], F64], threshold: float) -> None:
        self._rows, self._threshold = rows, threshold

    def update(self, faces: Faces, time: float) -> F64:  # noqa: ARG002 - it counts frames
        """Take one frame."""
        faces = faces.take(faces.scores >= self._threshold)
        rows = self._rows(np.column_stack([faces.boxes, faces.scores]))
        return np.column_stack([rows[:, 4], rows[:, :4], np.ones(len(rows))])


def _reference(max_age: float, min_hits: int, threshold: float) -> Make:
    """The published tracker; `max_age` in seconds, at least a frame."""

    def make(setting: Setting) -> Peer:
        frames = max(1, round(max_age * setting.rate))
        rows = make_published(CompatibilityConfig(max_age=frames, min_hits=min_hits))
        return Reference(rows, min(threshold, setting.highest))

    return make


PEERS: dict[str, Make] = {
    "sort-published": _reference(0.0, 3, 0.4),
    "sort-patient": _reference(1.0, 1, 0.7),
    "supervision-bytetrack": _supervision,
    "trackers-sort": _trackers("SORTTracker", 3, {ACTIVE: 0.5, LEAST: 0.5}),
    "trackers-bytetrack": _trackers("ByteTrackTracker", 2, {ACTIVE: 0.7, HIGH: 0.6, LEAST: 0.3}),
    "trackers-ocsort": _trackers("OCSORTTracker", 1, {HIGH: 0.6, LEAST: 0.1}),
    "trackers-botsort": _trackers(
        "BoTSORTTracker", 2, {ACTIVE: 0.7, HIGH: 0.6, LEAST: 0.1}, enable_cmc=False
    ),
    "trackers-cbiou": _trackers("CBIoUTracker", 2, {ACTIVE: 0.6, HIGH: 0.5, LEAST: 0.1}),
    "norfair": Norfair,
    "motpy": Motpy,
}
