"""A sink for each source: `{source}` in a path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from core.protocols import Sink
from core.types import Image, Result
from outputs import PLACE

_LONGEST = 100  # characters; file systems allow 255 bytes
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$")  # as Windows has it


class Fan:
    """Opens a sink at a source's first result and closes it at its last."""

    def __init__(self, wants: Literal["data", "raw", "drawn"], open_sink: Callable[[str], Sink]) -> None:
        self.wants = wants
        self._open = open_sink
        self._sinks: dict[str, Sink] = {}

    def write(self, result: Result, picture: Image | None) -> None:
        """Hand the result to its source's sink."""
        source = result.stamp.source
        if source not in self._sinks:
            self._sinks[source] = self._open(source)
        self._sinks[source].write(result, picture)
        if result.last:
            self._sinks.pop(source).close()

    def close(self) -> None:
        """Close what is still open, all of it, whatever fails."""
        failures: list[Exception] = []
        while self._sinks:
            try:
                self._sinks.popitem()[1].close()
            except Exception as error:
                failures.append(error)
        if failures:
            raise failures[0]


def fill(template: str, sources: Iterable[str]) -> dict[str, Path]:
    """The path of each source: its name made safe, and never that of another one.

    >>> [str(path) for path in fill("{source}.mp4", ["door", "a b:1", "a b?1"]).values()]
    ['door.mp4', 'a_b_1.mp4', 'a_b_1-2.mp4']
    """
    taken: set[str] = set()
    paths: dict[str, Path] = {}
    for source in sources:
        name, number = safe(source), 1
        while name.casefold() in taken:
            number += 1
            name = f"{safe(source)}-{number}"
        taken.add(name.casefold())
        paths[source] = Path(template.replace(PLACE, name))
    return paths


def safe(name: str) -> str:
    """A name that every file system takes, and that stays in its folder.

    >>> safe("../etc/passwd"), safe("문 앞"), safe("rtsp://10.0.0.7:554/main"), safe("con")
    ('etc_passwd', '문_앞', 'rtsp_10.0.0.7_554_main', '_con')
    """
    words = re.sub(r"[^\w.-]+", "_", name).strip("._- ")[:_LONGEST].rstrip(".") or "source"
    return f"_{words}" if _RESERVED.match(words) else words
