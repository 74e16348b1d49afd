"""What a run counts about itself, for the summary and the status line."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.presence import Presence
from core.types import Result, SourceInfo
from pipeline.meters import Histogram, Rate

# late: a newer one came; queue: the run ended; stage: a stage failed on it; stalled: a newer one came, and it
# was old as it came; shed: by the governor; closed: outside of the opening hours.
CAUSES = ("late", "queue", "stage", "stalled", "shed", "closed")


@dataclass(slots=True, eq=False)
class SourceReport:
    """The counters of one source; frames_in = frames_out + the sum of drops.

    Attributes:
        state, reason: as in `core.status`; `changed`: since when, monotonic seconds.
        width, height: px of its first picture; 0 before it. `size`: likewise of its last one.
        last: monotonic seconds of its last picture; NaN before the first.
        static: of all tracks, those that never moved.
        living: people there now.
        rested: it has been outside its opening hours.
        people: people who have gone again; never falls, as no poster was ever one of them.
    """

    info: SourceInfo
    width: int = 0
    height: int = 0
    frames_in: int = 0
    frames_out: int = 0
    drops: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(CAUSES, 0)))
    suspect: int = 0
    decode_errors: int = 0
    tracks: int = 0
    static: int = 0
    rested: bool = False
    reconnects: int = 0
    error: str | None = None
    state: str = "starting"
    reason: str = ""
    changed: float = field(default_factory=time.monotonic)
    last: float = float("nan")
    size: tuple[int, int] = (0, 0)
    living: int = 0
    people: int = 0
    presence: Presence = field(default_factory=Presence)
    rate_in: Rate = field(default_factory=Rate)
    rate_out: Rate = field(default_factory=Rate)

    def enter(self, state: str, reason: str, now: float) -> None:
        """Be in this state from `now` on, monotonic seconds, if it was not before."""
        self.reason = reason
        if state != self.state:
            self.state, self.changed = state, now

    def heed(self, result: Result) -> None:
        """Count who came, went and is there."""
        self.living = self.presence.count(result)
        for event in result.events:
            self.tracks += event.kind == "track_started"
            if event.kind == "track_ended":
                self.static += bool(event.data["static"])
                self.people += not event.data["static"]

    def row(self) -> dict[str, object]:
        """As it stands in the summary."""
        return {
            "name": self.info.name,
            "kind": self.info.kind,
            "address": self.info.address,
            "width": self.width,
            "height": self.height,
            "frames_in": self.frames_in,
            "frames_out": self.frames_out,
            "drops": dict(self.drops),
            "suspect": self.suspect,
            "decode_errors": self.decode_errors,
            "tracks": self.tracks,
            "static": self.static,
            "reconnects": self.reconnects,
            "error": self.error,
        }


@dataclass(slots=True)
class Report:
    """The counters of a run."""

    sources: list[SourceReport] = field(default_factory=list)
    seconds: float = 0.0
    looks_run: int = 0
    looks_saved: int = 0
    looks_unfit: int = 0
    pictures_dropped: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)  # exit code, words
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=100_000))  # seconds
    latency: Histogram = field(default_factory=Histogram)  # of the whole run
    began: float = field(default_factory=time.monotonic)  # s, monotonic
    turned: float = field(default_factory=time.monotonic)  # likewise, when the loop last went round
    shed: str = ""  # what the governor sheds, in words

    def fail(self, code: int, words: str) -> None:
        """Remember a failure; the first one decides the exit code."""
        self.failures.append((code, words))

    def arrange(self, infos: Iterable[SourceInfo]) -> None:
        """Hold these sources last, in this order, those never reached included."""
        told = {source.info.name: source for source in self.sources}
        now = [told.get(info.name) or SourceReport(info) for info in infos]
        self.sources = [source for source in self.sources if source not in now] + now

    def took(self, seconds: float) -> None:
        """Note the time from a frame's arrival to its result."""
        self.latencies.append(seconds)
        self.latency.add(seconds)

    @property
    def exit_code(self) -> int:
        """0, or that of the first failure."""
        return self.failures[0][0] if self.failures else 0

    @property
    def frames(self) -> int:
        """Frames that became a result, of all sources."""
        return sum(source.frames_out for source in self.sources)

    def latency_ms(self) -> dict[str, float]:
        """Milliseconds from a frame's arrival to its result: median and 95th percentile."""
        if not self.latencies:
            return {"p50": float("nan"), "p95": float("nan")}
        p50, p95 = np.percentile(np.fromiter(self.latencies, float), (50, 95)) * 1000
        return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}

    def line(self) -> str:
        """How it is doing now, in one line."""
        states = [source.state for source in self.sources if source.state != "over"]
        words = f"{states.count('up')} of {len(states)} sources up, {self.frames} frames"
        return f"{words}, load: {self.shed}" if self.shed else words

    def words(self) -> str:
        """The summary for people, a few lines of at most 80 columns."""
        fps = self.frames / self.seconds if self.seconds > 0 else 0.0
        ms = self.latency_ms()
        latency = f", latency {ms['p50']:.0f} ms (p95 {ms['p95']:.0f})" if self.latencies else ""
        drops = sum((source.drops for source in self.sources), Counter())  # a sum holds no zeros
        lost = ", ".join(f"{n} {cause}" for cause, n in drops.items()) or "none"
        people = sum(source.tracks - source.static for source in self.sources)
        frames = "1 frame" if self.frames == 1 else f"{self.frames} frames"
        return (
            f"{frames} in {self.seconds:.1f} s ({fps:.1f} frames/s){latency}\n"
            f"people seen: {people}; frames dropped: {lost}\n"
            f"looks run: {self.looks_run}, saved: {self.looks_saved}, "
            f"not fit to judge: {self.looks_unfit}"
        )


def peak_mb(status: Path = Path("/proc/self/status")) -> float:
    """Most memory this process has held so far, megabytes; NaN where the system does not tell.

    `status`: where Linux tells; its other count begins with what the parent process held.
    """
    if status.exists() and (told := re.search(rb"VmHWM:\s*(\d+)", status.read_bytes())):
        return round(int(told[1]) / 1024, 1)
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
