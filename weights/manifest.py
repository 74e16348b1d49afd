"""The manifest as cards."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import TypeAdapter

from core.cards import Card

HOME = Path(__file__).parent
CACHE = HOME / "cache"


def cards() -> dict[str, Card]:
    """Every card of `weights/manifest.yaml`, by its id, in the order of the file."""
    rows = yaml.safe_load((HOME / "manifest.yaml").read_text(encoding="utf-8"))
    return {card.id: card for card in TypeAdapter(list[Card]).validate_python(rows)}


def place(card: Card) -> Path:
    """Where the file of a card lies, or will."""
    return (HOME if card.in_repository else CACHE) / card.file
