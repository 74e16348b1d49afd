"""Which characters a font file holds, and which file holds a character."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import error as StructError
from struct import unpack_from

FONTS = Path(__file__).parent / "fonts"
BUNDLED = (FONTS / "NotoSans-Medium.ttf", FONTS / "NotoSansKR-Medium.ttf")
_MOST_FILES = 400  # a designer's machine has thousands of fonts; a missing name is not worth that


@dataclass(frozen=True, slots=True)
class FontFile:
    """A font file and the characters it has glyphs for.

    Attributes:
        path: TrueType or OpenType file, or a collection whose first font is meant.
        starts, ends: first and last code point of each range, rising.
    """

    path: Path
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def __contains__(self, character: str) -> bool:
        code = ord(character)
        place = bisect_right(self.starts, code) - 1
        return place >= 0 and code <= self.ends[place]


def read(path: Path) -> FontFile:
    """The font file at `path`.

    Raises:
        ValueError: not a font with outlines and a Unicode character map.

    Source: OpenType specification 1.9, chapters "Font file" and "cmap".
    """
    try:
        return _read(path)
    except (OSError, StructError, IndexError) as error:
        raise ValueError(f"{path}: is no font that can be read: {error}") from error


def _read(path: Path) -> FontFile:
    with path.open("rb") as file:
        head = file.read(16)
        start = unpack_from(">L", head, 12)[0] if head[:4] == b"ttcf" else 0
        file.seek(start)
        count = unpack_from(">H", file.read(12), 4)[0]
        directory = file.read(16 * count)
        tables = {
            directory[i : i + 4]: unpack_from(">LL", directory, i + 8) for i in range(0, 16 * count, 16)
        }
        if b"cmap" not in tables or not tables.keys() & {b"glyf", b"CFF ", b"CFF2"}:
            raise ValueError(f"{path}: has no outlines or no character map")
        offset, length = tables[b"cmap"]
        file.seek(offset)
        ranges = sorted(_ranges(file.read(length)))
    return FontFile(path, tuple(low for low, _ in ranges), tuple(high for _, high in ranges))


def _ranges(cmap: bytes) -> Iterator[tuple[int, int]]:
    """First and last character of each range; format 12 (all planes) before format 4 (the first)."""
    records = [unpack_from(">HHL", cmap, 4 + 8 * i) for i in range(unpack_from(">H", cmap, 2)[0])]
    offsets = [offset for platform, _, offset in records if platform in (0, 3)]
    for offset in offsets:
        if unpack_from(">H", cmap, offset)[0] == 12:
            for i in range(unpack_from(">L", cmap, offset + 12)[0]):
                low, high, _ = unpack_from(">LLL", cmap, offset + 16 + 12 * i)
                yield low, high
            return
    for offset in offsets:
        if unpack_from(">H", cmap, offset)[0] == 4:
            count = unpack_from(">H", cmap, offset + 6)[0] // 2
            highs = unpack_from(f">{count}H", cmap, offset + 14)
            lows = unpack_from(f">{count}H", cmap, offset + 16 + 2 * count)
            yield from ((low, high) for low, high in zip(lows, highs, strict=True) if low != 0xFFFF)
            return


def system_fonts() -> Iterator[FontFile]:
    """Fonts of this machine that can be read, plain sans-serif ones first."""
    paths = [path for folder in _folders() if folder.is_dir() for path in folder.rglob("*.[oOtT][tT][fFcC]")]
    paths.sort(key=lambda path: ("Sans" not in path.name, len(path.name), str(path)))
    for path in paths[:_MOST_FILES]:
        try:
            yield read(path)
        except ValueError:
            continue  # a bitmap or broken font of the machine is no fault of ours


def _folders() -> list[Path]:
    if sys.platform == "win32":
        return [Path("C:/Windows/Fonts")]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), Path.home() / "Library/Fonts"]
    return [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts"]
