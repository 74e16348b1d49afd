"""The outputs of a run: looked at before anything is opened, then opened, each in its thread.

One that is not required is said to fail and left out; the settings must be right all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from core.errors import ConfigError, SinkError, StreamError
from core.masking import masked
from core.protocols import Sink
from core.settings import SinkConfig
from core.status import Status
from core.types import SourceInfo
from outputs import NETWORK, SUMMARY, ending, open_sink
from outputs.looks_csv import LooksCsv
from outputs.paths import check_paths, set_aside, short_of_room
from pipeline.outlet import Outlet

log = logging.getLogger(__name__)

LEFT_OUT = "not required, so the run goes on without it: {}"

T = TypeVar("T")
Sifted = tuple[list[SinkConfig], list[StreamError], list[StreamError]]


def sift(sinks: Sequence[SinkConfig], sources: Mapping[str, SourceInfo]) -> Sifted:
    """The outputs that can be used; what is wrong with those left out; what ends the run."""
    usable, missed = list(sinks), []
    faults = check_paths(usable, sources)
    if faults and not any(isinstance(fault, ConfigError) for fault in faults):
        for sink in sinks:
            own = [] if sink.required else check_paths([sink], sources)
            if own:
                usable.remove(sink)
                missed += own
        faults = check_paths(usable, sources)
    return usable, missed, faults


def check_outputs(sinks: Sequence[SinkConfig], sources: Mapping[str, SourceInfo]) -> list[SinkConfig]:
    """The outputs that can be used, as far as can be told before they are opened.

    Raises:
        ConfigError, SinkError: every fault at once, a line each; the first decides the kind.
    """
    usable, missed, faults = sift(sinks, sources)
    for fault in missed:
        log.warning(LEFT_OUT.format(fault))
    if faults:
        raise type(faults[0])("\n".join(str(fault) for fault in faults))
    for words in short_of_room(usable, sources):
        log.warning("%s", words)
    return usable


def keep_earlier(
    sinks: Sequence[SinkConfig], sources: Mapping[str, SourceInfo], readable: Callable[[], bool]
) -> list[SinkConfig]:
    """Set aside what an earlier run wrote, as `outputs.paths.set_aside` says; the outputs that are left.

    Raises:
        SinkError: that of an output that is required.
    """
    return [sink for sink, _ in _each(sinks, lambda sink: set_aside([sink], sources, readable))]


def open_outputs(
    sinks: Sequence[SinkConfig],
    every_look: str | None,
    sources: Mapping[str, SourceInfo],
    readable: Callable[[], bool],
    status: Callable[[], Status],
) -> tuple[list[SinkConfig], list[Outlet]]:
    """Open all outputs; those that are left, and their threads.

    Those on the network first: where one of them ends the run, as pages whose port is taken do, the files
    of an earlier run are still as they were.

    Raises:
        ConfigError, SinkError: as `keep_earlier` and `open_sinks` say.
    """
    away = [sink for sink in sinks if ending(sink.path) in NETWORK]
    outlets = open_sinks(away, every_look, sources, status)
    left = keep_earlier([sink for sink in sinks if sink not in away], sources, readable)
    return left, outlets + open_sinks(left, every_look, sources, status)


def open_sinks(
    sinks: Sequence[SinkConfig],
    every_look: str | None,
    sources: Mapping[str, SourceInfo],
    status: Callable[[], Status],
) -> list[Outlet]:
    """All but the summaries, each in its thread.

    Args:
        sinks: checked.
        every_look: path of the one among them that is the table of raw looks, whatever its ending.
        sources: by name; may grow.
        status: how the run is doing, from any thread.

    Raises:
        ConfigError: an output whose settings cannot be used.
        SinkError: one that is required cannot be opened.
    """

    def opened(config: SinkConfig) -> Sink:
        if config.path == every_look:
            return LooksCsv(Path(config.path), sources)
        return open_sink(config, sources, status)

    live = _LiveNames(sources)
    found = _each([sink for sink in sinks if ending(sink.path) != SUMMARY], opened)
    return [Outlet(sink, masked(config.path), live, config.required) for config, sink in found]


def _each(sinks: Sequence[SinkConfig], act: Callable[[SinkConfig], T]) -> list[tuple[SinkConfig, T]]:
    """What came of each output; without those that failed and are not required."""
    found = []
    for sink in sinks:
        try:
            found.append((sink, act(sink)))
        except SinkError as error:
            if sink.required:
                raise
            log.warning(LEFT_OUT.format(error))
    return found


class _LiveNames:
    """The names of the sources whose pictures may be dropped; sources may come."""

    def __init__(self, sources: Mapping[str, SourceInfo]) -> None:
        self._sources = sources

    def __contains__(self, name: object) -> bool:
        return self._sources[str(name)].live
