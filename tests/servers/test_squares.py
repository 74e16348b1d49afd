"""Numbers in the pixels."""

import numpy as np

from tests.servers import squares


def test_the_squares_bear_any_number() -> None:
    image = np.full((120, 160, 3), 90, np.uint8)
    for number in (0, 1, 2**24 - 1, 0b101010101010101010101010, 12_345_678):
        squares.write(image, number)

        assert squares.read(image) == number

    assert squares.since(2**24 - 5, 10) == 15
    assert squares.since(10, 5) == -5
