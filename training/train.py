"""Trains one network by a recipe: `python -m training train people --cache CACHE --out RUN`.

It can be stopped at any time; the same command goes on after the last whole epoch. After each
epoch RUN holds checkpoint.pt, and a line of figures on faces that it was not trained on in
curves.csv; at the end drawings of them.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import torch

from core.errors import ConfigError
from evaluation.options import natural, whole, written
from training.curves import drawn, read
from training.kept import processor
from training.loop import Run, mark, prepare, train, upright
from training.networks import FaceNet, build
from training.recipes import RECIPES, Recipe, chosen
from training.start import begin
from training.targets import Faces, Fold
from training.teachers import teacher, told

SHOWN = 256  # faces by which a network that begins with weights sets its normalisations


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this task."""
    add = parser.add_argument
    add("recipe", choices=list(RECIPES))
    add("--cache", type=Path, required=True, help="folder of cut-out faces: python -m training cache")
    add("--out", type=Path, required=True, help="folder of this training")
    add("--seed", type=natural, default=1)
    add("--epochs", type=whole, help="instead of the recipe's")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="another field of the recipe")
    add("--fold", help="K/N: hold out part K of N of the training faces, and measure on it")
    add("--teachers", default="", metavar="T,T", help="learn half from these: RUN or a card")
    add("--device", default="auto", choices=["auto", "cpu", "cuda"])
    add("--threads", type=whole, default=os.cpu_count() or 1, help="processor's threads (all)")


def run(options: argparse.Namespace) -> None:
    """Train to the end."""
    if hasattr(os, "nice"):
        os.nice(19 - os.nice(0))  # hours of work: whoever else is at this machine goes first
    torch.set_num_threads(min(options.threads, os.cpu_count() or 1))
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
    changes = [*options.set, *([] if options.epochs is None else [f"epochs={options.epochs}"])]
    recipe, device = chosen(options.recipe, changes), processor(options.device)
    fold = Fold.parsed(options.fold) if options.fold else None
    faces = Faces(
        options.cache, recipe.sets, "train", recipe.balance, recipe.votes, fold=fold, share=recipe.share
    )
    tune = Faces(options.cache, recipe.sets, "tune", 0, recipe.votes, fold=fold)
    mute = [head for head in recipe.heads if not faces.targets.tell(head)]
    if mute:
        raise ConfigError(
            f"{options.cache}: no face of {', '.join(recipe.sets)} has a label for '{mute[0]}'. "
            "Choose the heads with --set heads=[...]."
        )
    print(f"{len(faces)} faces to train on, {len(tune)} to watch", flush=True)
    torch.manual_seed(options.seed)
    net = build(recipe)
    if recipe.start and not (options.out / "checkpoint.pt").exists():
        shown = upright(faces, range(0, len(faces), max(1, len(faces) // SHOWN)), recipe.crop)
        begin(net, recipe.start, prepare(shown))
    run = _run(net, recipe, options, (faces, tune), device)
    run.resume(options.out)  # another training is refused before its teachers are asked
    if options.teachers:
        teachers = [teacher(name, device) for name in options.teachers.split(",")]
        faces.targets.told.update(told(teachers, faces, options.out / "told.npz"))
    train(run, faces, tune, options.out)
    drawings = drawn(read(options.out / "curves.csv"))
    with written(options.out):
        for name, svg in drawings.items():
            (options.out / f"{name}.svg").write_text(svg, encoding="utf-8")


def _run(
    net: FaceNet, recipe: Recipe, options: argparse.Namespace, parts: tuple[Faces, Faces], device: str
) -> Run:
    count = len(parts[0])
    steps = count // recipe.batch
    if steps == 0:
        raise ConfigError(f"{options.cache}: {count} faces are fewer than a batch of {recipe.batch}.")
    fold, teachers = options.fold or "", options.teachers
    return Run(recipe, net, options.seed, steps, 0, device, fold, teachers, mark(*parts))
