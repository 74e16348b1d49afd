"""The outputs' files before they are opened: what is wrong with their paths, what an earlier run wrote."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from core.errors import ConfigError, SinkError, StreamError
from core.settings import SinkConfig
from core.types import SourceInfo
from outputs import BEGAN, NETWORK, PLACE, ending, looks_csv, misnamed, visits_csv
from outputs.fan import fill
from outputs.textfile import STDOUT, failure, probe
from outputs.visits_csv import csv_line

log = logging.getLogger(__name__)

Identity = tuple[object, ...]

_ROOM = {".mp4": 500e6, ".mkv": 500e6}  # bytes free below which a warning is due
_ROOM_TEXT = 20e6
# What a file holds of a run that saw nobody.
_HEADS = (b"", *(csv_line(columns).encode() for columns in (visits_csv.COLUMNS, looks_csv.COLUMNS)))
_LONGEST_HEAD = max(len(head) for head in _HEADS)


def check_paths(sinks: Sequence[SinkConfig], sources: Mapping[str, SourceInfo]) -> list[StreamError]:
    """Every fault of the outputs at once, unusable settings (exit 2) before unwritable files (6)."""
    misspelled = [misnamed(sink, sources) for sink in sinks]
    faults: list[StreamError] = [fault for fault in misspelled if fault is not None]
    right = [sink for sink, fault in zip(sinks, misspelled, strict=True) if fault is None]
    paths = [(sink, path) for sink in right for path in expand(sink, sources)]
    faults += _shared(path for _, path in paths)
    faults += _inputs((path for _, path in paths), sources)
    unwritable = (_unwritable(path, _fixed_folder(sink)) for sink, path in paths)
    return faults + [fault for fault in unwritable if fault is not None]


def short_of_room(sinks: Sequence[SinkConfig], sources: Mapping[str, SourceInfo]) -> list[str]:
    """A sentence for each output whose disk has little room left."""
    words: list[str] = []
    for sink in sinks:
        room = _ROOM.get(ending(sink.path), _ROOM_TEXT)
        for path in expand(sink, sources)[:1]:
            try:
                free = shutil.disk_usage(_fixed_folder(sink)).free
            except OSError:
                continue
            if free < room:
                words.append(f"output {path}: only {free / 1e6:.0f} MB are free on its disk. Make room.")
    return words


def begun(sinks: Iterable[SinkConfig], wall: float) -> tuple[SinkConfig, ...]:
    """The outputs of a run that begins at UTC seconds `wall`: that time is put in the place of `{began}`.

    >>> [sink.path for sink in begun([SinkConfig(path="{source}-{began}.csv")], 0.0)]
    ['{source}-1970-01-01T000000.000Z.csv']
    """
    moment = _moment(wall)
    return tuple(sink.model_copy(update={"path": sink.path.replace(BEGAN, moment)}) for sink in sinks)


def set_aside(
    sinks: Iterable[SinkConfig], sources: Mapping[str, SourceInfo], readable: Callable[[], bool]
) -> None:
    """Keep what an earlier run wrote where nothing might take its place.

    What a camera saw comes once. Of recorded films the same run writes the same again, so their
    outputs are overwritten, unless they are not `readable` any more.

    Raises:
        SinkError: a file cannot be renamed.
    """
    paths = [path for sink in sinks for path in expand(sink, sources) if _filled(path)]
    if paths and (any(info.live for info in sources.values()) or not readable()):
        for path in paths:
            keep(path)


def _filled(path: Path) -> bool:
    """Whether there is more in a file than the head of a table, which a start that fails leaves, too."""
    if path == STDOUT or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_HEAD + 1) not in _HEADS
    except OSError:  # what may be written and not read may hold something
        return True


def keep(path: Path) -> None:
    """Rename a file with something in it, by its last change, and say so.

    `visits.csv` becomes `visits-until-2026-11-26T085821.042Z.csv`.

    Raises:
        SinkError: it cannot be renamed.
    """
    if not _filled(path):
        return
    found = path.resolve()
    name = found.with_stem(f"{found.stem}-until-{_moment(found.stat().st_mtime)}")
    try:
        found.rename(name)
    except OSError as error:
        raise failure(name, error) from error
    log.info("kept what was written before: %s", name)


def _moment(wall: float) -> str:
    """UTC seconds for a file's name, without colons, which Windows takes none of.

    With milliseconds: a run may be over, and the next begin, within a second.
    """
    return f"{time.strftime('%Y-%m-%dT%H%M%S', time.gmtime(wall))}.{int(wall % 1 * 1000):03d}Z"


def expand(sink: SinkConfig, sources: Mapping[str, SourceInfo]) -> list[Path]:
    """The files that an output writes; none for one on the network."""
    if ending(sink.path) in NETWORK:
        return []
    return list(fill(sink.path, sources).values()) if PLACE in sink.path else [Path(sink.path)]


def _shared(paths: Iterable[Path]) -> list[ConfigError]:
    first: dict[Identity, Path] = {}
    faults = []
    for path in paths:
        same = first.setdefault(_identity(path), path)
        if same is not path and not _is_device(path):
            also = "" if str(same) == str(path) else f" (also written '{same}')"
            faults.append(ConfigError(f"output {path}{also}: two outputs write to this file. Name another."))
    return faults


def _inputs(paths: Iterable[Path], sources: Mapping[str, SourceInfo]) -> list[ConfigError]:
    inputs = {_identity(info.path): name for name, info in sources.items() if info.path is not None}
    return [
        ConfigError(
            f"output {path}: this is the file that source '{inputs[_identity(path)]}' reads, and "
            "would be overwritten. Name another."
        )
        for path in paths
        if _identity(path) in inputs
    ]


def _unwritable(path: Path, folder: Path) -> SinkError | None:
    """Tried, since rights alone do not tell: access lists, read-only disks, a full one."""
    if path == STDOUT or _is_device(path):
        return None
    if not os.path.isdir(folder):  # noqa: PTH112  unlike pathlib's it never raises
        what = "is no folder" if os.path.exists(folder) else "does not exist"  # noqa: PTH110
        return SinkError(f"output {path}: the folder '{folder}' {what}. Make it first: mkdir -p '{folder}'")
    tried = path if path.parent.is_dir() else folder / path.name  # folders of `{source}` come later
    try:
        existed = tried.exists()
        probe(tried)
        if not existed:
            tried.resolve().unlink()  # behind a link, not the link
    except OSError as error:
        return failure(path, error)
    return None


def _fixed_folder(sink: SinkConfig) -> Path:
    """The folder that must be there; those under `{source}` are made."""
    return Path(sink.path.split(PLACE)[0] + "x").parent


def _identity(path: Path) -> Identity:
    """The same for two spellings of a path: links, `..`, another case where that is no other file."""
    try:
        found = path.stat()
        return found.st_dev, found.st_ino
    except OSError:
        whole = path.resolve()
    name = whole.name.casefold() if sys.platform in ("darwin", "win32") else whole.name
    try:
        folder = whole.parent.stat()
    except OSError:
        return (str(whole.parent), name)
    return folder.st_dev, folder.st_ino, name


def _is_device(path: Path) -> bool:
    """Such as /dev/null, which any number may write to."""
    try:
        return path.exists() and not path.is_file() and not path.is_dir()
    except OSError:  # such as a name that is too long
        return False
