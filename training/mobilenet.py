"""MobileNet, the first and the second: convolutions that look at each map by itself, then mix the maps.

Sources: Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision
applications", arXiv 1704.04861, table 1; Sandler et al., "MobileNetV2: inverted residuals and linear
bottlenecks", CVPR 2018, table 2.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from training.networks import ConvNorm

# Expansion, channels, blocks, stride of the first of them.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
FIRST, LAST = 32, 1280
# Of the first MobileNet: channels out, stride.
PAIRS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *(((512, 1),) * 5), (1024, 2), (1024, 1))


class Around(nn.Module):
    """The zeros that TensorFlow puts around a map before a window of 3 halves it: none before an even one."""

    def forward(self, value: Tensor) -> Tensor:
        """Maps in, larger maps out."""
        before = int(value.shape[-1]) % 2  # a number for good in the exported file: it joins the convolution
        return functional.pad(value, (before, 1, before, 1))


def mobilenetv1(shape: tuple[int, ...] = (256,)) -> tuple[nn.Module, int]:
    """All of it but the classifier; `shape` is the width of a last layer, which FaceRes added."""
    layers: list[nn.Module] = [Around(), ConvNorm(3, FIRST, 3, 2), nn.ReLU6(inplace=True)]
    given = FIRST
    for made, stride in PAIRS:
        layers += [Around()] if stride == 2 else []
        layers += [ConvNorm(given, given, 3, stride, 2 - stride, groups=given), nn.ReLU6(inplace=True)]
        layers += [ConvNorm(given, made, 1), nn.ReLU6(inplace=True)]
        given = made
    layers += [nn.AdaptiveAvgPool2d(1), ConvNorm(given, shape[0], 1), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*layers), shape[0]


class Inverted(nn.Module):
    """Widen, look at each map by itself, narrow without an activation."""

    def __init__(self, given: int, made: int, expansion: int, stride: int) -> None:
        """Channels in and out."""
        super().__init__()
        inside = given * expansion
        widen = [ConvNorm(given, inside, 1), nn.ReLU6(inplace=True)] if expansion > 1 else []
        self.layers = nn.Sequential(
            *widen,
            ConvNorm(inside, inside, 3, stride, 1, groups=inside),
            nn.ReLU6(inplace=True),
            ConvNorm(inside, made, 1),
        )
        self.short = stride == 1 and given == made

    def forward(self, value: Tensor) -> Tensor:
        """Maps in, maps out."""
        return value + self.layers(value) if self.short else self.layers(value)


def mobilenetv2(shape: tuple[float, ...] = (0.5,)) -> tuple[nn.Module, int]:
    """All of it but the classifier; `shape` is the width, 1 as in the paper's table."""
    width = shape[0]
    given = _even(FIRST * width)
    layers: list[nn.Module] = [ConvNorm(3, given, 3, 2, 1), nn.ReLU6(inplace=True)]
    for expansion, channels, count, stride in STAGES:
        made = _even(channels * width)
        for nth in range(count):
            layers.append(Inverted(given, made, expansion, stride if nth == 0 else 1))
            given = made
    last = _even(LAST * max(width, 1.0))
    layers += [ConvNorm(given, last, 1), nn.ReLU6(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers), last


def _even(channels: float) -> int:
    """A multiple of 8, never a tenth less than wanted, as its authors round."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels else rounded + 8
