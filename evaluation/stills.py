"""How right the networks are about labelled pictures of faces, and how honest: age, gender, race, emotion.

Each picture goes the program's own way: detector, cut, networks, one look's belief. With --aligned
nobody looks for the face: the picture is the cut-out face itself (where a set brings landmarks, it
is cut out by them). Sets are recognised by themselves; docs/evaluation.md describes their layouts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.errors import ConfigError
from core.types import Array
from evaluation.drawings import drawings
from evaluation.figures import (
    Cases,
    Found,
    age_cases,
    figures,
    gender_cases,
    mood_cases,
    race_cases,
    told_races,
)
from evaluation.finder import Finder
from evaluation.groups import FEW, Labels
from evaluation.judge import Judge, Judged, judge
from evaluation.layouts import LAYOUTS, chosen, opened, sets
from evaluation.layouts.entry import Entry, Set
from evaluation.models import Model, default, model_row, network_arguments, open_detector, open_model
from evaluation.options import made, whole
from evaluation.progress import watched
from evaluation.report import Figure, Report, Table

PARTS = ("all", "train", "tune", "report")  # see `Sample.part`
TRAINED = {"train", "Training"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of these tasks."""
    parser.add_argument(
        "--data", type=Path, required=True, help="folder or .tar of labelled faces, or of packs"
    )
    parser.add_argument(
        "--layout", default="auto", help=f"auto (the default), the name of a pack, or {', '.join(LAYOUTS)}"
    )
    parser.add_argument("--part", default="all", choices=PARTS, help="pictures, by hash (all)")
    parser.add_argument(
        "--split",
        help="the set's own part: all, train, val, test, ... (emotion: all but train, if there is more)",
    )
    parser.add_argument("--limit", type=whole, help="pictures of each set, drawn by hash")
    parser.add_argument("--models", help="networks side by side, with commas (the program's own)")
    parser.add_argument("--out", type=Path, help="folder for report.html and summary.json")
    network_arguments(parser)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One network on one set: its names, and what was found by each kind of label."""

    set: str
    model: str
    found: dict[str, Found]


def run(options: argparse.Namespace) -> None:
    """Measure and write.

    Raises:
        ConfigError: nothing recognised, or nothing labelled for this task.
        SourceError, WeightsError, DeviceError: the data or a network cannot be used.
        SinkError: the report cannot be written.
    """
    start = time.perf_counter()
    made(options.out)
    task: str = options.task
    names = options.models.split(",") if options.models else [default(task)]
    models = [open_model(task, name, options.device) for name in names]
    rows: list[dict[str, object]] = [model.row() for model in models]
    finder = None
    if not options.aligned:
        detector, card, file = open_detector(options.detector, options.device)
        finder = Finder(detector)
        rows.insert(0, model_row("detector", card, file))
    runs = [
        Run(one.name, model.card.id, measure(task, one, entries, model, finder))
        for one, entries in labelled(task, options)
        for model in models
    ]
    path = "cut out already (--aligned)" if options.aligned else f"found by {options.detector}"
    report = summary(
        task, runs, f"{options.data.name} ({options.part}), faces {path}", rows, time.perf_counter() - start
    )
    print(report.text())
    if options.out is not None:
        report.write(options.out)


def labelled(task: str, options: argparse.Namespace) -> list[tuple[Set, list[Entry]]]:
    """The sets with labels of this kind, and which of their pictures are asked for.

    Raises:
        ConfigError: none has any.
    """
    found = [
        (one, chosen(_wanted(task, one, options), options.limit))
        for one in sets(options.data, options.layout)
    ]
    if not any(entries for _, entries in found):
        raise ConfigError(
            f"{options.data}: no picture with a label of {task} in the part that was asked for."
        )
    return [(one, entries) for one, entries in found if entries]


def _wanted(task: str, one: Set, options: argparse.Namespace) -> list[Entry]:
    sound = [entry for entry in one.entries if entry.labels.sound]
    rows = asked(task, Labels.of([entry.labels for entry in sound]))
    entries = [entry for entry, row in zip(sound, rows, strict=True) if row]
    entries = [entry for entry in entries if options.part in ("all", entry.labels.part)]
    split = options.split or ("tested" if task == "emotion" else "all")
    parts = {entry.labels.split for entry in entries}
    # Networks for moods are trained on the very part of a set that is named so. Of FER2013 the parts `train`
    # and `tune` hold nothing else: whoever asks for them means it.
    keep = {"all": parts, "tested": parts - TRAINED or parts}.get(split, {split})
    return [entry for entry in entries if entry.labels.split in keep]


def asked(task: str, labels: Labels) -> Array:
    """The rows that are labelled for a task (a mask)."""
    by_task: dict[str, Array] = {
        "age": np.isfinite(labels.years),
        "gender": np.isfinite(labels.woman),
        "race": labels.race >= 0,
        "emotion": (labels.mood >= 0) | (labels.crowd >= 0),
    }
    return by_task[task]


def measure(
    task: str, one: Set, entries: Sequence[Entry], model: Model, finder: Finder | None
) -> dict[str, Found]:
    """The figures of a network on a set; by each kind of label, the set's own under ``."""
    pictures = watched(opened(entries, keep=True), len(entries), f"{task} {one.name}")
    judged = judge(Judge([model], finder), pictures)
    missed = judged.missed
    kinds: dict[str, tuple[tuple[Cases, Array], Array]] = {}
    if task == "emotion":
        for prefix, true, lost in (
            ("", judged.labels.mood, missed.mood),
            ("ferplus_", judged.labels.crowd, missed.crowd),
        ):
            if (true >= 0).any() or (lost >= 0).any():
                kinds[prefix] = mood_cases(judged, true), lost >= 0
    else:
        kinds[""] = _cases(task, one, judged, model)
    return {prefix: figures(judged, cases, lost, one.races) for prefix, (cases, lost) in kinds.items()}


