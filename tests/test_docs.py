"""The documents say what is true: commands run, tables are the code's, links lead somewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import cv2
import pytest
import yaml

from evaluation.__main__ import TASKS
from tests.portraits import every, portrait, write_film
from tests.tables import ROOT, SCHEMA, documents, keys, renewed

DOCUMENTS = documents()
FENCE = re.compile(
    r"(?:<!-- not run: (?P<reason>.+?) -->\n)?^```(?P<kind>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
KINDS = {"sh", "python", "yaml", "json", "text", ""}


@dataclass(frozen=True)
class Fence:
    """A block of a document; `reason` says why it is not run, empty if it is."""

    place: str
    kind: str
    body: str
    reason: str


def _fences() -> list[Fence]:
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start("body"))
            place = f"{document.relative_to(ROOT).as_posix()}:{line}"
            found.append(Fence(place, match["kind"], match["body"], match["reason"] or ""))
    return found


FENCES = _fences()
RUN = list({f.body: f for f in FENCES if f.kind == "sh" and not f.reason}.values())
PYTHON = [fence for fence in FENCES if fence.kind == "python"]
NAMES = [document.relative_to(ROOT).as_posix() for document in DOCUMENTS]


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_every_table_is_what_the_code_says(document: Path) -> None:
    text = document.read_text(encoding="utf-8")

    assert text == renewed(text), "make it anew with: python -m tests.tables"


@pytest.mark.parametrize("document", DOCUMENTS, ids=NAMES)
def test_every_link_within_the_repository_leads_to_a_file_or_heading(document: Path) -> None:
    broken = []
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        aim = document.parent / name if name else document
        if "://" not in target and not (aim.exists() and (not anchor or anchor in _anchors(aim))):
            broken.append(target)

    assert not broken


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_block_is_of_a_kind_that_the_tests_know() -> None:
    assert {fence.kind for fence in FENCES} <= KINDS
    assert not [fence.place for fence in FENCES if fence.kind == "" and "python " in fence.body]
    assert len(RUN) > 5


@pytest.mark.parametrize("key", keys())
def test_the_documents_name_every_setting(key: str) -> None:
    assert f"`{key}`" in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def test_the_page_on_cameras_explains_every_reason_for_which_one_is_lost() -> None:
    listed = SCHEMA["$defs"]["trouble"]["properties"]["reason"]["description"].removeprefix("One word: ")
    page = (ROOT / "docs" / "cameras.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)

    explained = {word for cell in cells for word in re.findall(r"`(\w+)`", cell)}
    # `lost` says no more than that; `frozen` is no loss.
    assert set(re.findall(r"\w+", listed)) - {"lost", "frozen"} - explained == set()


def test_the_page_on_evaluation_says_what_every_task_is_about() -> None:
    page = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| (`[^|]+`) \| [^|]+ \| (?:this one|\[.+\]\(.+\)) \|$", page, re.MULTILINE)

    assert {task for cell in told for task in re.findall(r"`(\w+)`", cell)} == TASKS.keys()


def test_the_readmes_stay_short_and_give_the_same_commands() -> None:
    english, korean = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ko.md"))

    assert max(len(english.splitlines()), len(korean.splitlines())) <= 150
    assert _programs("README.md") == _programs("README.ko.md")
    assert [m for m in re.findall(r"\(([^)]*images[^)]*)\)", english) if m not in korean] == []


def _programs(name: str) -> list[list[str]]:
    """The words of each command, without comments and the time of --start."""
    lines = [line for f in FENCES if f.place.startswith(f"{name}:") for line in f.body.splitlines()]
    return [re.sub(r" +#.*|--start \S+", "", line).split() for line in lines]


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "images").iterdir()), ids=lambda path: path.name)
def test_pictures_are_small_and_shown_somewhere(picture: Path) -> None:
    shown = [d for d in DOCUMENTS if picture.name in d.read_text(encoding="utf-8")]

    assert shown
    assert picture.stat().st_size <= 300_000
    if picture.suffix == ".svg":
        assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    else:
        assert cv2.imread(str(picture)) is not None


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^VERSION = "(.+)"$', (ROOT / "stream.py").read_text(encoding="utf-8"), re.MULTILINE)

    assert version is not None
    assert citation["version"] == version[1]
    assert f'version = "{version[1]}"' in project
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").replace("[", "")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory) -> Path:
    """A copy of the program's folder with small films and pictures, as the documents name them."""
    folder = tmp_path_factory.mktemp("documents")
    for entry in ROOT.iterdir():
        if entry.name == "docs":
            shutil.copytree(entry, folder / "docs")
        elif entry.is_file():
            shutil.copy(entry, folder)
        elif (entry / "__init__.py").exists():
            (folder / entry.name).symlink_to(entry, target_is_directory=True)
    for name in ("film", "door", "till"):
        write_film(folder / f"{name}.mp4", every(10, 1), sound=name == "film")
    (folder / "photos").mkdir()
    for i in range(3):
        cv2.imwrite(str(folder / "photos" / f"{i}.png"), portrait(shift=10 * i))
    settings = next(f.body for f in FENCES if f.place.startswith("docs/usage.md") and f.kind == "yaml")
    (folder / "mine.yaml").write_text(settings, encoding="utf-8")
    _shim(folder / "bin" / "python")
    return folder


