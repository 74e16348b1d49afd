"""What is known of pictures that lost packets have damaged: flagged, suspected by the rule, missed.

    python -m benchmarks.loss [--coding h265] [--frames 500] [--seed 1] [--size 1280x720]

A test camera sends a real face that sways, H.264 or H.265 by UDP with a key frame each second, and leaves
RTP packets out by the seed. Each decoded picture is compared with the same one of a connection without loss:
damaged is one whose brightness differs by more than 25 in the mean square. The rule: a picture that the
decoder flags, or before which one is missing, is suspect, and so is the rest of its group, up to the next
clean key frame.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from capture.connection import Lost
from capture.network import Stream
from core.command import ended
from core.settings import CaptureConfig
from core.types import U8
from tests.servers.codings import CODINGS
from tests.servers.farm import size
from tests.servers.films import faces
from tests.servers.rtsp import Camera, Faults

RATE = 25  # pictures/s
LOSSES = (0.003, 0.01, 0.03)
DAMAGED = 25.0  # mean square of the difference in brightness, grey levels


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One decoded picture: its number in the film, its brightness, and what is thought of it."""

    number: int
    grey: U8
    suspect: bool


def watch(camera: Camera, length: int, faults: Faults, count: int) -> list[Shown]:
    """The next pictures of a new connection to a camera that shows a film of `length` pictures."""
    camera.faults = faults
    return [shown for shown, _ in zip(_connection(camera, length), range(count), strict=False)]


def _connection(camera: Camera, length: int) -> Iterator[Shown]:
    stream = Stream(camera.address(), "camera", CaptureConfig(transport="udp"))
    try:
        while grab := stream.grab():
            if math.isnan(grab.presentation):  # as the first ones may be
                continue
            grey = cv2.cvtColor(grab.paint(), cv2.COLOR_BGR2GRAY)
            yield Shown(round(grab.presentation * RATE) % length, grey.astype(np.uint8), grab.damaged)
    except Lost:
        return
    finally:
        stream.close()


def difference(a: U8, b: U8) -> float:
    """Mean square of the difference of two pictures."""
    return float(((a.astype(np.float32) - b) ** 2).mean())


def judge(whole: dict[int, U8], shown: list[Shown]) -> tuple[int, int, int, int]:
    """Damaged pictures; suspect ones; damaged but not suspected; suspected but whole."""
    damaged = np.array([difference(one.grey, whole[one.number]) > DAMAGED for one in shown])
    suspect = np.array([one.suspect for one in shown])
    counts = (damaged, suspect, damaged & ~suspect, suspect & ~damaged)
    return int(counts[0].sum()), int(counts[1].sum()), int(counts[2].sum()), int(counts[3].sum())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--coding", choices=CODINGS, default="h264")
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=size, default=(1280, 720))
    asked = parser.parse_args()
    film = faces(2 * RATE, asked.size)
    with Camera(coding=asked.coding, pictures=film, rate=RATE, speed=4) as camera:
        report(camera, len(film), asked.seed, asked.frames)


def report(camera: Camera, length: int, seed: int, frames: int) -> None:
    """Print the table for a camera that shows a film of `length` pictures."""
    whole = {one.number: one.grey for one in watch(camera, length, Faults(), 2 * length)}
    print("| packets lost | pictures | damaged | suspect | damaged, not suspected | suspected, yet whole |")
    print("| --- | --- | --- | --- | --- | --- |")
    for loss in LOSSES:
        shown = watch(camera, length, Faults(loss=loss, seed=seed), frames)
        cells = " | ".join(str(count) for count in judge(whole, shown))
        print(f"| {loss:.1%} | {len(shown)} | {cells} |", flush=True)


if __name__ == "__main__":
    sys.exit(ended(main))
