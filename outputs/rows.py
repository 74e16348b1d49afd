"""How values look in text: one row an event, fixed key order, fixed rounding, never NaN."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from core.types import Event

VERSION = 1
Value = str | int | float | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROBABILITY = 4
_DECIMALS = {
    **dict.fromkeys(("t", "first_t", "last_t", "seconds"), 6),
    **dict.fromkeys(("x1", "y1", "x2", "y2", "age", "age_low", "age_high", "age_std", "looks"), 2),
}


def row(event: Event) -> dict[str, Value]:
    """The flat record of an event; what is not known is None."""
    stamp = event.stamp
    record: dict[str, Value] = {
        "v": VERSION,
        "event": event.kind,
        "source": stamp.source,
        "frame": stamp.index,
        "t": tidy("t", stamp.time),
        "utc": utc(stamp.wall),
        "file": stamp.file or None,
    }
    if event.track:
        record["id"] = event.track
    record.update((name, tidy(name, value)) for name, value in event.data.items())
    return record


def dumps(record: Mapping[str, Value]) -> str:
    """A record as one line of JSON, without the line's end."""
    return json.dumps(record, ensure_ascii=False, allow_nan=False)


def tidy(name: str, value: str | float) -> Value:
    """A value as it is written: rounded as its field asks; None for NaN and for "".

    >>> tidy("x1", -0.001), tidy("female", 0.123456), tidy("age", float("nan")), tidy("emotion", "")
    (0.0, 0.1235, None, None)
    """
    if isinstance(value, str):
        return value or None
    if isinstance(value, int):
        return value
    if not math.isfinite(value):
        return None
    return round(float(value), _DECIMALS.get(name, _PROBABILITY)) + 0.0  # no -0.0


def sendable(text: str) -> str:
    r"""Text as UTF-8 can hold it: a file name that is none lives in a source's name as lone surrogates.

    >>> sendable("문 1"), sendable("door\udcff")
    ('문 1', 'door\\udcff')
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def utc(wall: float) -> str | None:
    """UTC seconds since 1970 as ISO 8601 with milliseconds; None if not known.

    >>> utc(1700000000.1239)
    '2023-11-14T22:13:20.124Z'
    """
    if not math.isfinite(wall):
        return None
    moment = _EPOCH + timedelta(milliseconds=round(wall * 1000))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
