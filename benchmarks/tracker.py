"""CPU time of one frame of the tracker, as a share of the published program written with filterpy.

    python -m benchmarks.tracker [--peer NAME ...] [--wants] [--rounds 3] [--boxes 1,5,20,100,500]
    python -m benchmarks.tracker --switch --boxes 15,20,25,30,35,40
    python -m benchmarks.tracker --soak 100000

All trackers take the same frames in turn, in one process: what slows the machine slows them alike. Each
figure is the median over the frames of all rounds, with 0.6 microseconds of reading the clock in it. Peers
are those of `evaluation.peers`; their figures hold what it takes to hand them our boxes. `--wants` adds our
tracker when it is also asked, before each frame, whose face prints would help. `--switch` compares the two
forms in which each mode keeps its tracks: where the second becomes the faster one belong HANDFUL and CROWD
of `tracker.sort`, LEAST and MOST of `tracker.published`. `--soak` shows whether time and memory stay the
same over so many frames of a busy street. Set OMP_NUM_THREADS=1: only this thread's time is counted.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

import tracker.sort
from benchmarks.machine import machine
from benchmarks.scenes import SCENES, Look, street
from benchmarks.yardstick import Yardstick
from core.command import ended
from core.settings import CompatibilityConfig, TrackerConfig
from tracker.published.few import FIELDS, Few
from tracker.published.many import Many
from tracker.published.rules import Rules
from tracker.sort import Sort

Run = Callable[[Look], Any]
Maker = Callable[[], Run]  # of a new tracker
Times = dict[str, float]  # microseconds, by the tracker's name

YARDSTICK, COMPATIBLE, OURS = "filterpy loop", "compatible: rows", "ours: update"
WANTS = "ours: wants, update"
ALWAYS_FEW, ALWAYS_MANY = (sys.maxsize, sys.maxsize), (-1, 0)  # HANDFUL and CROWD that hold to one form
WARM = 10  # frames of each round that are not counted
PACKAGES = ("numpy", "scipy", "filterpy", "trackers", "supervision", "norfair", "motpy")


def yardstick() -> Run:
    """The published program in filterpy."""
    made = Yardstick()
    return lambda look: made.rows(look.detections)


def compatible() -> Run:
    """Our compatible mode."""
    made = Sort(TrackerConfig(compatibility=CompatibilityConfig()))
    return lambda look: made.rows(look.detections)


def ours() -> Run:
    """Our tracker as the program runs it."""
    made = Sort(TrackerConfig())
    return lambda look: made.update(look.faces, look.time)


def wanting() -> Run:
    """The same where face prints are used: it is asked first which ones it wants; none is given."""
    made = Sort(TrackerConfig())

    def run(look: Look) -> object:
        made.wants(look.faces, look.time)
        return made.update(look.faces, look.time)

    return run


def peer(name: str) -> Maker:
    """A maker of somebody else's tracker."""
    from evaluation.peers import Setting, make_peer

    def make() -> Run:
        made = make_peer(name, Setting(rate=25.0))
        return lambda look: made.update(look.faces, look.time)

    return make


MAKERS: dict[str, Maker] = {YARDSTICK: yardstick, COMPATIBLE: compatible, OURS: ours}


def race(makers: Mapping[str, Maker], rounds: Iterable[Sequence[Look]]) -> Times:
    """Median CPU microseconds of a frame of each tracker; frame by frame another one is the first."""
    spent: dict[str, list[int]] = {name: [] for name in makers}
    for film in rounds:
        runs = [(name, make()) for name, make in makers.items()]
        for frame, look in enumerate(film):
            first = frame % len(runs)
            for name, run in runs[first:] + runs[:first]:
                began = time.thread_time_ns()
                run(look)
                ended = time.thread_time_ns()
                if frame >= WARM:
                    spent[name].append(ended - began)
    return {name: statistics.median(times) / 1000 for name, times in spent.items()}


def films(scene: str, boxes: int, rounds: int) -> Iterable[list[Look]]:
    """A film a round: so many frames that small and large numbers of boxes take alike."""
    frames = WARM + max(30, 200 - 2 * boxes)
    for seed in range(rounds):
        film = list(islice(SCENES[scene](boxes, seed), frames))
        for look in film:
            _ = look.faces  # made now, not while a tracker is timed
        yield film


