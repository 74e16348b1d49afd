from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.program import ROOT


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "command",
    [
        "stream.py --help",
        "stream.py --list-cameras",
        "-m weights list",
        "-m evaluation --help",
        "-m training --help",
        "-m benchmarks.tracker --help",
    ],
)
def test_a_command_ends_quietly_when_nobody_reads_it_any_more(command: str, unbuffered: str) -> None:
    done = _unread(command, PYTHONUNBUFFERED=unbuffered)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_check_that_nobody_reads_tells_its_faults_by_its_exit_code() -> None:
    done = _unread("stream.py -s nowhere.mp4 --check")

    assert done.returncode == 4
    assert done.stderr == "error: mend what is marked FAULT, 1 in all.\n"


def _unread(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, its standard output a pipe whose reader is gone."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as pipe:
        return subprocess.run(
            [sys.executable, *command.split()],
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=ROOT,
            env={**os.environ, **environment},
        )
