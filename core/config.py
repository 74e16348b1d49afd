"""Reads the settings: `config.yaml`, files laid over it, and single values from the command line."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from core.errors import ConfigError
from core.settings import Settings

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
Key = tuple[str | int, ...]


def load_settings(
    files: Sequence[Path], overrides: Sequence[str] = (), environment: Mapping[str, str] = os.environ
) -> Settings:
    """The settings of these files, later ones over earlier ones, and of `a.b=value` words over all.

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
    faults: list[str] = []
    # A section with nothing in it, as people leave behind, changes nothing.
    merged = {key: value for key, value in merged.items() if value is not None}
    merged = _expand(merged, environment, faults, places)
    try:
        if not faults:
            return Settings.model_validate(merged)
    except ValidationError as error:
        faults += [_explain(detail, places) for detail in error.errors()]
    raise ConfigError("\n".join(dict.fromkeys(faults)))


def _read(file: Path, places: dict[Key, str]) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read as a settings file: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: is no valid YAML: {' '.join(str(error).split())}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{file}: expected sections such as `detector:`, got {type(data).__name__}.")
    try:
        _note_places(node, (), file, places)
    except RecursionError as error:
        raise ConfigError(
            f"{file}: holds a section within itself (an alias such as *a); write it out."
        ) from error
    return data


def _note_places(node: yaml.Node | None, key: Key, file: Path, places: dict[Key, str]) -> None:
    """Remember the line of each key, and refuse one that is written twice."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for name, value in node.value:
            if name.value in seen:
                line = name.start_mark.line + 1
                raise ConfigError(f"{file}:{line}: '{name.value}' is written twice; keep one.")
            seen.add(name.value)
            places[(*key, name.value)] = f"{file}:{name.start_mark.line + 1}"
            _note_places(value, (*key, name.value), file, places)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            places[(*key, i)] = f"{file}:{value.start_mark.line + 1}"
            _note_places(value, (*key, i), file, places)


def _parse(word: str, places: dict[Key, str]) -> dict[str, Any]:
    name, equals, text = word.partition("=")
    keys = [part.strip() for part in name.split(".")]
    if not equals or not all(keys):
        raise ConfigError(
            f"--set {word}: expected section.setting=value, for example detector.threshold=0.5."
        )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {word}: the value is no valid YAML.") from error
    for depth in range(len(keys)):
        places[tuple(keys[: depth + 1])] = "--set"
    for key in reversed(keys):
        value = {key: value}
    result: dict[str, Any] = value
    return result


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

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name not in environment:
            faults.append(f"{_place(key, places)}: ${{{name}}} is not set in the environment.")
        return environment.get(name, "")

    return _VARIABLE.sub(replace, value)


def _place(key: Key, places: Mapping[Key, str]) -> str:
    dotted = ".".join(str(part) for part in key)
    for depth in range(len(key), 0, -1):
        if key[:depth] in places:
            return f"{places[key[:depth]]}: {dotted}"
    return dotted


def _explain(detail: ErrorDetails, places: Mapping[Key, str]) -> str:
    key = detail["loc"]
    place = _place(key, places)
    if detail["type"] == "extra_forbidden":
        names = _names(key[:-1])
        near = get_close_matches(str(key[-1]), names, 1)
        hint = f" Did you mean '{near[0]}'?" if near else f" There are: {', '.join(names)}."
        return f"{place}: no such setting.{hint}"
    if detail["type"] == "missing":
        return f"{place}: is missing."
    said = detail["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return f"{place}: {detail['input']!r} is not right; expected {said}."


def _names(key: Key) -> list[str]:
    """The settings that exist under `key`."""
    model: Any = Settings
    for part in key:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        inner = getattr(annotation, "__args__", (annotation,))[0]
        model = inner
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [field.alias or name for name, field in model.model_fields.items()]
