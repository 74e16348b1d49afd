"""The house: arrows point down, and neighbours on floor 1 never import each other."""

from __future__ import annotations

import ast
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
    allowed_beside = {"training": {"evaluation"}, "benchmarks": {"evaluation"}, "stream": {"web"}}.get(
        folder, set()
    ) | {folder}

    wrong = {name for name in _imports(path) - allowed_beside if FLOORS[name] >= FLOORS[folder]}

    assert not wrong, f"{folder} (floor {FLOORS[folder]}) may not import {sorted(wrong)}"


def test_every_folder_of_code_has_its_floor() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/*.py")}

    assert folders <= FLOORS.keys() | {"tests"}
