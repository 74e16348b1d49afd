"""YuNet out of the symbol table of libfacedetection, as the package `yuface` carries it.

Source of the layout: Wu, Peng, Yu, "YuNet: a tiny millisecond-level face detector", MIR 2023,
and the names of the library's arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.errors import WeightsError
from core.types import F32
from weights.convert.elf import arrays
from weights.convert.graph import NEAREST, Graph

HEADS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}  # values a cell
STEM_TAPS = 27  # 3 x 3 x 3; stored in rows of 32


def convert(data: bytes) -> Any:
    """The library's bytes as an ONNX model.

    Input `image` float32 (N, 3, H, W), BGR 0..255, sides multiples of 32. With A cells (those of
    stride 8 row by row, then 16, then 32): `scores` (N, A), sqrt(cls * obj); `boxes` (N, 4, A)
    and `points` (N, 10, A), raw. A comes last, the network's own order: nothing is transposed.
    """
    layers = _Layers(arrays(data, ("_weight", "_bias")))
    levels = layers.neck(layers.backbone("image"))
    graph = layers.graph
    sure = [
        graph.add("Sigmoid", [layers.head(kind, levels, f"{kind}_logit")], kind) for kind in ("cls", "obj")
    ]
    root = graph.add("Sqrt", [graph.add("Mul", sure, "product")], "root")
    graph.add("Squeeze", [root, graph.constant("channel_axis", np.array([1]))], "scores")
    layers.head("bbox", levels, "boxes")
    layers.head("kps", levels, "points")
    results: dict[str, list[Any]] = {"scores": ["n", "a"], "boxes": ["n", 4, "a"], "points": ["n", 10, "a"]}
    return graph.model("yunet", ("image", ["n", 3, "h", "w"]), results)


class _Layers:
    """The parts of the network over its arrays; each method returns the name of its output."""

    def __init__(self, weights: dict[str, F32]) -> None:
        self._weights = weights
        self.graph = Graph()

    def backbone(self, value: str) -> list[str]:
        """The levels of stride 8, 16 and 32."""
        stem = self._get("backbone__model0_pw_weight").reshape(-1, 32)[:, :STEM_TAPS]
        kernel = stem.reshape(-1, 3, 3, 3).transpose(0, 3, 1, 2)
        value = self._conv("backbone__model0_pw", value, kernel, strides=[2, 2], pads=[1] * 4)
        value = self._relu(value)
        value = self._pool(self._relu(self._unit("backbone__model0_dp", value)))
        levels = []
        for stage in range(1, 6):
            for unit in (1, 2):
                value = self._relu(self._unit(f"backbone__model{stage}_dp{unit}", value))
            if stage >= 3:
                levels.append(value)
            if stage in (2, 3, 4):
                value = self._pool(value)
        return levels

    def neck(self, levels: list[str]) -> list[str]:
        """Each level refined, with the coarser ones added to it."""
        scales = self.graph.constant("twice", np.array([1, 1, 2, 2], np.float32))
        refined: list[str] = []
        for i in (2, 1, 0):
            value = levels[i]
            if refined:
                wider = self.graph.add("Resize", [refined[0], "", scales], f"wider_{i}", **NEAREST)
                value = self.graph.add("Add", [wider, value], f"joined_{i}")
            refined.insert(0, self._relu(self._unit(f"neck__lateral_convs__{i}", value)))
        return refined

    def head(self, kind: str, levels: list[str], name: str) -> str:
        """What all cells say: (N, values, A)."""
        shape = self.graph.constant(f"shape_{kind}", np.array([0, HEADS[kind], -1]))
        parts = []
        for i, level in enumerate(levels):
            value = self._unit(f"bbox_head__multi_level_{kind}__{i}", level)
            parts.append(self.graph.add("Reshape", [value, shape], f"{kind}_{i}"))
        return self.graph.add("Concat", parts, name, axis=2)

    def _unit(self, name: str, value: str) -> str:
        """1x1 convolution, then 3x3 channel by channel; no activation."""
        out = len(self._get(f"{name}_pw_bias"))
        pointwise = self._get(f"{name}_pw_weight").reshape(out, -1, 1, 1)
        depthwise = self._get(f"{name}_dw_weight").reshape(3, 3, out).transpose(2, 0, 1)[:, None]
        value = self._conv(f"{name}_pw", value, pointwise)
        return self._conv(f"{name}_dw", value, depthwise, group=out, pads=[1] * 4)

    def _conv(self, name: str, value: str, kernel: F32, **attributes: Any) -> str:
        weight = self.graph.constant(f"{name}_weight", kernel)
        bias = self.graph.constant(f"{name}_bias", self._get(f"{name}_bias"))
        return self.graph.add(
            "Conv", [value, weight, bias], name, kernel_shape=kernel.shape[2:], **attributes
        )

    def _relu(self, value: str) -> str:
        return self.graph.add("Relu", [value], f"{value}_relu")

    def _pool(self, value: str) -> str:
        return self.graph.add("MaxPool", [value], f"{value}_pool", kernel_shape=[2, 2], strides=[2, 2])

    def _get(self, name: str) -> F32:
        if name not in self._weights:
            raise WeightsError(f"yuface: the library has no array {name}; another version?")
        return self._weights[name]
