"""An exported network that calculates in 8 bits, if that costs next to nothing.

Static, symmetric weights for each channel, by `onnxruntime.quantization` (QDQ). Source: Jacob et al.,
"Quantization and training of neural networks for efficient integer-arithmetic-only inference", CVPR 2018.
A network that looks at each map by itself (MobileNet) is touchier, see `_separable` and `_corrected`.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from core.errors import WeightsError
from core.types import F32
from training.augment import shaken, taken, upright, view_of
from training.export import opened
from training.graph import INPUT, save
from training.kept import Kept
from training.loop import prepare
from training.measures import by_set
from training.targets import Faces

SHOWN = 400  # training faces by which activations are scaled
VIEWS = 8  # of each face, told beside the one that is judged, where chance alone moves an accuracy as much
LOSS = 0.003  # of an accuracy; of an age ten times that in years
# Heads stay as they are: they take no time, and their answers are what counts.
OPERATORS = ["Conv", "Relu", "Add", "MaxPool", "AveragePool", "Pad", "Concat", "Clip"]


def quantize(trained: Kept, whole: Any, cache: Path, out: Path, *, force: bool) -> None:
    """Write the 8-bit network of a model.

    Args:
        trained: what the model was made of.
        whole: the model, in 32 bits.
        cache: folder of cut-out faces.
        out: the file to write.
        force: write it whatever it loses.

    Raises:
        WeightsError: it loses too much; nothing is written.
    """
    recipe = trained.recipe
    with tempfile.TemporaryDirectory() as folder:
        plain, ready, small = (Path(folder) / f"{name}.onnx" for name in ("plain", "ready", "small"))
        save(whole, plain)
        quant_pre_process(str(plain), str(ready), skip_symbolic_shape=True)
        train = Faces(cache, recipe.sets, "train", 0, recipe.votes, fold=trained.fold)
        logging.getLogger().setLevel(logging.ERROR)  # it speaks through the root logger
        exact, whole_bytes = _separable(onnx.load(ready).graph)
        quantize_static(
            str(ready),
            str(small),
            _Reader(train, trained),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=OPERATORS,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=True,  # 7 bits: without VNNI an x86 processor's sums of 8-bit products overflow
            nodes_to_exclude=exact,
            extra_options={"TensorQuantOverrides": whole_bytes},
        )
        if exact:
            _corrected(plain, small, [batch[INPUT] for batch in iter(_Reader(train, trained).get_next, None)])
        lost = _lost(trained, cache, plain, small)
        if lost and not force:
            raise WeightsError(
                f"8 bits lose too much: {'; '.join(lost)}. Write it all the same with --force."
            )
        out.write_bytes(small.read_bytes())


def _separable(graph: Any) -> tuple[list[str], dict[str, list[dict[str, Any]]]]:
    """What is spared of a network whose convolutions look at each map by itself; nothing of others.

    Its kernels of nine numbers a map need all 8 bits, and their sums are too short to overflow; its
    first ones, on few maps that hold much, need 32. The file is as small and as fast all the same.

    Returns:
        The convolutions that stay in 32 bits, and the weights that get 8 bits.
    """
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    alone = [node for node in convolutions if any(a.name == "group" and a.i > 1 for a in node.attribute)]
    if not alone:
        return [], {}
    first = convolutions[: convolutions.index(alone[1]) + 2]
    whole = {"axis": 0, "quant_type": QuantType.QInt8, "symmetric": True, "reduce_range": False}
    return [node.name for node in first], {node.input[1]: [whole] for node in alone if node not in first}


def _corrected(plain: Path, small: Path, faces: Sequence[F32]) -> None:
    """Take from each answer of the 8-bit network what 8 bits add to it on average.

    Source: Nagel et al., "Data-free quantization through weight equalization and bias correction", ICCV
    2019, section 4.2; here for the last layers alone, and with faces.
    """
    made = onnx.load(small)
    heads = [node for node in made.graph.node if node.op_type == "Gemm"]
    biases = {tensor.name: tensor for tensor in made.graph.initializer}
    for node, wanted, found in zip(
        heads, *(_means(path, heads, faces) for path in (plain, small)), strict=True
    ):
        bias = biases[node.input[2]]
        value = onnx.numpy_helper.to_array(bias) + (wanted - found)
        bias.CopyFrom(onnx.numpy_helper.from_array(value.astype(np.float32), bias.name))
    onnx.save(made, small)


def _means(path: Path, heads: Sequence[Any], faces: Sequence[F32]) -> list[F32]:
    """The mean of what these layers give, float32 (classes,) each."""
    shown, names = onnx.load(path), [node.output[0] for node in heads]
    for name in names:
        shown.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = opened(shown.SerializeToString())
    given = [session.run(names, {INPUT: face}) for face in faces]
    return [np.concatenate(part).mean(axis=0) for part in zip(*given, strict=True)]


class _Reader(CalibrationDataReader):
    """Faces of the training part, evenly drawn."""

    def __init__(self, faces: Faces, trained: Kept) -> None:
        rows = range(0, len(faces), max(1, len(faces) // SHOWN))
        self._batches = iter([{INPUT: chips(faces, trained, range(row, row + 1))} for row in rows])

    def get_next(self) -> dict[str, F32] | None:
        """One face, or None after the last."""
        return next(self._batches, None)


def chips(faces: Faces, trained: Kept, rows: range) -> F32:
    """Faces as the network gets them, float32 (N, 3, S, S)."""
    cut = np.stack([view_of(*faces.picture(row), trained.recipe.crop, None) for row in rows])
    return np.ascontiguousarray(prepare(cut).numpy())


def moved(faces: Faces, trained: Kept, row: int) -> F32:
    """A face in `VIEWS` views, moved as a detector's points vary: float32 (VIEWS, 3, S, S)."""
    rng, crop = np.random.default_rng(row), trained.recipe.crop
    pixels, _ = faces.picture(row)
    view = upright(crop, pixels.shape[0])
    cut = np.stack([taken(pixels, shaken(view, crop.size, rng), crop.size) for _ in range(VIEWS)])
    return np.ascontiguousarray(prepare(cut).numpy())


