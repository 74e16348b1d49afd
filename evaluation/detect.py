"""How well the detectors find faces: WIDER FACE's protocol, recall by height, cost."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.cards import Card
from core.errors import ConfigError
from core.protocols import Detector
from core.types import F64, Faces, Image
from evaluation.curves import precision_recall, recall_by_height
from evaluation.detection import by_height, matches, over, precisions, ratio
from evaluation.layouts.place import Place
from evaluation.models import DETECTORS, device_argument, model_row, open_detector
from evaluation.options import apart, chance, made, table, whole
from evaluation.pictures import pictures
from evaluation.progress import watched
from evaluation.report import Figure, Report, Table
from evaluation.wider_set import Case, read
from evaluation.widerface import Labels

LEAST = 0.02  # score that takes part in the AP, as is usual for this data
TIMED = 100  # pictures
THREADS = 2  # as the program runs it
SCORES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
COLUMNS = ("file", "x1", "y1", "x2", "y2", "score")


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What one detector found in all pictures.

    Attributes:
        card, file: the network.
        found: of each picture, from the score `LEAST` on.
        cost: milliseconds a picture at the detector's own threshold: on the wall, and of CPU.
    """

    card: Card
    file: Path
    found: list[Faces]
    cost: dict[str, Figure]


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this task."""
    parser.add_argument("--data", type=Path, help="folder of WIDER FACE as published or packed")
    parser.add_argument("--images", type=Path, help="pictures without labels: writes what is found")
    parser.add_argument("--out", type=Path, help="folder for the report; with --images, the .csv to write")
    parser.add_argument("--detector", default="yunet", help=f"{DETECTORS}; several with commas")
    parser.add_argument("--size", type=whole, default=640, help="long side that the network sees (640)")
    parser.add_argument("--min-score", type=chance, default=0.5, help="for recall and precision (0.5)")
    parser.add_argument("--part", default="all", choices=["all", "tune", "report"], help="pictures, by hash")
    device_argument(parser)


def run(options: argparse.Namespace) -> None:
    """Measure on labelled pictures, or write down what is found in pictures without labels.

    Raises:
        ConfigError: options that do not go together, or --out is one of the pictures.
        SourceError, WeightsError, DeviceError: the data or the network cannot be used.
        SinkError: what was found cannot be written.
    """
    names = options.detector.split(",")
    if (options.data is None) == (options.images is None):
        raise ConfigError("detect: give either --data (with labels) or --images (without).")
    if options.images is None:
        made(options.out)
        report = measure(names, options)
        print(report.text())
        if options.out is not None:
            report.write(options.out)
    elif options.out is None or len(names) != 1:
        raise ConfigError("detect --images: give one --detector, and --out FILE.csv.")
    else:
        write_found(opened(names[0], options, options.min_score)[0], options.images, options.out)


def opened(name: str, options: argparse.Namespace, threshold: float | None) -> tuple[Detector, Card, Path]:
    """The detector, its card and its file; it keeps faces of every height."""
    wanted = {"size": options.size, "threshold": threshold, "min_face": 0}
    return open_detector(name, options.device, THREADS, **wanted)


def write_found(detector: Detector, images: Path, out: Path) -> None:
    """A line for each face of each picture."""
    place = Place.of_pictures(images)
    apart(out, place.paths(place.pictures))
    with table(out) as rows:
        rows.writerow(COLUMNS)
        for name, image in watched(pictures(place), len(place.pictures), "detect"):
            (faces,) = detector.detect([image])
            for box, score in zip(faces.boxes.tolist(), faces.scores.tolist(), strict=True):
                rows.writerow([name, *(f"{value:.2f}" for value in box), f"{score:.5f}"])


def measure(names: Sequence[str], options: argparse.Namespace) -> Report:
    """Every named detector on the labelled pictures of a folder."""
    start = time.perf_counter()
    cases = read(options.data, options.part)
    truth = [case.labels for case in cases]
    metrics: dict[str, Figure] = {}
    groups: dict[str, dict[str, Figure]] = {}
    models, tables, plots, missed = [], [], [], []
    runs = look(names, options, cases)
    for name, one in zip(told_apart(runs), runs, strict=True):
        rows = matches(one.found, truth, "hard")
        prefix = f"{name}_" if len(names) > 1 else ""
        metrics |= {prefix + key: figure for key, figure in _figures(one, truth, options.min_score).items()}
        for group, figure in by_height(rows, truth, options.min_score).items():
            groups.setdefault(group, {})[f"{prefix}recall"] = figure
        missed.append(sum(m.faces - int((m.hits[m.scores >= options.min_score] >= 0).sum()) for m in rows))
        tables.append(_by_score(name, one, truth))
        plots.append(precision_recall(name, one.found, truth))
        models.append(model_row("detector", one.card, one.file))
    where = f"{options.data.name} ({options.part}), {len(cases)} pictures, long side {options.size}"
    tables = [_summary(where, metrics, groups), *tables]
    plots.append(recall_by_height(groups, options.min_score))
    n = sum(int(labels.counted["hard"].sum()) for labels in truth)
    seconds = time.perf_counter() - start
    return Report("detect", where, n, missed[0], metrics, groups, models, seconds, tables, plots)


def look(names: Sequence[str], options: argparse.Namespace, cases: Sequence[Case]) -> list[Run]:
    """Let each detector see every picture that is there, and some of them again by the clock."""
    detectors = [opened(name, options, LEAST) for name in names]
    found: list[list[Faces]] = [[] for _ in names]
    timed: list[Image] = []
    for case in watched(cases, len(cases), "detect"):
        image = case.image()
        for (detector, _, _), faces in zip(detectors, found, strict=True):
            faces.append(Faces.none() if image is None else detector.detect([image])[0])
        if image is not None and len(timed) < TIMED:
            timed.append(image)
    return [
        Run(card, path, faces, cost(opened(name, options, None)[0], timed))
        for name, (_, card, path), faces in zip(names, detectors, found, strict=True)
    ]


def told_apart(runs: Sequence[Run]) -> list[str]:
    """A name for each: the detector's; its file's where the detector runs with several; else a number too."""
    ids = [one.card.id for one in runs]
    names = [one.file.stem if ids.count(one.card.id) > 1 else one.card.id for one in runs]
    return [f"{name}_{i}" if names.count(name) > 1 else name for i, name in enumerate(names, 1)]


def cost(detector: Detector, images: Sequence[Image]) -> dict[str, Figure]:
    """Milliseconds a picture, one at a time: on the wall, and of CPU in all threads."""
    wall, cpu = [], []
    for image in images:
        start, before = time.perf_counter(), time.process_time()
        detector.detect([image])
        wall.append(1000 * (time.perf_counter() - start))
        cpu.append(1000 * (time.process_time() - before))
    return {"ms": mean(np.array(wall)), "cpu_ms": mean(np.array(cpu))}


def mean(values: F64) -> Figure:
    """The mean, with its interval."""
    return ratio(values, np.ones(len(values)))


def _figures(one: Run, truth: Sequence[Labels], score: float) -> dict[str, Figure]:
    recall, precision = over(matches(one.found, truth, "hard"), score)
    return {**precisions(one.found, truth), "recall": recall, "precision": precision, **one.cost}


def _summary(where: str, metrics: dict[str, Figure], groups: dict[str, dict[str, Figure]]) -> Table:
    rows = [[name, str(figure)] for name, figure in metrics.items()]
    rows += [[f"{name}, {group}", str(f)] for group, figures in groups.items() for name, f in figures.items()]
    return Table(where, ("figure", "value (95 % interval)"), rows)


def _by_score(name: str, one: Run, truth: Sequence[Labels]) -> Table:
    rows = matches(one.found, truth, "hard")
    bands = list(by_height(rows, truth, 0.0))
    lines = []
    for score in SCORES:
        recalls = by_height(rows, truth, score).values()
        _, precision = over(rows, score)
        lines.append([f"{score:.1f}", *(figure.short for figure in (*recalls, precision))])
    title = f"{name}: recall by height of the face, and precision"
    return Table(title, ("score from", *bands, "precision"), lines)
