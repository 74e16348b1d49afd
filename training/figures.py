"""Compares trainings, and one who never looks, on faces that none was trained on.

With --part tune (the default) on those that settings are chosen by, with --part report on those
that figures are published of. A training with a fold is measured on what was held out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from core.errors import ConfigError
from core.types import F32
from evaluation.options import made, written
from evaluation.plots import shades
from training.curves import drawn, read
from training.kept import Kept, kept, processor
from training.loop import answers
from training.measures import by_set, confusion, constant, truth
from training.networks import CLASSES, HEADS
from training.targets import Faces


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this task."""
    add = parser.add_argument
    add("runs", type=Path, nargs="+", metavar="RUN", help="folders of trainings")
    add("--cache", type=Path, required=True, help="folder of cut-out faces")
    add("--part", default="tune", choices=["tune", "report"])
    add("--flip", action="store_true", help="mean of the answers to a face and to its mirror image")
    add("--out", type=Path, help="folder for figures.json and the drawings")
    add("--device", default="auto", choices=["auto", "cpu", "cuda"])


def run(options: argparse.Namespace) -> None:
    """Print a block for each training, after the one who never looks."""
    found: dict[str, dict[str, float]] = {}
    names = [folder.resolve().name for folder in options.runs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(
            f"two trainings are called '{twice}', and their figures could not be told apart. "
            "Measure them one by one, each with its own --out."
        )
    made(options.out)
    for folder, name in zip(options.runs, names, strict=True):
        trained = kept(folder, processor(options.device))
        recipe = trained.recipe
        faces = Faces(options.cache, recipe.sets, options.part, 0, recipe.votes, fold=trained.fold)
        seen = Faces(options.cache, recipe.sets, "train", 0, recipe.votes, fold=trained.fold)
        never = constant(seen.labels, {head: HEADS[head] for head in recipe.heads}, len(faces))
        _tell(found, f"constant, {name}", by_set(never, faces), len(faces))
        said = _said(trained, faces, options.flip)
        _tell(found, name, by_set(said, faces), len(faces))
        if options.out:
            _draw(said, faces, folder, options.out / name)
    if options.out:
        with written(options.out):
            (options.out / "figures.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _said(trained: Kept, faces: Faces, flip: bool) -> dict[str, F32]:
    ways = [answers(trained.net, faces, trained.recipe, way) for way in ((False, True) if flip else (False,))]
    return {name: np.mean([way[name] for way in ways], axis=0) for name in ways[0]}


def _tell(found: dict[str, dict[str, float]], name: str, figures: Mapping[str, float], count: int) -> None:
    found[name] = {"n": count, **figures}
    print(
        f"{name} ({count} faces)", *(f"  {key:<20} {value:.4g}" for key, value in figures.items()), sep="\n"
    )


def _draw(said: dict[str, F32], faces: Faces, folder: Path, out: Path) -> None:
    drawings = drawn(read(folder / "curves.csv"))
    for head in set(said) & set(CLASSES):
        counts = confusion(said[head], truth(faces.labels, head))
        drawings[f"confusion_{head}"] = shades(CLASSES[head], counts.astype(np.float64))
    with written(out):
        out.mkdir(parents=True, exist_ok=True)
        for name, svg in drawings.items():
            (out / f"{name}.svg").write_text(svg, encoding="utf-8")
