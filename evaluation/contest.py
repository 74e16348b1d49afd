"""Lets our tracker, and others beside it, track sequences whose truth is known."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from core.types import F64
from evaluation.follow import follow, make_tracker, write_rows
from evaluation.peers import follow_peer
from evaluation.progress import watched
from evaluation.report import Figure, Report, Table
from evaluation.scores import SCORES, Counts, combine, count, figures
from evaluation.sequence import Sequence
from evaluation.sets import SetSettings, known, settings_for

log = logging.getLogger(__name__)
OURS = "ours"
HEAD = ("set", "tracker", "HOTA (95 %)", "IDF1", "MOTA", "IDSW")


@dataclass(frozen=True, slots=True)
class Contest:
    """How everybody tracks, and is scored.

    Attributes:
        preset, detector: of our tracker; None: by the set.
        benchmark: by whose rules the truth is prepared; None: by the set.
        hints: ours is told of cuts, the others begin anew at them.
        every: ours sees one of so many frames.
        peers: who tracks beside ours.
    """

    preset: str | None = None
    detector: str | None = None
    benchmark: str | None = None
    hints: bool = True
    every: int = 1
    peers: tuple[str, ...] = ()

    def settings(self, group: str) -> SetSettings:
        """Those of a set."""
        return settings_for(group, self.preset, self.detector, self.benchmark)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one tracker made of one sequence.

    Attributes:
        group, sequence, tracker: their names.
        rows: the tracks, as `follow` gives them.
        counts: what TrackEval counted.
    """

    group: str
    sequence: str
    tracker: str
    rows: F64
    counts: Counts


def hold(sequences: Iterable[Sequence], contest: Contest, jobs: int = 1) -> list[Outcome]:
    """Let everybody track every sequence, set by set.

    Args:
        sequences: with their truth.
        contest: the same for everybody.
        jobs: processes.

    Raises:
        ConfigError: an unknown peer, or a package that is missing.
    """
    sequences = list(sequences)
    _tell_guesses(sequences, contest)
    tasks = [(sequence, tracker, contest) for sequence in sequences for tracker in (OURS, *contest.peers)]
    if jobs == 1:
        return [_track(*task) for task in watched(tasks, len(tasks), "track")]
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        return list(watched(pool.map(_track, *zip(*tasks, strict=True)), len(tasks), "track"))


def _tell_guesses(sequences: Iterable[Sequence], contest: Contest) -> None:
    """Say once of each set that is not known what was taken for it: another choice gives another score."""
    if None not in (contest.preset, contest.detector, contest.benchmark):
        return
    for group in dict.fromkeys(one.group.partition("@")[0] for one in sequences):
        if known(group) is None:
            named = zip(SetSettings._fields, contest.settings(group), strict=True)
            taken = " ".join(f"--{name} {value}" for name, value in named)
            log.warning("'%s' is no set that is known; taken: %s.", group, taken)


def _track(sequence: Sequence, tracker: str, contest: Contest) -> Outcome:
    preset, detector, benchmark = contest.settings(sequence.group)
    if tracker == OURS:
        rows = follow(sequence, make_tracker(preset, detector), hints=contest.hints, every=contest.every)
    else:
        rows = follow_peer(sequence, tracker, detector, restart=contest.hints)
    return Outcome(sequence.group, sequence.name, tracker, rows, count(sequence, rows, benchmark))


def write_tracks(folder: Path, outcomes: Iterable[Outcome]) -> None:
    """MOTChallenge text, TRACKER/SET/SEQUENCE.txt."""
    for one in outcomes:
        write_rows(folder / one.tracker / one.group / f"{one.sequence}.txt", one.rows)


def report(outcomes: list[Outcome], contest: Contest, began: float) -> Report:
    """The scores of each set over all its sequences, and of each sequence.

    The metrics are those of the set; if there are several sets, the means of theirs (the sum of their
    identity switches), without interval. Figures of other trackers begin with their names.
    """
    whole: dict[str, dict[str, Figure]] = {}
    parts: dict[str, dict[str, Figure]] = {}
    rows, details = [], []
    for group in dict.fromkeys(one.group for one in outcomes):
        for tracker in (OURS, *contest.peers):
            own = [one for one in outcomes if (one.group, one.tracker) == (group, tracker)]
            scores = figures([one.counts for one in own])
            whole.setdefault(group, {}).update(_named(tracker, scores))
            rows.append(_row(f"{group} ({len(own)})", tracker, scores))
            for one in own:
                name = f"{group}/{one.sequence}"
                single = figures([one.counts])
                parts.setdefault(name, {}).update(_named(tracker, single))
                details.append(_row(name, tracker, single))
    clear = combine(one.counts for one in outcomes if one.tracker == OURS)["CLEAR"]
    n, missed = int(clear["CLR_TP"] + clear["CLR_FN"]), int(clear["CLR_FN"])
    where = f"{', '.join(whole)}; {'cut hints' if contest.hints else 'no cut hints'}"
    tables = [Table(where, HEAD, rows), Table("by sequence", HEAD, details)]
    models = [_model(group, contest) for group in whole] + [
        {"role": "peer", "id": name} for name in contest.peers
    ]
    seconds = time.perf_counter() - began
    return Report("track", where, n, missed, _overall(whole), whole | parts, models, seconds, tables)


def _overall(groups: dict[str, dict[str, Figure]]) -> dict[str, Figure]:
    if len(groups) == 1:
        return next(iter(groups.values()))
    result = {}
    for name in next(iter(groups.values())):
        values = [figures[name].value for figures in groups.values()]
        result[name] = Figure(
            float(np.sum(values) if name.endswith("idsw") else np.mean(values)), np.nan, np.nan
        )
    return result


def _named(tracker: str, scores: dict[str, Figure]) -> dict[str, Figure]:
    prefix = "" if tracker == OURS else f"{tracker}_"
    return {prefix + name: scores[name] for name in SCORES}


def _row(place: str, tracker: str, scores: dict[str, Figure]) -> list[str]:
    hota = scores["hota"]
    interval = (
        f"{hota.value:.1f} ({hota.low:.1f} to {hota.high:.1f})"
        if np.isfinite(hota.low)
        else f"{hota.value:.1f}"
    )
    plain = [f"{scores[name].value:.1f}" for name in ("idf1", "mota")]
    return [place, tracker, interval, *plain, f"{scores['idsw'].value:.0f}"]


def _model(group: str, contest: Contest) -> dict[str, object]:
    return {"role": "tracker", "id": "sort", "set": group, **contest.settings(group)._asdict()}
