"""Floor 1: where frames come from. `resolve_all` says what an address is, `open_source` opens it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from core.errors import SourceError
from core.protocols import Source
from core.registry import load
from core.settings import CaptureConfig
from core.types import Frame, Gap, SourceInfo, Stamp

# Each is imported only when a source of its kind is opened.
KINDS = {
    "video": "capture.video:open_video",
    "image": "capture.picture:open_pictures",
    "folder": "capture.picture:open_pictures",
    "webcam": "capture.webcam:open_webcam",
    "network": "capture.network:open_network",
    "demo": "capture.demo:Demo",
}

_PROBED = 2.0  # s of a source that a probe looks at


def open_source(
    info: SourceInfo,
    address: str | int,
    config: CaptureConfig,
    *,
    wall: float = math.nan,
) -> Source:
    """Open a source; the thread that reads it closes it. Its frames know of cuts, as configured.

    Args:
        info: as `capture.address.resolve_all` gave it.
        address: beside it; the info bears it without its password.
        config: how to read.
        wall: UTC seconds of a recording's first frame; NaN: as the file says. Live: now.

    Raises:
        SourceError: it does not open, or shows no picture.
    """
    if info.fault:
        raise SourceError(info.fault)
    opener = load(KINDS, info.kind, "source")
    what = (info, config) if info.kind == "demo" else (info, address, config)
    source: Source = opener(*what, wall=wall)
    if not _has_cuts(info, config):
        return source
    from capture.scene import Shots

    return Shots(source)


def _has_cuts(info: SourceInfo, config: CaptureConfig) -> bool:
    """A light that is switched is likelier than a cut before a camera, which is asked only by `true`."""
    return not info.stills and (not info.live if config.cuts == "auto" else config.cuts)


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """What a short look at a source showed.

    Attributes:
        frame: its first.
        fps: frames/s, measured over at most two seconds; NaN for stills.
        codec: the coding's name; empty if not known.
        length: seconds in all; NaN if not known or endless.
    """

    frame: Frame
    fps: float
    codec: str
    length: float


def probe(info: SourceInfo, address: str | int, config: CaptureConfig) -> Probe:
    """Open a source, look at its first two seconds, close it; whatever its opening hours are.

    Raises:
        SourceError: it does not open, or shows no picture.
    """
    source = open_source(replace(info, hours=""), address, config)
    try:
        first = source.read()
        while isinstance(first, Gap):
            if first.error:
                raise SourceError(first.error)
            first = source.read()
        if first is None:
            raise SourceError(f"{info.address}: ended before its first picture.")
        last = _last_stamp(source, first.stamp)
        span = last.time - first.stamp.time
        fps = (last.index - first.stamp.index) / span if span > 0 and not info.stills else math.nan
        return Probe(first, fps, getattr(source, "codec", ""), source.length)
    finally:
        source.close()


def _last_stamp(source: Source, first: Stamp) -> Stamp:
    last = first
    while last.time - first.time < _PROBED:
        item = source.read()
        if not isinstance(item, Frame):
            break
        last = item.stamp
    return last
