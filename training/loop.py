"""Trains one recipe: resumable after every epoch, the same numbers for the same seed."""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.errors import ConfigError, SinkError
from core.types import F32, U8, Array, Crop
from evaluation.options import made, written
from training.augment import view_of
from training.curves import append, trimmed
from training.kept import opened
from training.losses import age_loss, class_loss, quality_loss
from training.measures import by_set
from training.networks import FaceNet
from training.recipes import MEAN, SCALE, Recipe
from training.targets import Faces, Targets

CHECKPOINT = "checkpoint.pt"
WARM_UP = 1.0  # epochs
CLIP = 5.0  # longest gradient
WEIGHTS = {"age": 1.0, "emotion": 1.0, "race": 0.3, "quality": 0.3}
TOLD = 0.5  # weight of what other networks say of a face, where they were asked; the rest is the label's


def prepare(chips: U8) -> Tensor:
    """uint8 (N, S, S, 3) BGR as the network wants it: float32 (N, 3, S, S), channels last in memory."""
    rgb = (chips[..., ::-1].astype(np.float32) - np.array(MEAN, np.float32)) / np.float32(SCALE)
    return torch.from_numpy(np.ascontiguousarray(rgb)).permute(0, 3, 1, 2)


def upright(faces: Faces, rows: Iterable[int], crop: Crop) -> U8:
    """Those faces exactly as the stream cuts them, uint8 (N, S, S, 3) BGR."""
    return np.stack([view_of(*faces.picture(row), crop, None) for row in rows])


def varied(faces: Faces, rows: Iterable[int], recipe: Recipe, rng: np.random.Generator) -> U8:
    """The same a little different each time, as they are trained on."""
    pictures = (faces.picture(row) for row in rows)
    return np.stack([view_of(*p, recipe.crop, rng, recipe.bare, spoilt=recipe.spoilt) for p in pictures])


def lowered(device: str) -> AbstractContextManager[object]:
    """Calculation in bfloat16 where the processor does that by itself; elsewhere it would be slower."""
    if device == "cuda":
        able = torch.cuda.is_bf16_supported()
    else:
        able = any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    context: AbstractContextManager[object] = torch.autocast(device, torch.bfloat16, enabled=bool(able))
    return context


