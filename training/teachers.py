"""What trained networks say of the training faces, for another one to learn from.

Source: Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", 2015.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.cards import Card
from core.errors import ConfigError
from core.session import open_session
from core.types import F32, Array
from estimators.network import Network
from evaluation.options import written
from training.kept import Kept, kept
from training.loop import answers, upright
from training.networks import probable
from training.targets import Faces
from weights.manifest import cards
from weights.store import locate, sha256

ASKED = "asked"  # of what is kept, the key of the question
LEARNED = 1e-6  # weight of a teacher that was trained on the face, beside one that was not


def told(teachers: Sequence[Trained | Carded], faces: Faces, store: Path) -> dict[str, F32]:
    """The mean of their probabilities, each asked upright and mirrored, by head; kept in a file.

    What is kept there is taken only if these teachers were asked about these faces.

    A card is asked for the genders alone: its ages and moods are weaker than what labels teach.

    Each question about a face is answered by those teachers that were not trained on it (see
    `--fold`), if there are any: of faces that it learned by heart a network half repeats the label.

    Args:
        teachers: trained networks.
        faces: of a training, N.
        store: an .npz that holds the answers, or will.

    Raises:
        ConfigError: a teacher that says an age as one number.
    """
    asked = _question(teachers, faces)
    found = _stored(store)
    if str(found.pop(ASKED, "")) == asked:
        return found
    sums: dict[str, F32] = {}
    counts: dict[str, F32] = {}
    for teacher, shares in ((teacher, teacher.said(faces)) for teacher in teachers):
        for name, share in shares.items():
            # One that learned the face speaks only until another one does that did not.
            weight = np.where(teacher.new(faces), 1, LEARNED).astype(np.float32)[:, None]
            sums[name] = sums.get(name, np.float32(0)) + share * weight
            counts[name] = counts.get(name, np.float32(0)) + weight
    found = {name: (total / counts[name]).astype(np.float32) for name, total in sums.items()}
    part = store.with_suffix(".part")
    with written(store):
        store.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            np.savez(file, allow_pickle=False, **found, **{ASKED: np.array(asked)})
        part.replace(store)
    return found


def _stored(store: Path) -> dict[str, Array]:
    """What was kept; nothing if that cannot be read: they are asked again."""
    try:
        with store.open("rb") as file, np.load(file) as kept:
            return {name: kept[name] for name in kept.files}
    except (OSError, EOFError, ValueError, AttributeError, TypeError, zipfile.BadZipFile):
        return {}


def _question(teachers: Sequence[Trained | Carded], faces: Faces) -> str:
    """The same for the same networks asked about the same faces."""
    words = [*(teacher.mark() for teacher in teachers), *faces.labels.name.tolist()]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Trained:
    """A training as a teacher."""

    kept: Kept

    def mark(self) -> str:
        """The same for the same weights."""
        return sha256(self.kept.folder / "checkpoint.pt")

    def new(self, faces: Faces) -> Array:
        """Bool (N,): the faces that it was not trained on."""
        fold = self.kept.fold
        return np.zeros(len(faces), np.bool_) if fold is None else fold.holds(faces.labels)

    def said(self, faces: Faces) -> dict[str, F32]:
        """Probabilities by head, float32 (N, classes)."""
        recipe = self.kept.recipe
        if recipe.age != "years":
            raise ConfigError(
                f"{self.kept.folder}: says an age as one number, which teaches no distribution."
            )
        ways = [answers(self.kept.net, faces, recipe, flip) for flip in (False, True)]
        heads = [name for name in recipe.heads if name != "quality"]
        return {
            name: sum(probable(name, torch.from_numpy(way[name])).numpy() for way in ways) / 2
            for name in heads
        }


@dataclass(frozen=True, slots=True)
class Carded:
    """A network of the manifest as a teacher: one that never saw the labels of these faces."""

    card: Card

    def mark(self) -> str:
        """The same for the same weights."""
        return sha256(locate(self.card))

    def new(self, faces: Faces) -> Array:
        """Bool (N,): all of them."""
        return np.ones(len(faces), np.bool_)

    def said(self, faces: Faces) -> dict[str, F32]:
        """Probabilities of female and male, float32 (N, 2)."""
        network = Network(self.card, open_session(locate(self.card), "cpu", 1))
        crop = network.crop
        parts = []
        for row in range(len(faces)):
            chip = upright(faces, [row], crop)[0, ..., ::-1]
            both = np.ascontiguousarray(np.stack([chip, chip[:, ::-1]]))
            parts.append(network.estimate(both, np.ones(2, np.float32)).female.mean())
        female = np.array(parts, np.float32)
        return {"gender": np.stack([female, 1 - female], axis=1)}


def teacher(name: str, device: str) -> Trained | Carded:
    """A folder of a training, or a card that tells the gender.

    Raises:
        ConfigError: neither.
    """
    card = cards().get(name)
    if card is None:
        return Trained(kept(Path(name), device))
    if not any(output.role == "gender" for output in card.outputs) or card.input.colour != "rgb":
        raise ConfigError(f"--teachers: '{name}' tells no gender from a colour picture.")
    return Carded(card)
