"""Reads the settings: `config.yaml`, files laid over it, and single values from the command line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from core.errors import ConfigError
from core.faults import Key, explain, invalid_yaml, place
from core.settings import Settings

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME = re.compile(r"[\w.-]*")
_UNWRITABLE = re.compile(r"[\0\ud800-\udfff]")  # YAML can escape them, but no file or host has them
_MOST = 100_000  # settings; a few lines of aliases of aliases would be millions
# What PyYAML raises besides its own errors, of words such as `!!bool perhaps` or a date without a month 13.
_CHOKES = (ValueError, LookupError, AttributeError, ArithmeticError)
Option = tuple[str, str, object]  # what was typed, such as --from; the setting; its value


def load_settings(
    files: Sequence[Path],
    overrides: Sequence[str] = (),
    environment: Mapping[str, str] = os.environ,
    options: Sequence[Option] = (),
) -> Settings:
    """The settings of these files, later ones over earlier ones; over them `a.b=value` words, and options.

    `${NAME}` in a value is taken from the environment.

    Raises:
        ConfigError: all faults at once, each with its place, key, value and what would be right.
    """
    merged: dict[str, Any] = {}
    places: dict[Key, str] = {}
    for file in files:
        _merge(merged, _read(file, places))
    for word in overrides:
        _merge(merged, _parse(word, places))
    for option, name, value in options:
        _merge(merged, _lay(name.split("."), value, option, places))
    faults: list[str] = []
    # A section with nothing in it, as people leave behind, changes nothing.
    merged = {key: value for key, value in merged.items() if value is not None}
    merged = _expand(merged, environment, faults, places)
    try:
        if not faults:
            return Settings.model_validate(merged)
    except ValidationError as error:
        faults += explain(error.errors(), places)
    raise ConfigError("\n".join(dict.fromkeys(faults)))


def _read(file: Path, places: dict[Key, str]) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: is no text that can be read; save it as UTF-8.") from error
    except OSError as error:
        raise ConfigError(f"{file}: {_unreadable(error)}") from error
    node = _understood(text, yaml.compose, str(file))
    try:
        _note_places(node, (), file, places)
    except RecursionError as error:
        raise ConfigError(
            f"{file}: holds a section within itself (an alias such as *a); write it out."
        ) from error
    data = _understood(text, yaml.load, str(file), node)
    if data is None:
        return {}
    if not isinstance(data, dict):
        found = "a list" if isinstance(data, list) else "a single value"
        raise ConfigError(f"{file}: expected sections such as `detector:`, not {found}.")
    return data


def _understood(text: str, reader: Callable[..., Any], where: str, node: yaml.Node | None = None) -> Any:
    """What a reader of YAML makes of a text; `node`, if there is one, leads to the line of a fault."""
    try:
        return reader(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigError(invalid_yaml(error, where)) from error
    except _CHOKES as error:
        line = next((f":{mark.start_mark.line + 1}" for mark in _leaves(node) if _is_choking(mark)), "")
        raise ConfigError(invalid_yaml(error, where + line)) from error
    except RecursionError as error:
        raise ConfigError(f"{where}: has brackets within brackets, too deep to read; write less.") from error


def _leaves(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.CollectionNode):
        for part in node.value:
            for inner in part if isinstance(part, tuple) else (part,):
                yield from _leaves(inner)


def _is_choking(leaf: yaml.ScalarNode) -> bool:
    try:
        yaml.constructor.SafeConstructor().construct_object(leaf)
    except (yaml.YAMLError, *_CHOKES):
        return True
    return False


def _unreadable(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such settings file; check the name."
    if isinstance(error, IsADirectoryError):
        return "is a folder; name a settings file in it."
    return f"cannot be read: {error.strerror}; check the name and the rights."


def _note_places(node: yaml.Node | None, key: Key, file: Path, places: dict[Key, str]) -> None:
    """Remember the line of each key, and refuse one that is written twice."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            if not isinstance(name, yaml.ScalarNode):
                continue  # no key can be a list; the reader says so
            if name.value in seen:
                line = name.start_mark.line + 1
                raise ConfigError(f"{file}:{line}: '{name.value}' is written twice; keep one.")
            seen.add(name.value)
            _note((*key, name.value), f"{file}:{name.start_mark.line + 1}", places, file)
            _note_places(value, (*key, name.value), file, places)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            _note((*key, i), f"{file}:{value.start_mark.line + 1}", places, file)
            _note_places(value, (*key, i), file, places)


def _note(key: Key, where: str, places: dict[Key, str], source: object) -> None:
    places[key] = where
    if len(places) > _MOST:
        raise ConfigError(
            f"{source}: holds more than {_MOST} settings, each counted as often as an alias such as *a "
            "repeats it; write less."
        )


def _parse(word: str, places: dict[Key, str]) -> dict[str, Any]:
    name, equals, text = word.partition("=")
    keys = [part.strip() for part in name.split(".")]
    if not equals or not all(keys):
        # No more than the name: behind it may stand a password.
        raise ConfigError(
            f"--set {_NAME.match(name)[0]}: expected section.setting=value, "  # type: ignore[index]  # fits any
            "for example detector.threshold=0.5."
        )
    value = _understood(text, yaml.load, f"--set {name}")
    try:
        return _lay(keys, value, "--set", places)
    except RecursionError as error:
        raise ConfigError(f"--set {name}: holds itself (an alias such as *a); write it out.") from error


def _lay(keys: Sequence[str], value: object, where: str, places: dict[Key, str]) -> dict[str, Any]:
    """The value under its keys, and note where it was written."""
    # An option says its own name alone, so it may only stand for what it set.
    for depth in range(len(keys)) if where == "--set" else (len(keys) - 1,):
        places[tuple(keys[: depth + 1])] = where
    for inner in _within(value, tuple(keys)):
        _note(inner, where, places, f"{where} {'.'.join(keys)}")
    result: Any = value
    for key in reversed(keys):
        result = {key: result}
    nested: dict[str, Any] = result
    return nested


def _within(value: object, key: Key) -> Iterator[Key]:
    """The keys of all that a value holds."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield (*key, name)
        yield from _within(part, (*key, name))


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(below.get(key), dict):
            _merge(below[key], value)
        elif isinstance(value, Mapping):
            below[key] = {}
            _merge(below[key], value)
        else:
            below[key] = value


def _expand(
    value: Any, environment: Mapping[str, str], faults: list[str], places: dict[Key, str], key: Key = ()
) -> Any:
    if isinstance(value, dict):
        return {k: _expand(v, environment, faults, places, (*key, k)) for k, v in value.items()}
    if isinstance(value, list):
        return [_expand(v, environment, faults, places, (*key, i)) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value
    if _UNWRITABLE.search(value):
        faults.append(f"{place(key, places)}: holds a character that no text has; write it without.")

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name not in environment:
            faults.append(f"{place(key, places)}: ${{{name}}} is not set in the environment.")
        return environment.get(name, "")

    return _VARIABLE.sub(replace, value)
