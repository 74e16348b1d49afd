"""Films that a made-up source gives, for tests of what reads them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.types import Frame, Gap, SourceInfo
from tests.make import stamp


class Film:
    """A source of `count` plain frames at 25 frames/s, then the end, or `error`."""

    decode_errors = 0
    length = float("nan")

    def __init__(self, info: SourceInfo, count: int, error: Exception | None = None, gaps: int = 0) -> None:
        self.info = info
        self.closed = False
        self._items: list[Frame | Gap] = [
            Frame(stamp(i, source=info.name), np.full((360, 640, 3), i % 250, np.uint8)) for i in range(count)
        ]
        self._items += [Gap(stamp(count, time=count / 25 + i, source=info.name)) for i in range(gaps)]
        self._error = error

    def read(self) -> Frame | Gap | None:
        if self._items:
            return self._items.pop(0)
        if self._error:
            raise self._error
        return None

    def close(self) -> None:
        self.closed = True


def described(name: str = "door", live: bool = False) -> SourceInfo:
    """A source of that name."""
    return SourceInfo(name, "network" if live else "video", name, live=live)


def cut_at(number: int, live: bool = True, count: int = 6, gaps: int = 0) -> Film:
    """A film whose frame `number` begins another shot."""
    film = Film(described(live=live), count, gaps=gaps)
    film._items[number] = replace(film._items[number], cut=True)
    return film
