"""The networks of a measurement, opened as the program opens them, and how the summary names them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from core.cards import Card
from core.errors import ConfigError
from core.protocols import Detector
from core.registry import load, unknown
from core.session import PROVIDERS, Session, open_session
from core.settings import DetectorConfig, Settings
from detectors import REGISTRY
from pipeline.build import OFF, chosen, fits
from weights.manifest import cards
from weights.store import locate, sha256

DETECTORS = "yunet (the default), retinaface, or scrfd=FILE"


@dataclass(frozen=True, slots=True)
class Model:
    """A network that was opened."""

    role: str
    card: Card
    session: Session
    file: Path

    def row(self) -> dict[str, object]:
        """As the summary names it."""
        return model_row(self.role, self.card, self.file)


def model_row(role: str, card: Card, file: Path) -> dict[str, object]:
    """A network as the summary names it."""
    own = {"role": role, "id": card.id, "sha256": sha256(file)}
    return {**own, "licence": card.licence, "commercial": card.commercial}


def default(role: str) -> str:
    """The network by which the program fills a role; for others, the first that can.

    Raises:
        ConfigError: no network at hand tells it.
    """
    found = cards()
    settings = Settings()
    if settings.estimators.roles.get(role, OFF) != OFF:
        return chosen(settings, found)[role].id
    able = [card.id for card in found.values() if fits(card, role)]
    if not able:
        raise ConfigError(f"{role}: no network at hand tells it.")
    return able[0]


def open_model(role: str, name: str, device: str) -> Model:
    """The network of that name for that role.

    Raises:
        ConfigError: it does not exist, or has no output for the role.
        WeightsError, DeviceError: it cannot be run.
    """
    able = {card.id: card for card in cards().values() if fits(card, role)}
    if name not in able:
        raise ConfigError(unknown(f"--models, {role}", name, able))
    file = locate(able[name])
    return Model(role, able[name], open_session(file, device, 1), file)


def open_models(names: Mapping[str, str], device: str = "cpu") -> list[Model]:
    """The network of each role; one that fills several is opened once.

    Raises:
        ConfigError, WeightsError, DeviceError: see `open_model`.
    """
    opened: dict[str, Model] = {}
    models = []
    for role, name in names.items():
        if name in opened and fits(opened[name].card, role):
            models.append(replace(opened[name], role=role))
        else:
            models.append(open_model(role, name, device))
            opened.setdefault(name, models[-1])
    return models


def open_detector(
    name: str, device: str, threads: int = 1, **settings: object
) -> tuple[Detector, Card, Path]:
    """The detector of that name with those settings; its card and its file.

    Args:
        name: of the detector; `NAME=FILE` where it works with a file of the user's own.
        device, threads: to run it on.
        settings: of `detector`.

    Raises:
        ConfigError: it does not exist, or a setting is out of its range.
        WeightsError, DeviceError: it cannot be run.
    """
    known = {key: card for key, card in cards().items() if card.role == "detector"}
    name, _, own = name.partition("=")
    if name not in known:
        raise ConfigError(unknown("--detector", name, known))
    file = locate(known[name], path=Path(own) if own else None)
    try:
        config = DetectorConfig.model_validate({"name": name, **settings})
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"--{first['loc'][0]}: {first['msg']}, not {first['input']}.") from error
    kind = load(REGISTRY, name, "--detector")
    return kind(config, known[name], open_session(file, device, threads)), known[name], file


def network_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of tasks about one face a picture: how it is found, and where networks run."""
    parser.add_argument(
        "--aligned", action="store_true", help="the pictures are cut-out faces: look for none"
    )
    parser.add_argument("--detector", default="yunet", help=DETECTORS)
    device_argument(parser)


def device_argument(parser: argparse.ArgumentParser) -> None:
    """Add --device."""
    parser.add_argument("--device", default="cpu", choices=["auto", *PROVIDERS])


def role_arguments(words: str) -> Mapping[str, str]:
    """`age=ID,gender=ID` as a mapping; for argparse."""
    pairs = [word.partition("=") for word in words.split(",") if word]
    wrong = [name for name, equals, network in pairs if not (equals and network)]
    if wrong:
        raise argparse.ArgumentTypeError(f"expected ROLE=NETWORK, got '{wrong[0]}'")
    return {role: network for role, _, network in pairs}