def _lost(trained: Kept, cache: Path, plain: Path, small: Path) -> list[str]:
    """The figures that got worse by more than they may, and a table of all of them on the terminal."""
    faces = Faces(cache, trained.recipe.sets, "tune", 0, trained.recipe.votes, fold=trained.fold)
    upright_only, several = (
        [_figures(path, faces, trained, way) for path in (plain, small)] for way in (_upright, moved)
    )
    lost = []
    for name, value in upright_only[0].items():
        after, years = upright_only[1][name], name.endswith(("_mae", "_worst"))
        views = f"{several[0][name]:.4g} and {several[1][name]:.4g}"
        print(f"  {name:<20} {value:.4g} in 32 bits, {after:.4g} in 8; in {VIEWS} views {views}")
        # The worst band has too few faces to judge 8 bits by.
        if not name.endswith("_worst") and (after - value) * (1 if years else -1) > LOSS * (
            10 if years else 1
        ):
            lost.append(f"{name} {value:.4g} -> {after:.4g}")
    return lost


def _upright(faces: Faces, trained: Kept, row: int) -> F32:
    return chips(faces, trained, range(row, row + 1))


def _figures(
    path: Path, faces: Faces, trained: Kept, way: Callable[[Faces, Kept, int], F32]
) -> dict[str, float]:
    """Figures of an exported network, means over the views of a face that `way` gives.

    The logarithms of its probabilities are scores as good as its own.
    """
    session = opened(path)
    names = [output.name for output in session.get_outputs()]
    answers = [session.run(names, {INPUT: way(faces, trained, row)}) for row in range(len(faces))]
    found = []
    for view in range(len(answers[0][0])):
        said = {name: np.stack([a[nth][view] for a in answers]) for nth, name in enumerate(names)}
        scores = {k: v if v.shape[1] == 1 else np.log(np.maximum(v, 1e-12)) for k, v in said.items()}
        found.append(by_set(scores, faces))
    return {name: float(np.mean([figures[name] for figures in found])) for name in found[0]}
