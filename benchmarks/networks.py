"""What it costs to judge one face, network by network, on one CPU core.

python -m benchmarks.networks [--rounds 300]

Every network of both profiles judges the same face in turn, so that all meet the same machine; the
figure is the median. "Cut" is the cutting out of the face, "all" what a look at one face takes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import get_args

import numpy as np

from capture.demo import Demo
from core.command import ended
from core.session import open_session
from core.settings import CaptureConfig, EstimatorsConfig, Settings
from core.types import Faces, Image, SourceInfo
from estimators.align import cut
from estimators.network import Network
from estimators.panel import Panel
from pipeline.build import build, chosen
from weights.manifest import cards
from weights.store import locate

PROFILES = get_args(EstimatorsConfig.model_fields["profile"].annotation)
MILLI = 1e3


def main() -> None:
    """Time all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300, help="times that each is run (300)")
    jobs = _jobs(*one_face())
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(parser.parse_args().rounds):
        for name, job in jobs.items():
            began = time.perf_counter()
            job()
            times[name].append(time.perf_counter() - began)
    print(f"{'':40}  median ms   90 % within")
    for name, spent in times.items():
        print(f"{name:40}  {MILLI * np.median(spent):9.2f}  {MILLI * np.quantile(spent, 0.9):12.2f}")


def one_face() -> tuple[Image, Faces]:
    """The largest face in the first frame of the demo that shows one, and that frame."""
    source = Demo(SourceInfo(name="demo", kind="demo", address="demo"), CaptureConfig())
    pipeline = build(Settings()).pipeline
    while (frame := source.read()) is not None:
        faces = pipeline.find(frame.image)
        if len(faces):
            heights = faces.boxes[:, 3] - faces.boxes[:, 1]
            return frame.image, faces.take(np.argsort(-heights)[:1])
    raise AssertionError("no frame of the demo shows a face")


def _jobs(image: Image, faces: Faces) -> dict[str, Callable[[], object]]:
    jobs: dict[str, Callable[[], object]] = {}
    for profile in PROFILES:
        picked = chosen(Settings(estimators=EstimatorsConfig(profile=profile)), cards())
        networks = {c.id: Network(c, open_session(locate(c), "cpu", 1)) for c in picked.values()}
        for name, network in networks.items():
            crops = cut(image, faces, network.crop)
            jobs[f"{profile}: {name}"] = partial(network.estimate, crops, np.ones(1, np.float32))
            jobs[f"{profile}: {name}, cut"] = partial(cut, image, faces, network.crop)
        panel = Panel({role: networks[card.id] for role, card in picked.items()})
        jobs[f"{profile}: all"] = partial(panel.look, [(image, faces)])
    return jobs


if __name__ == "__main__":
    sys.exit(ended(main))
