"""UTKFace: everything is in the file's name, `age_gender_race_date.jpg`.

gender 0 man, 1 woman; race 0 White, 1 Black, 2 Asian, 3 Indian, 4 others. Some names lack a part;
those pictures are left out. The key of a picture is that of our pack, which the shipped networks
learned from: a picture is of the same part in both. Source: https://susanqq.github.io/UTKFace/
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from evaluation.layouts.entry import Set, entry
from evaluation.layouts.place import Place

LOOKED_FOR = "pictures named age_gender_race_date (UTKFace)"
NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_\d{8,}")


def sets(place: Place) -> list[Set]:
    """The set, if any picture is named like that."""
    named = ((NAME.match(PurePosixPath(file).name), file) for file in place.pictures)
    entries = [
        entry(
            place,
            file,
            key=f"utk/{name[0]}.webp",
            age=float(name[1]),
            female=float(name[2]),
            race=int(name[3]),
        )
        for name, file in named
        if name is not None
    ]
    return [Set("utkface", entries)] if entries else []
