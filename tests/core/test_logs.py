"""Messages: without secrets, as text or JSON, not again and again."""

import io
import json
import logging
import os
import subprocess
import sys

import pytest

from core.logs import Json, Once, Plain, set_up
from tests.program import ROOT


def record(words: str, *args: object, at: float = 0.0, level: int = logging.INFO) -> logging.LogRecord:
    made = logging.LogRecord("capture.live", level, __file__, 1, words, args, None)
    made.created, made.msecs = at, at % 1 * 1000
    return made


def test_a_plain_line_holds_no_password_and_names_a_warning() -> None:
    line = Plain("%(message)s").format(record("rtsp://u:hunter2@cam/ is gone", level=logging.WARNING))

    assert line == "warning: rtsp://***@cam/ is gone"


def test_a_line_of_json_is_read_back_and_holds_no_password() -> None:
    row = json.loads(Json().format(record('lost "%s"', "rtsp://u:hunter2@cam/", at=1e9 + 0.25)))

    assert row == {
        "time": "2001-09-09T01:46:40.250Z",
        "level": "info",
        "logger": "capture.live",
        "message": 'lost "rtsp://***@cam/"',
    }


def test_a_message_is_written_once_a_minute_with_the_number_of_those_kept_back() -> None:
    once = Once()
    said = [r for t in range(130) if once.filter(r := record("camera %s is lost", "door", at=float(t)))]

    assert [r.created for r in said] == [0.0, 60.0, 120.0]
    assert said[1].getMessage() == "camera door is lost (and 59 times more since it was last said)"


def test_a_clock_that_is_set_back_keeps_no_message_back() -> None:
    once = Once()

    assert [once.filter(record("lost", at=at)) for at in (5000.0, 1400.0, 1430.0)] == [True, True, False]


@pytest.fixture
def said(monkeypatch):
    """What stands on stderr after messages, if that is a terminal of 40 columns or not."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level

    def write(words: str, *, terminal: bool) -> str:
        stderr = io.StringIO()
        monkeypatch.setattr(stderr, "isatty", lambda: terminal, raising=False)
        monkeypatch.setattr("sys.stderr", stderr)
        monkeypatch.setenv("COLUMNS", "40")
        root.handlers[:] = []
        set_up(verbose=False)
        logging.getLogger("capture.live").warning("%s", words)
        return stderr.getvalue()

    yield write
    root.handlers[:] = before
    root.setLevel(level)


LONG = (
    "camera 'door' gave no picture for five seconds; "
    "see /var/lib/cameras/of/the/whole/house/front-door/log-of-today.txt"
)


def test_a_message_on_a_terminal_breaks_between_words_and_leaves_paths_whole(said) -> None:
    lines = said(f"{LONG}\n  --set  runtime.threads=1  and more words than fit into one line", terminal=True)

    *broken, path, indented = lines.splitlines()
    assert path == LONG.rpartition(" ")[2]
    assert max(map(len, broken)) <= 40
    assert " ".join([*broken, path]) == f"warning: {LONG}"
    assert indented == "  --set  runtime.threads=1  and more words than fit into one line"


@pytest.mark.skipif(os.name == "nt", reason="needs a Unix terminal")
def test_messages_are_as_wide_as_the_terminal_that_shows_them_wherever_the_output_goes() -> None:
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 50, 0, 0))
    program = f"import logging; from core.logs import set_up; set_up(False); logging.warning({LONG!r})"
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    subprocess.run(
        [sys.executable, "-c", program],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        cwd=ROOT,
        env=environment,
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 4096).decode().splitlines()
    os.close(ours)

    assert 40 < max(map(len, shown[:-1])) <= 50


def test_a_message_into_a_pipe_stays_one_line(said) -> None:
    assert said(LONG, terminal=False) == f"warning: {LONG}\n"


@pytest.mark.parametrize("count", [5000])
def test_ever_new_messages_do_not_fill_the_memory(count) -> None:
    once = Once()

    assert all(once.filter(record("line %d", i)) for i in range(count))
    assert len(once._said) <= 1000
