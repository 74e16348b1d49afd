"""Finds the file of a card and makes sure that it is the right one."""

from __future__ import annotations

import hashlib
from pathlib import Path

from core.cards import Card
from core.errors import WeightsError
from weights.manifest import place


def locate(card: Card, *, path: Path | None = None) -> Path:
    """The file of a network, its SHA-256 verified.

    Args:
        card: of the network.
        path: a file of the user's own that stands in for it; no hash is known of that.

    Raises:
        WeightsError: it is not there, or altered; the message says what to do.
    """
    if path is not None:
        if not path.is_file():
            raise WeightsError(f"{path}: there is no such file (asked for as the weights of '{card.id}').")
        return path
    if card.package is None and not card.in_repository:
        raise WeightsError(
            f"'{card.id}' works with a file that you bring ({card.licence}): "
            f"set {card.role}.weights to its path; for python -m evaluation, --{card.role} {card.id}=FILE."
        )
    path = place(card)
    remedy = f"Bring it with: python -m weights get {card.id}"
    if card.package is None:
        remedy = f"Restore the file: git checkout -- weights/{card.file}"
    if not path.is_file():
        raise WeightsError(f"{path}: the weights of '{card.id}' are not here. {remedy}")
    expected = card.sha256 or recorded(path)
    if expected is None:
        raise WeightsError(f"{path}: there is no record of its hash, so it may be broken off. {remedy}")
    found = sha256(path)
    if found != expected:
        raise WeightsError(
            f"{path}: altered or broken off: its SHA-256 begins with {found[:12]}, "
            f"expected {expected[:12]}. {remedy}"
        )
    return path


def sha256(path: Path) -> str:
    """Of the file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def record(path: Path) -> Path:
    """Where the hash of a file that was converted on this machine is kept."""
    return path.with_name(path.name + ".sha256")


def recorded(path: Path) -> str | None:
    """The hash noted at its conversion, if there is one."""
    note = record(path)
    return note.read_text(encoding="ascii").strip() if note.is_file() else None
