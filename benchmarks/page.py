"""Makes the README's picture of the page: four test cameras show portraits of the demo, and one stops.

python -m benchmarks.page [--out docs/images]

Needs Chromium.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import yaml

from benchmarks.pictures import ROOT, save
from benchmarks.soak import running
from benchmarks.vitals import scrape
from core.command import ended
from core.errors import ConfigError
from core.types import Image
from tests.portraits import PICTURES
from tests.servers.ports import free_port
from tests.servers.rtsp import Camera
from tests.waiting import until
from tests.web.browser import CHROMIUM, Browser

CAMERAS = {"door": "astronaut.png", "till": "obama.jpg", "stairs": "grace_hopper.jpg", "café": "biden.jpg"}
STOPS = "stairs"
SIZE = (854, 480)  # px
SECONDS, RATE = 6, 10  # of the film that a camera repeats; the four and the program share a machine
SWAY, WALL = 40, (60, 80, 70)  # px to either side; BGR of what is beside the picture
WINDOW = (1100, 830)  # px
WATCHED, MISSED = 12.0, 20.0  # s until it stops, and until the picture is taken


def main() -> None:
    """Write pages.jpg."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", help="folder")
    asked = parser.parse_args()
    if CHROMIUM is None:
        raise ConfigError(
            "there is no Chromium on this machine. Install it, such as by: apt install chromium"
        )
    asked.out.mkdir(parents=True, exist_ok=True)
    save(asked.out / "pages.jpg", page())


def page() -> Image:
    """What the page shows a while after one of the cameras stopped, uint8 (H, W, 3) BGR."""
    with ExitStack() as stack:
        cameras = {name: stack.enter_context(camera(file)) for name, file in CAMERAS.items()}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        address = f"http://127.0.0.1:{port}/"
        stack.enter_context(running(command(cameras, address, folder), folder))
        until(lambda: scrape(port))
        browser = stack.enter_context(Browser())
        browser.show(address, *WINDOW)
        browser.wait(f"document.querySelectorAll('.state[data-state=up]').length == {len(cameras)}")
        browser.wait(f"performance.now() > {1000 * WATCHED}")
        cameras[STOPS].refuse()
        cameras[STOPS].drop()
        browser.wait("document.body.innerText.includes('no signal since')")
        browser.wait(f"performance.now() > {1000 * (WATCHED + MISSED)}")
        browser.picture(folder / "page.png")
        shot = cv2.imread(str(folder / "page.png"))
    assert shot is not None
    return np.asarray(shot, np.uint8)


def command(cameras: Mapping[str, Camera], address: str, folder: Path) -> list[str]:
    """The program as a shop would start it."""
    sources = [{"name": name, "address": camera.address()} for name, camera in cameras.items()]
    settings = folder / "shop.yaml"
    settings.write_text(yaml.safe_dump({"sources": sources, "sinks": [{"path": address}]}), encoding="utf-8")
    return [str(ROOT / "stream.py"), "--config", str(settings), "--no-window"]


def camera(file: str) -> Camera:
    """One before which that picture of the demo sways."""
    picture = cv2.imread(str(PICTURES / file))
    assert picture is not None
    scale = SIZE[1] / picture.shape[0]
    left = (SIZE[0] - scale * picture.shape[1]) / 2
    film = []
    for turn in np.linspace(0, 2 * np.pi, SECONDS * RATE, endpoint=False):
        place = np.array([[scale, 0, left + SWAY * np.sin(turn)], [0, scale, 0]])
        film.append(cv2.warpAffine(picture, place, SIZE, flags=cv2.INTER_AREA, borderValue=WALL))
    return Camera(pictures=film, rate=RATE, key_interval=RATE)


if __name__ == "__main__":
    sys.exit(ended(main))
