"""A number in the pixels: 24 black and white squares at the upper left, which coding does not blur."""

from __future__ import annotations

BITS = 24
_ROW = 8  # squares
_SIDE = 1 / 12  # of the picture's height


def write(image, number: int) -> None:
    """Draw the lowest 24 bits of a number into uint8 (H, W, 3), at least 8 px a square at 96 px of height."""
    for bit, cell in enumerate(_cells(image)):
        cell[:] = 255 if number >> bit & 1 else 0


def read(image) -> int:
    """The number, from the middle of each square."""
    number = 0
    for bit, cell in enumerate(_cells(image)):
        edge = cell.shape[0] // 4
        number |= int(cell[edge:-edge, edge:-edge].mean() > 127) << bit
    return number


def since(then: int, now: int) -> int:
    """How much later `now` is, of a count that begins anew after 24 bits."""
    return (now - then + 2 ** (BITS - 1)) % 2**BITS - 2 ** (BITS - 1)


def _cells(image):
    side = round(image.shape[0] * _SIDE)
    for bit in range(BITS):
        row, column = divmod(bit, _ROW)
        yield image[row * side : (row + 1) * side, column * side : (column + 1) * side]
