"""The sources of a run, and how they change while it goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence

from capture.address import Resolved, resolve_all
from core.errors import SourceError, StreamError
from core.settings import CaptureConfig, Settings, SourceConfig
from core.types import SourceInfo

log = logging.getLogger(__name__)

Lane = Sequence[SourceInfo]
Entry = tuple[SourceConfig, list[Resolved]]  # of the settings, and what stands in it


class Roster:
    """Which sources there are, by name, and how each is opened.

    Attributes:
        infos: of every source that there has been; grows.
        lanes: those of the settings, a list for each entry: what stands in it is read in turn.
    """

    def __init__(self, settings: Settings) -> None:
        """Find out what the addresses stand for.

        Raises:
            SourceError, ConfigError: an address that stands for nothing, or a name given twice.
        """
        self._settings = settings
        self._opening: dict[str, tuple[str | int, CaptureConfig]] = {}
        self.infos: dict[str, SourceInfo] = {}
        self.lanes: list[Lane] = []
        self._now: dict[str, Entry] = {}  # by the name of its first source
        for config, lane in _entries(settings.sources, settings.capture):
            self._enter(config, lane)

    def address(self, name: str) -> str | int:
        """What to open a source by; with its password."""
        return self._opening[name][0]

    def reading(self, name: str) -> CaptureConfig:
        """How a source is read."""
        return self._opening[name][1]

    def change(self, reread: Callable[[], Settings] | None) -> tuple[list[Lane], dict[str, str]]:
        """Read the settings again: lanes that come, and why others go, by the name of their first source.

        One whose entry differs goes and comes. What cannot be read changes nothing.
        """
        try:
            settings = reread() if reread else self._settings
            found = self._found(settings)
        except StreamError as error:
            log.error("the settings are not read anew, all goes on as before: %s", error)
            return [], {}
        if settings.model_copy(update={"sources": ()}) != self._settings.model_copy(update={"sources": ()}):
            log.warning("only sources change while the program runs; for the rest, start it again.")
        leaving = {name: "removed" for name in self._now if name not in found}
        leaving |= {n: "stopped" for n, entry in self._now.items() if n in found and found[n] is not entry}
        coming = [entry for name, entry in found.items() if self._now.get(name) is not entry]
        for name in leaving:
            del self._now[name]
        self.lanes = []
        for config, lane in coming:
            self._enter(config, lane)
        words = ", ".join(infos[0].name for infos in self.lanes)
        log.info(
            "settings read anew; ending: %s; beginning: %s", ", ".join(leaving) or "none", words or "none"
        )
        return self.lanes, leaving

    def _found(self, settings: Settings) -> dict[str, Entry]:
        """The entries by the name of their first source; those that were there keep their names.

        Raises:
            SourceError, ConfigError: an address that stands for nothing, or a name given twice.
        """
        found: dict[str, Entry] = {}
        others = list(settings.sources)
        for name, entry in self._now.items():
            if entry[0] in others:
                others.remove(entry[0])
                found[name] = entry
        taken = {info.name for _, lane in found.values() for info, _ in lane}
        for config, lane in _entries(others, settings.capture, taken):
            if lane[0][0].fault:
                raise SourceError(lane[0][0].fault)
            found[lane[0][0].name] = config, lane
        return found

    def _enter(self, config: SourceConfig, lane: list[Resolved]) -> None:
        self._now[lane[0][0].name] = config, lane
        self.lanes.append([info for info, _ in lane])
        for info, address in lane:
            self.infos[info.name] = info
            self._opening[info.name] = address, config.reading(self._settings.capture)


def _entries(
    sources: Sequence[SourceConfig], config: CaptureConfig, taken: Collection[str] = ()
) -> list[Entry]:
    return list(zip(sources, resolve_all(sources, config, taken), strict=True))
