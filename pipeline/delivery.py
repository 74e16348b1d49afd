"""Hands results on: to the renderers, the outputs and the window."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from core.errors import ReaderGone, SinkError
from core.types import Frame, Result, SourceInfo
from pipeline.ports import Drawn, Outputs, Renderer
from pipeline.report import Report

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Delivery:
    """The way of the results out of the loop.

    Attributes:
        broke: called with what a renderer or the window raised.
        quit: the window was closed.
    """

    outputs: Outputs
    report: Report
    broke: Callable[[Exception], None]
    quit: bool = False
    _renderers: dict[str, Renderer] = field(default_factory=dict)

    def begin(self, info: SourceInfo) -> None:
        """A source has begun."""
        if self.outputs.renderer is not None:
            self._renderers[info.name] = self.outputs.renderer(info)

    def deliver(self, result: Result, frame: Frame | None) -> None:
        """Hand on one result, and its picture if there is one."""
        pictures: Sequence[Drawn] = ()
        renderer = self._renderers.get(result.stamp.source)
        if frame is not None and renderer is not None:
            status = self.outputs.status(result.stamp, self.report)
            pictures = renderer.push(frame, result, status)
        for outlet in self.outputs.outlets:
            if outlet.wants == "data" or result.last:
                outlet.put(result)
        self._show(pictures)

    def flush(self, name: str) -> None:
        """Show the pictures of a source that are still held back; it is over."""
        if name in self._renderers:
            try:
                self._show(self._renderers.pop(name).flush())
            except Exception as caught:  # the tracks end all the same
                self.broke(caught)

    def failed(self) -> bool:
        """Whether the run should end since an output failed, or all of them have lost their reader."""
        outlets = self.outputs.outlets
        if not any(outlet.error for outlet in outlets):
            return False
        self._report_sinks()
        gone = all(isinstance(outlet.error, ReaderGone) for outlet in outlets)
        broken = any(code == SinkError.exit_code for code, _ in self.report.failures)
        return broken or (gone and self.outputs.window is None)

    def close(self) -> None:
        """Write all that waits, and close the outputs and the window."""
        for outlet in self.outputs.outlets:  # all at once: each on the network may take seconds
            outlet.finish()
        for outlet in self.outputs.outlets:
            outlet.close()
            self.report.pictures_dropped += outlet.dropped
        self._report_sinks()
        if self.outputs.window is not None:
            with suppress(Exception):  # the window may be gone already; nothing is lost with it
                self.outputs.window.close()

    def _show(self, pictures: Sequence[Drawn]) -> None:
        for picture in pictures:
            for outlet in self.outputs.outlets:
                if outlet.wants != "data":
                    outlet.put(picture.result, picture.raw if outlet.wants == "raw" else picture.drawn)
            if self.outputs.window is not None:
                self.outputs.window.write(picture.result, picture.drawn)
                self.quit = self.quit or self.outputs.window.quit

    def _report_sinks(self) -> None:
        """Remember the failures of the outputs, once each."""
        for outlet in self.outputs.outlets:
            failure = (SinkError.exit_code, str(outlet.error))
            if outlet.error is None or isinstance(outlet.error, ReaderGone) or not outlet.required:
                continue
            if failure not in self.report.failures:
                self.report.fail(*failure)
