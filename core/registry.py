"""Choice by name: a dict of strings, imported only when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from core.errors import ConfigError


def load(registry: Mapping[str, str], name: str, what: str) -> Any:
    """The class that `registry` names `module:Class` under `name`.

    Raises:
        ConfigError: no such name (the right ones are listed), or its package is missing.
    """
    if name not in registry:
        raise ConfigError(unknown(what, name, registry))
    module, _, attribute = registry[name].partition(":")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise ConfigError(f"{what} '{name}' needs the package '{error.name}': install it.") from error


def unknown(what: str, name: str, right: Mapping[str, Any]) -> str:
    """A sentence for a name that does not exist, with the nearest and all that do."""
    near = get_close_matches(name, right, 1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"{what}: there is no '{name}'.{hint} There are: {', '.join(sorted(right)) or 'none'}."
