"""What a run counts about itself, for the summary and the status line."""

from __future__ import annotations

import sys
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.types import SourceInfo


@dataclass(slots=True)
class SourceReport:
    """The counters of one source; frames_in = frames_out + the sum of drops."""

    info: SourceInfo
    width: int = 0
    height: int = 0
    frames_in: int = 0
    frames_out: int = 0
    drops: Counter[str] = field(default_factory=lambda: Counter(late=0, queue=0, stage=0))
    suspect: int = 0
    decode_errors: int = 0
    tracks: int = 0
    error: str | None = None

    def row(self) -> dict[str, object]:
        """As it stands in the summary."""
        return {
            "name": self.info.name,
            "kind": self.info.kind,
            "width": self.width,
            "height": self.height,
            "frames_in": self.frames_in,
            "frames_out": self.frames_out,
            "drops": dict(self.drops),
            "suspect": self.suspect,
            "decode_errors": self.decode_errors,
            "tracks": self.tracks,
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

    def fail(self, code: int, words: str) -> None:
        """Remember a failure; the first one decides the exit code."""
        self.failures.append((code, words))

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

    def words(self) -> str:
        """The summary for people, a few lines of at most 80 columns."""
        fps = self.frames / self.seconds if self.seconds > 0 else 0.0
        ms = self.latency_ms()
        latency = f", latency {ms['p50']:.0f} ms (p95 {ms['p95']:.0f})" if self.latencies else ""
        drops = sum((source.drops for source in self.sources), Counter())
        lost = ", ".join(f"{count} {cause}" for cause, count in drops.items()) or "none"
        people = sum(source.tracks for source in self.sources)
        return (
            f"{self.frames} frames in {self.seconds:.1f} s ({fps:.1f} frames/s){latency}\n"
            f"people seen: {people}; frames dropped: {lost}\n"
            f"looks run: {self.looks_run}, saved: {self.looks_saved}, "
            f"not fit to judge: {self.looks_unfit}"
        )


def peak_mb() -> float:
    """Most memory this process has held so far, megabytes; NaN where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux: the other count begins with what the parent process held
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="ascii").splitlines())
        return round(int(lines["VmHWM"].split()[0]) / 1024, 1)
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)
