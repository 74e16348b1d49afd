"""What the loop needs of those around it: renderers, a window, a listener."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.types import Frame, Image, Result, SourceInfo, Stamp
from pipeline.outlet import Outlet
from pipeline.report import Report


class Drawn(Protocol):
    """What a renderer gives back: a picture whose time has come."""

    @property
    def result(self) -> Result:
        """Of its frame."""

    @property
    def raw(self) -> Image | None:
        """The plain picture, blurred if privacy asks for it; None if nobody wants it."""

    @property
    def drawn(self) -> Image | None:
        """The same with the overlay; None if nobody wants it."""


class Renderer(Protocol):
    """Draws the pictures of one source, perhaps some time later."""

    def push(self, frame: Frame, result: Result, status: str) -> Sequence[Drawn]:
        """Take a frame; the pictures that are ready now."""

    def flush(self) -> Sequence[Drawn]:
        """The pictures that are still held back; the source is over."""


class Window(Protocol):
    """The one sink that must run in the main thread."""

    quit: bool

    def write(self, result: Result, picture: Image | None) -> None:
        """Show a picture and react to keys."""

    def close(self) -> None:
        """Take the window away."""


class Listener(Protocol):
    """Told what happens, for a progress bar; may do nothing."""

    def begun(self, info: SourceInfo, length: float) -> None:
        """A source has begun; `length` seconds in all, NaN if not known."""

    def moved(self, stamp: Stamp, report: Report) -> None:
        """A frame has become a result."""

    def over(self, info: SourceInfo) -> None:
        """A source has ended."""


@dataclass(slots=True)
class Outputs:
    """Where results go.

    Attributes:
        outlets: the sinks, each in its thread.
        window: the sink that shows pictures, in the main thread.
        renderer: makes the renderer of a source, or None if no sink wants pictures.
        status: the words of the status line for a frame.
    """

    outlets: Sequence[Outlet] = ()
    window: Window | None = None
    renderer: Callable[[SourceInfo], Renderer] | None = None
    status: Callable[[Stamp, Report], str] = lambda _stamp, _report: ""
