"""Pictures without colours, as cameras give them by infrared light at night: they say less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.types import AGES, Estimates, Image

_STEP = 16  # px between those that are looked at
_COLOUR = 4.0  # grey levels by which blue, green and red differ, on average, in a picture with colours
TRUST = 0.6  # share of the say of a look by daylight; the rest says nothing


def is_grey(image: Image) -> bool:
    """Does the picture, uint8 (H, W, 3), have no colours?"""
    pixels = image[::_STEP, ::_STEP].astype(np.int16)
    return float((pixels.max(2) - pixels.min(2)).mean()) < _COLOUR


def in_the_dark(looks: Estimates) -> Estimates:
    """The same looks, with less said of age and gender.

    Infrared light makes skin bright, lips pale and hair dark, which no network here was trained on, so how
    much less is a choice, not a fit: with TRUST of 0.6 no gender is said from such looks alone.
    """
    age = TRUST * looks.age + (1 - TRUST) / AGES
    female = TRUST * looks.female + (1 - TRUST) / 2
    return replace(looks, age=age.astype(np.float32), female=female.astype(np.float32))
