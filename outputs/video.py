"""Annotated video: each picture at its own time, with the sound of the source."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av

from core.types import Image, Result, SourceInfo
from outputs.encoder import TICKS, Encoder, pixel_format
from outputs.letterbox import letterbox
from outputs.sound import Sound, open_sound

log = logging.getLogger(__name__)

_USUAL = Fraction(30)  # pictures a second, where the source does not say
_RATES = (1, 240)


class VideoFile:
    """Writes the pictures of one source as H.264; the file appears with the first one."""

    wants: Literal["data", "raw", "drawn"] = "drawn"

    def __init__(self, path: Path, sources: Mapping[str, SourceInfo]) -> None:
        self._path = path
        self._sources = sources
        self._encoder: Encoder | None = None
        self._sound: Sound | None = None
        self._size = (0, 0)
        self._first = 0.0
        self._pts = -1
        self._step = 0

    def write(self, result: Result, picture: Image | None) -> None:
        """Add the picture of one frame; a result without one has nothing for a video."""
        if picture is None:
            return
        if self._encoder is None:
            self._encoder = self._begin(result, picture)
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
        encoder, self._encoder = self._encoder, None
        sound, self._sound = self._sound, None
        try:
            if encoder is not None and sound is not None:
                for packet in sound.tail(self._pts / TICKS, self._step / TICKS):
                    encoder.add_sound(packet)
        finally:
            if sound is not None:
                sound.close()
            if encoder is not None:
                encoder.close()

    def _begin(self, result: Result, picture: Image) -> Encoder:
        self._size = (picture.shape[1], picture.shape[0])
        self._first = result.stamp.time
        self._sound = open_sound(self._sources.get(result.stamp.source))
        if pixel_format(self._size) != "yuv420p":
            log.warning(
                "%s: %d x %d is odd and is kept by H.264 4:4:4, which some browsers and phones do not play",
                self._path,
                *self._size,
            )
        rate = _rate(self._sources.get(result.stamp.source))
        return Encoder(self._path, self._size, rate, self._sound)


def _rate(info: SourceInfo | None) -> Fraction:
    """Pictures a second, as the file behind a source says."""
    if info is None or info.path is None or info.kind != "video":
        return _USUAL
    try:
        with av.open(str(info.path)) as container:
            rate = container.streams.video[0].average_rate or _USUAL
    except (av.FFmpegError, OSError, IndexError):
        return _USUAL
    return rate if _RATES[0] <= rate <= _RATES[1] else _USUAL