@dataclass
class Run:
    """A training under way, all that has to be kept to go on with it."""

    recipe: Recipe
    net: FaceNet
    seed: int
    steps: int  # in an epoch
    epoch: int = 0
    device: str = "cpu"
    fold: str = ""
    teachers: str = ""
    faces: str = ""  # which, see `mark`

    def __post_init__(self) -> None:
        self.net = self.net.to(self.device, memory_format=torch.channels_last)
        self.mean = copy.deepcopy(self.net).eval()
        slow = self.recipe.slower if self.recipe.start else 1.0
        rate = self.recipe.rate
        groups = [
            {"params": list(self.net.backbone.parameters()), "lr": rate * slow},
            {"params": list(self.net.heads.parameters()), "lr": rate},
        ]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=self.recipe.decay)
        whole = self.steps * self.recipe.epochs
        warm = self.steps * WARM_UP

        def share(step: int) -> float:
            return min((step + 1) / warm, 0.5 + 0.5 * math.cos(math.pi * min(step / whole, 1.0)))

        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, share)

    def step(self, chips: Tensor, targets: Targets) -> float:
        """One step; the loss."""
        with lowered(self.device):
            scores = self.net(chips.to(self.device))
        loss = _loss(scores, targets, {**WEIGHTS, "gender": self.recipe.gender})
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), CLIP)
        self.optimizer.step()
        self.schedule.step()
        self._average()
        return float(loss.detach())

    def _average(self) -> None:
        """The running mean of the weights, which is what is tested and shipped."""
        done = self.schedule.last_epoch
        keep = min(self.recipe.average, (1 + done) / (10 + done))
        with torch.no_grad():
            for ours, newest in zip(
                self.mean.state_dict().values(), self.net.state_dict().values(), strict=True
            ):
                if ours.dtype.is_floating_point:
                    ours.lerp_(newest, 1 - keep)
                else:
                    ours.copy_(newest)

    def state(self) -> dict[str, Any]:
        """All of it."""
        return {
            "recipe": asdict(self.recipe),
            "seed": self.seed,
            "fold": self.fold,
            "teachers": self.teachers,
            "faces": self.faces,
            "epoch": self.epoch,
            "net": self.net.state_dict(),
            "mean": self.mean.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def resume(self, folder: Path) -> None:
        """Go on with what that folder holds, if it holds anything; make it, if there is none.

        Raises:
            ConfigError: that is of another training, or cannot be read.
            SinkError: it cannot be made.
        """
        if (folder / CHECKPOINT).exists():
            self.load(opened(folder / CHECKPOINT, self.device), folder / CHECKPOINT)
        made(folder)

    def load(self, state: dict[str, Any], place: Path) -> None:
        """Go on where that state, kept at that place, was taken.

        Raises:
            ConfigError: it was taken of another training.
        """
        ours = {**asdict(self.recipe), "seed": self.seed, "fold": self.fold, "teachers": self.teachers}
        if state.get("faces"):  # older ones do not tell
            ours["faces"] = self.faces
        theirs = {"fold": "", "teachers": "", **asdict(Recipe(**state["recipe"])), **state}
        other = [
            f"{key} is {theirs[key]!r} there, {ours[key]!r} here" for key in ours if ours[key] != theirs[key]
        ]
        if other:
            raise ConfigError(
                f"{place}: is of another training ({'; '.join(other)}). Ask for the same, or another --out."
            )
        self.epoch = state["epoch"]
        self.net.load_state_dict(state["net"])
        self.mean.load_state_dict(state["mean"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])


def mark(faces: Faces, tune: Faces) -> str:
    """The same for the same faces to train on and to watch, as large."""
    words = [str(faces.picture(0)[0].shape[0]), *faces.labels.name.tolist(), "", *tune.labels.name.tolist()]
    digest = hashlib.sha256("\n".join(words).encode("utf-8", "surrogateescape")).hexdigest()
    return f"{len(faces)} to train on, {len(tune)} to watch ({digest[:8]})"


def _loss(scores: dict[str, Tensor], targets: Targets, weights: dict[str, float]) -> Tensor:
    device = next(iter(scores.values())).device
    ends = torch.from_numpy(targets.ends).to(device)
    shares = {name: torch.from_numpy(share).to(device) for name, share in targets.shares.items()}
    loss = torch.zeros((), device=device)
    for name, score in scores.items():
        if name == "quality":
            part = quality_loss(score, scores, ends, shares)
        else:
            part = age_loss(score, ends) if name == "age" else class_loss(score, shares[name])
            if name in targets.told and score.shape[1] > 1:  # probabilities teach no single number
                told = torch.from_numpy(targets.told[name]).to(device)
                part = (1 - TOLD) * part + TOLD * class_loss(score, told)
        loss = loss + weights[name] * part
    return loss


def batches(faces: Faces, recipe: Recipe, seed: int, epoch: int) -> Iterator[tuple[Tensor, Targets]]:
    """The faces of one epoch, in batches, made while the network works on the one before."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.choice(len(faces), len(faces), p=faces.weights)
    blocks = [order[i : i + recipe.batch] for i in range(0, len(order) - recipe.batch + 1, recipe.batch)]

    def make(nth: int) -> tuple[Tensor, Targets]:
        own = np.random.default_rng([seed, epoch, nth])
        return prepare(varied(faces, blocks[nth], recipe, own)), faces.targets.take(blocks[nth])

    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(make, 0)
        for nth in range(len(blocks)):
            batch = coming.result()
            if nth + 1 < len(blocks):
                coming = pool.submit(make, nth + 1)
            yield batch


def train(run: Run, faces: Faces, tune: Faces, folder: Path) -> None:
    """Train to the end; after each epoch a checkpoint, whole or not at all, and a line of curves.csv.

    Args:
        run: as it was resumed from that folder.
        faces: to train on.
        tune: to watch.
        folder: of this training.

    Raises:
        ConfigError: the loss is no number any more.
        SinkError: the folder cannot be written to.
    """
    curves = folder / "curves.csv"
    with written(curves):
        trimmed(curves, run.epoch)
    while run.epoch < run.recipe.epochs:
        began = time.monotonic()
        torch.manual_seed(run.seed + 1_000_003 * run.epoch)  # dropout's, so that a resumed run draws the same
        run.net.train()
        losses = [run.step(*batch) for batch in batches(faces, run.recipe, run.seed, run.epoch)]
        if not np.isfinite(losses).all():
            raise ConfigError(
                f"the loss of epoch {run.epoch + 1} is no number any more; {folder} keeps the epochs before. "
                "Try a smaller rate, with another --out."
            )
        run.epoch += 1
        said = answers(run.mean, tune, run.recipe)
        row = {"epoch": run.epoch, "loss": float(np.mean(losses)), **by_set(said, tune)}
        row["seconds"] = time.monotonic() - began
        with written(curves):
            append(curves, row)
        print("  ".join(f"{name} {value:.4g}" for name, value in row.items()), flush=True)
        _keep(run.state(), folder / CHECKPOINT)


def _keep(state: dict[str, Any], path: Path) -> None:
    part = path.with_suffix(".part")
    try:
        with written(path):
            torch.save(state, part)
            part.replace(path)
    except RuntimeError as error:  # PyTorch's word for a full disk
        raise SinkError(f"{path}: cannot be written (is the disk full?).") from error
    finally:
        part.unlink(missing_ok=True)


def answers(net: FaceNet, faces: Faces, recipe: Recipe, flip: bool = False) -> dict[str, F32]:
    """Raw scores (N, classes) of each head on faces cut as the stream does, or mirrored."""
    net.eval()
    device = next(net.parameters()).device
    said: dict[str, list[Array]] = {}
    for start in range(0, len(faces), 256):
        chips = upright(faces, range(start, min(start + 256, len(faces))), recipe.crop)
        if flip:
            chips = chips[:, :, ::-1]
        with torch.no_grad(), lowered(device.type):
            for name, score in net(prepare(chips).to(device)).items():
                said.setdefault(name, []).append(score.float().cpu().numpy())
    return {name: np.concatenate(parts) for name, parts in said.items()}
