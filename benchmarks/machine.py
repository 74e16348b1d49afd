"""What figures were measured on."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version


def machine(*packages: str) -> str:
    """The processor, its load, Python, and those of the packages that are here, each with its version."""
    known = [platform.machine(), f"{os.cpu_count()} cores"]
    known += [f"load {os.getloadavg()[0]:.1f}"] if hasattr(os, "getloadavg") else []
    known += [f"Python {platform.python_version()}"]
    for package in packages:
        with suppress(PackageNotFoundError):
            known.append(f"{package} {version(package)}")
    return ", ".join(known)
