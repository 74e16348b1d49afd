"""Sequences in MOTChallenge form, made up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

Row = tuple[float, ...]  # frame from 1, id, left, top, width, height


def write_sequence(
    folder: Path,
    truth: Sequence[Row],
    found: Sequence[Row] | None = None,
    fps: float = 10,
    cuts: Sequence[int] = (),
) -> Path:
    """The folder of a sequence; its detections are `found`, or perfect ones."""
    rows = [*truth, *(found or ())]
    info = f"[Sequence]\nname={folder.name}\nframeRate={fps}\nseqLength={max(int(row[0]) for row in rows)}\n"
    info += "imWidth=640\nimHeight=480\n" + (f"cuts={' '.join(map(str, cuts))}\n" if cuts else "")
    _write(folder / "seqinfo.ini", info)
    _write(folder / "gt" / "gt.txt", "".join(f"{_row(row)},1,1,1\n" for row in truth))
    _write(folder / "det" / "det.txt", detections(truth if found is None else found))
    return folder


def detections(rows: Sequence[Row], score: float = 0.95) -> str:
    """The text of det.txt; ids are not told."""
    return "".join(f"{_row((row[0], -1, *row[2:]))},{score}\n" for row in rows)


def walk(first: int, last: int, person: int = 1, x: float = 10, speed: float = 2) -> list[Row]:
    """Rows of one who goes right, a step a frame."""
    return [(frame, person, x + speed * frame, 20, 30, 40) for frame in range(first, last + 1)]


def _row(row: Row) -> str:
    return ",".join(f"{value:g}" for value in row)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
