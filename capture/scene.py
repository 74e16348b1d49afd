"""Tells from the picture whether a frame begins another shot, as soon as it comes.

A frame is compared with the one before, both as thumbnails of local contrast: what light, gain and
gamma do to a picture falls out of these. Two frames are of one shot if they correlate after the best shift
or zoom (the camera moved), or if a part of the picture stays where it was (somebody walks in front of
it). The two must be unlike in all these ways for a cut.

Two shots may share what belongs to neither: black bars around a film, a line of news, the mark of a station.
Bars are left out before anything is compared. The others lie near the top or the bottom: what stays must do
so in the middle, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

from core.protocols import Source
from core.types import F32, Array, Frame, Gap, Image, SourceInfo

_SAMPLES = (320, 180)  # pixels of a frame that are looked at; reading all of 1080p takes ten times as long
_SIZE = (64, 36)  # of a thumbnail
_AROUND = 13  # px of the thumbnail that count as near
_FAINT = 4.0  # grey levels of contrast that count little: noise
_BLACK, _WHITE = 6, 249  # grey levels beyond which there is nothing to be seen
_SHIFT = (22, 10)  # px of the thumbnail: over a third of the width, and a quarter of the height
_NEXT = np.ones((3, 3), np.uint8)  # a pixel and its neighbours
_ZOOM = 5, 3  # px cut off at each side: 1.2 times as large

# Chosen on one half of the clips and pictures, see tests/capture/test_scene.py.
_ALIKE = 0.5  # correlation; over it, two thumbnails are of one shot
_LOCALLY_ALIKE = 0.7  # the same near one point
_STAYS = 0.07  # share of the contrast that must stay in place, where nothing else agrees
_STAYS_IN_THE_MIDDLE = 0.03  # the same for the middle, without which what stays elsewhere does not count
_MARGIN = 1 / 4  # share of the height at the top, and at the bottom, that is not the middle
_PLAIN = 0.05  # mean square of local contrast under which a picture shows too little to say
_BLIND = 0.25  # share neither black nor white, likewise


class Shots:
    """A source whose frames say whether they begin another shot."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._cuts = Cuts()

    @property
    def info(self) -> SourceInfo:
        """Its name, kind and nature."""
        return self._source.info

    @property
    def decode_errors(self) -> int:
        """Packets or pictures so far that could not be decoded."""
        return self._source.decode_errors

    @property
    def length(self) -> float:
        """Seconds in all; NaN if not known or endless."""
        return self._source.length

    @property
    def codec(self) -> str:
        """The coding's name; empty if not known."""
        return str(getattr(self._source, "codec", ""))

    def read(self) -> Frame | Gap | None:
        """The next frame; a Gap for a second without a picture; None at the end."""
        item = self._source.read()
        # What a decoder makes of broken data looks like anything.
        if isinstance(item, Frame) and not item.damaged and self._cuts.begins(item.image):
            return replace(item, cut=True)
        return item

    def close(self) -> None:
        """Let go of it."""
        self._source.close()


class Cuts:
    """Says of each picture of one source, in order, whether it begins another shot."""

    def __init__(self) -> None:
        # Two, so that the picture after a flash finds the one before it.
        self._before: deque[View] = deque(maxlen=2)

    def begins(self, image: Image) -> bool:
        """Is this another shot than the picture before? False for the first one."""
        view = View.of(thumbnail(image))
        if view.plain:
            return False
        cut = bool(self._before) and not any(one_shot(before, view) for before in reversed(self._before))
        if cut:
            self._before.clear()
        self._before.append(view)
        return cut


class Area(NamedTuple):
    """The part of a thumbnail that lies within its bars, pixels."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def middle(self) -> tuple[slice, slice]:
        """Its rows and columns, but for the margins at the top and bottom."""
        margin = int(_MARGIN * (self.bottom - self.top))
        return slice(self.top + margin, self.bottom - margin), slice(self.left, self.right)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What is compared of a picture.

    Attributes:
        grey: float32 (36, 64), grey levels.
        contrast: float32 (36, 64), to the surroundings, in their standard deviations; 0 where unseen.
        power: float32 (36, 64), its square.
        seen: float32 (36, 64), 1 where the picture is neither black nor white nor a bar, else 0.
        area: what lies within the bars.
    """

    grey: F32
    contrast: F32
    power: F32
    seen: F32
    area: Area

    @property
    def plain(self) -> bool:
        """Is there too little in the picture to say anything: black, blown out, a wall?"""
        left, top, right, bottom = self.area
        if (right - left) * (bottom - top) < _BLIND * self.grey.size:
            return True
        middle = self.area.middle
        return float(self.power[middle].mean()) < _PLAIN or float(self.seen[middle].mean()) < _BLIND

    @classmethod
    def of(cls, grey: F32) -> View:
        """The local contrast of a thumbnail, within its bars.

        Source: Jarrett et al., "What is the best multi-stage architecture for object
        recognition?", ICCV 2009, section 2: subtractive and divisive normalisation; with the bars
        left out of the means as in Knutsson, Westin, "Normalized and differential convolution",
        CVPR 1993.
        """
        inside = within_bars(grey)
        share = np.maximum(_mean(inside), 1e-6)
        difference = _f32((grey - _mean(_f32(grey * inside)) / share) * inside)
        deviation = np.sqrt(np.maximum(_mean(difference * difference) / share, 0))
        seen = _f32((grey > _BLACK) & (grey < _WHITE)) * inside
        contrast = _f32(cv2.GaussianBlur(difference / (deviation + _FAINT), (0, 0), 1.0)) * seen
        return cls(grey, contrast, contrast * contrast, seen, _area(inside))


