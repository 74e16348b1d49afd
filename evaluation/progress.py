"""The progress bar of an evaluation; nothing where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def watched(things: Iterable[T], total: int | None, name: str) -> Iterator[T]:
    """The same things, counted on stderr while they pass, if that is a terminal; None: of unknown number."""
    if not sys.stderr.isatty():
        yield from things
        return
    from tqdm import tqdm

    yield from tqdm(things, total=total, desc=name[:20], ncols=80, leave=False, unit="")
