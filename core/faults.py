"""What is wrong with the settings, in words; no password and no whole section is ever repeated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic_core import ErrorDetails

from core.settings import Settings

Key = tuple[str | int, ...]

_SECRETS = ("password", "secret")
# Of one choice of several: pydantic puts it behind the key.
_TAG = re.compile(r"bool|str|int|literal\[.*\]")
_UNSAID = "what stands there"

# What is expected of a setting, where its kind alone says too little.
_WANTED = {
    "sources": "a list such as [{address: film.mp4}]",
    "sinks": "a list such as [{path: visits.csv}]",
    "ignore": "areas, each a list of corners, such as [[[0, 0], [0.25, 0], [0, 0.5]]]",
    "size": "width and height, such as [1280, 720]",
    "hardware": "a word such as cuda or qsv, in small letters",
    "name": "a name of at least one character, without / \\ { }",
}
_INSIDE = {"sources": "{address: film.mp4}", "sinks": "{path: visits.csv}", "compatibility": "{max_age: 1}"}
_SHARE = "a share of the picture from 0 to 1, such as 0.25 for 25 %"
_AREAS = {
    "too_short": "at least 3 corners",
    **dict.fromkeys(("less_than_equal", "greater_than_equal", "float_type", "float_parsing"), _SHARE),
}
_KINDS = {
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
}

# What YAML says, and what people can do about it. Its own words may quote a password.
_YAML = (
    (r"'\\t'", "there is a tab; indent with spaces"),
    (r"character '[@%`]'", "put a value that begins with @, % or ` in quotes"),
    (r"alias|anchor|alphabetic or numeric", "put a value that begins with * or & in quotes"),
    (r"\btag\b", "put a value that begins with ! in quotes"),
    (
        r"mapping values are not allowed",
        "a second ': ' in one line; put the value in quotes, or mend the indent",
    ),
    (r"unexpected end of stream", "a quote is opened and not closed"),
    (r"escape", "a backslash between double quotes; use single ones"),
    (r"expected ','", "a bracket is not closed, or a comma is missing"),
    (r"could not find expected ':'", "expected `name: value`"),
    (r"<block end>|<block mapping start>", "the indent differs from that of the lines above"),
)


def explain(details: Sequence[ErrorDetails], places: Mapping[Key, str]) -> list[str]:
    """A sentence for each fault that pydantic found; `places` says where each key was written."""
    faults: dict[Key, tuple[ErrorDetails, list[str]]] = {}
    for detail in details:
        key = detail["loc"]
        if detail["type"] != "extra_forbidden" and _TAG.fullmatch(str(key[-1])):
            key = key[:-1]
        wanted = faults.setdefault(key, (detail, []))[1]
        wanted.append(_expected(key, detail))
    # An area of which no corner can be read has too few of them: that follows, and says nothing.
    above = {key[:depth] for key in faults for depth in range(len(key))}
    return [_sentence(key, *faults[key], places) for key in faults if key not in above]


def place(key: Key, places: Mapping[Key, str]) -> str:
    """Where a setting was written, and its name; an option of the command line says it by itself."""
    dotted = ".".join(str(part) for part in key)
    for depth in range(len(key), 0, -1):
        where = places.get(key[:depth])
        if where is not None:
            return where if where.startswith("--") and where != "--set" else f"{where}: {dotted}"
    return dotted


def invalid_yaml(error: Exception, where: str) -> str:
    """A sentence for what is no YAML; of a file with its line."""
    problem = str(getattr(error, "problem", None) or "")
    words = next((words for pattern, words in _YAML if re.search(pattern, problem)), None)
    if isinstance(error, yaml.reader.ReaderError):
        words = "it holds a character that no text has; write the file anew"
    elif not isinstance(error, yaml.YAMLError):
        words = "there is a date, a number or a character that does not exist; put it in quotes"
    mark = getattr(error, "problem_mark", None)
    if "end of stream" in problem:  # the quote that is open, not the end of the file
        mark = getattr(error, "context_mark", None) or mark
    line = f":{mark.line + 1}" if mark is not None and not where.startswith("--") else ""
    return f"{where}{line}: is no valid YAML: {words or 'write it as in config.yaml'}."


def _sentence(key: Key, detail: ErrorDetails, wanted: list[str], places: Mapping[Key, str]) -> str:
    said = place(key, places)
    if detail["type"] in ("extra_forbidden", "invalid_key"):
        names = _names(key[:-1])
        near = get_close_matches(str(key[-1]), names, 1)
        hint = f" Did you mean '{near[0]}'?" if near else f" There are: {', '.join(names)}."
        return f"{said}: no such setting.{hint}"
    if detail["type"] == "missing":
        return f"{said}: is missing."
    choice = ", ".join(wanted) if " or " in wanted[-1] else " or ".join(wanted)
    return f"{said}: {_shown(key, detail['input'])} is not right; expected {choice}."


def _shown(key: Key, value: object) -> str:
    plain = isinstance(value, str | int | float)
    secret = any(part in _SECRETS for part in key) or re.search(r"(?i)passw|secret", str(value))
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # as it was typed, most likely
    return repr(value) if plain and not secret else _UNSAID


def _expected(key: Key, detail: ErrorDetails) -> str:
    kind, value = detail["type"], detail["input"]
    name = next((str(part) for part in reversed(key) if isinstance(part, str)), "")
    if name == "ignore" and kind in _AREAS:
        return _AREAS[kind]
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"settings such as {_INSIDE.get(name) or _inside(key)}"
    if kind.startswith(("tuple", "too_", "string_too", "string_pattern")) and name in _WANTED:
        return _WANTED[name]
    if kind in ("string_type", "path_type"):
        return "text; put it in quotes" if isinstance(value, str | int | float) else "text"
    if kind in _KINDS:
        return _KINDS[kind] + _such_as(key)
    return detail["msg"].removeprefix("Input should be ").removeprefix("Value error, ")


def _such_as(key: Key) -> str:
    """The default of a number."""
    model = _model(key[:-1])
    for name, field in model.model_fields.items() if model else ():
        plain = isinstance(field.default, int | float) and not isinstance(field.default, bool)
        if plain and (field.alias or name) == key[-1]:
            return f", such as {field.default}"
    return ""


def _inside(key: Key) -> str:
    """An example of what a section holds."""
    model = _model(key)
    for name, field in model.model_fields.items() if model else ():
        if field.default is not None:
            return f"{{{field.alias or name}: {field.default}}}"
    return "{name: value}"


def _names(key: Key) -> list[str]:
    """The settings that exist under `key`."""
    model = _model(key)
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _model(key: Key) -> type[BaseModel] | None:
    model: Any = Settings
    for part in key:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        model = getattr(annotation, "__args__", (annotation,))[0]
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None
