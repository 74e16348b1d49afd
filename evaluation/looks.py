"""One look at each labelled face, good and poor pictures; and what a card's numbers make of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import count

import numpy as np

from core.cards import Output
from core.errors import SourceError
from core.types import F64, I64, Array, Estimates
from estimators.network import ANYBODY, Network, by_age, doubted, fitted, temper
from estimators.panel import Panel
from evaluation.finder import Located
from evaluation.judge import believe
from evaluation.models import open_models

SAID = ("quality", "age", "female", "emotion")
FEWEST = 20  # looks with a label that a number may be fitted by
BLOCK = 500  # looks widened at once: each takes a table of 101 x 101
Numbers = dict[str, Output]  # of each role: deviation, temperature, doubt


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Looks at labelled faces, a row each, as the networks give them: nothing widened yet.

    Attributes:
        quality (N,), age (N, 101), female (N,), emotion (N, 7): what was said.
        years (N,), woman (N,), mood (N,): what is true; NaN or -1 where not labelled.
        tuning (N,): bool, numbers may be fitted on it.
        person (N,): the same for all views of one picture.
        poor (N,): bool, the picture was made poor.
    """

    quality: F64
    age: F64
    female: F64
    emotion: F64
    years: F64
    woman: F64
    mood: I64
    tuning: Array
    person: I64
    poor: Array

    def __len__(self) -> int:
        return len(self.quality)

    def told(self, role: str) -> Looks:
        """Those with a label for a role."""
        by_role = {
            "age": np.isfinite(self.years),
            "gender": np.isfinite(self.woman),
            "emotion": self.mood >= 0,
        }
        return self.take(by_role[role])

    def take(self, rows: Array) -> Looks:
        """Those rows (a mask)."""
        return Looks(*(getattr(self, column.name)[rows] for column in fields(self)))


def together(packs: Iterable[Looks]) -> Looks:
    """The rows of all; persons are told apart within a pack only."""
    columns = [[getattr(looks, column.name) for column in fields(Looks)] for looks in packs]
    return Looks(*(np.concatenate(parts) for parts in zip(*columns, strict=True)))


def open_panel(names: Mapping[str, str]) -> tuple[Panel, Numbers]:
    """The network of each role, nothing widened, tempered or doubted; and what their cards state."""
    plain = {"deviation": 0.0, "temperature": 1.0, "doubt": 0.0}
    models = open_models(names)
    networks: dict[str, Network] = {}
    for model in models:
        bare = tuple(output.model_copy(update=plain) for output in model.card.outputs)
        card = model.card.model_copy(update={"outputs": bare})
        networks.setdefault(card.id, Network(card, model.session))
    stated: Numbers = {
        model.role: output for model in models for output in model.card.outputs if output.role == model.role
    }
    return Panel({model.role: networks[model.card.id] for model in models}), stated


def collect(panel: Panel, people: Iterable[list[Located]], name: str) -> Looks:
    """Let the panel judge all views of every person; the first of each is the picture as it is.

    Raises:
        SourceError: there is nobody in the set of that name.
    """
    said: list[Estimates] = []
    labels = []
    for person, views in zip(count(), people, strict=False):
        for place, face in enumerate(views):
            sample = face.sample
            said += panel.look([(sample.image, face.faces)])
            tuning = sample.part == "tune"
            labels.append((sample.age, sample.female, sample.mood, tuning, person, place > 0))
    if not said:
        raise SourceError(f"{name}: no face is found in any of its pictures.")
    columns = {key: np.concatenate([getattr(look, key) for look in said]).astype(np.float64) for key in SAID}
    years, woman, mood, tuning, person, poor = np.array(labels, np.float64).T
    return Looks(
        **columns,
        years=years,
        woman=woman,
        mood=mood.astype(np.int64),
        tuning=tuning > 0,
        person=person.astype(np.int64),
        poor=poor > 0,
    )


def ages(looks: Looks, output: Output) -> F64:
    """Distributions of the age (N, 101) by these numbers."""
    blocks = np.array_split(looks.age, -(-len(looks.age) // BLOCK)) if len(looks.age) else [looks.age]
    wide = np.concatenate([fitted(block, output) for block in blocks])
    return doubted(wide, ANYBODY, output.doubt, looks.quality)


def female(looks: Looks, output: Output) -> F64:
    """Probabilities of being female (N,) by these numbers."""
    both = temper(np.stack([looks.female, 1 - looks.female], axis=1), _same(looks, output))
    return doubted(both, np.full(2, 1 / 2), output.doubt, looks.quality)[:, 0]


def _same(looks: Looks, output: Output) -> F64:
    return by_age(output.temperature, np.zeros(len(looks.quality)))


def moods(looks: Looks, output: Output) -> F64:
    """Probabilities of the moods (N, 7) by these numbers."""
    shares = temper(looks.emotion, _same(looks, output))
    return doubted(shares, np.full(7, 1 / 7), output.doubt, looks.quality)


def told_ages(distributions: F64) -> F64:
    """What tracks believe after one such look: (N, 3), years: the age, low and high."""
    looks = Estimates.none(len(distributions))
    looks.age[:], looks.quality[:] = distributions, 1
    belief = believe(looks)
    return np.stack([belief.age_mean, belief.age_low, belief.age_high], axis=1).astype(np.float64)
