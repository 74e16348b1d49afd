"""The networks: a backbone that turns a face into a vector, and a linear head for each question."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.errors import ConfigError
from core.registry import load
from core.types import AGES, EMOTIONS
from evaluation.samples import RACES
from training.recipes import Recipe

# Each makes a backbone from (N, 3, S, S) to (N, width), and gives it with its width.
BUILDERS = {
    "dlib_resnet": "training.networks:dlib_resnet",
    "ssrnet": "training.ssrnet:ssrnet",
    "mobilenetv1": "training.mobilenet:mobilenetv1",
    "mobilenetv2": "training.mobilenet:mobilenetv2",
    "facenet": "training.facenet:facenet",
}
CLASSES = {"gender": ("female", "male"), "emotion": EMOTIONS, "race": RACES}
# How many classes each head has.
HEADS = {"age": AGES, **{name: len(classes) for name, classes in CLASSES.items()}, "quality": 1}


class FaceNet(nn.Module):
    """A backbone with heads; `forward` gives raw scores by head, float32 (N, classes)."""

    def __init__(self, backbone: nn.Module, width: int, heads: tuple[str, ...], dropout: float = 0.2) -> None:
        """Take a backbone from (N, 3, S, S) to (N, width)."""
        super().__init__()
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(width, HEADS[name]) for name in heads})

    def forward(self, faces: Tensor) -> dict[str, Tensor]:
        """Scores of each head."""
        vector = self.dropout(self.backbone(faces).float())
        with torch.autocast(faces.device.type, enabled=False):
            seen = {name: vector.detach() if name == "quality" else vector for name in self.heads}
            return {name: head(seen[name]) for name, head in self.heads.items()}


def build(recipe: Recipe) -> FaceNet:
    """The recipe's network, not trained, its numbers drawn from torch's generator.

    Raises:
        ConfigError: there is no such network, or it cannot be made of this shape or see this size.
    """
    builder = load(BUILDERS, recipe.network, "network")
    try:
        backbone, width = builder(recipe.shape) if recipe.shape else builder()
        with torch.no_grad():  # as it answers: draws nothing, and moves no normalisation
            backbone.eval()(torch.zeros(1, 3, recipe.size, recipe.size))
    except (RuntimeError, TypeError, ValueError, IndexError, ZeroDivisionError) as error:
        shape = f" and shape={list(recipe.shape)}" if recipe.shape else ""
        raise ConfigError(
            f"the recipe's network: '{recipe.network}' cannot be made with size={recipe.size}{shape} "
            f"({str(error).splitlines()[0]})."
        ) from error
    backbone.train()
    net = FaceNet(backbone, width, recipe.heads, recipe.dropout)
    if recipe.age == "stages" and "age" in recipe.heads:
        net.heads["age"] = load({"stages": "training.ssrnet:Stages"}, "stages", "age")()
    return net


class Answers(nn.Module):
    """The same for export: probabilities, in the order of `names`; an age that is one number stays it."""

    def __init__(self, net: FaceNet, heads: tuple[str, ...], *, mirror: bool = False) -> None:
        """Take a trained network and those of its heads that are wanted.

        With `mirror` each answer is the mean of those to the face and to its mirror image.
        """
        super().__init__()
        self.net = net
        self.names = heads
        self.mirror = mirror

    def forward(self, faces: Tensor) -> tuple[Tensor, ...]:
        """(N, classes) each; the quality is one number from 0 to 1."""
        if not self.mirror:
            scores = self.net(faces)
            return tuple(probable(name, scores[name]) for name in self.names)
        scores = self.net(torch.cat([faces, faces.flip(3)]))
        both = (probable(name, scores[name]) for name in self.names)
        return tuple(way.unflatten(0, (2, -1)).mean(dim=0) for way in both)


def probable(name: str, scores: Tensor) -> Tensor:
    """What the raw scores (N, classes) of a head stand for."""
    if name == "quality":
        return torch.sigmoid(scores)
    return scores.softmax(dim=1) if scores.shape[1] > 1 else scores


Window = int | tuple[int, int]


class ConvNorm(nn.Sequential):
    """Convolution and batch normalisation."""

    def __init__(
        self, given: int, made: int, window: Window, stride: int = 1, pad: Window = 0, *, groups: int = 1
    ) -> None:
        """Channels in and out; sides of the window and of the zeros around, one number or two."""
        super().__init__(
            nn.Conv2d(given, made, window, stride, pad, groups=groups, bias=False), nn.BatchNorm2d(made)
        )


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut, as in dlib's ResNet: maps are halved by a mean, and
    channels that the shortcut lacks are zero. No parameter is spent on shortcuts."""

    def __init__(self, given: int, made: int, down: bool) -> None:
        """`down` halves the maps."""
        super().__init__()
        self.down = down
        self.more = made - given
        self.first = ConvNorm(given, made, 3, 2 if down else 1, 0 if down else 1)
        self.second = ConvNorm(made, made, 3, 1, 1)

    def forward(self, value: Tensor) -> Tensor:
        """Maps in, maps out."""
        branch = self.second(functional.relu(self.first(value)))
        if self.down:
            value = functional.avg_pool2d(value, 2)
            missing = value.shape[-1] - branch.shape[-1]
            if missing:
                branch = functional.pad(branch, (0, missing, 0, missing))
        if self.more:
            value = functional.pad(value, (0, 0, 0, 0, 0, self.more))
        return functional.relu(branch + value)


