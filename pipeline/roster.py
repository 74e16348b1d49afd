"""The sources of a run, and how they change while it goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from capture.address import Resolved, resolve_all
from core.errors import StreamError
from core.settings import CaptureConfig, Settings, SourceConfig
from core.types import SourceInfo

log = logging.getLogger(__name__)

Lane = Sequence[SourceInfo]


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
        self._now: dict[str, SourceConfig] = {}  # by the name of an entry's first source
        for entry, lane in _entries(settings):
            self._enter(entry, lane)

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
            found = {lane[0][0].name: (entry, lane) for entry, lane in _entries(settings)}
        except StreamError as error:
            log.error("the settings are not read anew, all goes on as before: %s", error)
            return [], {}
        if settings.model_copy(update={"sources": ()}) != self._settings.model_copy(update={"sources": ()}):
            log.warning("only sources change while the program runs; for the rest, start it again.")
        leaving = {name: "removed" for name in self._now if name not in found}
        leaving |= {n: "stopped" for n, entry in self._now.items() if n in found and found[n][0] != entry}
        coming = [pair for name, pair in found.items() if self._now.get(name) != pair[0]]
        for name in leaving:
            del self._now[name]
        self.lanes = []
        for entry, lane in coming:
            self._enter(entry, lane)
        words = ", ".join(infos[0].name for infos in self.lanes)
        log.info(
            "settings read anew; ending: %s; beginning: %s", ", ".join(leaving) or "none", words or "none"
        )
        return self.lanes, leaving

    def _enter(self, entry: SourceConfig, lane: Sequence[Resolved]) -> None:
        self._now[lane[0][0].name] = entry
        self.lanes.append([info for info, _ in lane])
        for info, address in lane:
            self.infos[info.name] = info
            self._opening[info.name] = address, entry.reading(self._settings.capture)


def _entries(settings: Settings) -> list[tuple[SourceConfig, list[Resolved]]]:
    lanes = resolve_all(settings.sources, settings.capture)
    return list(zip(settings.sources, lanes, strict=True))
