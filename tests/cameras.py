"""How tests read network cameras: with time-outs that are short."""

from __future__ import annotations

from capture import open_source, probe
from capture.address import resolve_all
from core.settings import CaptureConfig, SourceConfig
from core.types import Frame


def opened(address, **config):
    settings = CaptureConfig(**{"open_timeout": 2.0, "stall_timeout": 1.0, **config})
    (((info, where),),) = resolve_all([SourceConfig(address=address, name="door")], settings)
    return open_source(info, where, settings)


def looked_at(address, **config):
    """A short look, as --check takes one; it fails where the source does not open."""
    settings = CaptureConfig(**{"open_timeout": 2.0, "stall_timeout": 1.0, **config})
    (((info, where),),) = resolve_all([SourceConfig(address=address, name="door")], settings)
    return probe(info, where, settings)


def frames_of(source, count):
    """The next frames; gaps between them are left out."""
    frames = []
    while len(frames) < count:
        item = source.read()
        frames += [item] if isinstance(item, Frame) else []
    return frames
