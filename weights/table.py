"""The manifest as text for people, 80 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from core.cards import Card
from weights.manifest import place

WIDTH = 79
ROW = "{:<12} {:<9} {:<28} {:<10} {:<16}"


def table(cards: Iterable[Card]) -> str:
    """A row for each network, then what its package, its data and our measurements say."""
    cards = list(cards)
    rows = [ROW.format("network", "role", "licence of the weights", "commercial", "here")]
    for card in cards:
        commercial = "yes" if card.commercial else "no"
        rows.append(ROW.format(card.id, card.role, card.licence, commercial, _state(card)))
    notes = [_note(card) for card in cards]
    return "\n".join(row.rstrip() for row in rows) + "\n\n" + "\n\n".join(notes)


def _state(card: Card) -> str:
    if card.package is None and not card.in_repository:
        return "yours to bring"
    if place(card).is_file():
        return "repository" if card.in_repository else "converted"
    return "missing"


def _note(card: Card) -> str:
    package = card.package
    source = f"{package.index} {package.name} {package.version}, " if package else ""
    lines = [
        f"{card.id}: {card.title}",
        f"package: {source}{card.package_licence}",
        f"upstream: {card.upstream}",
        f"training data: {card.training_data}",
        f"terms: {card.terms}",
        f"published: {card.published}",
        f"measured: {card.measured}",
    ]
    return "\n".join([lines[0], *(_wrapped(line) for line in lines[1:])])


def _wrapped(line: str) -> str:
    return textwrap.fill(
        line,
        WIDTH,
        initial_indent="  ",
        subsequent_indent="    ",
        break_on_hyphens=False,
        break_long_words=False,
    )
