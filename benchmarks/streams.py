"""What many network cameras cost to read: ours, with its time-outs, beside PyAV with none.

    python -m benchmarks.streams [--seconds 12] [--size 640x360] [--rate 10]

The cameras are in a process of their own. Each reader has a thread for each camera; they take turns
at 1, 4, 8 and 16 cameras, and the processor's time of this process is divided by the pictures read.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import av
import numpy as np

from benchmarks.machine import machine
from capture import open_source
from capture.address import resolve
from core.command import ended
from core.settings import CaptureConfig, SourceConfig
from core.types import Frame
from tests.servers.farm import Farm

CAMERAS = (1, 4, 8, 16)
ROUNDS = 3
WARM = 3.0  # s, in which all connect and catch up

Going = Callable[[], bool]


class Cost(NamedTuple):
    """Of one reader in one round."""

    per_picture: float  # ms of processor time
    slowest: float  # pictures/s of the camera that gave the fewest


def by_pyav(address: str, count: Callable[[], None], going: Going) -> None:
    """PyAV, with the same options but no time-out of any kind."""
    options = {"rtsp_transport": "tcp", "analyzeduration": "500000", "fpsprobesize": "0"}
    with av.open(address, options=options) as container:
        for frame in container.decode(video=0):
            frame.to_ndarray(format="bgr24")
            count()
            if not going():
                return


def by_us(address: str, count: Callable[[], None], going: Going) -> None:
    """The source that the program reads."""
    config = CaptureConfig()
    (info,) = resolve(SourceConfig(address=address), config)
    source = open_source(info, address, config)
    try:
        while going():
            if isinstance(source.read(), Frame):
                count()
    finally:
        source.close()


READERS = {"PyAV, no time-outs": by_pyav, "ours": by_us}


def run(
    reader: Callable[[str, Callable[[], None], Going], None], addresses: Sequence[str], seconds: float
) -> Cost:
    """Read all cameras at once for `seconds`, after they have warmed up."""
    counts = [0] * len(addresses)
    stop = threading.Event()

    def count(nth: int) -> None:
        counts[nth] += 1

    threads = [
        threading.Thread(target=reader, args=(address, lambda nth=nth: count(nth), lambda: not stop.is_set()))
        for nth, address in enumerate(addresses)
    ]
    for thread in threads:
        thread.start()
    time.sleep(WARM)
    before, spent, began = list(counts), time.process_time(), time.monotonic()
    time.sleep(seconds)
    read = np.subtract(counts, before)
    spent, elapsed = time.process_time() - spent, time.monotonic() - began
    stop.set()
    for thread in threads:
        thread.join()
    return Cost(1000 * spent / max(int(read.sum()), 1), float(read.min()) / elapsed)


def lines(found: Mapping[tuple[int, str], Sequence[Cost]]) -> list[str]:
    """The table: medians of the rounds, and each beside one camera read by PyAV."""
    first = next(iter(found.values()))
    unit = np.median([cost.per_picture for cost in first])
    text = [f"{'cameras':>7}  {'reader':20}{'CPU ms/picture':>16}{'ratio':>8}{'slowest, pictures/s':>22}"]
    for (cameras, name), costs in found.items():
        spent, slowest = np.median(np.array(costs), axis=0)
        text.append(f"{cameras:7}  {name:20}{spent:16.2f}{spent / unit:8.2f}{slowest:22.1f}")
    return text


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.streams",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=12.0, help="of each reader and number of cameras")
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--rate", type=int, default=10, help="pictures/s of each camera")
    asked = parser.parse_args()
    print(machine("av"))
    print(f"{asked.size}, {asked.rate} pictures/s, RTSP by TCP, medians of {ROUNDS} rounds")
    found: dict[tuple[int, str], list[Cost]] = {(n, name): [] for n in CAMERAS for name in READERS}
    film = ["--film", "faces", "--size", asked.size, "--rate", str(asked.rate)]
    with Farm("--cameras", str(max(CAMERAS)), *film) as farm:
        for _ in range(ROUNDS):
            for (cameras, name), costs in found.items():
                costs.append(run(READERS[name], farm.addresses[:cameras], asked.seconds / ROUNDS))
    print(*lines(found), sep="\n")


if __name__ == "__main__":
    sys.exit(ended(main))
