"""JSON Lines: an event a line, on disk at once. `events.schema.json` describes the rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from core.types import Image, Result, SourceInfo
from outputs.rows import dumps, row
from outputs.textfile import TextFile


class JsonLines:
    """Writes every event of every source; the path `-` is the standard output."""

    wants: Literal["data", "raw", "drawn"] = "data"

    def __init__(self, path: Path, _sources: Mapping[str, SourceInfo]) -> None:
        self._file = TextFile(path)

    def write(self, result: Result, picture: Image | None) -> None:  # noqa: ARG002  the protocol's
        """Add the events of one frame."""
        self._file.write("".join(dumps(row(event)) + "\n" for event in result.events), result.stamp.time)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