def dlib_resnet(blocks: tuple[int, ...] = (3, 4, 3, 3)) -> tuple[nn.Module, int]:
    """Davis King's ResNet with 29 convolutions, halved in width as he did: 32 to 256 channels.

    Source: dlib, `dnn_face_recognition_ex.cpp`, after He et al., "Deep residual learning", CVPR 2016.
    """
    layers: list[nn.Module] = [ConvNorm(3, 32, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2)]
    given = 32
    for stage, count in enumerate(blocks):
        for nth in range(count):
            layers.append(Residual(given, 32 << stage, down=stage > 0 and nth == 0))
            given = 32 << stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten()), given


def started(net: FaceNet, weights: Mapping[str, Tensor], faces: Tensor) -> None:
    """Begin with the convolutions of another network; its biases and scales become normalisations.

    Each normalisation is set so that on these faces it changes nothing but to add the bias: the
    network gives what the other one gave, and can be trained as one with batch normalisation.

    Args:
        net: with a backbone of the other one's layers, or of the first of them.
        weights: `0.weight`, `0.bias`, `1.weight`, ...: kernels and biases in the order of the layers.
        faces: float32 (N, 3, S, S), prepared as for that network.

    Raises:
        ConfigError: its layers are others.
    """
    blocks = [module for module in net.backbone.modules() if isinstance(module, ConvNorm)]
    hooks = []
    for nth, block in enumerate(blocks):
        if f"{nth}.weight" not in weights:
            break
        theirs = weights[f"{nth}.weight"]
        if theirs.shape != block[0].weight.shape:  # copy_ would stretch some
            raise ConfigError(
                f"the recipe's start: its convolution {nth + 1} is {tuple(theirs.shape)}, this network's "
                f"{tuple(block[0].weight.shape)}. Start from a card of the same layers."
            )
        block[0].weight.data.copy_(theirs)
        block[1].bias.data.copy_(weights[f"{nth}.bias"])
        hooks.append(block[1].register_forward_pre_hook(_fit))
    was = net.training
    with torch.no_grad():
        net.eval()(faces)
    net.train(was)
    for hook in hooks:
        hook.remove()


def _fit(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """Set a normalisation so that it only adds its bias to what it is given."""
    assert isinstance(module, nn.BatchNorm2d)
    mean, deviation = inputs[0].mean(dim=(0, 2, 3)), inputs[0].std(dim=(0, 2, 3)).clamp(min=1e-4)
    module.running_mean, module.running_var = mean.clone(), deviation.square()
    module.weight.data, module.bias.data = deviation.clone(), mean + module.bias.data
