"""Pictures by name, from a folder or from an archive."""

from __future__ import annotations

import logging
import tarfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from core.errors import SourceError
from core.types import Image

log = logging.getLogger(__name__)
ENDINGS = (".webp", ".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")


def pictures(place: Path) -> Iterator[tuple[str, Image]]:
    """(name, picture) of each picture in a folder, at any depth, or in a .tar, by name.

    One that cannot be read is left out, with a warning.

    Raises:
        SourceError: there is no such place.
    """
    if place.is_dir():
        found = _folder(place)
    elif place.is_file():
        found = _archive(place)
    else:
        raise SourceError(f"{place}: there is no such folder or archive of pictures.")
    for name, data in found:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        if image is None:
            log.warning("%s: cannot be read as a picture; left out.", name)
        else:
            yield name, np.asarray(image, np.uint8)


def _folder(place: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(place.rglob("*")):
        if path.suffix.lower() in ENDINGS and path.is_file():
            yield path.relative_to(place).as_posix(), path.read_bytes()


def _archive(place: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(place) as archive:
        for member in sorted(archive.getmembers(), key=lambda m: m.name):
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                yield member.name, file.read()
