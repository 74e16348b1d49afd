"""How many of the demo's true faces `privacy.blur` leaves uncovered.

python -m benchmarks.privacy [--delay 0.5] [--detector yunet] [--to SECONDS]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from capture.demo import Demo, TrueFace, truth
from core.command import ended
from core.settings import CaptureConfig, DetectorConfig, EstimatorsConfig, Settings
from core.types import F64, SourceInfo
from pipeline.build import build
from render.blur import enlarge
from render.hindsight import Hindsight, Shown

SMALLEST = 20.0  # px high; smaller faces are nobody's to recognise
WHOLE = 0.9  # share of the part of a face's box within the frame that must be under the blur
VISIBLE = (0.0, 0.1, 0.3, 0.5, 0.9)  # least shares of a face that is in sight, for the table
_GRID = (np.stack(np.meshgrid(*[np.arange(24)] * 2), axis=-1).reshape(-1, 2) + 0.5) / 24


@dataclass(frozen=True, slots=True)
class Case:
    """One true face in one frame: `covered` is the share of its box that is hidden."""

    index: int
    face: TrueFace
    covered: float


def measure(settings: Settings, delay: float, end: float | None = None) -> Iterator[Case]:
    """Every face of the demo of 20 px or more, frame by frame, after the whole pipeline."""
    info = SourceInfo(name="demo", kind="demo", address="demo")
    pipeline = build(settings).pipeline
    source = Demo(info, CaptureConfig(end=end))
    pipeline.start(info)
    held = Hindsight(delay, covering=True)
    while (frame := source.read()) is not None:
        for shown in held.push(frame, pipeline.turn([frame])[0]):
            yield from cases(shown)
    for shown in held.flush():
        yield from cases(shown)


def cases(shown: Shown) -> Iterator[Case]:
    """The true faces of a frame and how far the blur covers them."""
    index, size = shown.result.stamp.index, shown.result.stamp.size
    for face in truth(index):
        if face.size >= SMALLEST and face.visible > 0:
            yield Case(index, face, covered_share(face.box, shown.cover, size))


def covered_share(box: F64, cover: F64, size: tuple[int, int]) -> float:
    """Share of the box (4,), as far as it is in the frame, that lies within the blurred ellipses."""
    low, high = np.clip(box[:2], 0, size), np.clip(box[2:], 0, size)
    points = low + _GRID * (high - low)
    ellipses = enlarge(cover)
    middles, radii = (ellipses[:, :2] + ellipses[:, 2:]) / 2, (ellipses[:, 2:] - ellipses[:, :2]) / 2
    within = (((points[:, None] - middles) / radii) ** 2).sum(axis=2) <= 1
    return float(within.any(axis=1).mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.privacy", description=__doc__)
    parser.add_argument("--delay", type=float, default=0.5, help="seconds, as render.delay")
    parser.add_argument("--detector", default="yunet")
    parser.add_argument("--to", type=float, default=None, help="seconds of the film")
    parser.add_argument("--misses", action="store_true", help="name every miss")
    asked = parser.parse_args()
    settings = Settings(
        detector=DetectorConfig(name=asked.detector),
        estimators=EstimatorsConfig(age="none", gender="none", emotion="none"),
    )
    found = list(measure(settings, asked.delay, asked.to))
    print(f"detector {asked.detector}, delay {asked.delay:g} s")
    print("in sight at least   face-frames   missed   missed share   mean share hidden")
    for least in VISIBLE:
        rows = [case for case in found if case.face.visible >= least]
        missed = sum(case.covered < WHOLE for case in rows)
        hidden = np.mean([case.covered for case in rows])
        print(f"{least:16.0%} {len(rows):13d} {missed:8d} {missed / len(rows):14.2%} {hidden:19.2%}")
    for case in found if asked.misses else ():
        if case.covered < WHOLE:
            face = case.face
            print(
                f"{case.index:5d} {face.name:10} {face.size:4.0f} px {face.visible:4.0%} in sight, "
                f"{case.covered:4.0%} hidden, blur {face.blur:.1f} px"
            )


if __name__ == "__main__":
    sys.exit(ended(main))
