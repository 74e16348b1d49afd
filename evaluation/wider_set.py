"""The labelled pictures of WIDER FACE, as published or as packed, opened when they are asked for."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.errors import ConfigError, SourceError
from core.types import Image
from evaluation import wider_mat, wider_pack
from evaluation.layouts.place import Place
from evaluation.widerface import Labels

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A picture, by its name in a place, and the faces in it."""

    name: str
    labels: Labels
    place: Place

    def image(self) -> Image | None:
        """The picture; None, with a warning, if it is not there or cannot be read: its labels count."""
        image = self.place.image(self.name)
        if image is None:
            log.warning("%s: cannot be read as a picture; its faces count as missed.", self.name)
        return image


def read(data: Path, part: str = "all") -> list[Case]:
    """The labelled pictures of a folder, or of an uncompressed .tar, by name.

    Args:
        data: a folder with one wider*.csv and its .tar or pictures; or, at any depth, the makers' pictures
            and tables.
        part: all, tune or report (see `part_of`).

    Raises:
        ConfigError: the folder has no labels, or several, or some that are not understood.
        SourceError: there is no such place, or none of the pictures is there.
    """
    place = Place(data)
    packs = sorted(data.glob("wider*.csv"))
    if len(packs) == 1:
        archive = packs[0].with_suffix(".tar")
        place = Place(archive) if archive.is_file() else place
        table, found = packs[0].name, wider_pack.labels(packs[0])
    elif not packs and wider_mat.tables(place):
        table, found = wider_mat.FACES, wider_mat.labels(place)
    else:
        raise ConfigError(
            f"{data}: expected one wider*.csv, found {len(packs)}, or the pictures and tables of WIDER FACE "
            f"as published ({', '.join(wider_mat.TABLES)})."
        )
    names = sorted(name for name in found if part in ("all", part_of(name)))
    if set(names).isdisjoint(place.names):
        raise SourceError(f"{data}: of the pictures that {table} names, none of the part '{part}' is there.")
    return [Case(name, found[name], place) for name in names]


def part_of(name: str) -> str:
    """`tune` for a third of the pictures, on which settings may be chosen; else `report`.

    It goes by what a picture is called in our pack, so that the same ones are held back in the published set.
    """
    packed = f"wider/{PurePosixPath(name).stem}.webp"
    return "tune" if hashlib.sha256(packed.encode(errors="surrogatepass")).digest()[0] % 3 == 0 else "report"
