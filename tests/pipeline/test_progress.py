from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.portraits import every, write_film
from tests.program import ROOT


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs a Unix terminal")
def test_a_terminal_shows_how_far_a_film_is_and_how_long_it_will_take(tmp_path: Path) -> None:
    import fcntl
    import pty
    import struct
    import termios

    film = write_film(tmp_path / "film.mp4", every(25, 8))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    process = subprocess.Popen(
        [sys.executable, str(ROOT / "stream.py"), "-s", str(film), "--no-window"], stderr=theirs
    )
    os.close(theirs)
    shown = bytearray()
    while chunk := _read(ours):
        shown += chunk
    process.wait(timeout=60)
    os.close(ours)

    lines = shown.decode().replace("\r", "\n").splitlines()
    bars = [line for line in lines if "left" in line]
    assert any("/8 s" in bar and "left" in bar for bar in bars)
    assert max(len(bar.rstrip("\x1b[A")) for bar in bars) <= 80


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux says that the other side is closed
        return b""
