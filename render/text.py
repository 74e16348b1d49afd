"""Text in any script as a mask of grey values."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from core.types import U8
from render.fontfile import BUNDLED, FontFile, read, system_fonts

CAPITAL = 0.714  # height of a capital letter in ems, Noto Sans
_BOX = "□"  # stands for a character that no font has
_FINER = 4  # pixels of the letters as set for one of the mask
_KEPT = 512  # words; 8 MB of masks on a picture 2160 px high
_RIGHT_TO_LEFT = ("R", "AL")

_bundled = cache(read)


class Lettering:
    """Sets lines of text in one size, choosing for each character a font that has it.

    Words are kept, so that a line that differs from an earlier one by a number costs that number.
    """

    def __init__(self, size: int, others: Callable[[], Iterable[FontFile]] = system_fonts) -> None:
        """`size` of the em in pixels; `others` are asked for characters that our fonts lack."""
        self.size = size
        self.height = round(1.6 * size)
        self._others = others
        self._bundled = [_bundled(path) for path in BUNDLED]
        self._fonts: dict[Path, ImageFont.FreeTypeFont] = {}
        self._found: dict[str, FontFile | None] = {}
        self._word = lru_cache(_KEPT)(self._set)
        self._width = lru_cache(_KEPT)(self._measure)
        self._space = round(self._font(self._bundled[0]).getlength(" ") / _FINER)

    def width(self, text: str) -> int:
        """Pixels that the line takes."""
        return self._width(text)

    def mask(self, text: str) -> U8:
        """uint8 (height, width): coverage of each pixel, capitals centred in the height."""
        line = np.zeros((self.height, self.width(text)), np.uint8)
        x = 0
        for word in _words(text):
            mask = self._word(word)
            line[:, x : x + mask.shape[1]] = mask
            x += mask.shape[1] + self._space
        return line

    def fit(self, text: str, width: int) -> str:
        """The text, its end replaced by an ellipsis if it is wider than that; empty if nothing fits."""
        if self.width(text) <= width:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.width(text[:middle] + "…") <= width else (low, middle - 1)
        return text[:low].rstrip() + "…" if low else ""

    def _measure(self, text: str) -> int:
        words = _words(text)
        return sum(int(self._word(word).shape[1]) for word in words) + self._space * (len(words) - 1)

    def _set(self, word: str) -> U8:
        """Set larger and reduced: at small sizes hinting would space the letters unevenly."""
        runs = [(self._font(file), part) for file, part in self._runs(word)]
        lengths = [font.getlength(part) for font, part in runs]
        width = round(sum(lengths) / _FINER)
        if width == 0:  # two spaces side by side, or marks that take no room
            return np.zeros((self.height, 0), np.uint8)
        image = Picture.new("L", (width * _FINER, self.height * _FINER), 0)
        draw = ImageDraw.Draw(image)
        baseline = round((self.height + CAPITAL * self.size) / 2) * _FINER
        x = 0.0
        for (font, part), length in zip(runs, lengths, strict=True):
            draw.text((x, baseline), part, fill=255, font=font, anchor="ls")
            x += length
        return np.asarray(image.reduce(_FINER), np.uint8)

    def _runs(self, text: str) -> Iterator[tuple[FontFile, str]]:
        """Stretches of text that one font can set."""
        pairs = _joined([self._choose(character) for character in text])
        for _, group in groupby(pairs, key=lambda pair: pair[0].path):
            run = list(group)
            yield run[0][0], "".join(character for _, character in run)

    def _choose(self, character: str) -> tuple[FontFile, str]:
        for file in self._bundled:
            if character in file:
                return file, character
        if character not in self._found:
            self._found[character] = next((file for file in self._others() if character in file), None)
        found = self._found[character]
        return (found, character) if found else (self._bundled[-1], _BOX)

    def _font(self, file: FontFile) -> ImageFont.FreeTypeFont:
        if file.path not in self._fonts:
            self._fonts[file.path] = ImageFont.truetype(str(file.path), self.size * _FINER)
        return self._fonts[file.path]


def _joined(pairs: list[tuple[FontFile, str]]) -> list[tuple[FontFile, str]]:
    """What stands between two letters written from right to left, such as a space, in their font.

    Stretches are set from the left, one after the other: the words would change places.
    """
    last: int | None = None
    for place, (file, character) in enumerate(pairs):
        way = unicodedata.bidirectional(character)
        if way not in _RIGHT_TO_LEFT:
            last = None if way == "L" else last
            continue
        between = [c for _, c in pairs[last + 1 : place]] if last is not None else []
        if last is not None and pairs[last][0] is file and all(c in file for c in between):
            pairs[last + 1 : place] = [(file, c) for c in between]
        last = place
    return pairs


def _words(text: str) -> list[str]:
    """The words of a line, composed, so that a decomposed Hangul syllable is one glyph.

    Control characters count as spaces. A line with a script written from right to left is one
    word, since its words do not follow one another from the left.
    """
    composed = unicodedata.normalize("NFC", text)
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in composed)
    if any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in plain):
        return [plain]
    return plain.split(" ")
