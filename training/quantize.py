"""An exported network that calculates in 8 bits, if that costs next to nothing.

Static, symmetric weights for each channel, by `onnxruntime.quantization` (QDQ). Source: Jacob et al.,
"Quantization and training of neural networks for efficient integer-arithmetic-only inference", CVPR 2018.
Whatever is cut so was settled to it before: `training.settle`.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from core.errors import WeightsError
from core.types import F32
from training.export import opened
from training.graph import INPUT, put, save
from training.kept import Kept
from training.loop import prepare, upright
from training.measures import by_set
from training.targets import Faces

SHOWN = 400  # training faces by which activations are scaled
LOSS = 0.003  # of an accuracy; of an age ten times that in years
# Heads stay as they are: they take no time, and their answers are what counts.
OPERATORS = ["Conv", "Relu", "Add", "MaxPool", "AveragePool", "Pad", "Concat", "Clip"]


def quantize(trained: Kept, whole: Any, settled: Any, cache: Path, out: Path, *, force: bool) -> None:
    """Write the 8-bit network of a model.

    Args:
        trained: what the model was made of.
        whole: the model, in 32 bits: what the other is compared with.
        settled: the model whose weights were settled to 8 bits.
        cache: folder of cut-out faces.
        out: the file to write.
        force: write it whatever it loses.

    Raises:
        WeightsError: it loses too much; nothing is written.
    """
    recipe = trained.recipe
    with tempfile.TemporaryDirectory() as folder:
        plain, soft, ready, small = (
            Path(folder) / f"{name}.onnx" for name in ("plain", "soft", "ready", "small")
        )
        save(whole, plain)
        save(settled, soft)
        quant_pre_process(str(soft), str(ready), skip_symbolic_shape=True)
        train = Faces(cache, recipe.sets, "train", 0, recipe.votes, fold=trained.fold)
        _calculate_in_8_bits(ready, small, _Reader(train, trained))
        lost = _lost(trained, cache, plain, small)
        if lost and not force:
            raise WeightsError(
                f"8 bits lose too much: {'; '.join(lost)}. Write it all the same with --force."
            )
        put(small.read_bytes(), out)


def _calculate_in_8_bits(ready: Path, small: Path, faces: CalibrationDataReader) -> None:
    with _quiet():
        quantize_static(
            str(ready),
            str(small),
            faces,
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=OPERATORS,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=True,  # 7 bits: without VNNI an x86 processor's sums of 8-bit products overflow
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """For libraries that speak through the root logger."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)


class _Reader(CalibrationDataReader):
    """Faces of the training part, evenly drawn."""

    def __init__(self, faces: Faces, trained: Kept) -> None:
        self._batches = iter([{INPUT: chips(faces, trained, range(row, row + 1))} for row in shown(faces)])

    def get_next(self) -> dict[str, F32] | None:
        """One face, or None after the last."""
        return next(self._batches, None)


def shown(faces: Faces) -> range:
    """Rows of faces, evenly drawn, by which maps are scaled."""
    return range(0, len(faces), max(1, len(faces) // SHOWN))


def chips(faces: Faces, trained: Kept, rows: range) -> F32:
    """Faces as the network gets them, float32 (N, 3, S, S)."""
    return np.ascontiguousarray(prepare(upright(faces, rows, trained.recipe.crop)).numpy())


def _lost(trained: Kept, cache: Path, plain: Path, small: Path) -> list[str]:
    """The figures that got worse by more than they may, and a table of all of them on the terminal."""
    faces = Faces(cache, trained.recipe.sets, "tune", 0, trained.recipe.votes, fold=trained.fold)
    before, after = (_figures(path, faces, trained) for path in (plain, small))
    lost = []
    for name, value in before.items():
        now, years = after[name], name.endswith(("_mae", "_worst"))
        print(f"  {name:<20} {value:.4g} in 32 bits, {now:.4g} in 8")
        # The worst band has too few faces to judge 8 bits by.
        if not name.endswith("_worst") and (now - value) * (1 if years else -1) > LOSS * (10 if years else 1):
            lost.append(f"{name} {value:.4g} -> {now:.4g}")
    return lost


def _figures(path: Path, faces: Faces, trained: Kept) -> dict[str, float]:
    """Figures of an exported network; the logarithms of its probabilities are scores as good as its own."""
    session = opened(path)
    names = [output.name for output in session.get_outputs()]
    answers = [
        session.run(names, {INPUT: chips(faces, trained, range(row, row + 1))}) for row in range(len(faces))
    ]
    said = {name: np.concatenate([answer[nth] for answer in answers]) for nth, name in enumerate(names)}
    return by_set(
        {name: v if v.shape[1] == 1 else np.log(np.maximum(v, 1e-12)) for name, v in said.items()}, faces
    )
