"""Settles a trained network to calculating in 8 bits: each of its maps keeps its mean.

Rounded weights and maps move the mean of a map a little, and each layer adds to what those before it did.
What they move is taken from the biases. Source: Nagel et al., "Data-free quantization through weight
equalization and bias correction", ICCV 2019, section 4.2; the means are those of faces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from training.graph import folded
from training.kept import Kept
from training.loop import lowered
from training.networks import FaceNet
from training.quantize import chips, shown
from training.targets import Faces

MAPS, WEIGHTS = 255, 64  # steps of 8 bits; of 7 bits on either side of zero
TINY = 1e-12


class Rounded(nn.Module):
    """A convolution that calculates as in 8 bits, then brings the mean of each map back to what it was."""

    def __init__(self, layer: nn.Conv2d, means: Tensor, low: float, high: float) -> None:
        """Take a convolution with a bias, the means of its maps, and how far its input reaches."""
        super().__init__()
        self.layer, self.means, self.low, self.high = layer, means, low, high

    def forward(self, maps: Tensor) -> Tensor:
        """Maps in, maps out."""
        bias = self.layer.bias
        assert bias is not None
        step = self.layer.weight.abs().amax((1, 2, 3), keepdim=True).clamp(min=TINY) / WEIGHTS
        weight = (self.layer.weight / step).round() * step
        made: Tensor = self.layer._conv_forward(_rounded(maps, self.low, self.high), weight, bias)
        moved = self.means - made.mean((0, 2, 3))
        bias += moved
        return made + moved[:, None, None]


def _rounded(maps: Tensor, low: float, high: float) -> Tensor:
    """Maps in the steps of 8 bits between those two numbers."""
    low, high = min(low, 0.0), max(high, 0.0)
    step = max(high - low, TINY) / MAPS
    zero = round(-low / step)
    return ((maps / step + zero).round().clamp(0, MAPS) - zero) * step


def settled(trained: Kept, cache: Path) -> Kept:
    """The same training, its answers as good in 8 bits as they were; normalisations folded in.

    Args:
        trained: what is to be settled; it stays as it is.
        cache: folder of the faces that it was trained on.
    """
    recipe = trained.recipe
    faces = Faces(cache, recipe.sets, "train", 0, recipe.votes, fold=trained.fold)
    seen = torch.from_numpy(chips(faces, trained, shown(faces)))
    net = folded(trained.net).to(memory_format=torch.channels_last)
    with torch.no_grad():
        places = _watched(trained.net, seen)
        layers = {name: Rounded(net.get_submodule(name), *place) for name, place in places.items()}
        _put(net, layers)
        net(seen)  # from the first layer to the last: each sees maps that are right again
    _put(net, {name: rounded.layer for name, rounded in layers.items()})
    return replace(trained, net=net)


def _watched(net: FaceNet, seen: Tensor) -> dict[str, tuple[Tensor, float, float]]:
    """Of each convolution the means of its maps, normalised, and the ends of its input.

    As it was trained: where that was in bfloat16, its normalisations allow for what this moves.
    """
    found: dict[str, tuple[Tensor, float, float]] = {}

    def watch(name: str, layer: nn.Module, after: nn.Module) -> list[RemovableHandle]:
        ends: list[float] = []

        def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            ends[:] = float(inputs[0].min()), float(inputs[0].max())

        def behind(_: nn.Module, __: tuple[Tensor, ...], made: Tensor) -> None:
            found[name] = made.float().mean((0, 2, 3)), ends[0], ends[1]

        return [layer.register_forward_pre_hook(before), after.register_forward_hook(behind)]

    hooks = []
    for place, parent in net.named_modules():
        children = list(parent.named_children())
        for (name, layer), (_, after) in zip(children, children[1:] + children[-1:], strict=True):
            if isinstance(layer, nn.Conv2d):
                normalised = isinstance(after, nn.BatchNorm2d)
                hooks += watch(f"{place}.{name}", layer, after if normalised else layer)
    with lowered("cpu"):
        net(seen)
    for hook in hooks:
        hook.remove()
    return found


def _put(net: FaceNet, layers: Mapping[str, nn.Module]) -> None:
    """Those modules at those places."""
    for name, layer in layers.items():
        place, _, last = name.rpartition(".")
        setattr(net.get_submodule(place), last, layer)
