"""What test cameras show: pictures that can be told apart, faces, and changes to them on command."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2

from tests.clips import picture
from tests.portraits import portrait
from tests.servers.squares import write


@dataclass(frozen=True)
class Look:
    """How a film is shown, other than as it is.

    Attributes:
        size: width and height that it is scaled to.
        grey: without colour, as a camera gives it at night.
        frozen: number of the one picture that is shown again and again.
    """

    size: tuple[int, int] | None = None
    grey: bool = False
    frozen: int | None = None

    def of(self, pictures: Sequence) -> list:
        """The pictures with this look."""
        if self.frozen is not None:
            pictures = [pictures[self.frozen % len(pictures)]] * len(pictures)
        if self.grey:
            pictures = [
                cv2.cvtColor(cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR) for p in pictures
            ]
        if self.size is not None:
            pictures = [cv2.resize(p, self.size, interpolation=cv2.INTER_AREA) for p in pictures]
        return list(pictures)


def levels(count: int = 25, size: tuple[int, int] = (160, 120)) -> list:
    """Pictures that `tests.clips.index_of` tells apart, up to 28."""
    return [picture(index, size) for index in range(count)]


def numbered(count: int, size: tuple[int, int] = (320, 240)) -> list:
    """Pictures that bear their number as squares, any count."""
    images = [picture(index, size) for index in range(count)]
    for index, image in enumerate(images):
        write(image, index)
    return images


def faces(count: int, size: tuple[int, int] = (640, 360), phase: float = 0.0) -> list:
    """One real face that sways, so that the end of the film meets its beginning; `phase` of 0 to 1."""
    width, height = size
    return [portrait(width, height, 40 * math.sin(2 * math.pi * (i / count + phase))) for i in range(count)]
