"""What each exchangeable part must do. No base classes: these are checked by mypy alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from core.types import (
    I64,
    Array,
    Faces,
    Frame,
    Gap,
    Image,
    Result,
    SourceInfo,
    Tracks,
)


class Source(Protocol):
    """A camera, a file, a folder, the demo. Owned and read by one thread."""

    @property
    def info(self) -> SourceInfo:
        """Its name, kind and nature."""

    @property
    def decode_errors(self) -> int:
        """Packets or pictures so far that could not be decoded."""

    @property
    def length(self) -> float:
        """Seconds in all; NaN if not known or endless."""

    def read(self) -> Frame | Gap | None:
        """The next frame; a Gap for a second without a picture; None at the end.

        Raises:
            SourceError: it broke off; all that was readable has been handed out.
        """

    def close(self) -> None:
        """Let go of the device or file. Idempotent; only from the reading thread."""


class Detector(Protocol):
    """Finds the faces of pictures."""

    def detect(self, images: Sequence[Image]) -> list[Faces]:
        """The faces of each image, in that image's own pixels."""


class Tracker(Protocol):
    """Keeps one id for each face of one source."""

    def wants(self, faces: Faces, time: float) -> I64:
        """Rows of these faces whose face prints `update` should be given; asked just before it.

        Asked only where a network computes face prints, and never at a cut. Changes nothing.
        """

    def update(
        self,
        faces: Faces | None,
        time: float,
        *,
        cut: bool = False,
        damaged: bool = False,
        embeddings: Array | None = None,
    ) -> Tracks:
        """Take the faces of one frame.

        Args:
            faces: what the detector found; None: nobody looked at this frame.
            time: seconds, not before that of the last call.
            cut: the frame begins another shot.
            damaged: the picture is broken: tracks may go on by it, but none begins.
            embeddings: float32 (N, D), a face print of unit length for each face that `wants`
                asked for, NaN for the others; None: none was computed. To be kept no longer
                than the track lives.
        """

    def end(self) -> Tracks:
        """The source is over: every track ends."""


class Sink(Protocol):
    """Takes results, and pictures if it wants them, somewhere."""

    @property
    def wants(self) -> Literal["data", "raw", "drawn"]:
        """Which picture comes with the result, if any."""

    def write(self, result: Result, picture: Image | None) -> None:
        """Take one result; the picture is read-only and may come up to `render.delay` late."""

    def close(self) -> None:
        """Finish what was begun, so that nothing is lost. Idempotent."""
