"""The demo as a source of frames."""

from __future__ import annotations

import math
from functools import cache

from capture.demo.film import FPS, FRAMES, SIZE
from capture.demo.stage import Stage
from capture.demo.truth import TrueFace, true_faces
from core.errors import SourceError
from core.settings import CaptureConfig
from core.types import Frame, SourceInfo, Stamp


class Demo:
    """A film of 36 s at 25 frames/s that is drawn while it is read, and knows whose face is where.

    `Stamp.time` counts from the film's first frame, also when reading begins later;
    `Stamp.index` counts the frames handed out.
    """

    decode_errors = 0

    def __init__(self, info: SourceInfo, config: CaptureConfig, *, wall: float = math.nan) -> None:
        """Build the stage.

        Args:
            info: of kind demo.
            config: of which `begin` and `end` are heeded, seconds of the film.
            wall: UTC seconds of the film's first frame; NaN: not said.

        Raises:
            SourceError: no frame lies between them.
        """
        self.info = info
        self._wall = wall
        end = math.inf if config.end is None else config.end
        self._first = math.ceil(config.begin * FPS - 1e-6)
        self._end = min(FRAMES, math.ceil(min(end, FRAMES / FPS) * FPS - 1e-6))
        if self._first >= self._end:
            raise SourceError(
                f"{info.address}: there is no frame between 'from' {config.begin:g} s and 'to'; "
                f"the film is {FRAMES / FPS:g} s long."
            )
        self._next = self._first
        self._stage = Stage()

    @property
    def length(self) -> float:
        """Seconds in all."""
        return (self._end - self._first) / FPS

    def read(self) -> Frame | None:
        """The next frame; None at the end."""
        if self._next >= self._end:
            return None
        index = self._next
        self._next += 1
        time = index / FPS
        stamp = Stamp(self.info.name, index - self._first, time, self._wall + time, SIZE)
        return Frame(stamp, self._stage.draw(index))

    def close(self) -> None:
        """Hand out nothing more."""
        self._next = self._end


def truth(index: int) -> tuple[TrueFace, ...]:
    """Every face of the cast in frame `index` of the film (from 0), by name.

    Those that are hidden or outside of the picture are there too, with `visible` 0.
    """
    return true_faces(_stage(), index)


@cache
def _stage() -> Stage:
    return Stage()
