"""What several tasks ask of their options: numbers in their range, places that can be written to."""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import ConfigError, SinkError

_DIGITS = 4000  # of a number; Python refuses to read more than 4300


def is_number(text: str) -> bool:
    """Is it a whole number from 0 on, and not one of more digits than Python reads?"""
    return text.isdecimal() and len(text) <= _DIGITS


def natural(text: str) -> int:
    """A whole number from 0 on; for argparse."""
    if not is_number(text):
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, got '{text[:40]}'")
    return int(text)


def whole(text: str) -> int:
    """A whole number from 1 on; for argparse."""
    if not is_number(text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got '{text[:40]}'")
    return int(text)


def chance(text: str) -> float:
    """A number from 0 to 1; for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got '{text}'")
    return value


def made(folder: Path | None) -> None:
    """Make the folder of a report, before a long measurement ends in not being able to.

    Raises:
        SinkError: it cannot be made.
    """
    if folder is not None:
        with written(folder):
            folder.mkdir(parents=True, exist_ok=True)


def apart(out: Path, inputs: Iterable[Path]) -> None:
    """See to it that a file to write is none of those that are read, by whatever names.

    Raises:
        ConfigError: it is one.
    """
    if not os.path.isfile(out):  # noqa: PTH113  unlike pathlib's it never raises
        return
    for path in inputs:
        try:
            same = out.samefile(path)
        except OSError:  # that it cannot be read is said by whoever reads it
            continue
        if same:
            raise ConfigError(f"--out {out}: this file is read, and would be overwritten. Name another.")


@contextmanager
def table(path: Path) -> Iterator[Any]:
    """A writer of rows into a .csv.

    Raises:
        SinkError: it cannot be written.
    """
    # A file name that is no UTF-8 lives in a picture's name as lone surrogates.
    with written(path), path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        yield csv.writer(file, lineterminator="\n")


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Whatever fails in here on the disk is a sentence about that file or folder.

    Raises:
        SinkError: it does.
    """
    try:
        yield
    except BrokenPipeError:  # whoever read it has enough
        raise
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error.strerror}).") from error
