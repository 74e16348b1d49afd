"""The film as numbers, read from `film.yaml`: where the camera looks, who walks where, how bright it is.

Everybody walks between the wall and a parapet that is as high as the camera, and so is seen from
the chest up at any distance. What happens, and what a program that watches must bear:

     s
  0 - 6   collins comes in and passes before hopper (3.0); obama hurries by before both (3.5, 4.3):
          one face hides the other
  6 - 13  the camera pushes in on the mural of 1927 and drifts along its 29 faces;
          biden runs past, close and blurred, in front of them (10.8)
 13 - 20  pulling back, while the light sinks to 35 % (16.4 to 18.2) and returns; in the dark
          collins passes before hopper (16.8) and obama leaves: 9 s later he is somebody new
 20 - 24  collins steps out of the picture and is back within 1 s (20.7); the column hides biden (21)
 24 - 30  hopper walks up to the camera, her face grows from 56 to 200 px; cool light, then warm
 30 - 36  obama passes before collins (32.2); all four stand together in front of the mural
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from capture.demo.motion import Walk, curve, walk
from core.types import F64

FPS = 25
SECONDS = 36
FRAMES = SECONDS * FPS
SIZE = (1280, 720)  # width, height, pixels
FACE = 0.22  # m, height of a face, forehead to chin
WALL = 5.5  # m, distance of the wall
MURAL = (0.0, 1.42, 4.4)  # m: middle x, middle y above the camera, width
PARAPET = (1.2, 0.04)  # m: distance, top above the camera
COLUMN = (1.58, 1.75, 0.24)  # m: middle x, distance, width
SHUTTER = 0.5  # share of a frame's time during which light falls in


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """All that moves; arrays have a row for each frame.

    Attributes:
        camera_x: float64 (frames,), m.
        focal: float64 (frames,), px; something of 1 m at a distance of 1 m is that large.
        horizon: float64 (frames,), px, the row on which everything as high as the camera lies.
        walks: by name.
        light: float64 (frames, 3), gain of blue, green and red; all 1 in full light.
    """

    camera_x: F64
    focal: F64
    horizon: F64
    walks: Mapping[str, Walk]
    light: F64


def read_film() -> Film:
    """The film of `film.yaml`."""
    with Path(__file__).with_name("film.yaml").open(encoding="utf-8") as file:
        script: dict[str, Any] = yaml.safe_load(file)
    times: F64 = np.arange(FRAMES) / FPS
    camera = {name: curve(keys, times) for name, keys in script["camera"].items()}
    breath = 0.004 * np.sin(2 * np.pi * 0.23 * times) + 0.002 * np.sin(2 * np.pi * 0.61 * times + 1)
    lift = 1.2 * np.sin(2 * np.pi * 0.17 * times + 2)
    return Film(
        camera_x=camera["x"] + breath,
        focal=camera["focal"],
        horizon=camera["horizon"] + lift,
        walks={entry.pop("name"): walk(times=times, **entry) for entry in script["people"]},
        light=_light(script["light"], times),
    )


def _light(script: Mapping[str, Any], times: F64) -> F64:
    warmth = curve(script["warmth"], times)[:, None]
    tint = 1 + warmth * np.array([-0.11, 0.0, 0.05]) - np.abs(warmth) * 0.02
    gain: F64 = curve(script["strength"], times)[:, None] * tint
    return gain
