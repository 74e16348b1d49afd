"""How messages look: plain lines or JSON, no secret in any, and none again and again."""

from __future__ import annotations

import json
import logging
import os
import sys
import textwrap
import time
from contextlib import suppress
from typing import Literal, TextIO

from core.masking import mask

_AGAIN = 60.0  # s in which the same message is written once
_USUAL = 80  # columns
_REMEMBERED = 1000  # messages


class Plain(logging.Formatter):
    """A line for people, with its level if that is a warning; on a terminal broken between words."""

    def __init__(self, form: str, *, terminal: bool = False) -> None:
        super().__init__(form)
        self._terminal = terminal

    def format(self, record: logging.LogRecord) -> str:
        """The message without secrets."""
        prefix = "warning: " if record.levelno == logging.WARNING else ""
        words = prefix + mask(super().format(record))
        return wrapped(words, _columns()) if self._terminal else words


def _columns() -> int:
    """Of stderr's terminal; the standard output may be a pipe."""
    with suppress(OSError, ValueError, AttributeError):
        return (
            int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size(sys.stderr.fileno()).columns or _USUAL
        )
    return _USUAL


def wrapped(words: str, width: int) -> str:
    """Each line broken between words, paths left whole; what is indented stays as it is.

    >>> print(wrapped("warning: the disk is nearly full", 20))
    warning: the disk is
    nearly full
    """
    paragraph = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(line if line[:1].isspace() else paragraph.fill(line) for line in words.splitlines())


class Json(logging.Formatter):
    """A line for programs: time, level, where it was said, message."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object."""
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z"
        row = {"time": when, "level": record.levelname.lower(), "logger": record.name}
        return json.dumps({**row, "message": mask(super().format(record))}, ensure_ascii=False)


class Once(logging.Filter):
    """Lets the same message through once a minute, and says then how often it was kept back."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, tuple[float, int]] = {}  # when, and how often it was kept back since

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        words = record.getMessage()
        when, kept = self._said.get(words, (-_AGAIN, 0))
        if 0 <= record.created - when < _AGAIN:  # before it: the machine's clock was set back
            self._said[words] = when, kept + 1
            return False
        if len(self._said) >= _REMEMBERED:
            self._said.clear()
        self._said[words] = record.created, 0
        if kept:
            record.msg, record.args = f"{words} (and {kept} times more since it was last said)", ()
        return True


class BesideBars(logging.StreamHandler[TextIO]):
    """Messages on lines of their own, also while progress bars are shown."""

    def emit(self, record: logging.LogRecord) -> None:
        """Take the bars away, write, and draw them again."""
        if "tqdm" not in sys.modules:  # no bar has ever been shown
            super().emit(record)
            return
        from tqdm import tqdm

        with tqdm.external_write_mode(file=self.stream):
            super().emit(record)


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def set_up(verbose: bool, form: Literal["text", "json"] = "text") -> None:
    """Write all messages to stderr; with `verbose` also those for developers."""
    handler = BesideBars(sys.stderr)
    handler.setFormatter(Json() if form == "json" else Plain("%(message)s", terminal=_is_terminal()))
    handler.addFilter(Once())
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    for noisy in ("PIL", "libav", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
