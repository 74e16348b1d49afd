"""An Inception-ResNet that makes a vector of 128 numbers of a face, as FaceNet does, small enough for a CPU.

Sources: Szegedy et al., "Inception-v4, Inception-ResNet and the impact of residual connections on
learning", AAAI 2017 (the blocks of its Inception-ResNet-v1, here narrower and fewer); Schroff et al.,
"FaceNet: a unified embedding for face recognition and clustering", CVPR 2015 (the vector). It is
trained by the questions of its heads, not by identities, so the vector tells no two people apart.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.networks import ConvNorm, Window

VECTOR = 128
COUNTS = (2, 4, 2)  # blocks of each kind; 5, 10 and 5 in the paper
SCALES = (0.17, 0.10, 0.20)  # of a branch before it is added; the paper's section 3.3 names 0.1 to 0.3


def _conv(given: int, made: int, window: Window, stride: int = 1, pad: Window = 0) -> nn.Module:
    return nn.Sequential(ConvNorm(given, made, window, stride, pad), nn.ReLU(inplace=True))


def _chain(given: int, *steps: tuple[int, Window, int, Window]) -> nn.Sequential:
    """Convolutions one after the other: channels, window, stride, zeros around."""
    layers = []
    for made, window, stride, pad in steps:
        layers.append(_conv(given, made, window, stride, pad))
        given = made
    return nn.Sequential(*layers)


class Block(nn.Module):
    """Branches side by side, brought back to the channels they came from, and added a little."""

    def __init__(self, channels: int, branches: list[nn.Module], made: int, scale: float) -> None:
        """`made`: channels of all branches together."""
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.up = nn.Conv2d(made, channels, 1)
        self.scale = scale

    def forward(self, value: Tensor) -> Tensor:
        """Maps in, maps out."""
        wide = torch.cat([branch(value) for branch in self.branches], dim=1)
        return functional.relu(value + self.scale * self.up(wide))


class Reduction(nn.Module):
    """Branches of stride 2 beside a maximum of stride 2."""

    def __init__(self, branches: list[nn.Module]) -> None:
        """Take the branches."""
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.pool = nn.MaxPool2d(3, 2)

    def forward(self, value: Tensor) -> Tensor:
        """Maps of half the side."""
        return torch.cat([self.pool(value), *(branch(value) for branch in self.branches)], dim=1)


def _blocks(channels: int, n: int, kind: int) -> list[nn.Module]:
    """The residual blocks on maps of one size: of kind 0 square windows, else long ones."""
    made: list[nn.Module] = []
    for _ in range(COUNTS[kind]):
        branches: list[nn.Module] = [_chain(channels, (n, 1, 1, 0))]
        if kind == 0:
            branches.append(_chain(channels, (n, 1, 1, 0), (n, 3, 1, 1)))
            branches.append(_chain(channels, (n, 1, 1, 0), (n, 3, 1, 1), (n, 3, 1, 1)))
        else:
            long, pad = (7, 3) if kind == 1 else (3, 1)
            branches.append(
                _chain(channels, (n, 1, 1, 0), (n, (1, long), 1, (0, pad)), (n, (long, 1), 1, (pad, 0)))
            )
        made.append(Block(channels, branches, n * len(branches), SCALES[kind]))
    return made


def _halved(channels: int, *ways: int) -> tuple[nn.Module, int]:
    """A reduction with a branch of so many channels each, and the channels of it all."""
    branches: list[nn.Module] = [_chain(channels, (made // 2, 1, 1, 0), (made, 3, 2, 0)) for made in ways]
    return Reduction(branches), channels + sum(ways)


def facenet(shape: tuple[float, ...] = (0.5,)) -> tuple[nn.Module, int]:
    """From a face of 96 px or so to its vector; `shape` is the width, 1 as in the paper's table.

    The stem halves the maps twice, not three times, since the face is not 160 px.
    """
    a, b, c = (round(channels * shape[0] / 8) * 8 for channels in (32, 128, 192))
    first = 8 * a
    half, second = _halved(first, first, first)
    quarter, third = _halved(second, first, first)
    return nn.Sequential(
        _chain(3, (a, 3, 2, 0), (a, 3, 1, 0), (2 * a, 3, 1, 1)),
        nn.MaxPool2d(3, 2),
        _chain(2 * a, (2 * a, 1, 1, 0), (4 * a, 3, 1, 0), (first, 3, 1, 1)),
        *_blocks(first, a, 0),
        half,
        *_blocks(second, b, 1),
        quarter,
        *_blocks(third, c, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Sequential(nn.Linear(third, VECTOR, bias=False), nn.BatchNorm1d(VECTOR)),
    ), VECTOR
