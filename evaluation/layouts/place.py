"""Where the files of a data set lie: a folder, or a .tar."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from core.errors import SourceError
from core.types import Image

# The usual endings that OpenCV reads pictures by.
PHOTOGRAPHS = (
    ".webp", ".jpg", ".jpeg", ".jpe", ".jfif", ".jp2", ".avif", ".png", ".bmp", ".dib", ".tif", ".tiff"
)  # fmt: skip
ENDINGS = frozenset((*PHOTOGRAPHS, ".gif", ".pgm", ".ppm", ".pbm", ".pnm", ".ras", ".sr"))
Span = tuple[Path, int, int]  # a file on the disk, the first byte in it, how many


class Place:
    """The files of a folder at any depth, or of an uncompressed .tar, by their names in it (with `/`)."""

    def __init__(self, path: Path) -> None:
        """Take a folder or an archive; nothing is read yet.

        Raises:
            SourceError: there is no such place, or it is neither.
        """
        if not path.exists():
            raise SourceError(f"{path}: there is no such folder or archive of pictures.")
        self.path = path

    @cached_property
    def names(self) -> list[str]:
        """Of all files, sorted."""
        return sorted(self._spans)

    @cached_property
    def pictures(self) -> list[str]:
        """Names of the files that end as pictures do.

        Not those that macOS puts beside each file that it packs, `._NAME`: they hold no picture.
        """
        paths = ((name, PurePosixPath(name)) for name in self.names)
        return [name for name, path in paths if path.suffix.lower() in ENDINGS and path.name[:2] != "._"]

    @classmethod
    def of_pictures(cls, path: Path) -> Place:
        """One that holds pictures.

        Raises:
            SourceError: there is no such place, or no picture in it.
        """
        place = cls(path)
        if not place.pictures:
            holds = "no pictures" if place.names else "no files"
            raise SourceError(f"{path}: there are {holds} in it.")
        return place

    def paths(self, names: Iterable[str]) -> set[Path]:
        """The files on the disk that hold these."""
        return {self._spans[name][0] for name in names}

    @cached_property
    def by_stem(self) -> dict[str, str]:
        """The pictures by their name without folders and ending; the first of several."""
        return {PurePosixPath(name).stem: name for name in reversed(self.pictures)}

    def bytes(self, name: str, start: int = 0, size: int | None = None) -> bytes:
        """What a file holds, or so many bytes of it."""
        path, begin, whole = self._spans[name]
        with path.open("rb") as file:
            file.seek(begin + start)
            return file.read(whole - start if size is None else size)

    def text(self, name: str) -> str:
        """What a text file holds."""
        return self.bytes(name).decode("utf-8-sig", "replace")

    def image(self, name: str) -> Image | None:
        """A picture, uint8 (H, W, 3) BGR, upright; None if it cannot be read."""
        try:
            data = self.bytes(name) if name in self._spans else b""
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
        except (OSError, cv2.error, MemoryError):  # not allowed to, or its head promises too many pixels
            return None
        return None if image is None else np.asarray(image, np.uint8)

    @cached_property
    def _spans(self) -> dict[str, Span]:
        if self.path.is_file():
            return _members(self.path)
        files = (path for path in self.path.rglob("*") if path.is_file())
        return {path.relative_to(self.path).as_posix(): (path, 0, path.stat().st_size) for path in files}


def _members(path: Path) -> dict[str, Span]:
    try:
        with tarfile.open(path, "r:") as archive:
            files = [member for member in archive if member.isfile()]
    except tarfile.TarError as error:
        raise SourceError(f"{path}: expected a folder, or an uncompressed .tar of pictures.") from error
    return {member.name.removeprefix("./"): (path, member.offset_data, member.size) for member in files}
