"""Hands out a file at its own speed, for people who watch."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.protocols import Source
from core.types import Frame, Gap, SourceInfo


class Paced:
    """Another source, whose frames come no sooner than their time."""

    def __init__(
        self,
        source: Source,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`clock` and `sleep` in seconds."""
        self._source = source
        self._clock = clock
        self._sleep = sleep
        self._due = -float("inf")
        self._before = 0.0

    @property
    def info(self) -> SourceInfo:
        """That of the source inside."""
        return self._source.info

    @property
    def decode_errors(self) -> int:
        """That of the source inside."""
        return self._source.decode_errors

    @property
    def length(self) -> float:
        """That of the source inside."""
        return self._source.length

    def read(self) -> Frame | Gap | None:
        """The next frame, when its time has come."""
        item = self._source.read()
        if item is None:
            return None
        # Late (a slow machine, a pause): go on from here at its own speed, no hurry to catch up.
        self._due = max(self._due + item.stamp.time - self._before, self._clock())
        self._before = item.stamp.time
        self._sleep(max(self._due - self._clock(), 0.0))
        return item

    def close(self) -> None:
        """Close the source inside."""
        self._source.close()
