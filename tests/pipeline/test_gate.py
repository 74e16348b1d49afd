"""When the detector is spared a look, and where faces do not count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.types import Frame
from pipeline.gate import Gate, outside
from tests.make import faces, stamp

SIZE = (640, 360)


def scene(index: int, seed: int = 0, face: int | None = None, noise: float = 2.0) -> Frame:
    """A textured room with the noise of its moment; `face`: a bright patch of 30 px at that x."""
    room = np.random.default_rng(7).integers(60, 180, (36, 64), np.uint8).repeat(10, 0).repeat(10, 1)
    grain = np.random.default_rng(1000 * seed + index).normal(0, noise, room.shape)
    image = np.clip(room + grain, 0, 255).astype(np.uint8)
    if face is not None:
        image[150:180, face : face + 30] = 235
    return Frame(stamp(index), np.repeat(image[:, :, None], 3, 2))


def test_a_room_where_nothing_moves_is_looked_at_once_a_second() -> None:
    gate, looks = Gate(), 0
    for index in range(250):
        if not gate.is_still(scene(index)):
            looks += 1
            gate.looked(scene(index), anybody=False)

    assert 10 <= looks <= 11


def test_somebody_who_comes_is_looked_at_in_the_first_picture() -> None:
    gate = Gate()
    gate.looked(scene(0), anybody=False)

    assert gate.is_still(scene(1))
    assert not gate.is_still(scene(2, face=0))
    assert not gate.is_still(scene(3, face=300))

    gate.looked(scene(4, face=300), anybody=False)  # a lamp
    assert not gate.is_still(scene(5))


def test_while_somebody_is_there_every_picture_is_looked_at() -> None:
    gate = Gate()
    gate.looked(scene(0, face=300), anybody=True)

    assert not gate.is_still(scene(1, face=300))


def test_a_broken_picture_proves_no_room_empty_and_a_new_shot_is_looked_at() -> None:
    gate = Gate()
    gate.looked(replace(scene(0), damaged=True), anybody=False)
    assert not gate.is_still(scene(1))

    gate.looked(scene(1), anybody=False)
    assert not gate.is_still(replace(scene(2), cut=True))


def test_noise_of_a_dark_camera_is_no_movement() -> None:
    gate = Gate()
    gate.looked(scene(0, noise=12), anybody=False)

    assert all(gate.is_still(scene(index, noise=12)) for index in range(1, 20))


def test_faces_whose_middle_lies_in_an_ignored_area_do_not_count() -> None:
    mirror = np.array([(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)])
    corner = np.array([(1.0, 1.0), (1.0, 0.8), (0.8, 1.0)])
    found = faces((10, 10, 60, 70), (300, 100, 350, 160), (590, 320, 640, 360), (400, 10, 450, 70))

    kept, seen = outside((mirror, corner), found, SIZE)

    assert kept.boxes[:, 0].tolist() == [300, 400]
    assert seen.boxes[:, 0].tolist() == [300, 400, 10, 590]
    assert outside((), found, SIZE) == (found, found)
