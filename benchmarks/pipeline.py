"""CPU time per stage, frames/s, memory, and what the program itself costs beside its libraries.

    python -m benchmarks.pipeline [CLIP ...] [--seconds 12] [--runs 3] [--detector yunet]

Each clip runs twice a round: in this process with a meter around each stage, and as the program
itself (`stream.py -s CLIP -o events.jsonl`), from its start to its end. Median of the rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import detectors.retinaface
import detectors.yunet
import estimators.network
import estimators.panel
import estimators.quality
from benchmarks.machine import machine
from capture import open_source
from capture.address import resolve
from core.command import ended
from core.session import Session
from core.settings import Settings, SourceConfig
from core.types import Frame, SourceInfo
from pipeline.build import build
from pipeline.step import Pipeline

ROOT = Path(__file__).parents[1]
# What a library does for us: the rest of the main thread's time is our own.
LIBRARY: dict[str, list[tuple[Any, str]]] = {
    "session.run": [(Session, "run")],
    "convert": [
        (detectors.yunet, "batches"),
        (detectors.retinaface, "batches"),
        (estimators.network, "prepare"),
    ],
    "warp": [(estimators.panel, "cut"), (estimators.quality, "cut")],
}


class Meter:
    """CPU seconds of the calling thread, by stage."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time counted; a generator's between its values, too."""

        def timed(*words: Any, **named: Any) -> Any:
            began = time.thread_time()
            result = function(*words, **named)
            self.spent[stage] += time.thread_time() - began
            return self._each(stage, result) if isinstance(result, Iterator) else result

        return timed

    def _each(self, stage: str, values: Iterator[Any]) -> Iterator[Any]:
        while True:
            began = time.thread_time()
            value = next(values, self)
            self.spent[stage] += time.thread_time() - began
            if value is self:
                return
            yield value


@contextmanager
def metered(meter: Meter) -> Iterator[None]:
    """While this lasts, what libraries do is counted by the meter."""
    kept = [(owner, name, getattr(owner, name)) for places in LIBRARY.values() for owner, name in places]
    for stage, places in LIBRARY.items():
        for owner, name in places:
            setattr(owner, name, meter.around(stage, getattr(owner, name)))
    try:
        yield
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)


def read(clip: str, seconds: float) -> tuple[list[Frame], float]:
    """The first frames of a clip, and CPU seconds of decoding and conversion for all of them."""
    settings = Settings()
    info = resolve(SourceConfig(address=clip), settings.capture)[0]
    source = open_source(info, clip, settings.capture)
    frames: list[Frame] = []
    began = time.thread_time()
    while isinstance(item := source.read(), Frame) and item.stamp.time < seconds:
        frames.append(item)
    spent = time.thread_time() - began
    source.close()
    return frames, spent


def stages(frames: list[Frame], detector: str) -> dict[str, float]:
    """CPU milliseconds a frame by stage, of the pipeline alone, in this thread."""
    settings = Settings().model_copy(
        update={"detector": Settings().detector.model_copy(update={"name": detector})}
    )
    meter = Meter()
    with metered(meter):
        pipeline: Pipeline = build(settings).pipeline
        source = frames[0].stamp.source
        pipeline.start(SourceInfo(source, "video", source))
        pipeline.turn(frames[:1])
        meter.spent.clear()
        began, process = time.thread_time(), time.process_time()
        for frame in frames[1:]:
            pipeline.turn([frame])
        whole, all_threads = time.thread_time() - began, time.process_time() - process
    spent = dict(meter.spent)
    spent["own"] = whole - sum(spent.values())
    spent["session.run"] += all_threads - whole  # the other threads run nothing else
    return {stage: 1000 * value / (len(frames) - 1) for stage, value in spent.items()}


def program(clip: str, seconds: float, detector: str) -> dict[str, float]:
    """The program itself on a clip: frames/s, its memory, seconds until the first row."""
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary.json"
        words = ["-s", clip, "-o", "-", "-o", str(summary), "--max-seconds", str(seconds)]
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "stream.py"), *words, "--no-window", "--detector", detector],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        process.stdout.readline()
        first = time.monotonic() - began
        process.stdout.read()
        process.wait()
        found = json.loads(summary.read_text(encoding="utf-8"))
    frames = sum(source["frames_out"] for source in found["sources"])
    return {"fps": frames / found["seconds"], "peak_mb": found["peak_mb"], "first_row_s": first}


def measure(clip: str, options: argparse.Namespace) -> dict[str, float]:
    """Medians over the rounds."""
    rounds: list[dict[str, float]] = []
    for _ in range(options.runs):
        frames, decoding = read(clip, options.seconds)
        row = {"decode": 1000 * decoding / len(frames), **stages(frames, options.detector)}
        rest = sum(value for stage, value in row.items() if stage != "own")
        row["own_percent_of_rest"] = 100 * row["own"] / rest
        rounds.append(
            {"frames": float(len(frames)), **row, **program(clip, options.seconds, options.detector)}
        )
    return {key: statistics.median(row[key] for row in rounds) for key in rounds[0]}


def main() -> None:
    """Print a table, a column a clip."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="*")
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--detector", default="yunet")
    options = parser.parse_args()
    print(machine())
    print(f"detector {options.detector}, first {options.seconds:g} s, median of {options.runs}")
    columns = {Path(clip).stem: measure(clip, options) for clip in options.clips or ["demo"]}
    print(f"{'':22}" + "".join(f"{name[:18]:>20}" for name in columns))
    units = {"own_percent_of_rest": "%", "fps": "frames/s", "peak_mb": "MB", "first_row_s": "s", "frames": ""}
    for key in next(iter(columns.values())):
        label = f"{key} {units.get(key, 'ms')}"
        print(f"{label:22}" + "".join(f"{column[key]:20.2f}" for column in columns.values()))


if __name__ == "__main__":
    sys.exit(ended(main))
