"""Tables of the documentation that are made from the code: `python -m tests.tables` writes them anew.

In a document, a table stands between `<!-- table NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from core.settings import Settings
from core.types import EMOTIONS
from outputs import looks_csv, visits_csv
from stream import parser
from weights.manifest import cards

ROOT = Path(__file__).parents[1]
MARK = re.compile(r"(<!-- table (?P<name>\w+) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)
SCHEMA = json.loads((ROOT / "outputs" / "events.schema.json").read_text(encoding="utf-8"))
WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
}


def options() -> str:
    """Every option of the command line, as --help has it."""
    rows = []
    for action in parser()._actions:
        value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else "")
        names = ", ".join(action.option_strings)
        rows.append((f"`{names} {value}`".replace(" `", "`").replace("|", "\\|"), action.help))
    return _table(("option", "meaning"), rows)


def settings() -> str:
    """Every setting with its default and the line about it in config.yaml, and its range."""
    return _table(("setting", "default", "range", "meaning"), _settings())


def _settings() -> Iterator[tuple[str, ...]]:
    section, about = "", ""
    for line in (ROOT / "config.yaml").read_text(encoding="utf-8").splitlines():
        found = re.match(r"(?P<indent> *)(?P<key>\w+):(?: (?P<value>.*?))?(?: +# ?(?P<words>.*))?$", line)
        if not found:
            continue
        words = re.sub(r"^[\d.]+\.\.[\d.]+, ", "", found["words"] or "").replace("|", "\\|")
        if not found["indent"]:
            section, about = found["key"], words
            if not found["value"]:
                continue
        key = f"{section}.{found['key']}" if found["indent"] else section
        yield f"`{key}`", f"`{found['value']}`", _range(key), words or about


def _range(key: str) -> str:
    """The range of a number, as pydantic checks it."""
    schema: dict[str, Any] = Settings.model_json_schema()
    spot = schema
    for part in key.split("."):
        spot = spot["properties"][part]
        if "$ref" in spot:
            spot = schema["$defs"][spot["$ref"].rpartition("/")[2]]
    spot = next((kind for kind in spot.get("anyOf", [spot]) if kind.get("type") != "null"), spot)
    low, high = spot.get("minimum"), spot.get("maximum")
    above, below = spot.get("exclusiveMinimum"), spot.get("exclusiveMaximum")
    lower = f"from {low:g}" if low is not None else f"over {above:g}" if above is not None else ""
    upper = f"to {high:g}" if high is not None else f"under {below:g}" if below is not None else ""
    return " ".join(filter(None, [lower, upper]))


def keys() -> list[str]:
    """Every `section.key` of config.yaml."""
    data = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    return [f"{s}.{k}" for s, inner in data.items() if isinstance(inner, dict) for k in inner]


def every_row() -> str:
    """Fields of every row of the events."""
    return _fields(SCHEMA["properties"])


def source_rows() -> str:
    """Fields of the rows about sources."""
    return _fields(SCHEMA["$defs"]["source"]["properties"])


def trouble_rows() -> str:
    """Fields of the rows about a live source that gives no picture, or always the same one."""
    return _fields(SCHEMA["$defs"]["trouble"]["properties"])


def again_rows() -> str:
    """Fields of the rows about a live source that gives pictures again."""
    return _fields(SCHEMA["$defs"]["again"]["properties"])


def track_rows() -> str:
    """Fields of the rows about tracks."""
    return _fields(SCHEMA["$defs"]["track"]["properties"])


def ended_rows() -> str:
    """What the last row of a track adds."""
    return _fields(SCHEMA["$defs"]["ended"]["properties"])


def _fields(properties: dict[str, Any]) -> str:
    rows = []
    for _, names in groupby(properties, key=_family):
        group = list(names)
        field = properties[group[0]]
        meaning = field.get("description", "")
        if len(group) > 1:
            meaning = meaning.replace(f"the mood {EMOTIONS[0]}", EMOTIONS[0]).replace(
                EMOTIONS[0], "that mood"
            )
        rows.append((_ticked(group), _type(field), meaning))
    return _table(("field", "type", "meaning"), rows)


def _family(name: str) -> str:
    prefix, _, mood = name.rpartition("_")
    return prefix if mood in EMOTIONS else name


def _type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " or ".join("null" if value is None else f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"always {field['const']}"
    kinds = [field["type"]] if isinstance(field["type"], str) else field["type"]
    share = field.get("minimum") == 0 and field.get("maximum") == 1
    words = ["number from 0 to 1" if share and kind == "number" else WORDS[kind] for kind in kinds]
    return " or ".join(words)


def visits_columns() -> str:
    """The header of the visits table."""
    return _columns(visits_csv.COLUMNS)


def looks_columns() -> str:
    """The header of the looks table."""
    return _columns(looks_csv.COLUMNS)


def _columns(names: tuple[str, ...]) -> str:
    return _ticked(names) + "\n"


def models() -> str:
    """The networks with their licences and measured errors."""
    rows = [
        (f"`{c.id}`", c.role, c.licence, "yes" if c.commercial else "**no**", c.training_data, c.measured)
        for c in cards().values()
    ]
    head = ("network", "role", "licence of the weights", "commercial use", "trained on", "measured here")
    return _table(head, rows)


def _ticked(names: Any) -> str:
    return " ".join(f"`{name}`" for name in names)


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(" ".join(str(c).split()) for c in line) + " |\n" for line in lines)


TABLES: dict[str, Callable[[], str]] = {
    f.__name__: f
    for f in (
        *(options, settings, every_row, source_rows, trouble_rows, again_rows, track_rows, ended_rows),
        *(visits_columns, looks_columns, models),
    )
}


def renewed(text: str) -> str:
    """A document with its tables as the code has them now."""
    return MARK.sub(lambda m: m[1] + TABLES[m["name"]]() + m[4], text)


def documents() -> list[Path]:
    """Every Markdown file for people: beside stream.py and in docs/."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def main() -> int:
    """Write all tables anew."""
    for document in documents():
        before = document.read_text(encoding="utf-8")
        after = renewed(before)
        if after != before:
            document.write_text(after, encoding="utf-8")
            print(document.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
