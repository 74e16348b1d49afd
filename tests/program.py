"""Runs the program as a user does, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def start(*words: str | Path, cwd: Path | None = None, **environment: str) -> subprocess.Popen[str]:
    """stream.py with these words, without a window; its streams are pipes."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(ROOT / "stream.py"), "--no-window", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env={**os.environ, **environment},
    )


def run(*words: str | Path, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """The same, to its end."""
    process = start(*words, cwd=cwd, **environment)
    out, err = ended(process)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def ended(process: subprocess.Popen, patience: float = 120.0) -> tuple:
    """What it says until its end; one that does not end in time fails the test, and is not left behind."""
    try:
        return process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
