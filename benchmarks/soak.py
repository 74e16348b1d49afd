"""The program beside cameras that fail, for as long as you like: does it leak, come back, keep its pace?

    python -m benchmarks.soak [--minutes 10] [--cameras 4] [--seed 1] [--out FOLDER]

Runs `stream.py` on cameras that show a face and fail one at a time, as the seed decides: they drop,
stall, refuse, fall silent, answer 404, lose packets, change their size, turn grey, freeze. Judges
memory, threads, descriptors, the time to come back, the other cameras' pace and the counters. Linux only.
"""

from __future__ import annotations

import argparse
import csv
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults import Fault, carry_out, plan
from benchmarks.machine import machine
from benchmarks.verdicts import (
    Verdict,
    accounted,
    counted_alike,
    read_rows,
    recoveries,
    steady,
    timely,
    told,
    undisturbed,
)
from benchmarks.vitals import Sample, sample, scrape
from capture.address import resolve_all
from core.command import ended
from core.settings import CaptureConfig, SourceConfig
from tests.servers.farm import Farm
from tests.servers.ports import free_port

ROOT = Path(__file__).parents[1]
FIRST = 60.0  # s that the program may take to its first rows of every camera
LAST = 30.0  # s to end in order
EVERY = 1.0  # s between two samples
ROWS, SUMMARY, WORDS, SAMPLES = "events.jsonl", "summary.json", "stderr.txt", "samples.csv"


@dataclass(frozen=True, slots=True)
class Watched:
    """What was written down while the program ran; times are UTC seconds."""

    samples: Sequence[Sample]
    faults: Sequence[Fault]
    code: int


def warm(minutes: float) -> float:
    """Seconds at the beginning that do not count: memory fills, networks load."""
    return min(30.0, 10.0 * minutes)


def command(addresses: Sequence[str], folder: Path, port: int) -> list[str]:
    """The program as a user would start it, with a row per frame so that its pace shows."""
    sources = [word for address in addresses for word in ("-s", address)]
    outputs = [str(folder / ROWS), str(folder / SUMMARY), f"http://127.0.0.1:{port}/"]
    sinks = [word for output in outputs for word in ("-o", output)]
    return [str(ROOT / "stream.py"), *sources, *sinks, "--no-window", "--set", "events.interval=0"]


@contextmanager
def running(words: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program, in a process of its own; gone at the end, whatever happens."""
    with (folder / WORDS).open("wb") as said:
        process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=said)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def await_rows(process: subprocess.Popen[bytes], rows: Path, cameras: int) -> None:
    """Until every camera has given a row of a face."""
    until = time.monotonic() + FIRST
    while time.monotonic() < until and process.poll() is None:
        if rows.exists():
            lines = rows.read_text(encoding="utf-8").split("\n")[:-1]
            if sum(bool(seen.frames) for seen in read_rows(lines).values()) == cameras:
                return
        time.sleep(0.5)
    raise RuntimeError(f"not every camera gave rows within {FIRST:g} s")


def watch(
    process: subprocess.Popen[bytes], farm: Farm, faults: Sequence[Fault], end: float, port: int
) -> Watched:
    """Carry out the faults and take samples, until `end` seconds from now; then end the program."""
    zero, clock = time.time(), time.monotonic()
    due = sorted(
        [(fault.at, fault, fault.how.begin) for fault in faults]
        + [(fault.over, fault, fault.how.end) for fault in faults],
        key=lambda item: item[0],
    )
    samples: list[Sample] = []
    while (now := time.monotonic() - clock) < end and process.poll() is None:
        while due and due[0][0] <= now:
            carry_out(farm, *due.pop(0)[1:])
        if len(samples) * EVERY <= now:
            samples.append(sample(process.pid, time.time(), scrape(port)))
            continue
        steps = [end, len(samples) * EVERY, *(item[0] for item in due[:1])]
        time.sleep(max(min(steps) - (time.monotonic() - clock), 0))
    if process.poll() is not None:
        raise RuntimeError(f"the program ended by itself, with exit code {process.poll()}")
    process.send_signal(signal.SIGINT)
    return Watched(samples, [fault.since(zero) for fault in faults], process.wait(LAST))


def write_samples(watched: Watched, path: Path) -> None:
    """A row a sample, for those who want to see when it grew."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["seconds", "memory_mb", "threads", "descriptors", "fault"])
        for s in watched.samples:
            now = [fault.kind for fault in watched.faults if fault.at <= s.at <= fault.over]
            seconds = s.at - watched.samples[0].at
            table.writerow([f"{seconds:.1f}", f"{s.memory:.1f}", s.threads, s.descriptors, *now])


def all_is_well(at: float, faults: Sequence[Fault]) -> bool:
    """No camera fails then, nor is just coming back: a connection less would hide a thread more."""
    return not any(fault.at <= at <= fault.over + fault.how.limit for fault in faults)


def judge(watched: Watched, names: Sequence[str], folder: Path, warming: float) -> list[Verdict]:
    """All claims."""
    with (folder / ROWS).open(encoding="utf-8") as lines:
        seen = read_rows(lines)
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    samples = [s for s in watched.samples if s.at >= watched.samples[0].at + warming]
    return [
        Verdict("it ends in order", watched.code == 0, f"exit code {watched.code}"),
        *steady([s for s in samples if all_is_well(s.at, watched.faults)]),
        *recoveries(watched.faults, names, seen),
        told(watched.faults, names, seen),
        undisturbed(watched.faults, names, seen),
        *accounted(summary),
        counted_alike(samples, summary),
        timely(samples, summary),
    ]


def soak(asked: argparse.Namespace, folder: Path) -> list[Verdict]:
    """One run, judged."""
    warming, end = warm(asked.minutes), 60 * asked.minutes
    faults = plan(asked.seed, asked.cameras, warming, end)
    port = free_port()
    cameras = ("--cameras", str(asked.cameras), "--film", "faces", "--rate", str(asked.rate))
    with Farm(*cameras) as farm:
        sources = [SourceConfig(address=address) for address in farm.addresses]
        names = [info.name for ((info, _),) in resolve_all(sources, CaptureConfig())]
        with running(command(farm.addresses, folder, port), folder) as process:
            await_rows(process, folder / ROWS, asked.cameras)
            watched = watch(process, farm, faults, end, port)
    write_samples(watched, folder / SAMPLES)
    return judge(watched, names, folder, warming)


def main(words: Sequence[str] | None = None) -> int:
    """Print a line for each claim; 1 if one does not hold."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=int, default=10, help="pictures/s of each camera")
    parser.add_argument(
        "--out", type=Path, help="keep what the program writes, and the samples, in this folder"
    )
    asked = parser.parse_args(words)
    print(machine(), end=", ")
    print(f"{asked.cameras} cameras of {asked.rate} pictures/s, {asked.minutes:g} minutes, seed {asked.seed}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.out or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            verdicts = soak(asked, folder)
        except (RuntimeError, subprocess.TimeoutExpired, OSError) as error:
            print((folder / WORDS).read_text("utf-8", "replace"), file=sys.stderr)
            print(f"FAIL  {error}")
            return 1
    print(*verdicts, sep="\n")
    return int(not all(verdict.good for verdict in verdicts))


if __name__ == "__main__":
    # Else the program would go on without anybody who watches it.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    sys.exit(ended(main))
