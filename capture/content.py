"""Tells pictures and films apart by their first bytes, and by their ending where these say nothing."""

from __future__ import annotations

import re
from pathlib import Path

_PICTURE_ENDINGS = re.compile(r"(?i)\.(jpe?g|jpe|jfif|png|webp|bmp|dib|tiff?|gif|avif|jp2|p[pgbn]m|tga|ico)")
_FILM_ENDINGS = re.compile(
    r"(?i)\.(mp4|m4v|mov|mkv|webm|avi|m?ts|m2ts|mpe?g|wmv|flv|3gp|ogv|asf|vob|mxf|h26[45]|mjpeg)"
)
_PICTURE_HEADS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"BM", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP  ")
_FILM_HEADS = (
    b"\x1aE\xdf\xa3",
    b"OggS",
    b"FLV\x01",
    b"\0\0\x01\xba",
    b"\0\0\x01\xb3",
    b"0&\xb2u\x8ef\xcf\x11",
)
_GIF = (b"GIF87a", b"GIF89a")
_STILL_BRANDS = (b"avif", b"mif1", b"heic", b"heix", b"msf1")
_LIST = b"ffconcat version"
_TS_PACKET = 188  # bytes; each begins with 0x47


def pictures_in(folder: Path) -> list[Path]:
    """The picture files of a folder, in natural order."""
    return [file for file in files_in(folder) if is_picture(file)]


def files_in(folder: Path) -> list[Path]:
    """The files of a folder that are not hidden, in natural order: `a2` before `a10`."""
    return sorted((f for f in folder.iterdir() if f.is_file() and not f.name.startswith(".")), key=_natural)


def _natural(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p], path.name


def is_picture(path: Path) -> bool:
    """Is this a single picture? An animated GIF is a film."""
    head = _head(path)
    if head.startswith(_GIF):
        return not _is_animated(path)
    if _has_picture_head(head):
        return True
    return bool(_PICTURE_ENDINGS.fullmatch(path.suffix)) and not _has_film_head(head)


def is_film(path: Path) -> bool:
    """Is this likely a video? Only opening it tells for sure."""
    head = _head(path)
    if head.startswith(_GIF):
        return _is_animated(path)
    named = bool(_FILM_ENDINGS.fullmatch(path.suffix)) and not head.startswith(_LIST)
    return _has_film_head(head) or (named and not _has_picture_head(head))


def is_list(path: Path) -> bool:
    """Does it name itself a film, while FFmpeg would open other files that it lists?"""
    return _head(path).startswith(_LIST) and bool(_FILM_ENDINGS.fullmatch(path.suffix))


def _head(path: Path) -> bytes:
    """Its first bytes; none of one that cannot be read, which is told when it is opened."""
    try:
        with path.open("rb") as file:
            return file.read(2 * _TS_PACKET)
    except OSError:
        return b""


def _has_picture_head(head: bytes) -> bool:
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    still = head[4:8] == b"ftyp" and head[8:12] in _STILL_BRANDS
    return webp or still or head.startswith(_PICTURE_HEADS)


def _has_film_head(head: bytes) -> bool:
    avi = head[:4] == b"RIFF" and head[8:12] == b"AVI "
    boxes = head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free") and head[8:12] not in _STILL_BRANDS
    stream = head[:1] == b"G" and head[_TS_PACKET : _TS_PACKET + 1] == b"G"
    return avi or boxes or stream or head.startswith(_FILM_HEADS)


def _is_animated(path: Path) -> bool:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return getattr(image, "n_frames", 1) > 1
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return False
