"""Reads sequences in MOTChallenge form: seqinfo.ini, gt/gt.txt and det/det.txt in a folder of their own."""

from __future__ import annotations

import configparser
import os
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path, PurePosixPath

import numpy as np

from core.errors import ConfigError, SourceError
from core.registry import unknown
from core.types import F64, Faces
from evaluation.options import is_number
from evaluation.sequence import BOX, FASTEST, FRAME, LONGEST, SLOWEST, Sequence, bare
from evaluation.sets import set_of

INFO, TRUTH, FOUND = "seqinfo.ini", "gt/gt.txt", "det/det.txt"
HIGHEST = 10_000_000  # id; TrackEval keeps a table as long
DEPTHS = ("", "*/", "*/*/")  # a sequence, a set of them, a folder of sets
Read = Callable[[str], str]  # the text of a file of a sequence, by its place in it


@dataclass(frozen=True, slots=True)
class Entry:
    """A sequence that was found but not read yet: its set, its name and where it is."""

    group: str
    name: str
    folder: Path
    read: Read


def read_mot(place: Path, wanted: str = "") -> list[Sequence]:
    """The sequences of a place, by set and name.

    Args:
        place: the folder of a sequence, of a set of sequences or of several sets; or a .tar.xz of such, or a
            folder of such archives.
        wanted: sets to take, with commas; `SET:6` its first six sequences, `SET/NAME` one. Empty: all.

    Raises:
        ConfigError: nothing there, or a file that cannot be understood.
        SourceError: an archive that cannot be read.
    """
    entries = sorted(_entries(place), key=_name)
    if not entries:
        raise ConfigError(f"--data {place}: expected {INFO} of a sequence there or up to two folders down.")
    chosen = pick(entries, wanted)
    for one, other in pairwise(sorted(chosen, key=_name)):
        if _name(one) == _name(other):
            both = f"{one.folder} and {other.folder}"
            raise ConfigError(f"--data {place}: {both} are both {'/'.join(_name(one))}; rename one.")
    return [_sequence(entry) for entry in chosen]


def pick(entries: list[Entry], wanted: str) -> list[Entry]:
    """Those that `wanted` names, as in `read_mot`, each once."""
    if not wanted:
        return entries
    chosen: list[Entry] = []
    for word in map(str.strip, wanted.split(",")):
        name, _, count = word.partition(":")
        group, _, single = name.partition("/")
        own = [entry for entry in entries if entry.group == group and single in ("", entry.name)]
        if not own:
            known = dict.fromkeys(entry.group for entry in entries)
            known |= dict.fromkeys(f"{e.group}/{e.name}" for e in entries if single and e.group == group)
            raise ConfigError(unknown("--sequences", name, known))
        if count and not (is_number(count) and int(count) > 0):
            raise ConfigError(f"--sequences {word}: expected SET:NUMBER, such as {group}:6.")
        chosen += own[: int(count)] if count else own
    return list(dict.fromkeys(chosen))


def _entries(place: Path) -> list[Entry]:
    if place.is_file():
        return _packed(place)
    if not place.is_dir():
        raise ConfigError(f"--data {place}: there is no such folder or archive.")
    folders = [path.parent for depth in DEPTHS for path in place.absolute().glob(depth + INFO)]
    if folders:
        return [_entry(folder, partial(_text, folder)) for folder in folders]
    return [entry for archive in sorted(place.glob("*.tar.xz")) for entry in _packed(archive)]


def _packed(archive: Path) -> list[Entry]:
    """The sequences of a .tar.xz, read whole: texts of a few megabytes."""
    texts: dict[str, str] = {}
    try:
        with tarfile.open(archive) as members:
            for member in members:
                file = members.extractfile(member) if member.name.endswith((INFO, TRUTH, FOUND)) else None
                if file is not None:
                    texts[member.name] = file.read().decode("utf-8-sig", "replace")
    except (OSError, EOFError, tarfile.TarError) as error:
        raise SourceError(f"{archive}: cannot be read as an archive ({error}).") from error
    folders = [PurePosixPath(name).parent for name in texts if name.endswith(INFO)]
    unpacked = archive.parent / archive.name.split(".")[0]  # as if it were there
    return [_entry(unpacked / folder, partial(_unpacked, texts, folder)) for folder in folders]