def table(makers: Mapping[str, Maker], scene: str, sizes: Sequence[int], rounds: int) -> dict[int, Times]:
    """Times by the number of boxes."""
    return {boxes: race(makers, films(scene, boxes, rounds)) for boxes in sizes}


def lines(scene: str, times: Mapping[int, Times]) -> list[str]:
    """The table as text: microseconds, and the share of the first tracker's."""
    names = list(next(iter(times.values())))
    text = [f"{scene:24}" + "".join(f"{boxes:>12} boxes" for boxes in times)]
    for name in names:
        cells = [f"{each[name]:10.1f} {each[name] / each[names[0]]:7.3f}" for each in times.values()]
        text.append(f"{name:24}" + "".join(cells))
    return text


def compatible_forms() -> dict[str, Maker]:
    """The compatible mode, held to one form of its tracks."""
    rules = Rules()

    def make(form: type[Few] | type[Many]) -> Run:
        tracks, next_id = form(rules, np.zeros((FIELDS, 0))), 1

        def run(look: Look) -> object:
            nonlocal next_id
            rows, next_id = tracks.look(look.detections, rules.min_hits, look.time, next_id)
            return rows

        return run

    return {"compatible: numbers": lambda: make(Few), "compatible: table": lambda: make(Many)}


def our_forms() -> dict[str, Maker]:
    """Our tracker, held to one form of its tracks."""

    def make(held: tuple[int, int]) -> Run:
        made = Sort(TrackerConfig())

        def run(look: Look) -> object:
            usual = tracker.sort.HANDFUL, tracker.sort.CROWD
            tracker.sort.HANDFUL, tracker.sort.CROWD = held
            try:
                return made.update(look.faces, look.time)
            finally:
                tracker.sort.HANDFUL, tracker.sort.CROWD = usual

        return run

    return {"ours: objects": lambda: make(ALWAYS_FEW), "ours: table": lambda: make(ALWAYS_MANY)}


def soak(make: Maker, frames: int) -> tuple[list[float], list[float]]:
    """Of each tenth of the frames: median CPU microseconds of one, and mean kilobytes that Python holds.

    Twice over the same street, since counting memory takes time.
    """
    tenth, times, sizes = max(WARM + 1, frames // 10), [], []
    run, looks = make(), street(seed=1)
    for _ in range(10):
        spent = []
        for look in islice(looks, tenth):
            _ = look.faces
            began = time.thread_time_ns()
            run(look)
            spent.append(time.thread_time_ns() - began)
        times.append(statistics.median(spent) / 1000)
    run, looks = make(), street(seed=1)
    tracemalloc.start()
    for _ in range(10):
        held = []
        for look in islice(looks, tenth):
            run(look)
            held.append(tracemalloc.get_traced_memory()[0])
        sizes.append(statistics.mean(held) / 1000)
    tracemalloc.stop()
    return times, sizes


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tracker",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--peer", action="append", default=[], help="of evaluation.peers; may be repeated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--boxes", default="1,5,20,100,500", help="numbers of boxes")
    parser.add_argument("--switch", action="store_true", help="compare the two forms of each mode")
    parser.add_argument("--wants", action="store_true", help="also with the question whose prints would help")
    parser.add_argument("--soak", type=int, default=0, help="frames of a busy street")
    asked = parser.parse_args(arguments)
    print(machine(*PACKAGES))
    if asked.soak:
        print(f"{asked.soak} frames of a street         first tenth           last tenth")
        for name in (COMPATIBLE, OURS):
            times, held = soak(MAKERS[name], asked.soak)
            ends = [f"{times[i]:7.1f} us {held[i]:7.1f} kB" for i in (0, -1)]
            print(f"{name:24}" + "".join(f"{end:>24}" for end in ends))
        return
    more = {WANTS: wanting} if asked.wants else {}
    everybody = MAKERS | more | {name: peer(name) for name in asked.peer}
    sizes = [int(boxes) for boxes in asked.boxes.split(",")]
    print(f"CPU microseconds of a frame, and the share of the first line's; {asked.rounds} rounds")
    for makers in (compatible_forms(), our_forms()) if asked.switch else (everybody,):
        for scene in SCENES:
            print(*lines(scene, table(makers, scene, sizes, asked.rounds)), sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(ended(main))
