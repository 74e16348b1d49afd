"""How much of a network's error all looks at one person share: `evidence.shared`.

Each picture of All-Age-Faces, or of another set with landmarks of its own, is shown as it is, mirrored,
darker, brighter, smaller, softer and with shaken landmarks, as looks along a track differ. What of the
error stays the same is shared. `python -m evaluation.repeats --data DIR` prints both shares; pictures
that our networks were trained on take no part.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from core.command import ended
from core.errors import ConfigError
from core.types import F32, F64, YEARS, Image
from evaluation.finder import boxed
from evaluation.layouts import chosen, opened, sets
from evaluation.layouts.entry import Entry
from evaluation.looks import open_panel
from evaluation.models import default, role_arguments
from evaluation.options import whole

View = tuple[Image, F32]


def main() -> None:
    """Measure and print.

    Raises:
        ConfigError: fewer than two pictures to measure by.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the face packs")
    parser.add_argument("--limit", type=whole, default=600, help="pictures (600)")
    parser.add_argument("--models", type=role_arguments, default={}, help="age=ID,gender=ID")
    options = parser.parse_args()
    panel, _ = open_panel({role: options.models.get(role) or default(role) for role in ("age", "gender")})
    generator = np.random.default_rng(0)
    ages, odds = [], []
    for sample in opened(chosen(_with_landmarks(options.data), options.limit)):
        assert sample.landmarks is not None
        varied = vary(sample.image, sample.landmarks[None], generator)
        looks = panel.look([(image, boxed(points)) for image, points in varied])
        ages.append([float(look.age[0] @ YEARS) - sample.age for look in looks])
        chances = np.clip([float(look.female[0]) for look in looks], 1e-3, 1 - 1e-3)
        odds.append(np.log(chances / (1 - chances)) * (1 if sample.female == 1 else -1))
    if len(ages) < 2:
        raise ConfigError(
            f"{options.data}: {len(ages)} sound pictures outside of the part 'train' have an age and "
            "landmarks of the set's own; it takes two. All-Age-Faces' pack has such."
        )
    print(f"n = {len(ages)} people, {len(ages[0])} looks each")
    print(f"age: {share(np.array(ages)):.2f} of the error's variance is shared")
    print(f"gender: {share(np.array(odds)):.2f} of the variance of the log odds is shared")


def _with_landmarks(data: Path) -> list[Entry]:
    entries = [entry for found in sets(data) for entry in found.entries]
    told = [entry for entry in entries if entry.labels.sound and entry.labels.landmarks is not None]
    return [entry for entry in told if entry.labels.part != "train" and np.isfinite(entry.labels.age)]


def vary(image: Image, points: F32, generator: np.random.Generator) -> Iterator[View]:
    """The picture and its landmarks (1, 5, 2), seven times."""
    yield image, points
    mirrored = points[:, [1, 0, 2, 4, 3]]
    mirrored[..., 0] = image.shape[1] - mirrored[..., 0]
    yield np.ascontiguousarray(image[:, ::-1]), mirrored
    for gain in (0.6, 1.3):
        yield np.clip(image * gain, 0, 255).astype(np.uint8), points
    small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    yield np.asarray(small, np.uint8), points * np.float32(0.5)
    yield np.asarray(cv2.GaussianBlur(image, (0, 0), 1.0), np.uint8), points
    eyes = float(np.hypot(*(points[0, 1] - points[0, 0])))
    yield image, points + generator.normal(0, 0.04 * eyes, points.shape).astype(np.float32)


def share(values: F64) -> float:
    """Share of the variance of values (people, looks) that lies between people.

    The intraclass correlation ICC(1) of Shrout and Fleiss, "Intraclass correlations",
    Psychological Bulletin 1979.
    """
    looks = values.shape[1]
    between = looks * values.mean(axis=1).var(ddof=1)
    within = values.var(axis=1, ddof=1).mean()
    return float((between - within) / (between + (looks - 1) * within))


if __name__ == "__main__":
    sys.exit(ended(main))
