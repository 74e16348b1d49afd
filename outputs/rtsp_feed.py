"""Keeps one stream published by a process of its own, begun anew when it is lost."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from core.errors import in_words
from core.masking import mask
from core.types import Image
from outputs.letterbox import letterbox
from outputs.rtsp_child import HEAD, READY, UP, Order

log = logging.getLogger(__name__)

SILENCE = 5.0  # s that a server may take no picture until it counts as gone
_START = 60.0  # s that the process may take to start, which a small machine with much to do is long about
PAUSES = (1.0, 2.0, 4.0, 5.0)  # s before each further try; the last one again and again
STEADY = 10.0  # s that a stream must last until it counts as back
GOODBYE = 1.0  # s for the process to end by itself
_GLANCE = 1.0  # s between two looks at whether the stream is steady
_ROOT = Path(__file__).parents[1]


class Child:
    """The process, from its first picture to its end."""

    def __init__(self, order: Order, changed: threading.Condition) -> None:
        """Start it; `changed` is notified when it is up and when it is gone.

        Raises:
            OSError, RuntimeError: the system has no room for a process or a thread.
        """
        self.up_at: float | None = None  # monotonic s, since when the server takes the stream
        self.gone = False
        self.reason = ""
        self.size: tuple[int, int] | None = None  # of its pictures, fixed by the first
        self.sending: float | None = None  # monotonic s, since when a picture is on its way
        self._patience = _START  # s for the picture on its way
        self._changed = changed
        # A session of its own: a Ctrl-C is meant for the program, which ends the stream in order.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "outputs.rtsp_child"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        self._pipe = self._process.stdin
        self._reader = threading.Thread(target=self._listen, name="rtsp words", daemon=True)
        try:
            self._reader.start()
        except RuntimeError:
            self.kill()
            self._process.wait()
            raise
        with suppress(OSError):  # gone at once; the first picture will not reach it either
            self._write(order.line())

    def send(self, taken: float, picture: Image) -> None:
        """Hand over a picture; OSError if the process is gone."""
        self.size = self.size or (picture.shape[1], picture.shape[0])
        pixels = np.ascontiguousarray(letterbox(picture, self.size))
        self.sending = time.monotonic()
        self._write(HEAD.pack(taken, *self.size), pixels.data.cast("B"))
        if self.up_at is not None:
            self.sending = None  # the first picture is under way until the server takes it

    def is_stuck(self) -> bool:
        """Whether a picture has been on its way for too long."""
        since = self.sending
        return since is not None and time.monotonic() - since > self._patience

    def kill(self) -> None:
        """End it at once; from any thread."""
        self._process.kill()

    def end(self, patience: float) -> None:
        """Let it say goodbye to the server, then let go of all of it."""
        with suppress(OSError):
            self._pipe.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def _write(self, *pieces: bytes | memoryview) -> None:
        for piece in pieces:
            self._pipe.write(piece)
        self._pipe.flush()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as words:
            for line in words:
                text = line.decode().strip()
                with self._changed:
                    if text == READY:  # a picture may wait already; the server's time begins only now
                        self.sending = None if self.sending is None else time.monotonic()
                        self._patience = SILENCE
                    elif text == UP:
                        self.up_at, self.sending = time.monotonic(), None
                    else:
                        self.reason = text
                    self._changed.notify_all()
        with self._changed:
            self.gone = True
            self._changed.notify_all()


class Feed:
    """The stream of one source. `put` never waits, whatever the server does."""

    def __init__(self, address: str, name: str, before: Feed | None) -> None:
        """Start the thread; nothing is called before the first picture.

        Args:
            address: with user and password.
            name: of the source.
            before: the stream at this address that has been asked to end; it is waited for first.
        """
        self._before = before
        self._order = Order(address, SILENCE)
        self._shown = mask(address)
        self._slot: tuple[float, Image] | None = None
        self._changed = threading.Condition()
        self._closing = False
        self._child: Child | None = None
        self._lost_at: float | None = None  # monotonic s, since when it is away
        self._told = False  # that it is published at all
        self._thread = threading.Thread(target=self._run, name=f"rtsp {name}", daemon=True)
        self._thread.start()

    def put(self, taken: float, picture: Image) -> None:
        """The newest picture, `taken` at that second of its source."""
        with self._changed:
            self._slot = (taken, picture)
            self._changed.notify_all()
        child = self._child
        if child is not None and child.is_stuck():
            child.kill()

    def finish(self) -> None:
        """Ask it to end; see `join`."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def join(self, until: float) -> None:
        """Wait for its end, by force from `until` on, monotonic seconds."""
        self._thread.join(max(until - time.monotonic(), 0.0))
        child = self._child
        if self._thread.is_alive() and child is not None:
            child.kill()
            self._thread.join(GOODBYE)

    def _run(self) -> None:
        if self._before is not None:
            self._before.join(time.monotonic() + GOODBYE)
            self._before = None
        tries = 0
        while self._has_picture():
            reason, lasted = self._publish()
            if self._closing:
                return
            tries = 0 if lasted > STEADY else tries
            self._lose(reason)
            self._pause(PAUSES[min(tries, len(PAUSES) - 1)])
            tries += 1

    def _publish(self) -> tuple[str, float]:
        """One process from start to end: why it ended, and how long, s, the server took pictures."""
        try:
            child = Child(self._order, self._changed)
        except (OSError, RuntimeError) as error:  # such as no process left to this user; it passes
            return f"its process does not start: {in_words(error)}", 0.0
        self._child = child
        with suppress(OSError):  # gone in the midst of a picture; it has said why
            self._feed(child)
        child.end(GOODBYE if self._closing and child.up_at is not None else 0.0)
        self._child = None
        lasted = 0.0 if child.up_at is None else time.monotonic() - child.up_at
        return child.reason or "the server takes no pictures any more", lasted

    def _has_picture(self) -> bool:
        """Wait for one; False if it is to end."""
        with self._changed:
            while self._slot is None and not self._closing:
                self._changed.wait()
            return not self._closing

    def _feed(self, child: Child) -> None:
        """Hand over the newest picture again and again, until the stream is lost or to end."""
        while True:
            with self._changed:
                while not self._closing and not child.gone and not self._is_due(child):
                    self._changed.wait(_GLANCE)
                    self._greet(child)
                if self._closing or child.gone or self._slot is None:
                    return
                entry, self._slot = self._slot, None
            child.send(*entry)
            self._greet(child)

    def _is_due(self, child: Child) -> bool:
        """The first picture opens the stream; further ones would only grow old until it is open."""
        return self._slot is not None and (child.size is None or child.up_at is not None)

    def _greet(self, child: Child) -> None:
        """Say, once, that it is there or back."""
        if child.up_at is None or child.gone:
            return
        if self._lost_at is not None and time.monotonic() - child.up_at > STEADY:
            log.warning("output %s is back after %.0f s.", self._shown, child.up_at - self._lost_at)
            self._lost_at = None
        elif not self._told and self._lost_at is None:
            log.info("publishing: %s", self._shown)
        self._told = True

    def _lose(self, reason: str) -> None:
        """Say, once, that it is away."""
        log.debug("output %s: %s", self._shown, reason)
        if self._lost_at is None:
            self._lost_at = time.monotonic()
            log.warning("output %s: %s; trying again until it is back.", self._shown, mask(reason))

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        with self._changed:
            while not self._closing and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
