"""Cuts all faces of a data set out once, upright and with room around them, into arrays on disk.

CACHE/NAME.npy         uint8 (N, SIDE, SIDE, 3) BGR: see FRAME
CACHE/NAME.labels.npz  a column for each field of `Labels`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile

import numpy as np
from numpy.lib.format import write_array_header_1_0

from core.errors import ConfigError, SourceError
from core.types import F32, I64, U8, Array, Crop, Faces
from estimators.align import cut, placement
from evaluation.options import written
from evaluation.samples import VOTES, Sample

PIXELS, LABELS = ".npy", ".labels.npz"  # endings of a set's files

# Looser than any network's own cut, so that training can shift, turn and scale without leaving it.
ZOOM, SHIFT = 0.72, -0.10


def frame(side: int) -> Crop:
    """The cut of the cache."""
    return Crop("aligned", side, ZOOM, SHIFT, "bgr")


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """What is known of N cached faces, a row each.

    Attributes:
        name, key, part: str (N,); key and part as in `Sample`.
        age, age_low, age_high, female: float32 (N,), NaN where not labelled.
        race, mood: int64 (N,), indices into RACES and EMOTIONS, -1 where not labelled.
        votes: float32 (N, 10), in the order of `evaluation.samples.VOTES`; zeros where there are none.
        sound: bool (N,).
        found: bool (N,), a detector found the face.
        bare: float32 (N, 4): x, y of the bare picture's top left corner and of the way along its
            upper edge, in pixels of the cached cut.
    """

    name: Array
    key: Array
    part: Array
    age: F32
    age_low: F32
    age_high: F32
    female: F32
    race: I64
    mood: I64
    votes: F32
    sound: Array
    found: Array
    bare: F32

    def __len__(self) -> int:
        return len(self.name)

    def take(self, rows: Array) -> Labels:
        """Those rows (indices or a mask)."""
        return Labels(*(getattr(self, column.name)[rows] for column in fields(self)))


def build(name: str, faces: Iterable[tuple[Sample, Faces]], folder: Path, side: int) -> Labels:
    """Write one set; each sample comes with its face (one row), or with none if it was missed.

    A missed face is taken to fill its picture as a bare one would. What breaks off leaves the set as it was.

    Returns:
        the labels of all its faces.

    Raises:
        ConfigError: there is no face in it.
        SourceError: reading the faces broke off.
        SinkError: the set cannot be written.
    """
    with written(folder):
        return _built(name, _reading(name, faces), folder, side)


def _reading(name: str, faces: Iterable[tuple[Sample, Faces]]) -> Iterator[tuple[Sample, Faces]]:
    """The same faces; what fails in reading them is not taken for a failure of writing."""
    try:
        yield from faces
    except OSError as error:
        raise SourceError(f"{name}: reading it broke off ({error.strerror or error}).") from error


def _built(name: str, faces: Iterable[tuple[Sample, Faces]], folder: Path, side: int) -> Labels:
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}{end}" for end in (PIXELS, LABELS)]
    parts = [file.with_name(f"{file.name}.part") for file in files]
    try:
        rows = _cut_out(faces, parts[0], side)
        if not rows:
            raise ConfigError(f"{name}: there is no labelled face to cache.")
        labels = _table(rows)
        with parts[1].open("wb") as table:
            np.savez(table, allow_pickle=False, **{c.name: getattr(labels, c.name) for c in fields(Labels)})
        # Only when both are whole: the new faces beside the old labels would teach nonsense.
        for part, file in zip(parts, files, strict=True):
            part.replace(file)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return labels


def _cut_out(faces: Iterable[tuple[Sample, Faces]], path: Path, side: int) -> list[tuple[object, ...]]:
    """Write the cut-out faces; what is known of each."""
    rows = []
    with path.open("wb") as file:
        _head(file, 0, side)
        for sample, face in faces:
            known = face if len(face) else filling(sample)
            file.write(cut(sample.image, known, frame(side))[0].tobytes())
            rows.append(_row(sample, known, side, len(face) > 0))
        file.seek(0)
        _head(file, len(rows), side)
    return rows


def _head(file: BinaryIO, count: int, side: int) -> None:
    """The head of an .npy file, which NumPy makes long enough for any first axis."""
    shape = (count, side, side, 3)
    write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _row(sample: Sample, face: Faces, side: int, found: bool) -> tuple[object, ...]:
    scale, shift = (complex(part[0]) for part in placement(face, frame(side)))
    along = scale * max(sample.image.shape[:2])
    return (
        *(sample.name, sample.key or sample.name, sample.part),
        *(sample.age, sample.age_low, sample.age_high, sample.female, sample.race, sample.mood),
        *(sample.votes or (0,) * len(VOTES), sample.sound, found),
        (shift.real, shift.imag, along.real, along.imag),
    )


def _table(rows: list[tuple[object, ...]]) -> Labels:
    real, whole, yes = np.float32, np.int64, np.bool_
    kinds = (str, str, str, real, real, real, real, whole, whole, real, yes, yes, real)
    return Labels(
        *(np.array(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True))
    )


def read(name: str, folder: Path) -> tuple[U8, Labels]:
    """The faces (N, side, side, 3), on disk until they are used, and their labels.

    Raises:
        ConfigError: that set is not there, cannot be read, or its faces and labels do not belong together.
    """
    remedy = f"Cut them out with: python -m training cache --data DIR --out {folder}"
    files = [folder / f"{name}{end}" for end in (PIXELS, LABELS)]
    if not all(file.is_file() for file in files):
        raise ConfigError(f"{folder}: holds no faces of {name}. {remedy}")
    try:
        pixels = np.load(files[0], mmap_mode="r")
        with files[1].open("rb") as file, np.load(file) as stored:  # np.load leaves a broken one open
            labels = Labels(*(stored[c.name] for c in fields(Labels)))
    except (OSError, EOFError, ValueError, TypeError, AttributeError, KeyError, BadZipFile) as error:
        raise ConfigError(f"{folder}: the faces of {name} cannot be read. {remedy}") from error
    if len(pixels) != len(labels):
        raise ConfigError(
            f"{folder}: holds {len(pixels)} faces of {name}, and labels of {len(labels)}. {remedy}"
        )
    return pixels, labels


def filling(sample: Sample) -> Faces:
    """The face of a tight chip that no detector found: its box is most of the picture."""
    height, width = sample.image.shape[:2]
    box = np.array([[0.05 * width, 0.02 * height, 0.95 * width, 0.98 * height]])
    return Faces(box, np.ones(1, np.float32), np.full((1, 5, 2), np.nan, np.float32))
