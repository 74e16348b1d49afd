"""Whether face prints tell people apart: the protocol of LFW on a folder in its layout.

Pairs come from pairs.txt, as given; without it, ten folds are drawn by a seed. Each fold is judged by
the threshold that is best for the other nine.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from core.types import F64, Array, Image
from estimators.align import cut
from estimators.embedder import Embedder
from estimators.network import Network
from estimators.panel import bare, filled
from evaluation.curves import accepts
from evaluation.finder import Finder
from evaluation.layouts.place import Place
from evaluation.measures import share
from evaluation.models import default, model_row, network_arguments, open_detector, open_model
from evaluation.options import made, natural, whole
from evaluation.pairs import Pair, accepted, by_folds, drawn, listed, people
from evaluation.progress import watched
from evaluation.report import Figure, Report, Table, bootstraps

log = logging.getLogger(__name__)
FALSE_ACCEPTS = 1e-3


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this task."""
    parser.add_argument("--data", type=Path, required=True, help="folder or .tar with Name/Name_0001.jpg ...")
    parser.add_argument(
        "--pairs", type=whole, default=300, help="without pairs.txt: of each kind in a fold (300)"
    )
    parser.add_argument("--seed", type=natural, default=0, help="without pairs.txt: of the pairs (0)")
    parser.add_argument("--models", help="the network (embed_dlib)")
    parser.add_argument("--out", type=Path, help="folder for report.html and summary.json")
    network_arguments(parser)


def run(options: argparse.Namespace) -> None:
    """Measure and write.

    Raises:
        ConfigError: no such layout there, or pairs that cannot be used.
        SourceError, WeightsError, DeviceError: the data or a network cannot be used.
        SinkError: the report cannot be written.
    """
    start = time.perf_counter()
    made(options.out)
    model = open_model("embedding", options.models or default("embedding"), options.device)
    rows: list[dict[str, object]] = [model.row()]
    finder = None
    if not options.aligned:
        detector, card, file = open_detector(options.detector, options.device)
        finder = Finder(detector)
        rows.insert(0, model_row("detector", card, file))
    place = Place(options.data)
    pairs, origin = _pairs(place, options)
    prints = embed(place, pairs, Network(model.card, model.session), finder)
    metrics, groups, missed = figures(pairs, prints)
    data = f"{options.data.name}, {origin}, faces {'as they are' if options.aligned else 'found'}"
    told = [["pairs", str(len(pairs))], ["with a face not found", str(missed)]]
    told += [[name, str(figure)] for name, figure in metrics.items()]
    told += [[f"{name}, {group}", str(f)] for group, by in groups.items() for name, f in by.items()]
    table = Table(data, ("figure", "value (95 % interval)"), told)
    plots = [accepts(*likeness(compared(pairs, prints), prints))]
    seconds = time.perf_counter() - start
    report = Report("verify", data, len(pairs), missed, metrics, groups, rows, seconds, [table], plots)
    print(report.text())
    if options.out is not None:
        report.write(options.out)


def _pairs(place: Place, options: argparse.Namespace) -> tuple[list[Pair], str]:
    pictures = people(place)
    lists = [name for name in place.names if PurePosixPath(name).name == "pairs.txt"]
    if lists:
        return listed(place.text(lists[0]), pictures), "pairs.txt"
    return drawn(
        pictures, options.pairs, np.random.default_rng(options.seed)
    ), f"pairs by seed {options.seed}"


def embed(place: Place, pairs: Sequence[Pair], network: Network, finder: Finder | None) -> dict[str, F64]:
    """The face print (D,) of each picture in which a face is found."""
    names = sorted({name for pair in pairs for name in (pair.first, pair.second)})
    prints = {}
    for name in watched(names, len(names), "verify"):
        image = place.image(name)
        if image is None:
            log.warning("%s: cannot be read as a picture.", name)
        vector = None if image is None else _print(image, network, finder)
        if vector is not None and np.isfinite(vector).all():
            prints[name] = vector
    return prints


def _print(image: Image, network: Network, finder: Finder | None) -> F64 | None:
    if finder is None:
        crops = cut(image, filled(image), bare(network.crop))
        vectors = network.estimate(crops, np.ones(1, np.float32)).embedding
    else:
        faces = finder.find(image)
        if len(faces) == 0:
            return None
        (vectors,) = Embedder(network).embed([(image, faces)])
    return np.asarray(vectors[0], np.float64)


def compared(pairs: Sequence[Pair], prints: Mapping[str, F64]) -> list[Pair]:
    """The pairs of which both pictures have a face print."""
    return [pair for pair in pairs if pair.first in prints and pair.second in prints]


def likeness(pairs: Sequence[Pair], prints: Mapping[str, F64]) -> tuple[F64, Array]:
    """How alike the two of each pair are, float64 (N,), and whether they are one person, bool (N,)."""
    scores = np.array([float(prints[pair.first] @ prints[pair.second]) for pair in pairs], np.float64)
    return scores, np.array([pair.same for pair in pairs], np.bool_)


def figures(
    pairs: Sequence[Pair], prints: Mapping[str, F64]
) -> tuple[dict[str, Figure], dict[str, dict[str, Figure]], int]:
    """All figures, those of pairs of one person and of two, and how many pairs lack a face print."""
    known = compared(pairs, prints)
    scores, same = likeness(known, prints)
    right = by_folds(scores, same, np.array([pair.fold for pair in known], np.int64))
    lost = np.arange(len(pairs)) >= len(known)
    told = {"accuracy": share(right), "tar_at_far_0.001": accepted(scores, same, FALSE_ACCEPTS)}
    metrics = bootstraps(len(known), told)
    metrics |= bootstraps(len(pairs), {"missed_share": share(lost)})
    kinds = {"one person": same, "two people": ~same}
    by_kind = {
        name: bootstraps(int(rows.sum()), {"accuracy": share(right[rows])}) for name, rows in kinds.items()
    }
    return metrics, by_kind, int(lost.sum())
