"""Test cameras in a process of their own, so that they share no interpreter with who watches them.

    python -m tests.servers.farm --cameras 4 --film faces --size 640x360 --rate 12

Prints a line of JSON with the addresses, then obeys: a line of JSON for each order, `{"camera": 2,
"order": "drop"}`, answered by a line when it is carried out. Ends with its input.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.servers.codings import CODINGS
from tests.servers.films import Look, faces, numbered
from tests.servers.rtsp import Camera

ROOT = Path(__file__).parents[2]
FILMS = ("faces", "numbered", "clock")
ORDERS = ("stall", "resume", "drop", "refuse", "listen", "freeze", "show", "faults")


def main(words: list[str]) -> int:
    """Serve until whoever started it is gone."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.servers.farm",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cameras", type=int, default=1)
    parser.add_argument("--coding", choices=CODINGS, default="h264")
    parser.add_argument("--film", choices=FILMS, default="numbered")
    parser.add_argument("--size", type=size, default=(640, 360), help="as 640x360")
    parser.add_argument("--rate", type=int, default=25, help="pictures/s")
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="length of the film, which is then repeated"
    )
    asked = parser.parse_args(words)
    with contextlib.ExitStack() as stack:
        cameras = [stack.enter_context(camera(asked, number)) for number in range(asked.cameras)]
        print(json.dumps([each.address() for each in cameras]), flush=True)
        for line in sys.stdin:
            order = json.loads(line)
            obey(cameras[order.pop("camera")], order.pop("order"), order)
            print("done", flush=True)
    return 0


def size(text: str) -> tuple[int, int]:
    """Width and height, from 640x360."""
    width, height = text.split("x")
    return int(width), int(height)


def camera(asked: argparse.Namespace, number: int) -> Camera:
    """One of the cameras, with a key frame each second; their films begin at different places."""
    count = round(asked.seconds * asked.rate)
    common: dict[str, Any] = {"rate": asked.rate, "key_interval": asked.rate, "coding": asked.coding}
    if asked.film == "clock":
        return Camera(clock=asked.size, **common)
    if asked.film == "faces":
        return Camera(pictures=faces(count, asked.size, number / asked.cameras), **common)
    return Camera(pictures=numbered(count, asked.size), **common)


def obey(chosen: Camera, order: str, more: dict[str, Any]) -> None:
    """Carry out an order; `show` takes the fields of a Look, `faults` those of Faults."""
    if order not in ORDERS:
        raise ValueError(f"no such order: {order}")
    if order == "faults":
        for name, value in more.items():
            if not hasattr(chosen.faults, name):
                raise ValueError(f"no such fault: {name}")
            setattr(chosen.faults, name, value)
    elif order == "show":
        wish = {"size": tuple(more["size"])} if "size" in more else {}
        chosen.show(Look(**{**more, **wish}))
    else:
        getattr(chosen, order)()


class Farm:
    """Such a process, as seen by who started it; use as a context manager.

    Attributes:
        addresses: of the cameras, in order.
    """

    def __init__(self, *words: str) -> None:
        self._words = words
        self.addresses: list[str] = []

    def __enter__(self) -> Farm:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.farm", *self._words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.addresses = json.loads(self._line())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=20)

    def order(self, camera: int, order: str, **more: Any) -> None:
        """Have it carried out; back when it is."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"camera": camera, "order": order, **more}) + "\n")
        self._process.stdin.flush()
        self._line()

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the cameras have failed; see above")
        return line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
