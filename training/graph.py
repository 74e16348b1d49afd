"""A trained network as an ONNX model: normalisations folded in, weights stored small."""

from __future__ import annotations

import copy
import io
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from core.types import F32, Array
from evaluation.options import written
from training.kept import Kept
from training.networks import Answers, FaceNet

OPSET = 17
INPUT = "face"
Store = Literal["fp32", "fp16", "int8"]
LEAST = 256  # numbers of a weight that is worth storing smaller


def answering(trained: Kept, heads: tuple[str, ...], *, mirror: bool = False) -> Answers:
    """The network that gives probabilities for those heads, without normalisations; for the CPU.

    For `mirror` see `Answers`.
    """
    net = folded(trained.net)
    found = Answers(net, heads, mirror=mirror)
    found.eval()
    return found


def folded(net: FaceNet) -> FaceNet:
    """A copy without normalisations, for the CPU, float32."""
    made: FaceNet = copy.deepcopy(net).to("cpu", memory_format=torch.contiguous_format).float().eval()
    for module in list(made.modules()):
        if isinstance(module, nn.Sequential):
            _fold(module)
    return made


def _fold(layers: nn.Sequential) -> None:
    """A layer and the normalisation after it become one layer, and nothing."""
    for nth in range(len(layers) - 1):
        first, second = layers[nth], layers[nth + 1]
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
            layers[nth], layers[nth + 1] = fuse_conv_bn_eval(first.eval(), second.eval()), nn.Identity()
        elif isinstance(first, nn.Linear) and isinstance(second, nn.BatchNorm1d):
            layers[nth], layers[nth + 1] = fuse_linear_bn_eval(first.eval(), second.eval()), nn.Identity()


def model(answers: Answers, size: int) -> Any:
    """Input `face` float32 (N, 3, size, size); an output (N, K) for each head, by its name."""
    names = list(answers.names)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this exporter is the older one: it needs no further package
        torch.onnx.export(
            answers,
            (torch.zeros(2, 3, size, size),),
            file,
            input_names=[INPUT],
            output_names=names,
            dynamic_axes={name: {0: "n"} for name in (INPUT, *names)},
            opset_version=OPSET,
            dynamo=False,
        )
    made = onnx.load_from_string(file.getvalue())
    for node in made.graph.node:
        if node.op_type == "Pad" and list(node.input[2:]) == [""]:
            del node.input[2]  # empty, it keeps onnxruntime from joining the zeros to the convolution after
    onnx.checker.check_model(made)
    return made


def shrunk(made: Any, store: Store) -> Any:
    """The same with its larger weights in 16 or 8 bits; the calculation stays as it is.

    onnxruntime makes floats of them once, when it opens the file: it folds casts and products of
    constants, but not DequantizeLinear, which it would calculate anew at every run.
    """
    if store == "fp32":
        return made
    small, before = onnx.ModelProto.FromString(made.SerializeToString()), []
    kept = [tensor for tensor in small.graph.initializer if not _large(tensor)]
    for tensor in (tensor for tensor in small.graph.initializer if _large(tensor)):
        value, name = numpy_helper.to_array(tensor), tensor.name
        stored, scale = (value.astype(np.float16), None) if store == "fp16" else eighths(value)
        kept.append(numpy_helper.from_array(stored, f"{name}/stored"))
        whole = name if scale is None else f"{name}/float"
        before.append(helper.make_node("Cast", [f"{name}/stored"], [whole], to=onnx.TensorProto.FLOAT))
        if scale is not None:
            kept.append(numpy_helper.from_array(scale, f"{name}/scale"))
            before.append(helper.make_node("Mul", [whole, f"{name}/scale"], [name]))
    nodes = [*before, *small.graph.node]
    del small.graph.initializer[:], small.graph.node[:]
    small.graph.initializer.extend(kept)
    small.graph.node.extend(nodes)
    onnx.checker.check_model(small)
    return small


def eighths(value: F32) -> tuple[Array, F32]:
    """Weights as int8, and the scale of each row of the first axis, float32 (K, 1, ...)."""
    most = np.abs(value).max(axis=tuple(range(1, value.ndim)), keepdims=True)
    scale = np.where(most > 0, most / 127, 1).astype(np.float32)
    return np.round(value / scale).astype(np.int8), scale


def _large(tensor: Any) -> bool:
    return (
        tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) > 1 and np.prod(tensor.dims) >= LEAST
    )


def save(made: Any, path: Path) -> None:
    """Write a model, the same bytes for the same model."""
    put(made.SerializeToString(deterministic=True), path)


def put(data: bytes, path: Path) -> None:
    """Write a file whole, or leave what was there.

    Raises:
        SinkError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with written(path):
            part.write_bytes(data)
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)
