"""How good tracks are: HOTA, IDF1, MOTA and identity switches, as TrackEval computes them.

Sources: Luiten et al., "HOTA", IJCV 2021; Ristani et al., ECCVW 2016 (IDF1); Bernardin and Stiefelhagen,
JIVP 2008 (MOTA, identity switches).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from core.errors import ConfigError
from core.types import F64
from evaluation.follow import write_lines, write_rows
from evaluation.report import Figure
from evaluation.sequence import Sequence

Counts = Mapping[str, Mapping[str, Any]]  # what TrackEval counted: by metric, by field
SCORES: dict[str, Callable[[Counts], float]] = {
    "hota": lambda counts: 100 * float(np.mean(counts["HOTA"]["HOTA"])),
    "deta": lambda counts: 100 * float(np.mean(counts["HOTA"]["DetA"])),
    "assa": lambda counts: 100 * float(np.mean(counts["HOTA"]["AssA"])),
    "idf1": lambda counts: 100 * float(counts["Identity"]["IDF1"]),
    "mota": lambda counts: 100 * float(counts["CLEAR"]["MOTA"]),
    "idsw": lambda counts: float(counts["CLEAR"]["IDSW"]),
}
REPEATS = 300  # sequences drawn again, for the intervals


def count(sequence: Sequence, rows: F64, benchmark: str) -> Counts:
    """Compare tracks with the truth.

    Args:
        sequence: with its truth.
        rows: as `follow` gives them.
        benchmark: one of `evaluation.sets.BENCHMARKS`; by MOT17's rules tracks of statues, reflections and
            the like are removed first, other sets have no such classes.
    """
    trackeval = load_trackeval()
    with TemporaryDirectory() as name:
        folder = Path(name)
        _write_truth(folder / "gt" / "one" / "gt" / "gt.txt", sequence)
        write_rows(folder / "tracks" / "ours" / "data" / "one.txt", rows)
        data = trackeval.datasets.MotChallenge2DBox(
            {
                "GT_FOLDER": str(folder / "gt"),
                "TRACKERS_FOLDER": str(folder / "tracks"),
                "SEQ_INFO": {"one": len(sequence)},
                "BENCHMARK": "MOT15" if benchmark == "MOT15" else "MOT17",
                "DO_PREPROC": benchmark == "MOT17",
                "SKIP_SPLIT_FOL": True,
                "PRINT_CONFIG": False,
            }
        )
        raw = data.get_raw_seq_data("ours", "one")
        ready = data.get_preprocessed_seq_data(raw, "pedestrian")
        return {metric.get_name(): metric.eval_sequence(ready) for metric in _metrics(trackeval)}


def combine(parts: Iterable[Counts]) -> Counts:
    """The counts of several sequences as of one."""
    listed = list(parts)
    return {
        metric.get_name(): metric.combine_sequences(
            {str(i): part[metric.get_name()] for i, part in enumerate(listed)}
        )
        for metric in _metrics(load_trackeval())
    }


def figures(parts: list[Counts]) -> dict[str, Figure]:
    """Each score over all sequences; the interval by drawing sequences again, where there are several."""
    whole = combine(parts)
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(parts), (REPEATS if len(parts) > 1 else 0, len(parts))).tolist()
    again = [combine(parts[i] for i in draw) for draw in draws]
    result = {}
    for name, score in SCORES.items():
        low, high = np.nanpercentile([score(c) for c in again], [2.5, 97.5]) if again else (np.nan, np.nan)
        result[name] = Figure(score(whole), float(low), float(high))
    return result


def load_trackeval() -> Any:
    """The package.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        # It prints about packages that its other benchmarks need.
        with redirect_stdout(io.StringIO()):
            return import_module("trackeval")
    except ModuleNotFoundError as error:
        needed = "pip install --no-deps -r requirements/evaluation.txt"
        raise ConfigError(f"track needs the package 'trackeval': {needed}.") from error


def _metrics(trackeval: Any) -> list[Any]:
    quiet = {"PRINT_CONFIG": False}
    metrics = trackeval.metrics
    return [metrics.HOTA(), metrics.CLEAR(quiet), metrics.Identity(quiet)]


def _write_truth(path: Path, sequence: Sequence) -> None:
    lines = (
        f"{frame + 1:.0f},{track:.0f},{x1:.6f},{y1:.6f},{x2 - x1:.6f},{y2 - y1:.6f},{mark:.0f},{kind:.0f},1\n"
        for frame, track, x1, y1, x2, y2, mark, kind, _ in sequence.truth.tolist()
    )
    write_lines(path, lines)
