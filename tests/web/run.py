"""A made-up run: sources, their state and pictures, with the pages that show them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from core.settings import SinkConfig
from core.status import SourceStatus, Status
from core.types import SourceInfo
from tests import make
from web.sink import WebPages


class Run:
    """What the program would know; change `states` and `status` as you like."""

    def __init__(self, *names: str) -> None:
        self.sources = {name: SourceInfo(name, "network", "rtsp://***@10.0.0.7", live=True) for name in names}
        self.states = {name: up(name) for name in names}
        self.status = Status(version="1.2.3", device="CPU", seconds=12.0, turned=0.05)

    def __call__(self) -> Status:
        return replace(self.status, sources=tuple(self.states.values()))


def up(name: str = "door", **more) -> SourceStatus:
    """A source that gives pictures."""
    state = SourceStatus(name, "network", True, "up", age=0.04, size=(640, 360), fps_in=25.0, fps_out=24.5)
    return replace(state, **more)


@contextmanager
def serving(run: Run, address: str = "http://:0/") -> Iterator[WebPages]:
    """The pages of that run, closed at the end."""
    pages = WebPages(SinkConfig(path=address), run.sources, run)
    try:
        yield pages
    finally:
        pages.close()


def picture(value: int = 90, size: tuple[int, int] = (640, 360)):
    """A plain picture, read-only as the renderer's."""
    image = np.full((size[1], size[0], 3), value, np.uint8)
    image.flags.writeable = False
    return image


def noise(seed: int, size: tuple[int, int] = (640, 360)):
    """A picture that JPEG cannot make small."""
    return np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)


def end(pages: WebPages, source: str = "door") -> None:
    """Write the last result of a source as the pipeline would."""
    result = make.result(make.frame(0), make.tracks({}), last=True)
    pages.write(replace(result, stamp=replace(result.stamp, source=source)), None)


def show(pages: WebPages, image, source: str = "door", index: int = 0) -> None:
    """Write one picture as the pipeline would."""
    frame = make.frame(index)
    result = make.result(frame, make.tracks({}))
    pages.write(replace(result, stamp=replace(result.stamp, source=source)), image)
