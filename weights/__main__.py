"""`python -m weights`: brings, verifies, converts and lists the networks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial

from core.cards import Card
from core.command import ended
from core.errors import WeightsError
from core.registry import unknown
from weights.bring import INSTALL, bring, convertible, rebuild
from weights.manifest import cards
from weights.store import locate
from weights.table import table

DESCRIPTION = "Brings, verifies, converts and lists the networks of weights/manifest.yaml."
EPILOGUE = """commands:
  (none)          verify the networks that are here, bring and convert those that are missing
  list            each network with its licences, data and figures
  get NAME        bring one network
  convert [NAME]  make the networks of the repository again from their packages into a
                  temporary folder, and prove them equal; or one network
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Errors are one sentence on stderr."""
    return ended(partial(_run, arguments))


def _run(arguments: Sequence[str] | None) -> None:
    parser = argparse.ArgumentParser(
        "python -m weights",
        description=DESCRIPTION,
        epilog=EPILOGUE,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("command", nargs="?", default="all", choices=["all", "list", "get", "convert"])
    parser.add_argument("name", nargs="?", help="of the network, for get and convert")
    chosen = parser.parse_args(arguments)
    takes = chosen.command in ("get", "convert")
    if (chosen.command == "get" and chosen.name is None) or (chosen.name is not None and not takes):
        parser.error("get takes the name of a network, convert may, the other commands take none")
    commands: dict[str, Callable[[], None]] = {
        "all": _bring_all,
        "list": lambda: _say(table(cards().values())),
        "get": lambda: _get(chosen.name),
        "convert": lambda: _convert(chosen.name),
    }
    commands[chosen.command]()


def _bring_all() -> None:
    for card in cards().values():
        if card.package is None and not card.in_repository:
            continue
        if not _is_here(card) and (card.on_request or not (card.in_repository or convertible())):
            packages = "" if convertible() else f"{INSTALL}, then "
            _say(f"{card.id}: not here; to have it: {packages}python -m weights get {card.id}")
            continue
        _say(f"{card.id}: verified, {bring(card)}")


def _get(name: str) -> None:
    _say(f"{name}: verified, {bring(_card(name))}")


def _convert(name: str | None) -> None:
    if name is not None:
        _say(f"{name}: {rebuild(_card(name))}")
        return
    for card in cards().values():
        if card.package is not None and not card.on_request:
            _say(f"{card.id}: {rebuild(card)}")


def _card(name: str) -> Card:
    known = cards()
    if name not in known:
        raise WeightsError(unknown("weights", name, known))
    return known[name]


def _is_here(card: Card) -> bool:
    try:
        locate(card)
    except WeightsError:
        return False
    return True


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
