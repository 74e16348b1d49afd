"""Annotated video: each picture at its own time, with the sound of the source."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Literal

from core.types import Image, Result, SourceInfo
from outputs.encoder import LARGEST, TICKS, Encoder, Form, pixel_format
from outputs.letterbox import letterbox
from outputs.one_source import OneSource
from outputs.original import Original, Sound, original

log = logging.getLogger(__name__)

_USUAL = Fraction(30)  # pictures a second, where the source does not say
_RATES = (1, 240)


class VideoFile:
    """Writes the pictures of one source as H.264; the file appears with the first one.

    Of several sources that is the first to show one; when it begins again, its pictures go on after the last.
    """

    wants: Literal["data", "raw", "drawn"] = "drawn"

    def __init__(self, path: Path, sources: Mapping[str, SourceInfo]) -> None:
        self._path = path
        self._sources = sources
        self._only = OneSource(str(path))
        self._encoder: Encoder | None = None
        self._film: Original | None = None
        self._sound: Sound | None = None
        self._size = (0, 0)
        self._first = 0.0  # s of the source that stand at 0 in the file
        self._pts = -1
        self._step = 0
        self._over = False  # the source has ended; it may begin again, at 0 s

    def write(self, result: Result, picture: Image | None) -> None:
        """Add the picture of one frame; a result without one has nothing for a video."""
        if result.last and self._only.has(result.stamp.source):
            self._end_sound()
            self._over = True
        if picture is None or not self._only.lets_in(result.stamp.source):
            return
        if self._encoder is None:
            self._encoder = self._begin(result, picture)
        elif self._over:
            self._go_on(result)
        self._over = False
        # A time that stands still must not break the file: a tick of 11 us is not seen.
        pts = max(round((result.stamp.time - self._first) * TICKS), self._pts + 1)
        self._step = pts - self._pts if self._pts >= 0 else 0
        self._pts = pts
        if self._sound is not None:
            for packet in self._sound.until(pts / TICKS):
                self._encoder.add_sound(packet)
        self._encoder.add(letterbox(picture, self._size), pts)

    def close(self) -> None:
        """Add the rest of the sound and finish the file."""
        try:
            self._end_sound()
        finally:
            encoder, self._encoder = self._encoder, None
            if encoder is not None:
                encoder.close()

    def _end_sound(self) -> None:
        sound, self._sound = self._sound, None
        if sound is None:
            return
        try:
            for packet in sound.tail(self._pts / TICKS, self._step / TICKS):
                if self._encoder is not None:
                    self._encoder.add_sound(packet)
        finally:
            sound.close()

    def _begin(self, result: Result, picture: Image) -> Encoder:
        given = (picture.shape[1], picture.shape[0])
        self._size = encodable(given)
        self._first = result.stamp.time
        info = self._sources.get(result.stamp.source)
        self._film = film = original(info)
        self._sound = Sound(film, self._first) if film is not None and film.sound else None
        if self._size != given:
            log.warning(
                "%s: %d x %d is more than H.264 holds; scaled to %d x %d", self._path, *given, *self._size
            )
        elif pixel_format(given) != "yuv420p":
            log.warning(
                "%s: %d x %d is odd: H.264 4:4:4, which some browsers do not play", self._path, *given
            )
        rate = film.rate if film is not None and _RATES[0] <= film.rate <= _RATES[1] else _USUAL
        form = Form(self._size, rate, film.pixel if film is not None else Fraction(1))
        return Encoder(self._path, form, self._sound, endless=info is not None and info.live)

    def _go_on(self, result: Result) -> None:
        """The source has begun again: this picture follows the last one as that followed the one before."""
        at = (self._pts + (self._step or round(TICKS / _USUAL))) / TICKS
        self._first = result.stamp.time - at
        film = original(self._sources.get(result.stamp.source))
        if film is None or not film.sound:
            return
        if self._film is not None and self._film.address == film.address:
            self._sound = Sound(film, result.stamp.time, at)
        else:
            log.warning(
                "%s: the sound of %s is left out: the file began without it", self._path, film.address
            )


def encodable(size: tuple[int, int]) -> tuple[int, int]:
    """The size itself, or the largest of its shape (and even) that H.264 holds.

    >>> encodable((427, 241)), encodable((20000, 100))
    ((427, 241), (16384, 82))
    """
    scale = min(1.0, LARGEST / max(size))
    if scale == 1:
        return size
    width, height = (max(2 * round(side * scale / 2), 2) for side in size)
    return width, height
