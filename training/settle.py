"""Settles a trained network's weights to calculating in 8 bits, so that it answers as it did before.

The network goes on learning, for one to three minutes, from its own answers in 32 bits, while weights
and maps are rounded as they will be. Source: Jacob et al., "Quantization and training of neural networks
for efficient integer-arithmetic-only inference", CVPR 2018, section 3; rounding lets gradients through
as if it were not there (Bengio et al., arXiv 1308.3432).
"""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.graph import folded
from training.kept import Kept
from training.loop import prepare, varied
from training.networks import FaceNet
from training.quantize import chips, shown
from training.targets import Faces

SEEN = 10_240  # faces that it learns from
BATCH = 64
RATE = 1e-5  # of Adam; ten times that ruins a network whose normalisations are folded in
MAPS, WEIGHTS = 255, 64  # steps of 8 bits; of 7 bits on either side of zero
TINY = 1e-12


class Rounded(nn.Module):
    """A convolution with rounded weights and input, once it has seen how far the input reaches."""

    def __init__(self, layer: nn.Conv2d) -> None:
        """Take a convolution."""
        super().__init__()
        self.layer = layer
        self.watching = True
        self.low = self.high = 0.0

    def forward(self, maps: Tensor) -> Tensor:
        """Maps in, maps out."""
        weight = self.layer.weight
        if self.watching:
            self.low, self.high = min(self.low, float(maps.min())), max(self.high, float(maps.max()))
        else:
            step = weight.detach().abs().amax((1, 2, 3), keepdim=True).clamp(min=TINY) / WEIGHTS
            weight = _through(weight / step) * step
            maps = _rounded(maps, self.low, self.high)
        made: Tensor = self.layer._conv_forward(maps, weight, self.layer.bias)
        return made


def _through(value: Tensor) -> Tensor:
    """Rounded; the gradient passes as if it were not."""
    return value + (value.round() - value).detach()


def _rounded(maps: Tensor, low: float, high: float) -> Tensor:
    """Maps in the steps of 8 bits between those two numbers."""
    step = max(high - low, TINY) / MAPS
    zero = round(-low / step)
    return (_through((maps / step + zero).clamp(0, MAPS)) - zero) * step


def settled(trained: Kept, cache: Path) -> Kept:
    """The same training, its weights as good in 8 bits as they were in 32; normalisations folded in.

    Args:
        trained: what is to be settled; it stays as it is.
        cache: folder of the faces that it was trained on.
    """
    recipe, rng = trained.recipe, np.random.default_rng(0)
    faces = Faces(
        cache, recipe.sets, "train", recipe.balance, recipe.votes, fold=trained.fold, share=recipe.share
    )
    whole = folded(trained.net).to(memory_format=torch.channels_last)
    net = _wrapped(copy.deepcopy(whole), faces, trained)
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
    steps = SEEN // BATCH
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        drawn = rng.choice(len(faces), BATCH, p=faces.weights)
        batch = prepare(varied(faces, drawn, recipe, rng))
        with torch.no_grad():
            wanted = whole(batch)
        said = net(batch)  # not in bfloat16, which rounds as coarsely as 8 bits
        loss = torch.stack([_apart(said[name], wanted[name]) for name in said]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        fall.step()
    return replace(trained, net=_unwrapped(net))


def _wrapped(net: FaceNet, faces: Faces, trained: Kept) -> FaceNet:
    """Its convolutions rounded, after a look at some faces."""
    for parent in list(net.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv2d):
                setattr(parent, name, Rounded(layer))
    with torch.no_grad():
        for row in shown(faces):
            net(torch.from_numpy(chips(faces, trained, range(row, row + 1))))
    for module in net.modules():
        if isinstance(module, Rounded):
            module.watching = False
    return net


def _unwrapped(net: FaceNet) -> FaceNet:
    for parent in list(net.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, Rounded):
                setattr(parent, name, layer.layer)
    return net


def _apart(said: Tensor, wanted: Tensor) -> Tensor:
    """How far the answers are from those in 32 bits: of classes the divergence, of numbers the square."""
    if said.shape[1] == 1:
        return functional.mse_loss(said, wanted)
    return functional.kl_div(
        said.log_softmax(1), wanted.log_softmax(1), reduction="batchmean", log_target=True
    )
