"""How a running program fares: memory, threads and descriptors from /proc, counters from its metrics."""

from __future__ import annotations

import http.client
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.types import F64

_LINE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?P<labels>\{.*\})? (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

Metrics = dict[tuple[str, str], float]  # by the metric's name and its source; causes are added up


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at one moment.

    Attributes:
        at: UTC seconds.
        memory: resident, megabytes.
        metrics: empty where the program gave none.
    """

    at: float
    memory: float
    threads: int
    descriptors: int
    metrics: Metrics = field(default_factory=dict)


def sample(pid: int, at: float, metrics: Metrics) -> Sample:
    """Of a process, now. Linux only; raises OSError once it is gone."""
    process = Path(f"/proc/{pid}")
    status = dict(
        line.split(":", 1) for line in (process / "status").read_text("ascii", "replace").splitlines()
    )
    memory = int(status["VmRSS"].split()[0]) / 1024
    return Sample(at, memory, int(status["Threads"]), len(list((process / "fd").iterdir())), metrics)


def scrape(port: int) -> Metrics:
    """The program's metrics; nothing if it does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read().decode()
        return parse(text) if answer.status == 200 else {}
    except (OSError, http.client.HTTPException):
        return {}
    finally:
        connection.close()


def parse(text: str) -> Metrics:
    r"""Prometheus' text format.

    >>> parse('# HELP x y\nstream_drops_total{source="door",cause="late"} 2.0\nup 1')
    {('stream_drops_total', 'door'): 2.0, ('up', ''): 1.0}
    """
    found: Metrics = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match:
            key = match["name"], dict(_LABEL.findall(match["labels"] or "")).get("source", "")
            found[key] = found.get(key, 0.0) + float(match["value"])
    return found


@dataclass(frozen=True, slots=True)
class Trend:
    """How a figure moved.

    Attributes:
        slope: per hour, by least squares.
        first, last: medians of the first and last quarter.
        highest: of all.
    """

    slope: float
    first: float
    last: float
    highest: float


def trend(times: Sequence[float] | F64, values: Sequence[float] | F64) -> Trend:
    """Of values at times (s); NaN where there are fewer than four.

    >>> trend([0, 900, 1800, 2700, 3600], [1, 2, 3, 4, 5])
    Trend(slope=4.0, first=1.0, last=5.0, highest=5.0)
    """
    x, y = np.asarray(times, np.float64), np.asarray(values, np.float64)
    if len(x) < 4:
        return Trend(*[float("nan")] * 4)
    hours = (x - x.mean()) / 3600
    slope = float(hours @ (y - y.mean()) / (hours @ hours))
    quarter = max(len(y) // 4, 1)
    return Trend(
        round(slope, 6), float(np.median(y[:quarter])), float(np.median(y[-quarter:])), float(y.max())
    )
