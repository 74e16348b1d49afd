"""FG-NET: the file's name is `001A02.JPG`, person and age; a letter tells several of one age apart.

Source: Lanitis, Taylor, Cootes, "Toward automatic simulation of aging effects on face images", PAMI
2002; the archive's naming as in https://yanweifu.github.io/FG_NET_data/
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from evaluation.layouts.entry import Set, entry
from evaluation.layouts.place import Place

LOOKED_FOR = "pictures named 001A02 (FG-NET)"
NAME = re.compile(r"(\d{3})A(\d{2})[a-z]?", re.IGNORECASE)


def sets(place: Place) -> list[Set]:
    """The set, if any picture is named like that."""
    named = ((NAME.fullmatch(PurePosixPath(file).stem), file) for file in place.pictures)
    entries = [entry(place, file, age=float(name[2])) for name, file in named if name is not None]
    return [Set("fgnet", entries)] if entries else []
