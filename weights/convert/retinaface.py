"""RetinaFace-MobileNetV2 out of the frozen TensorFlow graph that the package `retinaface` carries.

The graph is cut where the heads are joined, before its own anchors and suppression, so that
pictures can be batched and only rows over the threshold are decoded. Tensors are channel-first
throughout; TensorFlow keeps channels last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from core.errors import WeightsError
from core.types import Array
from weights.convert.graph import NEAREST, Graph
from weights.convert.graphdef import Node, read

PICTURE = "x"
BOXES = "RetinaFaceModel/tf_op_layer_concat/concat"
POINTS = "RetinaFaceModel/tf_op_layer_concat_1/concat_1"
SCORES = "RetinaFaceModel/softmax/Softmax"
COLUMNS = {"BboxHead": 4, "LandmarkHead": 10, "ClassHead": 2}  # values an anchor, by the head's name
PLAIN = {"AddV2": "Add", "RealDiv": "Div", "Sub": "Sub", "Relu": "Relu"}


def convert(data: bytes) -> Any:
    """The frozen graph's bytes as an ONNX model.

    Input `image` float32 (N, 3, H, W), RGB 0..255 (the graph scales it itself), sides multiples of
    32. With A anchors: `scores` (N, A), of a face; `boxes` (N, A, 4) and `points` (N, A, 10), raw.
    """
    walk = _Walk(read(data))
    graph = walk.graph
    face = graph.constant("face_column", np.array(1))
    graph.add("Gather", [walk.value(SCORES), face], "scores", axis=2)
    graph.add("Identity", [walk.value(BOXES)], "boxes")
    graph.add("Identity", [walk.value(POINTS)], "points")
    results: dict[str, list[Any]] = {"scores": ["n", "a"], "boxes": ["n", "a", 4], "points": ["n", "a", 10]}
    return graph.model("retinaface", ("image", ["n", 3, "h", "w"]), results)


class _Walk:
    """Converts what a value depends on, once each."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self._nodes = nodes
        self._done = {PICTURE: "image"}
        self.graph = Graph()
        self._rules: dict[str, Callable[[Node], str]] = {
            "Const": self._constant,
            "Identity": lambda node: self.value(node.inputs[0]),
            "Conv2D": self._conv,
            "DepthwiseConv2dNative": self._depthwise,
            "BiasAdd": self._bias,
            "FusedBatchNormV3": self._normalise,
            "Relu6": self._clip,
            "LeakyRelu": lambda node: self._add("LeakyRelu", node, alpha=node.attributes["alpha"]),
            "Pad": self._pad,
            "ResizeNearestNeighbor": self._resize,
            "ConcatV2": self._concat,
            "Reshape": self._reshape,
            "Softmax": lambda node: self._add("Softmax", node, axis=-1),
        }

    def value(self, name: str) -> str:
        """The name in the new graph of a node's output."""
        if name not in self._done:
            if name not in self._nodes:
                raise WeightsError(f"retinaface: the frozen graph has no node {name}; another version?")
            node = self._nodes[name]
            if node.operator in PLAIN:
                self._done[name] = self._add(PLAIN[node.operator], node)
            elif node.operator in self._rules:
                self._done[name] = self._rules[node.operator](node)
            else:
                raise WeightsError(f"retinaface: no conversion for the operation {node.operator}")
        return self._done[name]

    def _add(self, operator: str, node: Node, **attributes: Any) -> str:
        inputs = [self.value(name) for name in node.inputs if not name.startswith("^")]
        return self.graph.add(operator, inputs, node.name, **attributes)

    def _array(self, name: str) -> Array:
        """The constant behind a name."""
        node = self._nodes[name]
        while node.operator == "Identity":
            node = self._nodes[node.inputs[0]]
        value: Array = node.attributes["value"]
        return value

    def _constant(self, node: Node) -> str:
        return self.graph.constant(node.name, self._array(node.name))

    def _conv(self, node: Node) -> str:
        kernel = self._array(node.inputs[1]).transpose(3, 2, 0, 1)
        return self._convolve(node, kernel)

    def _depthwise(self, node: Node) -> str:
        kernel = self._array(node.inputs[1]).transpose(2, 3, 0, 1)
        channels = len(kernel)
        return self._convolve(node, kernel.reshape(-1, 1, *kernel.shape[2:]), group=channels)

    def _convolve(self, node: Node, kernel: Array, **attributes: Any) -> str:
        weight = self.graph.constant(f"{node.name}/kernel", kernel)
        padding = {"VALID": "VALID", "SAME": "SAME_UPPER"}[node.attributes["padding"]]
        inputs = [self.value(node.inputs[0]), weight]
        strides = node.attributes["strides"][1:3]
        return self.graph.add("Conv", inputs, node.name, strides=strides, auto_pad=padding, **attributes)

    def _bias(self, node: Node) -> str:
        bias = self.graph.constant(f"{node.name}/bias", self._array(node.inputs[1]).reshape(1, -1, 1, 1))
        return self.graph.add("Add", [self.value(node.inputs[0]), bias], node.name)

    def _normalise(self, node: Node) -> str:
        return self._add("BatchNormalization", node, epsilon=node.attributes["epsilon"])

    def _clip(self, node: Node) -> str:
        bounds = [self.graph.constant(f"clip_{bound}", np.array(bound, np.float32)) for bound in (0, 6)]
        return self.graph.add("Clip", [self.value(node.inputs[0]), *bounds], node.name)

    def _pad(self, node: Node) -> str:
        rows = self._array(node.inputs[1])[[0, 3, 1, 2]]  # (before, after) of N C H W
        pads = self.graph.constant(f"{node.name}/pads", rows.T.reshape(-1).astype(np.int64))
        return self.graph.add("Pad", [self.value(node.inputs[0]), pads], node.name)

    def _resize(self, node: Node) -> str:
        # To the size of the finer level, which is twice: the sides are multiples of 32.
        twice = self.graph.constant("twice", np.array([1, 1, 2, 2], np.float32))
        return self.graph.add("Resize", [self.value(node.inputs[0]), "", twice], node.name, **NEAREST)

    def _concat(self, node: Node) -> str:
        axis = {3: 1, -1: 1, 1: 1}[int(self._array(node.inputs[-1]))]  # channels, or anchors of the heads
        inputs = [self.value(name) for name in node.inputs[:-1]]
        return self.graph.add("Concat", inputs, node.name, axis=axis)

    def _reshape(self, node: Node) -> str:
        head = self.value(node.inputs[0])
        last = self.graph.add("Transpose", [head], f"{node.name}/last", perm=[0, 2, 3, 1])
        columns = next(k for name, k in COLUMNS.items() if name in node.name)
        shape = self.graph.constant(f"shape_{columns}", np.array([0, -1, columns]))
        return self.graph.add("Reshape", [last, shape], node.name)
