"""Readers of labelled faces: packs, and the layouts in which data sets are published.

    from evaluation.layouts import opened, sets

    (one,) = sets(Path("data"), "aaf_public")
    for sample in opened(one.entries):                  # one by one
        sample.image, sample.age, sample.split, sample.sound

A layout is a module with `sets(place)`, the sets that it recognises there, and `LOOKED_FOR`, a
sentence about what it goes by. The first one that recognises anything wins.
"""

from __future__ import annotations

import csv
import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from core.errors import ConfigError
from core.registry import unknown
from evaluation.layouts.entry import Entry, Set
from evaluation.layouts.place import Place
from evaluation.samples import Sample

log = logging.getLogger(__name__)
# In the order in which they are tried: the narrower rule first.
LAYOUTS = {
    name: f"evaluation.layouts.{name}"
    for name in (
        "packs",
        "utkface",
        "allagefaces",
        "fgnet",
        "fairface",
        "adience",
        "ckplus",
        "fer2013",
        "rafdb",
        "affectnet",
    )
}


def sets(data: Path, layout: str = "auto") -> list[Set]:
    """The sets there, no picture opened: of any layout, of one, or the one pack of that name.

    Raises:
        ConfigError: no such layout, or nothing recognised.
        SourceError: there is no such place.
    """
    place = Place(data)
    names = [layout] if layout in LAYOUTS else list(LAYOUTS)
    for name in names:
        found = _recognised(name, place)
        if found and layout not in ("auto", *LAYOUTS):
            found = [one for one in found if one.name == layout]
        if found:
            return found
    if layout not in ("auto", *LAYOUTS):
        raise ConfigError(unknown("--layout", layout, {"auto": "", **LAYOUTS}))
    wanted = "; or ".join(import_module(LAYOUTS[name]).LOOKED_FOR for name in names)
    raise ConfigError(f"{data}: no labelled faces recognised there. Looked for: {wanted}.")


def _recognised(name: str, place: Place) -> list[Set]:
    try:
        found: list[Set] = import_module(LAYOUTS[name]).sets(place)
    except (ValueError, LookupError, EOFError, OSError, csv.Error) as error:
        said = f"{type(error).__name__}: {error}"
        raise ConfigError(
            f"{place.path}: looks like '{name}', but its labels cannot be read ({said})."
        ) from error
    return found


def chosen(entries: Sequence[Entry], limit: int | None) -> list[Entry]:
    """That many entries, the first by the hash of their names, in the order of the set."""
    if limit is None or limit >= len(entries):
        return list(entries)
    order = sorted(range(len(entries)), key=lambda row: _digest(entries[row].labels.name))
    return [entries[row] for row in sorted(order[:limit])]


def opened(entries: Iterable[Entry], *, keep: bool = False) -> Iterator[Sample]:
    """The entries with their pictures, with a warning for each that cannot be read.

    Such a one is left out, or with `keep` comes without a picture: its labels count.
    """
    for entry in entries:
        image = entry.open()
        if image is not None:
            yield replace(entry.labels, image=image)
            continue
        log.warning("%s: cannot be read as a picture%s.", entry.labels.name, "" if keep else "; left out")
        if keep:
            yield entry.labels


def _digest(name: str) -> bytes:
    return hashlib.sha256(f"order {name}".encode(errors="surrogatepass")).digest()
