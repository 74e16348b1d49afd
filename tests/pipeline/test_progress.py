from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from tests.portraits import every, portrait, write_film
from tests.program import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="needs a Unix terminal")]


def test_a_terminal_shows_how_far_a_film_is_and_how_long_it_will_take(tmp_path: Path) -> None:
    write_film(tmp_path / "film.mp4", every(25, 8))

    shown = _shown(tmp_path, "film.mp4")

    lines = shown.replace("\r", "\n").splitlines()
    bars = [line for line in lines if "left" in line]
    assert any("/8 s" in bar and "left" in bar for bar in bars)
    assert max(len(bar.rstrip("\x1b[A")) for bar in bars) <= 80


def test_the_bar_of_a_part_of_a_film_begins_at_0_and_ends_with_it(tmp_path: Path) -> None:
    write_film(tmp_path / "film.mp4", every(10, 40))

    shown = _shown(tmp_path, "film.mp4", more=("--from", "20"))

    moved = re.findall(r"(\d+)/20 s, \d\d:\d\d left", shown)
    assert moved, "it never said how long it would take"
    assert max(map(int, moved)) <= 20


def test_messages_and_the_summary_keep_apart_from_the_bars_of_two_sources(tmp_path: Path) -> None:
    """The folder has a broken picture half way, and goes on, on the lower line, when the film is over."""
    write_film(tmp_path / "film.mp4", every(25, 1))
    (tmp_path / "photos").mkdir()
    for i in range(40):
        cv2.imwrite(str(tmp_path / "photos" / f"{i}.png"), portrait())
    broken = tmp_path / "photos" / "20.png"
    broken.write_bytes(broken.read_bytes()[:2000])

    shown = _shown(tmp_path, "film.mp4", "photos")

    assert "/40 pictures" in shown[: shown.index("20.png")], "the message came before the bars"
    lines = _screen(shown)
    start = next(i for i, line in enumerate(lines) if line.startswith("warning: photos/20.png: "))
    assert re.fullmatch(r"[^█]* It is left out\.", " ".join(lines[start:-3]))
    assert [line.partition(" ")[0] for line in lines[-3:]] == ["64", "people", "looks"]


def _shown(folder: Path, *sources: str, more: tuple[str, ...] = ()) -> str:
    """All that the program writes on a terminal of 80 columns."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    words = [word for source in sources for word in ("-s", source)]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "stream.py"), *words, *more, "--no-window"],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        cwd=folder,
        env={**os.environ, "COLUMNS": "80"},
    )
    os.close(theirs)
    shown = bytearray()
    while chunk := _read(ours):
        shown += chunk
    process.wait(timeout=60)
    os.close(ours)
    return shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux says that the other side is closed
        return b""


def _screen(shown: str) -> list[str]:
    """The lines that a terminal shows in the end."""
    cells: dict[tuple[int, int], str] = {}
    row = column = 0
    for sign in re.findall(r"\x1b\[A|.", shown, re.DOTALL):
        if sign == "\n":
            row += 1
        elif sign == "\r":
            column = 0
        elif sign == "\x1b[A":
            row -= 1
        else:
            cells[row, column] = sign
            column += 1
    last = max(row for row, _ in cells)
    width = 1 + max(column for _, column in cells)
    return ["".join(cells.get((row, i), " ") for i in range(width)).rstrip() for row in range(last + 1)]
