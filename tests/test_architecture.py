"""The house: arrows point down, and neighbours on floor 1 never import each other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = {
    "core": 0,
    "capture": 1,
    "detectors": 1,
    "tracker": 1,
    "estimators": 1,
    "watch": 1,
    "render": 1,
    "outputs": 1,
    "weights": 1,
    "pipeline": 2,
    "evaluation": 3,
    "benchmarks": 3,
    "training": 3,
    "web": 3,
    "stream": 3,
}
MODULES = sorted(
    path
    for folder in FLOORS
    for path in ([ROOT / "stream.py"] if folder == "stream" else (ROOT / folder).rglob("*.py"))
    if path.exists()
)


def _imports(path: Path) -> set[str]:
    """Top-level names of ours that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names & FLOORS.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_from_the_floors_below(path: Path) -> None:
    folder = path.relative_to(ROOT).parts[0].removesuffix(".py")
    allowed_beside = {"training": {"evaluation"}, "benchmarks": {"evaluation"}}.get(folder, set()) | {folder}

    wrong = {name for name in _imports(path) - allowed_beside if FLOORS[name] >= FLOORS[folder]}

    assert not wrong, f"{folder} (floor {FLOORS[folder]}) may not import {sorted(wrong)}"


def test_every_folder_of_code_has_its_floor() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/*.py")}

    assert folders == FLOORS.keys() - {"stream"} | {"tests"}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.parent.name == "web"], ids=lambda path: path.name
)
def test_the_pages_know_the_core_alone(path: Path) -> None:
    assert _imports(path) <= {"core", "web"}


def test_the_page_on_architecture_has_every_folder_on_its_floor_and_names_only_modules_in_it() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)

    told = {name: int(floor) for floor, names, _ in rows for name in re.findall(r"`(\w+)(?:/|\.py)`", names)}
    missing = [
        (names, module)
        for _, names, what in rows
        for module in re.findall(r"`(\w+\.py)`", what)
        if not (ROOT / names.strip("`/") / module).exists()
    ]
    assert told == FLOORS
    assert missing == []
