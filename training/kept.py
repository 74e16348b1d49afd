"""What a training left behind: its network, as it is measured and shipped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from core.errors import ConfigError, DeviceError
from training.networks import FaceNet, build
from training.recipes import Recipe
from training.targets import Fold


@dataclass(frozen=True, slots=True)
class Kept:
    """A trained network: the running mean of its weights.

    Attributes:
        folder: of the training.
        recipe: by which it was trained.
        net: for answering, not for training on.
        epoch: how many there were so far.
        fold: that was held out, if any.
    """

    folder: Path
    recipe: Recipe
    net: FaceNet
    epoch: int
    fold: Fold | None


def kept(folder: Path, device: str = "cpu") -> Kept:
    """Open what was trained into a folder.

    Raises:
        ConfigError: nothing was, or it cannot be read.
    """
    path = folder / "checkpoint.pt"
    if not path.is_file():
        raise ConfigError(f"{folder}: holds no training: there is no checkpoint.pt.")
    state = opened(path, device)
    recipe = Recipe(**state["recipe"])
    net = build(recipe).to(device, memory_format=torch.channels_last)
    net.load_state_dict(state["mean"])
    fold = state.get("fold")
    return Kept(folder, recipe, net.eval(), state["epoch"], Fold.parsed(fold) if fold else None)


def opened(path: Path, device: str) -> dict[str, Any]:
    """What a checkpoint holds.

    Raises:
        ConfigError: it cannot be read, or is none.
    """
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        if not {"recipe", "epoch", "net", "mean"} <= set(state):
            raise ValueError("parts are missing")
        Recipe(**state["recipe"])
    except Exception as error:  # bytes that are no checkpoint fail in whatever way
        raise ConfigError(
            f"{path}: cannot be read as a checkpoint. Bring it back, or take it away and train again."
        ) from error
    return dict(state)


def processor(device: str) -> str:
    """cpu or cuda, for auto, cpu or cuda.

    Raises:
        DeviceError: the device that was named is not here.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise DeviceError("--device: 'cuda' was asked for, but this PyTorch finds none: set it to auto.")
    return device
