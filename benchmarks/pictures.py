"""Makes the pictures of the README from the demo film: the overlay, and what `privacy.blur` leaves.

python -m benchmarks.pictures [--out docs/images]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from capture.demo import FPS, Demo
from core.command import ended
from core.config import load_settings
from core.settings import CaptureConfig, PrivacyConfig, Settings
from core.types import F64, Image, SourceInfo
from pipeline.build import build
from render.renderer import Renderer

ROOT = Path(__file__).parents[1]
OVERLAY_AT = 2.0  # s of the film: two people in front of the mural of 1927, all in the public domain
BLUR_AT = 5.7  # one of them near the corner that is shown
QUALITY = 88  # of the JPEGs: the whole frame then stays under 300 kB
CROP = (640, 360)  # px, width and height of each half of the strip


def main() -> None:
    """Write overlay.jpg and blur.jpg."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="folder")
    asked = parser.parse_args()
    settings = load_settings([ROOT / "config.yaml"], ["runtime.device=cpu", "detector.name=yunet"])
    overlay = frame_at(OVERLAY_AT, settings, blur=False)
    plain, blurred = frame_at(BLUR_AT, settings, blur=False), frame_at(BLUR_AT, settings, blur=True)
    asked.out.mkdir(parents=True, exist_ok=True)
    right, bottom = plain.shape[1], plain.shape[0] - 140  # the parapet's upper edge
    box = np.array([right - CROP[0], bottom - CROP[1], right, bottom])
    save(asked.out / "overlay.jpg", overlay)
    save(
        asked.out / "blur.jpg", np.hstack([cut(plain, box), np.full((CROP[1], 8, 3), 255), cut(blurred, box)])
    )


def frame_at(seconds: float, settings: Settings, *, blur: bool) -> Image:
    """The drawn picture of that second, uint8 (H, W, 3) BGR, with all that a file's reader would see."""
    info = SourceInfo(name="demo", kind="demo", address="demo")
    source = Demo(info, CaptureConfig(end=seconds + settings.render.delay + 1 / FPS))
    pipeline = build(settings).pipeline
    pipeline.start(info)
    renderer = Renderer(settings.render, PrivacyConfig(blur=blur), {"drawn"}, settings.render.delay)
    pictures = []
    while (frame := source.read()) is not None:
        pictures += renderer.push(frame, pipeline.turn([frame])[0])
    pictures += renderer.flush()
    drawn = pictures[round(seconds * FPS)].drawn
    assert drawn is not None
    return drawn


def cut(picture: Image, box: F64) -> Image:
    """The part of a picture within a box x1 y1 x2 y2, whole pixels."""
    x1, y1, x2, y2 = box.tolist()
    return picture[y1:y2, x1:x2]


def save(path: Path, picture: Image) -> None:
    """Write a JPEG and say how large it is."""
    data = cv2.imencode(".jpg", picture.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
    path.write_bytes(data)
    print(f"{path}: {picture.shape[1]} x {picture.shape[0]}, {len(data) / 1000:.0f} kB")


if __name__ == "__main__":
    sys.exit(ended(main))
