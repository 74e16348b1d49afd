"""SSR-Net: an age as a sum of ever finer stages, in few thousand parameters.

Source: Yang et al., "SSR-Net: a compact soft stagewise regression network for age estimation",
IJCAI 2018. Here the gender is a linear head on the same features, where they train a second network.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.networks import ConvNorm

CHANNELS = 32
FUSED = 10  # channels of a stage after its 1x1 convolution
GRID = 4  # side of the maps of a stage after pooling
BINS = 3  # ages that a stage tells apart; the next one divides each of them again
STAGES = 3
TOP = 101.0  # years
FEATURES = FUSED * GRID * GRID


class Stream(nn.Module):
    """Four convolutions, the maps halved after each of the first three; gives the last three maps."""

    def __init__(self, act: type[nn.Module], pool: type[nn.Module], even: type[nn.Module]) -> None:
        """Kinds of the activation, of the halving, and of the pooling to GRID."""
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(ConvNorm(3 if nth == 0 else CHANNELS, CHANNELS, 3, 1, 1), act()) for nth in range(4)
        )
        self.pool = pool(2)
        self.fuse = nn.ModuleList(
            nn.Sequential(nn.Conv2d(CHANNELS, FUSED, 1), act(), even(GRID)) for _ in range(STAGES)
        )

    def forward(self, value: Tensor) -> list[Tensor]:
        """(N, 10, 4, 4) for each stage, the coarsest first: it sees the deepest maps."""
        maps = []
        for nth, layer in enumerate(self.layers):
            value = layer(value)
            if nth < STAGES:
                value = self.pool(value)
            maps.append(value)
        return [fuse(maps[STAGES - nth]) for nth, fuse in enumerate(self.fuse)]


class TwoStreams(nn.Module):
    """A stream of ReLU and means beside one of tanh and maxima, multiplied stage by stage."""

    def __init__(self) -> None:
        """For pictures of 64 px or so."""
        super().__init__()
        self.one = Stream(nn.ReLU, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
        self.other = Stream(nn.Tanh, nn.MaxPool2d, nn.AdaptiveMaxPool2d)

    def forward(self, faces: Tensor) -> Tensor:
        """(N, 480): the features of the three stages, one after the other."""
        pairs = zip(self.one(faces), self.other(faces), strict=True)
        return torch.cat([(one * other).flatten(1) for one, other in pairs], dim=1)


class Stages(nn.Module):
    """The age by the features of all stages: each says which third, shifted and stretched a little."""

    def __init__(self) -> None:
        """For the vector of `TwoStreams`."""
        super().__init__()
        self.thirds = nn.ModuleList(nn.Linear(FEATURES, BINS) for _ in range(STAGES))
        self.shifts = nn.ModuleList(nn.Linear(FEATURES, BINS) for _ in range(STAGES))
        self.widths = nn.ModuleList(nn.Linear(FEATURES, 1) for _ in range(STAGES))

    def forward(self, vector: Tensor) -> Tensor:
        """(N, 1), years; equations 3 to 6 of the paper."""
        index = torch.arange(BINS, dtype=vector.dtype, device=vector.device)
        age, width = torch.zeros_like(vector[:, :1]), torch.full_like(vector[:, :1], TOP)
        for nth in range(STAGES):
            seen = vector[:, nth * FEATURES : (nth + 1) * FEATURES]
            chances = self.thirds[nth](seen).softmax(dim=1)
            places = index + torch.tanh(self.shifts[nth](seen))
            # At most by half: a width of zero would divide by it.
            width = width / (BINS * (1 + 0.5 * torch.tanh(self.widths[nth](seen))))
            age = age + (chances * places).sum(dim=1, keepdim=True) * width
        return age


def ssrnet() -> tuple[nn.Module, int]:
    """Both streams."""
    return TwoStreams(), STAGES * FEATURES
