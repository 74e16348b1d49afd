"""An open camera, what it gives, and why it is lost: what `live` asks of webcams and networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from core.errors import SourceError
from core.types import Image

FIRST_PICTURE = 10.0  # s that a camera may take, once open, to its first picture: it waits for a key frame


class Lost(SourceError):
    """A connection that is not to be had, or no more.

    Attributes:
        reason: one word for the record, such as refused, denied, missing, stalled, ended.
        pause: least seconds before another try; infinite: there is no hope.
    """

    def __init__(self, message: str, reason: str, pause: float = 0.0) -> None:
        super().__init__(message)
        self.reason = reason
        self.pause = pause


class Grab(NamedTuple):
    """A picture as it came: `paint` makes it BGR, which only those that are read are worth.

    Attributes:
        presentation: seconds; NaN if it bears none.
        damaged: flagged by the decoder, or built on one that was.
        key: needs no other picture.
        digest: the same for the same picture.
    """

    paint: Callable[[], Image]
    presentation: float
    damaged: bool
    key: bool = True
    digest: int = -1


class Connection(Protocol):
    """An open camera. All its methods are called by one thread: closing from another one crashes."""

    codec: str

    @property
    def errors(self) -> int:
        """Broken packets so far."""

    def grab(self) -> Grab | None:
        """Wait for the next picture; None: it is over, and was meant to end. Raises Lost."""

    def close(self) -> None:
        """Let go of it."""