def within_bars(grey: F32) -> F32:
    """float32 (36, 64): 0 at black bars along the sides and at the pixel beside them, else 1.

    A row or column belongs to a bar if more than half of it is black, and so is all between it
    and the side: there may be writing in a bar.
    """
    black = grey <= _BLACK
    rows, columns = (_from_the_sides(black.mean(axis=axis) > 0.5) for axis in (1, 0))
    bars = black & (rows[:, None] | columns)
    # The pixel beside it is a mixture of bar and picture.
    return _f32(1 - cv2.dilate(bars.astype(np.uint8), _NEXT))


def _from_the_sides(lines: Array) -> Array:
    """Which lines are so together with all before them, or with all behind them."""
    both: Array = np.logical_and.accumulate(lines) | np.logical_and.accumulate(lines[::-1])[::-1]
    return both


def _area(inside: F32) -> Area:
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return Area(0, 0, 0, 0)
    return Area(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def thumbnail(image: Image) -> F32:
    """Grey levels of a picture, float32 (36, 64), each the mean of 25 pixels spread over its place."""
    samples = cv2.resize(image, _SAMPLES, interpolation=cv2.INTER_NEAREST)
    grey = cv2.cvtColor(samples, cv2.COLOR_BGR2GRAY)
    return cv2.resize(grey, _SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)


def one_shot(a: View, b: View) -> bool:
    """Can `b` follow `a` without a cut?"""
    if staying(a, b) > _STAYS or correlation(a, b) > _ALIKE:
        return True
    return any(correlation(*pair) > _ALIKE for pair in _zooms(a, b))


def correlation(a: View, b: View) -> float:
    """Correlation of two contrasts at the shift at which it is largest, -1 to 1.

    At each shift, only what is seen in both counts.

    Source: Padfield, "Masked object registration in the Fourier domain", IEEE TIP 2012,
    with means of 0, as contrasts have them.
    """
    shift = _shift(a.area, b.area)
    both = _slide(b.contrast, a.contrast, shift)
    power = _slide(b.seen, a.power, shift) * _slide(b.power, a.seen, shift)
    # The constant keeps a small overlap of little contrast from agreeing by chance.
    return float((both / (np.sqrt(np.maximum(power, 0)) + 0.01 * a.grey.size)).max())


def staying(a: View, b: View) -> float:
    """Share of the contrast that is alike in the same place, 0 to 1.

    Of the middle alone, if next to nothing stays there.
    """
    both = _mean(a.contrast * b.contrast)
    power = np.sqrt(np.maximum(_mean(a.power * b.seen) * _mean(b.power * a.seen), 0))
    alike = np.where(both > _LOCALLY_ALIKE * (power + 0.05), power, 0)
    middle = _common(a.area, b.area).middle
    inner = _share(alike[middle], power[middle])
    return max(inner, _share(alike, power)) if inner > _STAYS_IN_THE_MIDDLE else inner


def _share(part: Array, whole: Array) -> float:
    return float(part.sum() / (whole.sum() + 0.02 * max(whole.size, 1)))


def _common(a: Area, b: Area) -> Area:
    return Area(max(a.left, b.left), max(a.top, b.top), min(a.right, b.right), min(a.bottom, b.bottom))


def _shift(a: Area, b: Area) -> tuple[int, int]:
    """How far one may lie from the other, pixels: less in a smaller picture."""
    width = max(a.right - a.left, b.right - b.left)
    height = max(a.bottom - a.top, b.bottom - b.top)
    return _SHIFT[0] * width // _SIZE[0], _SHIFT[1] * height // _SIZE[1]


def _zooms(a: View, b: View) -> Iterator[tuple[View, View]]:
    yield _enlarged(a), b
    yield a, _enlarged(b)


def _enlarged(view: View) -> View:
    x, y = _ZOOM
    return View.of(_f32(cv2.resize(view.grey[y:-y, x:-x], _SIZE, interpolation=cv2.INTER_LINEAR)))


def _slide(over: F32, pattern: F32, shift: tuple[int, int]) -> F32:
    x, y = shift
    padded = cv2.copyMakeBorder(over, y, y, x, x, cv2.BORDER_CONSTANT, value=0)
    return _f32(cv2.matchTemplate(padded, pattern, cv2.TM_CCORR))


def _mean(values: F32) -> F32:
    return _f32(cv2.blur(values, (_AROUND, _AROUND)))


def _f32(values: Array) -> F32:
    return np.asarray(values, np.float32)
