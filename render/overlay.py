"""Draws what is believed about each face beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.settings import RenderConfig
from core.types import EMOTIONS, ENDED, F64, LOST, Evidence, Image, Tracks
from render.marks import draw_corners, draw_dashes, draw_trail
from render.panel import Colour, Panels
from render.placement import Placement
from render.text import Lettering

# Blue, green, red. Source: Okabe and Ito, "Color universal design", 2002, without its black.
PALETTE: tuple[Colour, ...] = (
    (233, 180, 86),  # sky blue
    (0, 159, 230),  # orange
    (115, 158, 0),  # bluish green
    (167, 121, 204),  # reddish purple
    (66, 228, 240),  # yellow
    (0, 94, 213),  # vermillion
    (178, 114, 0),  # blue
)
GREY: Colour = (140, 140, 140)
FORMS = 4  # of a label, from the fullest to the bare id
_VAGUE_AGE = 30.0  # years of half a 90 % interval, over which an age says nothing
_CLEAR_MOOD = 0.4  # probability under which no mood is named


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What there is to draw on one picture.

    Attributes:
        time: seconds, of the frame.
        tracks, evidence: rows of the same tracks.
        trails: id -> float64 (T, 2) pixels, the oldest first.
        status: one line about the run; empty for none.
    """

    time: float
    tracks: Tracks
    evidence: Evidence
    trails: Mapping[int, F64] = field(default_factory=dict)
    status: str = ""


class Overlay:
    """Draws on the pictures of one source; remembers only where its labels were.

    All measures follow the shorter side of the frame, so that 360p and 4K look alike.
    """

    def __init__(self, config: RenderConfig) -> None:
        self._config = config
        self._shorter = 0

    def draw(self, picture: Image, scene: Scene) -> None:
        """Draw on the picture, uint8 (H, W, 3) and writable."""
        height, width = picture.shape[:2]
        if min(height, width) != self._shorter:
            self._measure(min(height, width))
        rows = _drawable(scene.tracks)
        for row in rows:
            self._mark(picture, scene, row)
        taken = self._status(picture, scene.status)
        self._label(picture, scene, rows, taken)

    def _measure(self, shorter: int) -> None:
        self._shorter, self._said = shorter, ""
        size = max(12, round(0.022 * shorter * self._config.scale))
        self._thickness = max(1, round(size / 8))
        self._margin = max(2, size // 2)
        self._panels = Panels(Lettering(size))
        self._placement = Placement(gap=self._thickness + max(1, size // 6))

    def _mark(self, picture: Image, scene: Scene, row: int) -> None:
        tracks = scene.tracks
        track, box, lost = int(tracks.ids[row]), tracks.boxes[row], tracks.states[row] == LOST
        colour, trail = colour_of(track, lost), scene.trails.get(track)
        if trail is not None and len(trail) > 1:
            draw_trail(picture, trail, colour, max(1, self._thickness // 2))
        draw = draw_dashes if lost else draw_corners
        draw(picture, box, colour, self._thickness)

    def _status(self, picture: Image, status: str) -> F64:
        """Draw the status line at the bottom; (0 or 1, 4): the pixels it takes."""
        height, width = picture.shape[:2]
        text = self._panels.fit(status, width - 2 * self._margin) if self._config.status and status else ""
        y = height - self._margin - self._panels.height
        if not text or y < 0:
            return np.zeros((0, 4))
        if text != self._said:  # new each second, and never again
            self._said, self._saying = text, self._panels.make("", text, GREY)
        panel = self._saying
        panel.lay(picture, self._margin, y)
        box = (self._margin, y, self._margin + panel.add.shape[1], y + panel.add.shape[0])
        return np.array([box], np.float64)

    def _label(self, picture: Image, scene: Scene, rows: list[int], taken: F64) -> None:
        tracks, height = scene.tracks, self._panels.height
        ids = [int(tracks.ids[row]) for row in rows]
        texts = [forms(scene.evidence, row) for row in rows]
        sizes = [
            [(self._panels.width(f"#{i}", t), height) for t in all_forms]
            for i, all_forms in zip(ids, texts, strict=True)
        ]
        places = self._placement.place(
            ids,
            tracks.boxes[rows],
            np.array(sizes, np.int64).reshape(len(ids), FORMS, 2),
            taken,
            (picture.shape[1], picture.shape[0], scene.time),
        )
        for row, track, text, place in zip(rows, ids, texts, places, strict=True):
            if place is not None:
                colour = colour_of(track, tracks.states[row] == LOST)
                self._panels.get(f"#{track}", text[place.form], colour).lay(picture, place.x, place.y)


def colour_of(track: int, lost: bool = False) -> Colour:
    """The colour of an id, half grey while it is lost; ids next in number differ to everybody."""
    blue, green, red = PALETTE[(track - 1) % len(PALETTE)]
    return (
        ((blue + GREY[0]) // 2, (green + GREY[1]) // 2, (red + GREY[2]) // 2) if lost else (blue, green, red)
    )


def forms(evidence: Evidence, row: int) -> tuple[str, str, str, str]:
    """What a label says beside the id, from the fullest to nothing; what is not known is left out."""
    gender = ("", "female", "male")[evidence.gender[row]]
    age, short_age = "", ""
    half = float(evidence.age_high[row] - evidence.age_low[row]) / 2
    if half <= _VAGUE_AGE:  # false for NaN, too
        mean, half = round(float(evidence.age_mean[row])), max(1, round(half))
        age, short_age = f"{mean} ± {half}", f"{mean}±{half}"
    mood = _mood(evidence, row)
    person = " ".join(part for part in (gender, age) if part)
    full = " · ".join(part for part in (person, mood) if part)
    return full, person, f"{gender[:1].upper()} {short_age}".strip(), ""


def _mood(evidence: Evidence, row: int) -> str:
    shares = evidence.emotion[row]
    if not np.isfinite(shares).all() or shares.max() < _CLEAR_MOOD:
        return ""
    return EMOTIONS[int(shares.argmax())]


def _drawable(tracks: Tracks) -> list[int]:
    """Rows of living tracks with a box, by id: the older ones choose their place first."""
    fit = np.isfinite(tracks.boxes).all(axis=1) & (tracks.states != ENDED)
    fit &= (tracks.boxes[:, 2:] > tracks.boxes[:, :2]).all(axis=1)
    rows = np.flatnonzero(fit)
    return [int(row) for row in rows[np.argsort(tracks.ids[rows], kind="stable")]]
