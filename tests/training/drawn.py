"""Made-up faces: drawn, so that their age, gender and mood can be told from the drawing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from core.types import Faces
from evaluation.samples import Sample
from training.cache import build

SIDE = 64  # px, of the cached faces
PLACES = np.array([[0.35, 0.42], [0.65, 0.42], [0.5, 0.58], [0.38, 0.75], [0.62, 0.75]])


def face(nth: int, size: int = 80) -> tuple[Sample, Faces]:
    """Face number `nth`: brighter the older, redder if female, its mouth curved by its mood."""
    rng = np.random.default_rng(nth)
    age, female, mood = float(rng.integers(1, 90)), int(rng.integers(0, 2)), int(rng.integers(0, 7))
    image = np.full((size, size, 3), 60, np.uint8)
    skin = (80 + age, 90 + age, 150 + age if female else 90 + age)
    cv2.ellipse(image, (size // 2, size // 2), (size // 3, size * 2 // 5), 0, 0, 360, skin, -1)
    points = PLACES * size + rng.normal(0, size / 80, (5, 2))
    for x, y in points[:2].round().astype(int).tolist():
        cv2.circle(image, (x, y), size // 16, (30, 30, 30), -1)
    middle = points[3:].mean(axis=0).round().astype(int).tolist()
    cv2.ellipse(image, middle, (size // 8, 1 + mood * size // 60), 0, 0, 180, (40, 40, 160), 2)
    sample = Sample(
        f"{nth}.png",
        cv2.GaussianBlur(image, (0, 0), 1),
        age if nth % 3 else float("nan"),
        age_low=10 * (age // 10),
        age_high=10 * (age // 10) + 9,
        female=float(female) if nth % 4 else float("nan"),
        race=nth % 5 if nth % 2 else -1,
        mood=mood if nth % 2 else -1,
        votes=tuple(9 if i == mood else 1 for i in range(10)),
        key=f"picture {nth - nth % 2}",
    )
    box = np.array([[0.17, 0.1, 0.83, 0.9]]) * size
    return sample, Faces(box, np.ones(1, np.float32), points[None].astype(np.float32))


def faces(count: int) -> Iterator[tuple[Sample, Faces]]:
    """The first so many."""
    return (face(nth) for nth in range(count))


def cached(folder: Path, count: int = 160, name: str = "drawn") -> Path:
    """A cache of them."""
    build(name, faces(count), folder, SIDE)
    return folder
