"""Writes a training's network as an ONNX file, proves it equal, and says how large and fast it is.

`--quantize CACHE` also calculates in 8 bits, scaled by faces of that cache. It is refused if it
loses more than 0.3 points (or 0.03 years) on the faces that settings are chosen by.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from core.errors import ConfigError, WeightsError
from core.types import F32
from evaluation.options import apart, made
from training.graph import INPUT, answering, model, save, shrunk
from training.kept import Kept, kept
from training.networks import CLASSES, Answers
from training.recipes import MEAN, SCALE

CLOSE = 1e-4  # greatest difference to PyTorch
RUNS = 50
LARGEST = 10_000_000  # bytes


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this task."""
    add = parser.add_argument
    add("folder", type=Path, metavar="RUN", help="folder of the training")
    add("--out", type=Path, required=True, help="the .onnx file")
    add("--heads", help="those that are wanted, with commas (all)")
    add("--mirror", action="store_true", help="answer by the mean of the face and its mirror image")
    add("--store", default="fp16", choices=["fp16", "int8", "fp32"], help="of the weights in the file (fp16)")
    add("--quantize", type=Path, metavar="CACHE", help="calculate in 8 bits, scaled by cached faces")
    add("--force", action="store_true", help="even if 8 bits lose more than they may")


def run(options: argparse.Namespace) -> None:
    """Write the file; what it says, its size and its speed on the terminal."""
    trained = kept(options.folder)
    wanted = dict.fromkeys(name.strip() for name in (options.heads or "").split(","))
    heads = tuple(wanted) if options.heads else trained.recipe.heads
    missing = [name for name in heads if name not in trained.recipe.heads]
    if missing:
        raise ConfigError(
            f"--heads: {options.folder} answers {', '.join(trained.recipe.heads)}, not {missing[0]}."
        )
    apart(options.out, [options.folder / "checkpoint.pt"])
    made(options.out.parent)
    answers, size = answering(trained, heads, mirror=options.mirror), trained.recipe.size
    whole = model(answers, size)
    print(f"differs from PyTorch by {parity(answers, whole.SerializeToString(), size):.1e} at most")
    if options.quantize:
        from training.quantize import quantize
        from training.settle import settled

        soft = model(answering(settled(trained, options.quantize), heads, mirror=options.mirror), size)
        quantize(trained, whole, soft, options.quantize, options.out, force=options.force)
    else:
        save(shrunk(whole, options.store), options.out)
        change = difference(answers, options.out.read_bytes(), size)
        print(f"stored as {options.store}: differs by {change:.1e} at most")
    _tell(options.out, trained, heads)


def opened(model: bytes | Path) -> onnxruntime.InferenceSession:
    """A session on one thread of the processor."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    source = str(model) if isinstance(model, Path) else model
    return onnxruntime.InferenceSession(source, settings, providers=["CPUExecutionProvider"])


def difference(answers: Answers, made: bytes, size: int) -> float:
    """Greatest difference of any answer, to made-up faces alone and in a batch; ages in centuries."""
    rng = np.random.default_rng(0)
    session, worst = opened(made), 0.0
    for count in (1, 5):
        faces = (rng.standard_normal((count, 3, size, size)) * 0.25).astype(np.float32)
        with torch.no_grad():
            wanted = [answer.numpy() for answer in answers(torch.from_numpy(faces))]
        found = session.run(list(answers.names), {INPUT: faces})
        for name, one, other in zip(answers.names, wanted, found, strict=True):
            apart = np.abs(one - other).max() / (100 if _is_number(name, one) else 1)
            worst = float(np.maximum(worst, apart))  # NaN stays NaN
    return worst


def parity(answers: Answers, made: bytes, size: int) -> float:
    """The same difference, where there may be none.

    Raises:
        WeightsError: it is more than rounding.
    """
    found = difference(answers, made, size)
    if not found <= CLOSE:
        raise WeightsError(
            f"the exported network differs from PyTorch by {found:.1e}; at most {CLOSE:.0e} is rounding."
        )
    return found


def _is_number(name: str, answer: F32) -> bool:
    return name == "age" and answer.shape[1] == 1


def milliseconds(path: Path, size: int) -> float:
    """Median time for one face on one thread."""
    session, face = opened(path), np.zeros((1, 3, size, size), np.float32)
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        session.run(None, {INPUT: face})
        times.append(time.perf_counter() - began)
    return float(np.median(times)) * 1000


def _tell(path: Path, trained: Kept, heads: tuple[str, ...]) -> None:
    """Size and speed, and what the card has to say."""
    recipe, size = trained.recipe, path.stat().st_size
    large = f", more than the {LARGEST / 1e6:.0f} MB that the repository takes" if size > LARGEST else ""
    print(
        f"{path}: {size / 1e6:.2f} MB{large}, {milliseconds(path, recipe.size):.2f} ms a face on one thread"
    )
    print("  input:")
    print(f"    {{name: {INPUT}, kind: aligned, size: {recipe.size}, zoom: {recipe.zoom}, ")
    print(f"     shift: {recipe.shift}, colour: rgb, mean: {list(MEAN)}, scale: {SCALE:g}}}")
    print("  outputs:")
    for head in heads:
        if head in CLASSES:
            print(f"    - {{role: {head}, name: {head}, classes: [{', '.join(CLASSES[head])}]}}")
        elif head == "age":
            values = f", values: {list(range(101))}" if recipe.age == "years" else ""
            print(f"    - {{role: age, name: age{values}}}")
