"""Tells systemd that the program is ready and alive."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

_FRESH = 5.0  # s, how old `systemctl status` may be


class Notifier:
    """Called by the loop as often as it likes; tells twice in the time that the watchdog allows, or oftener.

    Source: sd_notify(3), systemd.
    """

    def __init__(self, address: str, watchdog: float, words: Callable[[], str]) -> None:
        """Nothing is sent yet.

        Args:
            address: of systemd's socket, `NOTIFY_SOCKET`; a leading @ stands for a NUL byte.
            watchdog: seconds after which systemd takes a silent program for dead; 0: never.
            words: how it is doing, one line.
        """
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._pause = min(watchdog / 2 or _FRESH, _FRESH)
        self._words = words
        self._due = 0.0

    def __call__(self) -> None:
        """The loop is alive."""
        now = time.monotonic()
        if now >= self._due:
            ready = "READY=1\n" if self._due == 0 else ""
            self._due = now + self._pause
            self._send(f"{ready}WATCHDOG=1\nSTATUS={self._words()}")

    def _send(self, text: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            try:
                sock.connect(self._address)
                sock.sendall(text.encode())
            except OSError:
                return  # systemd is not there any more: nobody to tell
