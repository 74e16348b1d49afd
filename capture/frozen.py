"""Tells a camera that sends the very same picture for ever from one that shows a still scene."""

from __future__ import annotations

import math
import zlib

from core.types import Array

_KEY_FRAMES = 3
_ROWS = 8  # every so many rows of a picture are looked at


class Frozen:
    """Hears of every picture; frozen is one that stays the same over some key frames and some time.

    A still scene compresses to identical pictures for seconds, but each key frame is coded anew, with
    the noise of its moment.
    """

    def __init__(self, after: float) -> None:
        """`after`: least seconds; 0: nothing is ever frozen."""
        self._after = after
        self.reset()

    def reset(self) -> None:
        """Another connection: whatever comes is new."""
        self._digest = -1
        self._since = math.nan
        self._keys = 0

    def hear(self, digest: int, key: bool, time: float) -> bool:
        """Whether the source is frozen as of this picture; -1 as `digest` is never the same."""
        if digest != self._digest or digest == -1:
            self._digest, self._since, self._keys = digest, time, 0
        self._keys += key
        return self._after > 0 and self._keys >= _KEY_FRAMES and time - self._since >= self._after


def digest(plane: Array) -> int:
    """A number for a picture's brightness: the same for the same picture, else hardly ever.

    Args:
        plane: uint8 (H, W), or (H, 2 W) of samples with more than 8 bits.
    """
    return zlib.crc32(plane[::_ROWS].tobytes())
