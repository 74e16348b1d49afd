"""A small builder of ONNX graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from core.types import Array

OPSET = 17
IR_VERSION = 8  # read by every onnxruntime since 1.12
NEAREST = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}


class Graph:
    """Nodes and constants in the order they were added; a value is named after its node."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def constant(self, name: str, value: Array) -> str:
        """Keep an array under a name that is new, or already stands for the same array."""
        self._constants.setdefault(name, numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def add(self, operator: str, inputs: list[str], name: str, **attributes: Any) -> str:
        """Append a node; its one output carries its name."""
        self._nodes.append(helper.make_node(operator, inputs, [name], name, **attributes))
        return name

    def model(self, name: str, source: tuple[str, list[Any]], results: dict[str, list[Any]]) -> Any:
        """The finished model: float32 input and outputs, axes by number or by name."""
        floats = onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes,
            name,
            [helper.make_tensor_value_info(source[0], floats, source[1])],
            [helper.make_tensor_value_info(key, floats, shape) for key, shape in results.items()],
            list(self._constants.values()),
        )
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(
            graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="stream-py"
        )
        onnx.checker.check_model(model)
        return model


def save(model: Any, path: Path) -> None:
    """Write a model into one file."""
    path.write_bytes(model.SerializeToString(deterministic=True))


def difference(one: Path, other: Path) -> str:
    """Where two ONNX files differ in graph or weights; empty if nowhere.

    Compares nodes with their attributes, inputs and outputs, and weights bit by bit; not the
    bytes of the files, which change with the version of `onnx`.
    """
    a, b = onnx.load(str(one)).graph, onnx.load(str(other)).graph
    for part in ("node", "input", "output"):
        ours, theirs = ([x.SerializeToString(deterministic=True) for x in getattr(g, part)] for g in (a, b))
        if ours != theirs:
            return f"the {part}s of the graph"
    weights = [{t.name: numpy_helper.to_array(t) for t in g.initializer} for g in (a, b)]
    if weights[0].keys() != weights[1].keys():
        return "the names of the weights"
    for name, value in weights[0].items():
        other_value = weights[1][name]
        if value.dtype != other_value.dtype or value.tobytes() != other_value.tobytes():
            return f"the weight {name}"
    return ""
