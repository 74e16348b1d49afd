"""CSV of visits: a row for each track, written when it ends."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from core.types import EMOTIONS, Event, Image, Result, SourceInfo
from outputs.rows import Value, tidy, utc
from outputs.textfile import TextFile

COLUMNS = (
    *("source", "id", "utc", "first_t", "last_t", "seconds"),
    *("age", "age_low", "age_high", "gender", "female", "emotion"),
    *(f"p_{name}" for name in EMOTIONS),
    *("quality", "looks", "frames_seen"),
    *(f"share_{name}" for name in EMOTIONS),
    *("reason", "file"),
)


class VisitsCsv:
    """Writes a row for each visit; `utc` is when it began, empty means not known."""

    wants: Literal["data", "raw", "drawn"] = "data"

    def __init__(self, path: Path, _sources: Mapping[str, SourceInfo]) -> None:
        self._file = TextFile(path)
        self._file.write(csv_line(COLUMNS), 0.0)

    def write(self, result: Result, picture: Image | None) -> None:  # noqa: ARG002  the protocol's
        """Add the visits that ended in this frame; a face that never moved was none."""
        visits = (e for e in result.events if e.kind == "track_ended" and not e.data["static"])
        lines = [csv_line(_cells(event)) for event in visits]
        self._file.write("".join(lines), result.stamp.time)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def csv_line(cells: Iterable[Value]) -> str:
    """One line of CSV with its end; None becomes an empty cell."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def _cells(event: Event) -> list[Value]:
    stamp = event.stamp
    first, last = float(event.data["first_t"]), float(event.data["last_t"])
    data: dict[str, str | int | float] = {**event.data, "seconds": last - first}
    record: dict[str, Value] = {name: tidy(name, value) for name, value in data.items()}
    began = stamp.wall - stamp.time + first
    record.update(source=stamp.source, id=event.track, utc=utc(began), file=stamp.file)
    return [record[name] for name in COLUMNS]
