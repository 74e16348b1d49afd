"""Labelled pictures of faces, as every data set gives them and every task takes them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from core.types import F32, Image

NAN = float("nan")
RACES = ("white", "black", "asian", "indian", "other")  # UTKFace's; for fairness checks in evaluation only
# What the ten people of FER+ could say; the last two are no moods.
VOTES = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "not a face",
)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One labelled picture of one face; what a set does not tell is NaN, -1, None or empty.

    Attributes:
        name: of the picture within its set.
        key: what copies of one picture share, and what parts and folds are told apart by; empty: the name.
        image: uint8 (H, W, 3) BGR, as it is in the set.
        age: years. age_low, age_high: ends of the label's age group, for sets that tell only that.
        female: 1 for a woman, 0 for a man.
        race: index into RACES, or into the set's own names of races.
        mood: index into `core.types.EMOTIONS`.
        votes: how many people said what, in the order of VOTES.
        landmarks: float32 (5, 2), pixels: eyes, nose, mouth corners, image-left first.
        split: the set's own part: train, test, a fold's number.
        tests: the splits that the set itself keeps for tests; empty where a hash is to decide.
        sound: whether the label can be trusted for reporting (no contradiction, no near copy).
    """

    name: str
    image: Image
    age: float = NAN
    age_low: float = NAN
    age_high: float = NAN
    female: float = NAN
    race: int = -1
    mood: int = -1
    votes: tuple[int, ...] = ()
    landmarks: F32 | None = None
    split: str = ""
    sound: bool = True
    key: str = ""
    tests: tuple[str, ...] = ()

    @property
    def part(self) -> Literal["train", "tune", "report"]:
        """What the picture may be used for: training, choosing and fitting numbers, or reporting.

        Our networks have seen no picture of `tune` (1 in 20) and `report` (2 in 20, by a hash of the
        key; where a set keeps a part of its own for tests, that one), and no number is fitted on `report`.
        """
        twentieth = bucket(self.key or self.name, 20)
        if self.tests and self.split:
            if self.split in self.tests:
                return "report"
            return "tune" if twentieth == 2 else "train"
        return "report" if twentieth < 2 else "tune" if twentieth == 2 else "train"


def bucket(key: str, count: int) -> int:
    """One of `count` buckets, 0 to count - 1, the same for a key on every machine.

    >>> bucket("27_0_1_20170109204528340.jpg", 20)
    4
    """
    # A file name that is no UTF-8 holds lone surrogates.
    return int(hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest(), 16) % count
