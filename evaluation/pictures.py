"""Pictures by name, from a folder or from an archive."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from core.types import Image
from evaluation.layouts.place import Place

log = logging.getLogger(__name__)


def pictures(place: Place) -> Iterator[tuple[str, Image]]:
    """(name, picture) of each picture in a folder, at any depth, or in a .tar, by name.

    One that cannot be read is left out, with a warning.
    """
    for name in place.pictures:
        image = place.image(name)
        if image is None:
            log.warning("%s: cannot be read as a picture; left out.", name)
        else:
            yield name, image
