"""The unit for systemd, the image for Docker, and what docs/monitoring.md says of both and of the metrics."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from core.settings import Settings
from core.status import Status
from tests.tables import ROOT
from tests.test_architecture import FLOORS
from tests.web.run import Run, serving, up
from web.health import health
from web.metrics import registry

UNIT = ROOT / "deploy" / "stream.service"
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
STEPS = [
    line for line in re.sub(r"\\\n\s*", " ", DOCKERFILE).splitlines() if line and not line.startswith("#")
]
DOCUMENT = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
OWN = (("644", "stream.yaml"), ("600", "credentials"))  # of whoever installs it: in no repository
DEVELOPERS = {"evaluation", "benchmarks", "training", "tests"}


def _local(folder: Path) -> Path:
    """The unit with paths that exist here."""
    text = UNIT.read_text(encoding="utf-8")
    text = text.replace("/opt/stream/.venv/bin/python", sys.executable).replace("/opt/stream", str(ROOT))
    unit = folder / UNIT.name
    unit.write_text(text, encoding="utf-8")
    return unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_accepts_the_unit(tmp_path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", _local(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert not [line for line in done.stderr.splitlines() if UNIT.name in line]


def test_the_unit_watches_the_loop_and_keeps_secrets_out_of_itself() -> None:
    lines = UNIT.read_text(encoding="utf-8").splitlines()

    for line in (
        "Type=notify",
        "Restart=always",
        "StateDirectory=stream",
        "NoNewPrivileges=yes",
        "DynamicUser=yes",
    ):
        assert line in lines
    assert any(line.startswith("WatchdogSec=") for line in lines)
    assert any(line.startswith("EnvironmentFile=") for line in lines)


def _copied() -> set[str]:
    """The files that `COPY . .` takes, without those that .dockerignore names."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    ignored = [line for line in lines if line and not line.startswith("#")]

    def is_ignored(path: str) -> bool:
        parents = [path, *(str(parent) for parent in Path(path).parents if parent != Path())]
        for pattern in ignored:
            name = pattern.removeprefix("**/")
            # A star of Docker stays within a folder, one of fnmatch does not.
            hits = (p for p in parents if p.count("/") == name.count("/") or "**/" in pattern)
            if any(fnmatch.fnmatch(Path(p).name if "**/" in pattern else p, name) for p in hits):
                return True
        return False

    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return {path for path in listed.stdout.splitlines() if not is_ignored(path) and (ROOT / path).exists()}


def test_the_service_is_given_the_settings_that_lie_beside_the_clone_not_in_its_copy() -> None:
    lines = DOCUMENT.splitlines()

    own = [lines.index(f"sudo install -m {mode} {name} /etc/stream/") for mode, name in OWN]
    assert max(own) < lines.index("cd /opt/stream")


def test_the_image_holds_the_program_and_nothing_of_the_developers() -> None:
    folders = {path.partition("/")[0] for path in _copied()}

    needed = {name for name in FLOORS.keys() - DEVELOPERS if (ROOT / name).is_dir()}
    assert needed | {"stream.py", "config.yaml", "LICENSE"} <= folders
    assert not folders & (DEVELOPERS | {"docs", ".git", "Makefile", "README.md"})


def test_all_that_the_image_copies_and_installs_exists() -> None:
    sources = [step.split()[1] for step in STEPS if step.startswith("COPY ")]
    named = set(re.findall(r"requirements/[\w${}]+\.txt", DOCKERFILE))
    files = {name.replace("${RUNTIME}", runtime) for name in named for runtime in ("cpu", "gpu")}

    assert sources == ["requirements/", "."]
    assert len(files) == 5
    assert all((ROOT / name).exists() for name in [*sources, *files])


def test_the_image_is_pinned_runs_without_rights_and_is_watched() -> None:
    assert re.search(r"^ARG PYTHON=3\.13\.\d+-slim-\w+$", DOCKERFILE, re.MULTILINE)
    assert STEPS.index("USER stream") > max(i for i, step in enumerate(STEPS) if step.startswith("RUN"))
    assert any(step.startswith("HEALTHCHECK") for step in STEPS)


@pytest.mark.slow
def test_the_commands_of_the_image_run_on_what_it_copies(tmp_path) -> None:
    for path in _copied():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    commands = [step.split()[1:] for step in STEPS if step.startswith("RUN python") and " pip " not in step]

    assert len(commands) == 2
    for command in commands:
        done = subprocess.run(
            [sys.executable, *command[1:]], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_the_image_tells_a_good_run_from_a_failing_one() -> None:
    step = next(step for step in STEPS if step.startswith("HEALTHCHECK"))
    command = json.loads(step[step.index("[") :])
    run = Run("door")

    def check(address: str) -> int:
        words = command[2].replace("127.0.0.1:8080", urlsplit(address).netloc)
        return subprocess.run(
            [sys.executable, "-c", words], stderr=subprocess.DEVNULL, check=False
        ).returncode

    with serving(run) as pages:
        good = check(pages.address)
        run.states["door"] = up("door", state="lost")
        failing = check(pages.address)

    assert good == 0
    assert failing != 0


def _metrics() -> set[str]:
    """The names of all metrics that are ours."""
    status = Status(sources=(up("door", drops={"stage": 1}),), queues={"a.mp4": 1})
    samples = (sample for family in registry(lambda: status).collect() for sample in family.samples)
    return {sample.name for sample in samples if sample.name.startswith("stream_")}


def test_the_document_explains_every_metric_and_names_no_other() -> None:
    named = set(re.findall(r"\bstream_\w+", DOCUMENT))
    parts = {f"stream_latency_seconds{end}" for end in ("", "_bucket", "_count", "_sum")}

    assert named - parts == _metrics() - parts
    assert {f"| `{name}` |" for name in _metrics() - parts} <= {
        f"{line[: line.find('|', 2)]}|" for line in _rows()
    }


def _rows() -> list[str]:
    return [line for line in DOCUMENT.splitlines() if line.startswith("| `stream_")]


def test_the_document_explains_every_field_of_health() -> None:
    said = json.loads(json.dumps(health(Status(sources=(up(),)))))
    fields = [*said, *said["sources"][0]]
    example = json.loads(re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)[0])

    assert not [field for field in fields if f"`{field}`" not in DOCUMENT]
    assert [*example, *example["sources"][0]] == fields


def test_the_rules_of_the_document_tell_two_programs_with_a_source_of_one_name_apart() -> None:
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)]
    rules = [rule for block in blocks for group in block.get("groups", ()) for rule in group["rules"]]

    labels = [match for rule in rules for match in re.findall(r"\b(?:on|by) ?\(([^)]*)\)", rule["expr"])]
    assert labels
    assert {frozenset(match.split(", ")) for match in labels} == {frozenset({"instance", "source"})}


def test_the_settings_of_the_document_are_ones_that_the_program_takes() -> None:
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)]

    settings = [block for block in blocks if "sinks" in block]
    assert len(settings) == 2
    for block in settings:
        Settings.model_validate(block)
