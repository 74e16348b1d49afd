"""How old a picture of a network camera is when it can be used: ours beside OpenCV's.

    python -m benchmarks.latency [--seconds 20] [--size 1280x720] [--rate 25]

A camera in a process of its own draws the machine's clock into each picture as it makes it. Each reader
reads the clock back from what it hands out; so the figures hold encoding, network, decoding and colour. The
readers take turns, and those that are slow wait 120 ms after each picture, as if they analysed it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import cv2
import numpy as np

from benchmarks.machine import machine
from capture import open_source
from capture.address import resolve
from core.command import ended
from core.settings import CaptureConfig, SourceConfig
from core.types import F64, Frame, Image
from tests.servers import squares
from tests.servers.farm import Farm
from tests.servers.reels import milliseconds

WARM = 3.0  # s after the first picture that do not count: what was probed is caught up on
SLOW = 0.12  # s that a slow reader takes for each picture
ROUNDS = 2
OURS = "ours"
OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"  # OpenCV takes FFmpeg's by the environment alone
LOW_DELAY = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay"

Read = Callable[[], Image | None]


@contextmanager
def by_opencv(address: str, options: str, *settings: int) -> Iterator[Read]:
    """cv2.VideoCapture; what it reads is BGR already."""
    os.environ[OPTIONS] = options
    capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, list(settings))
    os.environ.pop(OPTIONS)

    def read() -> Image | None:
        taken, image = capture.read()
        return image.view(np.uint8) if taken else None

    try:
        yield read
    finally:
        capture.release()


@contextmanager
def by_us(address: str) -> Iterator[Read]:
    """The source that the program reads."""
    config = CaptureConfig()
    (info,) = resolve(SourceConfig(address=address), config)
    source = open_source(info, address, config)

    def read() -> Image | None:
        item = source.read()
        return item.image if isinstance(item, Frame) else None

    try:
        yield read
    finally:
        source.close()


READERS: dict[str, Callable[[str], AbstractContextManager[Read]]] = {
    "cv2": partial(by_opencv, options="rtsp_transport;tcp"),
    "cv2, low delay": lambda address: by_opencv(address, LOW_DELAY, cv2.CAP_PROP_N_THREADS, 1),
    OURS: by_us,
}
CASES = [(name, pause) for pause in (0.0, SLOW) for name in READERS]


def ages(read: Read, seconds: float, pause: float) -> F64:
    """float64 (N, 2): seconds since the first picture, and milliseconds of age, of each that was read."""
    rows: list[tuple[float, float]] = []
    began = time.monotonic()
    while time.monotonic() - began < seconds + WARM:
        image = read()
        if image is None:
            continue
        now = time.monotonic()
        began = began if rows else now
        rows.append((now - began, squares.since(squares.read(image), milliseconds())))
        time.sleep(pause)
    return np.array(rows, np.float64).reshape(-1, 2)


def summed_up(rounds: list[F64]) -> dict[str, float]:
    """Pictures, and their ages in milliseconds: median, 95th percentile, and at the end of a round."""
    counted = np.concatenate([rows[rows[:, 0] >= WARM] for rows in rounds])
    ends = [np.median(rows[rows[:, 0] >= rows[-1, 0] - 1.0, 1]) for rows in rounds]
    p50, p95 = np.percentile(counted[:, 1], (50, 95))
    return {"pictures": len(counted), "p50": p50, "p95": p95, "last second": float(np.mean(ends))}


def measure(address: str, seconds: float) -> dict[tuple[str, float], dict[str, float]]:
    """Every case, by turns; `seconds` of each."""
    found: dict[tuple[str, float], list[F64]] = {case: [] for case in CASES}
    for _ in range(ROUNDS):
        for name, pause in CASES:
            with READERS[name](address) as read:
                found[name, pause].append(ages(read, seconds / ROUNDS, pause))
    return {case: summed_up(rounds) for case, rounds in found.items()}


def lines(found: Mapping[tuple[str, float], Mapping[str, float]], rate: int) -> list[str]:
    """The table, and whether ours is within two pictures' time."""
    text = [f"{'reader':32}{'pictures':>10}{'p50 ms':>10}{'p95 ms':>10}{'last second ms':>17}"]
    for (name, pause), row in found.items():
        label = f"{name}, {1000 * pause:.0f} ms a picture" if pause else name
        cells = f"{row['pictures']:10.0f}{row['p50']:10.0f}{row['p95']:10.0f}{row['last second']:17.0f}"
        text.append(f"{label:32}{cells}")
    limit, got = 2000 / rate, found[OURS, 0.0]["p95"]
    verdict = "kept" if got <= limit else "missed"
    return [*text, f"target, p95 of ours within two pictures' time ({limit:.0f} ms): {verdict}, {got:.0f} ms"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.latency",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of each reader")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--rate", type=int, default=25, help="pictures/s")
    asked = parser.parse_args()
    print(machine("av", "opencv-python", "opencv-python-headless"))
    print(f"{asked.size}, {asked.rate} pictures/s, RTSP by TCP, {asked.seconds:g} s of each reader")
    with Farm("--film", "clock", "--size", asked.size, "--rate", str(asked.rate)) as farm:
        print(*lines(measure(farm.addresses[0], asked.seconds), asked.rate), sep="\n")


if __name__ == "__main__":
    sys.exit(ended(main))
