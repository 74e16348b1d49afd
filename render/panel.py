"""Small translucent panels of text, kept ready and laid on a picture."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import cv2
import numpy as np

from core.types import F64, U8, Image
from render.text import Lettering

Colour = tuple[int, int, int]  # blue, green, red

WHITE: Colour = (255, 255, 255)
DARK: Colour = (24, 20, 18)
_BODY = 0.74  # opacity of the dark part
_CHIP = 0.95  # of the coloured part
_KEPT_BYTES = 5_200  # of ready panels, a square pixel of the text: 12 MB at 2160 px, where 30 people need 8


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """What to add to the pixels under it, after keeping a part of them.

    Attributes:
        add: uint8 (h, w, 3), colour times opacity.
        keep: uint8 (h, w, 3), 255 times (1 - opacity).
    """

    add: U8
    keep: U8

    def lay(self, picture: Image, x: int, y: int) -> None:
        """Blend it into the picture with its top left corner at (x, y); it must lie within."""
        height, width = self.add.shape[:2]
        under = picture[y : y + height, x : x + width]
        cv2.multiply(under, self.keep, under, scale=1 / 255)
        cv2.add(under, self.add, under)


class Panels:
    """Makes panels in one text size; the last used ones are kept, up to a number of bytes."""

    def __init__(self, lettering: Lettering) -> None:
        self._lettering = lettering
        self._kept: OrderedDict[tuple[str, str, Colour], Panel] = OrderedDict()
        self._bytes = 0
        self._most = _KEPT_BYTES * lettering.size**2

    @property
    def height(self) -> int:
        """Pixels, the same for all panels."""
        return self._lettering.height

    def width(self, chip: str, text: str) -> int:
        """Pixels that the panel of a coloured chip and a text takes; either may be empty."""
        return sum(self._lettering.width(part) + 2 * self._padding for part in (chip, text) if part)

    def fit(self, text: str, width: int) -> str:
        """The text cut so that its panel is no wider than that; empty if nothing fits."""
        return self._lettering.fit(text, width - 2 * self._padding)

    def get(self, chip: str, text: str, colour: Colour) -> Panel:
        """A chip of that colour at the left, then the text in white on dark."""
        key = (chip, text, colour)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        panel = self._kept[key] = self.make(chip, text, colour)
        self._bytes += 2 * panel.add.nbytes
        while self._bytes > self._most and len(self._kept) > 1:
            self._bytes -= 2 * self._kept.popitem(last=False)[1].add.nbytes
        return panel

    @property
    def _padding(self) -> int:
        return round(0.45 * self._lettering.size)

    def make(self, chip: str, text: str, colour: Colour) -> Panel:
        """The same anew, for a text that hardly comes again."""
        parts = [
            self._part(part, ground, opacity)
            for part, ground, opacity in ((chip, colour, _CHIP), (text, DARK, _BODY))
            if part
        ]
        add = np.concatenate([add for add, _ in parts], axis=1)
        keep = np.concatenate([keep for _, keep in parts], axis=1)
        shape = _rounded(keep.shape[1], keep.shape[0], 0.25 * self._lettering.size)[..., None]
        keep = 1 - shape * (1 - keep)
        return Panel(
            np.floor(add * shape).astype(np.uint8),
            np.repeat(np.floor(255 * keep), 3, axis=2).astype(np.uint8),
        )

    def _part(self, text: str, ground: Colour, opacity: float) -> tuple[F64, F64]:
        """Colour times opacity (h, w, 3), and what is kept (h, w, 1), of a text on its ground."""
        mask = np.pad(self._lettering.mask(text), ((0, 0), (self._padding, self._padding)))
        ink = mask[..., None] / 255.0
        add = ink * readable_on(ground) + (1 - ink) * opacity * np.array(ground, np.float64)
        return add, (1 - ink) * (1 - opacity)


def readable_on(ground: Colour) -> F64:
    """White or near black, whichever stands out more: (3,) blue, green, red.

    Source: WCAG 2.2, "contrast ratio"; white has the better one below a luminance of 0.179.
    """
    linear = (np.array(ground) / 255) ** 2.2
    luminance = float(linear @ np.array([0.0722, 0.7152, 0.2126]))
    return np.array(WHITE if luminance < 0.179 else DARK, np.float64)


def _rounded(width: int, height: int, radius: float) -> F64:
    """(h, w) coverage of a rectangle with rounded corners, 0 to 1."""
    x = np.abs(np.arange(width) + 0.5 - width / 2) - (width / 2 - radius)
    y = np.abs(np.arange(height) + 0.5 - height / 2) - (height / 2 - radius)
    distance = np.hypot(np.maximum(x, 0)[None], np.maximum(y, 0)[:, None])
    coverage: F64 = np.clip(radius + 0.5 - distance, 0, 1)
    return coverage