def _entry(folder: Path, read: Read) -> Entry:
    """The name is that of the folder or of a link, not what the link leads to."""
    return Entry(set_of(folder), Path(os.path.normpath(folder.absolute())).name, folder, read)


def _name(entry: Entry) -> tuple[str, str]:
    return entry.group, entry.name


def _text(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise ConfigError(f"{folder / name}: cannot be read ({error.strerror}).") from error


def _unpacked(texts: Mapping[str, str], folder: PurePosixPath, name: str) -> str:
    if str(folder / name) not in texts:
        raise ConfigError(f"{folder / name}: the archive lacks it.")
    return texts[str(folder / name)]


def _sequence(entry: Entry) -> Sequence:
    where = f"{entry.group}/{entry.name}"
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(entry.read(INFO))
        info = parser["Sequence"]
        fps, frames = float(info["frameRate"]), int(info["seqLength"])
        size = (int(info["imWidth"]), int(info["imHeight"]))
        cuts = [int(word) - 1 for word in info.get("cuts", "").split()]
    except (configparser.Error, KeyError, ValueError) as error:
        raise ConfigError(f"{where}/{INFO}: not understood ({str(error).splitlines()[0]}).") from error
    if not (SLOWEST <= fps <= FASTEST and 0 < frames <= LONGEST):
        wanted = f"a frameRate of {SLOWEST:g} to {FASTEST:g} and a seqLength of 1 to {LONGEST}"
        raise ConfigError(f"{where}/{INFO}: expected {wanted}.")
    found = read_table(entry.read(FOUND), f"{where}/{FOUND}", 7, frames)
    found[:, BOX] = corners(found[:, BOX])
    truth = _truth(read_table(entry.read(TRUTH), f"{where}/{TRUTH}", 9, frames), f"{where}/{TRUTH}")
    return Sequence(
        entry.group,
        entry.name,
        fps,
        size,
        np.arange(frames) / fps,
        by_frame(found, frames),
        frozenset(cuts),
        truth,
    )


def _truth(rows: F64, name: str) -> F64:
    """The truth with boxes as x1 y1 x2 y2, if TrackEval can count by it."""
    seen: set[tuple[float, float]] = set()
    for frame, track, *others in rows.tolist():
        if not (0 <= track <= HIGHEST and track.is_integer()):
            raise ConfigError(f"{name}: expected ids from 0 to {HIGHEST}, got {track:g}.")
        if not np.isfinite(others).all():
            raise ConfigError(f"{name}, frame {frame + 1:.0f}, id {track:.0f}: holds what is no number.")
        if (frame, track) in seen:
            raise ConfigError(f"{name}: frame {frame + 1:.0f} has the id {track:.0f} twice.")
        seen.add((frame, track))
    rows[:, BOX] = corners(rows[:, BOX])
    return rows


def read_table(text: str, name: str, columns: int, frames: int) -> F64:
    """The first columns of rows of numbers with commas; the first becomes the frame from 0.

    Raises:
        ConfigError: a line that is not such a row, or whose frame is not one of `frames`.
    """
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                rows.append([float(word) for word in line.split(",", columns)[:columns]])
            except ValueError:
                rows.append([])
            if len(rows[-1]) < columns:
                said = line.strip()[:60]
                raise ConfigError(
                    f"{name}, line {number}: expected {columns} or more numbers with commas, got '{said}'."
                )
            if not (1 <= rows[-1][FRAME] <= frames and rows[-1][FRAME].is_integer()):
                raise ConfigError(f"{name}, line {number}: expected a frame from 1 to {frames}.")
    table = np.array(rows, np.float64).reshape(-1, columns)
    table[:, FRAME] -= 1
    return table


def corners(boxes: F64) -> F64:
    """x1 y1 x2 y2 of left, top, width and height, float64 (N, 4)."""
    with np.errstate(over="ignore", invalid="ignore"):  # what is no box then is passed over
        return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def by_frame(found: F64, frames: int) -> tuple[Faces, ...]:
    """The detections of each frame, from rows of frame, id, box as x1 y1 x2 y2, score."""
    found = found[np.argsort(found[:, FRAME], kind="stable")]
    starts = np.searchsorted(found[:, FRAME], np.arange(1, frames))
    return tuple(bare(part[:, BOX].copy(), part[:, 6]) for part in np.split(found, starts))
