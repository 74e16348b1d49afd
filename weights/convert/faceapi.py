"""dlib's face recognition network (ResNet v1) out of the npm package `@vladmandic/face-api`.

The package carries a file of bare numbers and a list of what they are; most are whole numbers
0 to 255 with a scale and a least value for each tensor. They stay so in the ONNX file, which is
a quarter as large; onnxruntime makes floats of them once, when it opens it.

Source of the layers: the package's own `src/faceRecognitionNet`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import WeightsError
from core.types import F32, F64, Array
from weights.convert.graph import Graph

SIDE = 150  # px of the face
WIDTH = 128  # numbers in the vector
FLOAT = 1  # onnx.TensorProto.FLOAT
BLOCKS = (
    *("conv32_1", "conv32_2", "conv32_3"),
    *("conv64_down", "conv64_1", "conv64_2", "conv64_3"),
    *("conv128_down", "conv128_1", "conv128_2"),
    *("conv256_down", "conv256_1", "conv256_2", "conv256_down_out"),
)


@dataclass(frozen=True, slots=True)
class Tensor:
    """A weight as it is stored: it stands for (stored - zero) * scale.

    Attributes:
        stored: uint8, or float32 with zero 0 and scale 1.
        zero, scale: of all its numbers.
    """

    stored: Array
    zero: float = 0.0
    scale: float = 1.0

    @property
    def value(self) -> F64:
        """What it stands for."""
        return (self.stored.astype(np.float64) - self.zero) * self.scale


def convert(data: bytes, layout: bytes) -> Any:
    """The package's numbers and the list of them as an ONNX model.

    Input `image` float32 (N, 3, 150, 150), RGB, centred and scaled; output `embedding` (N, 128), of
    no fixed length.
    """
    layers = _Layers(read(data, layout))
    value, side = layers.stem("image")
    for name in BLOCKS:
        if "down" in name:
            value, side = layers.down(name, value, side)
        else:
            value = layers.residual(name, value)
    layers.vector(value)
    results: dict[str, list[Any]] = {"embedding": ["n", WIDTH]}
    return layers.graph.model("dlib_resnet", ("image", ["n", 3, SIDE, SIDE]), results)


def read(data: bytes, layout: bytes) -> dict[str, Tensor]:
    """Every tensor by its name.

    Args:
        data: their numbers, one after the other.
        layout: JSON of TensorFlow.js: groups of tensors with name, shape and quantization, bare or
            within the file of a graph.

    Raises:
        WeightsError: the two do not belong together.
    """
    tensors: dict[str, Tensor] = {}
    at = 0
    try:
        listed = json.loads(layout)
        groups = listed["weightsManifest"] if isinstance(listed, dict) else listed
        for row in (row for group in groups for row in group["weights"]):
            kind = row.get("quantization", {"dtype": row["dtype"], "scale": 1.0, "min": 0.0})
            count, dtype = int(np.prod(row["shape"])), np.dtype(kind["dtype"]).newbyteorder("<")
            stored = np.frombuffer(data, dtype, count, at).reshape(row["shape"])
            tensors[row["name"]] = Tensor(stored, -kind["min"] / kind["scale"], kind["scale"])
            at += stored.nbytes
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"the package's list of weights cannot be read: {error}") from error
    if at != len(data):
        raise WeightsError(f"the list of weights tells of {at} bytes, the file has {len(data)}.")
    return tensors


class _Layers:
    """The parts of the network over its tensors; each method returns the name of its output."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self._tensors = tensors
        self.graph = Graph()

    def stem(self, image: str) -> tuple[str, int]:
        """Convolution and pooling; the output and the side of its maps."""
        value = self._relu(self._conv("conv32_down", image, strides=[2, 2]))
        side = _valid(_valid(SIDE, 7), 3)
        return self.graph.add("MaxPool", [value], "pool", kernel_shape=[3, 3], strides=[2, 2]), side

    def residual(self, name: str, value: str) -> str:
        """Two convolutions, and the block's input added to them."""
        branch = self._relu(self._conv(f"{name}/conv1", value, pads=[1] * 4))
        branch = self._conv(f"{name}/conv2", branch, pads=[1] * 4)
        return self._relu(self.graph.add("Add", [branch, value], name))

    def down(self, name: str, value: str, side: int) -> tuple[str, int]:
        """The same at half the side; what is smaller, in maps or in channels, is filled up with zeros."""
        branch = self._relu(self._conv(f"{name}/conv1", value, strides=[2, 2]))
        branch = self._conv(f"{name}/conv2", branch, pads=[1] * 4)
        short = self.graph.add("AveragePool", [value], f"{name}/pool", kernel_shape=[2, 2], strides=[2, 2])
        missing = side // 2 - _valid(side, 3)
        if missing:
            branch = self._pad(branch, [0, 0, missing, missing])
        _, _, before, after = self._get(f"{name}/conv1/conv/filters").stored.shape
        if after > before:
            short = self._pad(short, [0, after - before, 0, 0])
        return self._relu(self.graph.add("Add", [branch, short], name)), side // 2

    def vector(self, value: str) -> str:
        """The mean of each map, and from those the numbers that describe the face."""
        mean = self.graph.add("GlobalAveragePool", [value], "mean")
        flat = self.graph.add("Flatten", [mean], "flat")
        return self.graph.add("MatMul", [flat, self._keep("fc", self._get("fc"))], "embedding")

    def _conv(self, name: str, value: str, **attributes: Any) -> str:
        """Convolution, bias, then scale and shift by channel, all in one."""
        filters = self._get(f"{name}/conv/filters")
        factor = self._get(f"{name}/scale/weights").value
        bias = self._get(f"{name}/conv/bias").value * factor + self._get(f"{name}/scale/biases").value
        stored = filters.stored.transpose(3, 2, 0, 1)
        kernel = self._keep(
            f"{name}/filters", Tensor(stored, filters.zero, filters.scale), factor.reshape(-1, 1, 1, 1)
        )
        inputs = [value, kernel, self.graph.constant(f"{name}/bias", bias.astype(np.float32))]
        return self.graph.add("Conv", inputs, name, kernel_shape=stored.shape[2:], **attributes)

    def _keep(self, name: str, tensor: Tensor, factor: F64 | float = 1.0) -> str:
        """A tensor times a factor, as a constant; whole numbers stay what they are."""
        if tensor.stored.dtype != np.uint8:
            return self.graph.constant(name, (tensor.value * factor).astype(np.float32))
        stored = self.graph.constant(f"{name}/stored", tensor.stored)
        zero = self.graph.constant(f"{name}/zero", _float(tensor.zero))
        scale = self.graph.constant(f"{name}/scale", _float(tensor.scale * factor))
        value = self.graph.add("Cast", [stored], f"{name}/float", to=FLOAT)
        return self.graph.add("Mul", [self.graph.add("Sub", [value, zero], f"{name}/whole"), scale], name)

    def _pad(self, value: str, ends: list[int]) -> str:
        pads = self.graph.constant(f"{value}/pads", np.array([0, 0, 0, 0, *ends]))
        return self.graph.add("Pad", [value, pads], f"{value}/padded")

    def _relu(self, value: str) -> str:
        return self.graph.add("Relu", [value], f"{value}/relu")

    def _get(self, name: str) -> Tensor:
        if name not in self._tensors:
            raise WeightsError(f"face-api: there are no weights {name}; another version?")
        return self._tensors[name]


def _float(value: F64 | float) -> F32:
    return np.asarray(value, np.float32)


def _valid(side: int, window: int) -> int:
    """Side of the maps after a window that moves by two pixels and stays inside."""
    return (side - window) // 2 + 1
