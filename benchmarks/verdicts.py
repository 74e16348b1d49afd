"""What a soak has shown, and whether that is good: a line for each claim."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from benchmarks.faults import QUIET, Fault
from benchmarks.vitals import Sample, Trend, trend

MEMORY = 10.0  # MB that the last quarter may hold more than the first
THREADS, DESCRIPTORS = 1, 2  # likewise; a reader that is being left may still be there
SHARE = 0.9  # of its frames that a camera must keep while another one fails
NOTICED = 1.0  # s after a fault's end in which a loss may still begin to show
SETTLE = 5.0  # s after a fault that count as within it
OLDER = 0.1  # s that frames may be older in the last quarter than in the first
AGE = "stream_frame_age_seconds"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A claim, whether it holds, and the figures."""

    claim: str
    good: bool
    figures: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.good else 'FAIL'}  {self.claim}: {self.figures}"


@dataclass(slots=True)
class Seen:
    """What the rows of a run say of one source; times are UTC seconds.

    Attributes:
        frames: when each frame was taken that gave a row.
        lost, back: when the program said so.
    """

    frames: list[float] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)

    def rate(self, begin: float, end: float) -> float:
        """Frames/s between two times."""
        low, high = np.searchsorted(self.frames, (begin, end))
        return float(high - low) / (end - begin)

    def returned(self, fault: Fault) -> float:
        """Seconds from a fault's end to the next frame: after the longest silence, where one is expected."""
        if not self.frames:
            return math.inf
        before, frames = np.array([self.frames[0], *self.frames]), np.array([*self.frames, math.inf])
        # A loss may be noticed a little later, as what is on its way still arrives.
        possible = (frames >= fault.over) & (before <= fault.over + NOTICED)
        silences = (frames - before)[possible]
        chosen = int(np.argmax(silences)) if fault.how.loses else 0
        return float(frames[possible][chosen] - fault.over)


def read_rows(lines: Iterable[str]) -> dict[str, Seen]:
    """By source, from `events.jsonl` with a row per frame and track."""
    found: defaultdict[str, Seen] = defaultdict(Seen)
    newest: dict[str, int] = {}
    for line in lines:
        row: dict[str, Any] = json.loads(line)
        if row["utc"] is None:
            continue
        at, source = datetime.fromisoformat(row["utc"]).timestamp(), row["source"]
        if row["event"] == "source_lost":
            found[source].lost.append(at)
        elif row["event"] == "source_back":
            found[source].back.append(at)
        elif row["event"].startswith("track_") and row["frame"] > newest.get(source, -1):
            newest[source] = row["frame"]
            found[source].frames.append(at)
    return dict(found)


def steady(samples: Sequence[Sample]) -> list[Verdict]:
    """Memory, threads and descriptors do not grow."""
    times = [s.at for s in samples]
    rows = (
        ("memory does not grow", "MB", MEMORY, [s.memory for s in samples]),
        ("threads do not grow", "", THREADS, [float(s.threads) for s in samples]),
        ("descriptors do not grow", "", DESCRIPTORS, [float(s.descriptors) for s in samples]),
    )
    return [_grown(claim, trend(times, values), unit, limit) for claim, unit, limit, values in rows]


def _grown(claim: str, moved: Trend, unit: str, limit: float) -> Verdict:
    words = (
        f"{moved.first:.1f} {unit} in the first quarter, {moved.last:.1f} in the last, "
        f"at most {moved.highest:.1f}; {moved.slope:+.1f} an hour"
    )
    return Verdict(claim, moved.last - moved.first <= limit, words.replace("  ", " "))


def recoveries(faults: Sequence[Fault], names: Sequence[str], seen: Mapping[str, Seen]) -> list[Verdict]:
    """After each fault its camera's pictures are back in time. The faults are by UTC."""
    found = []
    for fault in faults:
        after = seen[names[fault.camera]].returned(fault)
        words = f"{after:.1f} s (limit {fault.how.limit:.0f})"
        claim = f"back after '{fault.kind}' of camera {fault.camera}"
        found.append(Verdict(claim, after <= fault.how.limit, words))
    return found


