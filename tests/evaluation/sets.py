"""Made-up data sets: grey pictures under the names and beside the labels of published ones."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from evaluation.layouts import chosen, opened, sets
from evaluation.samples import Sample


def picture(path: Path, grey: int = 90, size: int = 8) -> Path:
    """A plain picture of that ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = cv2.imencode(path.suffix.lower(), np.full((size, size, 3), grey, np.uint8))[1]
    path.write_bytes(data.tobytes())
    return path


def pictures(folder: Path, *names: str) -> Path:
    """A folder with plain pictures of those names."""
    for name in names:
        picture(folder / name)
    return folder


def text(path: Path, content: str) -> Path:
    """A text file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def find(data: Path) -> list[str]:
    """Names of the sets in a folder or .tar."""
    return [found.name for found in sets(data)]


def read(data: Path, layout: str = "auto", limit: int | None = None) -> Iterator[Sample]:
    """The labelled pictures of the one set there."""
    (found,) = sets(data, layout)
    return opened(chosen(found.entries, limit))


def archive(folder: Path) -> Path:
    """The folder as a .tar beside it."""
    path = folder.with_suffix(".tar")
    with tarfile.open(path, "w") as tar:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                tar.add(file, file.relative_to(folder).as_posix())
    return path
