"""From settings to a pipeline: opens the networks and puts the parts together."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

import detectors
import tracker
from core.cards import Card
from core.errors import ConfigError
from core.registry import load, unknown
from core.session import PROVIDERS, Session, has_gpu, open_session
from core.settings import Settings
from core.types import SourceInfo
from estimators.embedder import Embedder
from estimators.evidence import Fusion
from estimators.network import Network
from estimators.panel import Panel
from pipeline.gate import Gate
from pipeline.schedule import Chooser
from pipeline.step import Lane, Pipeline
from watch.life import Life
from watch.still import Still
from weights.manifest import cards
from weights.store import locate, sha256

log = logging.getLogger(__name__)

OFF, AUTO = "none", "auto"
PRINTS = "embedding"  # the role that is asked by the tracker, not by the chooser of looks
ON_CPU, ON_GPU = "yunet", "retinaface"  # what `detector.name: auto` stands for


@dataclass(frozen=True, slots=True)
class Model:
    """A network that is open, and what is known of it."""

    role: str
    card: Card
    session: Session
    sha256: str

    def row(self) -> dict[str, object]:
        """As it stands in the summary."""
        return {
            "role": self.role,
            "id": self.card.id,
            "sha256": self.sha256,
            "licence": self.card.licence,
            "commercial": self.card.commercial,
        }


@dataclass(frozen=True, slots=True)
class Built:
    """A pipeline and the networks in it."""

    pipeline: Pipeline
    models: tuple[Model, ...]

    @property
    def provider(self) -> str:
        """The onnxruntime provider that the detector really runs on."""
        return self.models[0].session.provider


def build(settings: Settings) -> Built:
    """Open every network that the settings name and put the pipeline together.

    Raises:
        ConfigError: a name that does not exist.
        WeightsError, DeviceError: a network that cannot be run.
    """
    found = cards()
    detector = _open_detector(settings, found)
    models: dict[str, Model] = {}  # by role
    networks: dict[str, Network] = {}  # by id: one that fills several roles is opened and run once
    for role, card in chosen(settings, found).items():
        known = next((model for model in models.values() if model.card.id == card.id), None)
        models[role] = replace(known, role=role) if known else _open(card, role, settings)
        networks.setdefault(card.id, Network(card, models[role].session))
    _lane(
        settings, detector.card.id, SourceInfo("", "video", ""), 1
    )  # so that its faults are told before anything is read
    kind = load(detectors.REGISTRY, detector.card.id, "detector.name")
    filled = {role: networks[model.card.id] for role, model in models.items()}
    prints = filled.pop(PRINTS, None)
    pipeline = Pipeline(
        kind(settings.detector, detector.card, detector.session),
        Panel(filled),
        lambda info, first_id: _lane(settings, detector.card.id, info, first_id),
        settings.detector.interval,
        Embedder(prints) if prints else None,
    )
    return Built(pipeline, (detector, *models.values()))


def chosen(settings: Settings, found: dict[str, Card]) -> dict[str, Card]:
    """The network of each role that is not switched off; `auto` is the one of the profile.

    Raises:
        ConfigError: a name that does not exist, or that does not fit the role.
    """
    networks: dict[str, Card] = {}
    for role, name in settings.estimators.roles.items():
        if name == AUTO and role != PRINTS:
            profile = settings.estimators.profile
            able = [card for card in found.values() if profile in card.profiles and fits(card, role)]
            if not able:
                raise ConfigError(f"estimators.{role}: the profile '{profile}' has no network for it.")
            networks[role] = able[0]
        elif name != OFF:
            networks[role] = _card(found, name, role)
    return networks


def _lane(settings: Settings, detector: str, info: SourceInfo, first_id: int) -> Lane:
    config = settings.tracker
    if config.scores == "auto":
        config = config.model_copy(update={"scores": detector})
    if info.stills:  # nothing follows a still: each face counts at once
        config = config.model_copy(update={"confirm_looks": 1, "confirm_score": 0.0, "compatibility": None})
    track = load(tracker.REGISTRY, config.name, "tracker.name")
    return Lane(
        tracker=track(config, first_id),
        chooser=Chooser(settings.looks, stills=info.stills),
        fusion=Fusion(settings.evidence),
        life=Life(settings.events),
        still=Still(None if info.stills else config.static_after),
        stills=info.stills,
        gate=Gate() if (info.live if settings.detector.gate == "auto" else settings.detector.gate) else None,
        ignore=tuple(np.array(area, np.float64) for area in info.ignore),
    )


def _open_detector(settings: Settings, found: dict[str, Card]) -> Model:
    """The detector that was named; `auto` takes the larger one where a GPU really runs it."""
    name = settings.detector.name
    if name != "auto":
        return _open(_card(found, name, "detector"), "detector", settings)
    if settings.runtime.device != "cpu" and has_gpu():
        model = _open(found[ON_GPU], "detector", settings)
        if model.session.provider != PROVIDERS["cpu"]:
            return model
        log.warning("onnxruntime is built for a GPU, but none starts here: the CPU is used.")
    return _open(found[ON_CPU], "detector", settings)


def _card(found: dict[str, Card], name: str, role: str) -> Card:
    right = {card.id: card for card in found.values() if fits(card, role)}
    if name not in right:
        key = "detector.name" if role == "detector" else f"estimators.{role}"
        others = {} if role in ("detector", PRINTS) else {AUTO: None}
        others |= {} if role == "detector" else {OFF: None}
        raise ConfigError(unknown(key, name, {**right, **others}))
    return right[name]


def fits(card: Card, role: str) -> bool:
    """Whether a network can fill a role."""
    return card.role == role or any(output.role == role for output in card.outputs)


def _open(card: Card, role: str, settings: Settings) -> Model:
    own = settings.detector.weights if role == "detector" else None
    path = locate(card, path=own)
    session = open_session(path, settings.runtime.device, settings.runtime.threads)
    return Model(role, card, session, sha256(path))