def undisturbed(faults: Sequence[Fault], names: Sequence[str], seen: Mapping[str, Seen]) -> Verdict:
    """While one camera fails, the others' frames come as before."""
    before: list[float] = []
    during: list[float] = []
    shares: list[tuple[float, str]] = []
    for fault in faults:
        for name in names:
            if name != names[fault.camera]:
                was = seen[name].rate(fault.at - QUIET, fault.at)
                now = seen[name].rate(fault.at, fault.over + SETTLE)
                before, during = [*before, was], [*during, now]
                shares.append((now / was if was else math.inf, fault.kind))
    if not shares:
        return Verdict("the other cameras are not disturbed", True, "no fault, or no other camera")
    share = float(np.mean(during) / np.mean(before)) if any(before) else 0.0
    worst, kind = min(shares)
    words = (
        f"{np.mean(before):.1f} frames/s before, {np.mean(during):.1f} during ({share:.0%}); "
        f"worst {worst:.0%}, at '{kind}'"
    )
    return Verdict("the other cameras are not disturbed", share >= SHARE, words)


def told(faults: Sequence[Fault], names: Sequence[str], seen: Mapping[str, Seen]) -> Verdict:
    """Each loss is said once and taken back once, and nothing else is called a loss.

    A connection that is merely dropped may be back before anybody has missed a picture.
    """
    wrong = []
    lost = {name: list(seen[name].lost) for name in names}
    back = {name: list(seen[name].back) for name in names}
    count = 0
    for fault in faults:
        name, until = names[fault.camera], fault.over + fault.how.limit + 1
        said = [_taken(times, fault.at - 1, until) for times in (lost[name], back[name])]
        least = int(fault.how.loses and fault.over > fault.at)
        if said[0] != said[1] or not least <= said[0] <= fault.how.loses:
            wrong.append(f"'{fault.kind}' of camera {fault.camera}: lost {said[0]} times, back {said[1]}")
        count += said[0]
    false = sum(map(len, lost.values())) + sum(map(len, back.values()))
    if false:
        wrong.append(f"{false} at other times")
    return Verdict("losses are told, and nothing else", not wrong, "; ".join(wrong) or f"{count} of them")


def _taken(times: list[float], begin: float, end: float) -> int:
    """How many there are between two times; they are taken out."""
    within = [at for at in times if begin <= at <= end]
    times[:] = [at for at in times if at not in within]
    return len(within)


def accounted(summary: Mapping[str, Any]) -> list[Verdict]:
    """Of each source, the frames that came in went out or were dropped for a known cause."""
    found = []
    for row in summary["sources"]:
        dropped = sum(row["drops"].values())
        words = f"{row['frames_in']} in, {row['frames_out']} out, {dropped} dropped"
        claim = f"frames of {row['name']} are accounted for"
        found.append(Verdict(claim, row["frames_in"] == row["frames_out"] + dropped > 0, words))
    return found


def timely(samples: Sequence[Sample], summary: Mapping[str, Any]) -> Verdict:
    """Frames do not grow older. At each moment the median of the cameras counts: one may have failed."""
    p95 = summary["latency_ms"]["p95"]
    rows = [(s.at, [v for (name, _), v in s.metrics.items() if name == AGE and v >= 0]) for s in samples]
    known = [(at, float(np.median(ages))) for at, ages in rows if ages]
    moved = trend([at for at, _ in known], [age for _, age in known])
    if math.isnan(moved.last):
        return Verdict("frames do not grow older", p95 is not None, f"p95 {p95} ms; ages not measured")
    words = f"p95 {p95} ms; age {moved.first:.2f} s in the first quarter, {moved.last:.2f} in the last"
    return Verdict("frames do not grow older", moved.last - moved.first <= OLDER, words)


def counted_alike(samples: Sequence[Sample], summary: Mapping[str, Any]) -> Verdict:
    """The metrics never fall, and never count more than the summary."""
    seen: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for name, value in (item for s in samples for item in s.metrics.items() if item[0][0].endswith("_total")):
        seen[name].append(value)
    if not seen:
        return Verdict("metrics agree with the summary", True, "no metrics were given")
    wrong = [name for name, values in seen.items() if values != sorted(values)]
    for row in summary["sources"]:
        for key, end in _ends(row).items():
            name = (f"stream_{key}_total", row["name"])
            if name not in wrong and seen.get(name, [math.inf])[-1] > end:
                wrong.append(name)
    again = sum(values[-1] for (name, _), values in seen.items() if name == "stream_reconnects_total")
    words = ", ".join(f"{name} of {source}" if source else name for name, source in wrong)
    return Verdict("metrics agree with the summary", not wrong, words or f"{again:.0f} reconnects")


def _ends(row: Mapping[str, Any]) -> dict[str, int]:
    """What the counters of a source may have come to, by the summary."""
    return {
        "frames_in": row["frames_in"],
        "frames_out": row["frames_out"],
        "drops": sum(row["drops"].values()),
        "people": row["tracks"] - row["static"],
    }
