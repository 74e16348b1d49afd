"""What a network begins with: the convolutions in the ONNX file of a card, or all of another training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.errors import ConfigError
from core.types import F64
from training.kept import kept
from training.networks import FaceNet, started
from weights.manifest import cards
from weights.store import locate


def begin(net: FaceNet, start: str, faces: Tensor) -> None:
    """Start a network with what another one has learned.

    Args:
        net: that is to be trained.
        start: id in the manifest of a card that has the same layers, or folder of a training of the
            same network, whose heads are taken, too.
        faces: float32 (N, 3, S, S), prepared: a few hundred, to set the normalisations by.

    Raises:
        WeightsError: the card's file is not here; the message says how to bring it.
        ConfigError: neither, a card or training of another network, or the package that reads it is not here.
    """
    card = cards().get(start)
    if card is not None:
        started(net, convolutions(str(locate(card))), faces)
        return
    if not Path(start).is_dir():
        raise ConfigError(
            f"the recipe's start: '{start}' is neither a card of weights/manifest.yaml nor a folder "
            "with a training. Check the path."
        )
    try:
        net.load_state_dict(kept(Path(start)).net.state_dict())
    except RuntimeError as error:
        raise ConfigError(
            f"{start}: holds a training of another network or with other heads. Start from one of the "
            "same, or from a card."
        ) from error


def convolutions(path: str) -> dict[str, Tensor]:
    """Kernels and biases, float32, of an ONNX file, in the order of its nodes.

    Returns:
        `0.weight`, `0.bias`, `1.weight`, ...
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ModuleNotFoundError as error:
        raise ConfigError("the recipe begins with an ONNX file: make install-train") from error

    graph = onnx.load(path).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    made = {node.output[0]: node for node in graph.node}

    def value(name: str) -> F64:
        """A constant; the converter keeps kernels as whole numbers with a zero and a scale."""
        if name in stored:
            return np.asarray(stored[name], np.float64)
        node = made[name]
        parts = [value(source) for source in node.input]
        if node.op_type == "Cast":
            return parts[0]
        return parts[0] - parts[1] if node.op_type == "Sub" else parts[0] * parts[1]

    found: dict[str, Tensor] = {}
    for nth, node in enumerate(node for node in graph.node if node.op_type == "Conv"):
        found[f"{nth}.weight"] = torch.tensor(value(node.input[1]), dtype=torch.float32)
        found[f"{nth}.bias"] = torch.tensor(value(node.input[2]), dtype=torch.float32)
    return found
