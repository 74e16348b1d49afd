"""The summary of a run as one JSON file."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from outputs.textfile import WholeFile, failure


def write_summary(path: Path, data: Mapping[str, object]) -> None:
    """Write `data` as JSON for people and programs; NaN becomes null. All or nothing.

    A pipe or a device stays what it is.

    Raises:
        SinkError: it cannot be written; what stood there before still does.
    """
    text = json.dumps(_known(data), ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    target = path.resolve()  # a link stays one
    part = target.with_name(target.name + ".part")
    try:
        if target.exists() and not target.is_file():
            with WholeFile(target) as file:
                file.write(text.encode("utf-8", "backslashreplace"))
            return
        part.write_bytes(text.encode("utf-8", "backslashreplace"))
        part.replace(target)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise failure(path, error) from error


def _known(value: object) -> object:
    """The same with None for every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _known(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_known(inner) for inner in value]
    return value