def _shim(path: Path) -> None:
    """`python`, but stream.py shows no window and ends after a second of video."""
    path.parent.mkdir()
    path.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = stream.py ]; then shift; set -- stream.py --no-window --max-seconds 1 "$@"; fi\n'
        f'exec "{sys.executable}" "$@"\n'
    )
    path.chmod(0o755)


def _execute(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CAMERA_USER": "user", "CAMERA_PASSWORD": "word"}
    return subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the commands are written for a POSIX shell")
@pytest.mark.parametrize("fence", RUN, ids=lambda fence: fence.place)
def test_every_command_of_the_documents_runs(fence: Fence, sandbox: Path) -> None:
    done = _execute(["sh", "-e", "-c", fence.body], sandbox)

    assert done.returncode == 0, done.stderr
    for output in re.findall(r"-o '?([\w{}]+\.\w+)", fence.body):
        if "--check" not in fence.body and "{" not in output:
            assert (sandbox / output).stat().st_size > 0, output


@pytest.mark.slow
@pytest.mark.parametrize("fence", PYTHON, ids=lambda fence: fence.place)
def test_every_python_example_runs(fence: Fence, sandbox: Path) -> None:
    done = _execute([sys.executable, "-W", "error", "-c", fence.body], sandbox)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.slow
def test_the_pages_on_outputs_explain_every_key_of_the_summary(sandbox: Path) -> None:
    words = ["-s", "film.mp4", "--no-window", "-o", "told.json", "-o", "told.txt", "-o", "told.jsonl"]

    done = _execute([sys.executable, "stream.py", *words], sandbox)

    text = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    summary = text[text.index("## Summary") :]
    assert done.returncode == 0, done.stderr
    assert [
        k for k in _all_keys(json.loads((sandbox / "told.json").read_text())) if f"`{k}`" not in summary
    ] == []
    line = (sandbox / "told.txt").read_text().splitlines()[0]
    assert re.fullmatch(r"1,1(,[\d.]+){5},-1,-1,-1", line)
    kinds = {json.loads(row)["event"] for row in (sandbox / "told.jsonl").read_text().splitlines()}
    assert [kind for kind in kinds if f"`{kind}`" not in text] == []


@pytest.mark.slow
def test_the_row_shown_as_an_example_is_one_of_the_demo(sandbox: Path) -> None:
    text = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    [line] = re.findall(r"^\{.*\}$", text, re.MULTILINE)
    shown = json.loads(line.replace(" ...,", ""))

    done = _execute([sys.executable, "stream.py", "-s", "demo", "--to", "1.2", "-o", "-"], sandbox)

    same = ("event", "frame", "id")
    rows = [json.loads(row) for row in done.stdout.splitlines()]
    [real] = [row for row in rows if all(row.get(key) == shown[key] for key in same)]
    moods = {key for key in real if key.startswith("p_")}
    assert list(shown) == [key for key in real if key not in moods]
    for key, value in shown.items():
        assert real[key] == (pytest.approx(value, rel=0.05) if isinstance(value, float) else value), key


def _all_keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for inner in value.values() for key in _all_keys(inner)}
    return {key for inner in value for key in _all_keys(inner)} if isinstance(value, list) else set()