def _cases(task: str, one: Set, judged: Judged, model: Model) -> tuple[tuple[Cases, Array], Array]:
    """The cases, and which of the missed faces would have been some (a mask)."""
    if task == "age":
        return age_cases(judged, one.groups), asked(task, judged.missed)
    if task == "gender":
        return gender_cases(judged), asked(task, judged.missed)
    (classes,) = (output.classes for output in model.card.outputs if output.role == "race")
    lost = told_races(judged.missed, one.races, classes) >= 0
    return race_cases(judged, one.races, classes), lost


def summary(
    task: str, runs: Sequence[Run], data: str, models: Sequence[dict[str, object]], seconds: float
) -> Report:
    """All runs in one report; names of figures begin with the set and the network where there are several."""
    metrics: dict[str, Figure] = {}
    groups: dict[str, dict[str, Figure]] = {}
    tables, plots = [], []
    for one in runs:
        for kind, found in one.found.items():
            prefix = _prefix(one, runs) + kind
            metrics |= {prefix + name: figure for name, figure in found.metrics.items()}
            for group, told in found.groups.items():
                groups.setdefault(group, {}).update({prefix + name: f for name, f in told.items()})
            title = f"{one.set}, {one.model}" + (", FER+ majority" if kind else "")
            tables.append(_by_group(title, found))
            plots += list(drawings(title, found))
    firsts = [next(iter(one.found.values())) for one in runs if one.model == runs[0].model]
    n, missed = sum(f.n for f in firsts), sum(f.missed for f in firsts)
    return Report(task, data, n, missed, metrics, groups, models, seconds, [_all(runs, data), *tables], plots)


def _prefix(one: Run, runs: Sequence[Run]) -> str:
    several = [(one.set, {run.set for run in runs}), (one.model, {run.model for run in runs})]
    return "".join(f"{name}_" for name, all_ in several if len(all_) > 1)


def _all(runs: Sequence[Run], data: str) -> Table:
    columns = [(one, kind, found) for one in runs for kind, found in one.found.items()]
    names = dict.fromkeys(name for _, _, found in columns for name in found.metrics)
    head = [
        "figure (95 % interval)",
        *(f"{one.set} {one.model}{' FER+' if kind else ''}" for one, kind, _ in columns),
    ]
    rows = [["faces labelled", *(str(found.n) for _, _, found in columns)]]
    rows += [["not found", *(str(found.missed) for _, _, found in columns)]]
    rows += [[name, *(_cell(found.metrics.get(name)) for _, _, found in columns)] for name in names]
    return Table(data, head, rows)


def _by_group(title: str, found: Found) -> Table:
    names = list(dict.fromkeys(name for told in found.groups.values() for name in told))
    rows = []
    for group, told in found.groups.items():
        few = told["n"].value < FEW
        counts = [f"{told[name].value:.0f}" for name in ("n", "missed")]
        rows.append(
            [f"{group}{' *' if few else ''}", *counts, *(_cell(told.get(name)) for name in names[2:])]
        )
    return Table(f"By group: {title} (* under {FEW} faces: a hint at best)", ["group", *names], rows)


def _cell(figure: Figure | None) -> str:
    return "-" if figure is None else str(figure)
