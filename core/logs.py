"""How messages look: plain lines or JSON, no secret in any, and none again and again."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Literal

from core.errors import mask

_AGAIN = 60.0  # s in which the same message is written once
_REMEMBERED = 1000  # messages


class Plain(logging.Formatter):
    """A line for people, with its level if that is a warning."""

    def format(self, record: logging.LogRecord) -> str:
        """The message without secrets."""
        prefix = "warning: " if record.levelno == logging.WARNING else ""
        return prefix + mask(super().format(record))


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
        if record.created - when < _AGAIN:
            self._said[words] = when, kept + 1
            return False
        if len(self._said) >= _REMEMBERED:
            self._said.clear()
        self._said[words] = record.created, 0
        if kept:
            record.msg, record.args = f"{words} (and {kept} times more since it was last said)", ()
        return True


def set_up(verbose: bool, form: Literal["text", "json"] = "text") -> None:
    """Write all messages to stderr; with `verbose` also those for developers."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if form == "json" else Plain("%(message)s"))
    handler.addFilter(Once())
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    for noisy in ("PIL", "libav", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
