"""A thread for each sink, so that a slow one holds up nobody but itself."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Container

from core.errors import SinkError, in_words
from core.protocols import Sink
from core.types import Image, Result

log = logging.getLogger(__name__)

ROWS = 256  # results that may wait for a sink of data
PICTURES = 8  # pictures that may wait for a sink of pictures
PATIENCE = 3.0  # s without a step of the sink, once the run is to end, until it is left behind
_GLANCE = 0.1  # s between two looks at whether the run is to end


class Outlet:
    """The queue and the thread of one sink.

    Results are never lost, nor are pictures of files: a full queue is waited for. Of the pictures
    of live sources the oldest is dropped and counted.
    """

    def __init__(self, sink: Sink, name: str, live: Container[str] = (), required: bool = True) -> None:
        """Start the thread.

        Args:
            sink: closed by it.
            name: of the sink, for messages.
            live: names of the sources whose pictures may be dropped.
            required: whether its failure is one of the run.
        """
        self.required = required
        self.wants = sink.wants
        self.name = name
        self.dropped = 0
        self.error: SinkError | None = None
        self._sink = sink
        self._live = live
        self._room = ROWS if sink.wants == "data" else PICTURES
        self._waiting: deque[tuple[Result, Image | None]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._hurried = math.inf  # s, monotonic, when the run was asked to end
        self._stepped = 0.0  # s, monotonic, when the sink took its last result
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Results that its sink has not taken yet."""
        return len(self._waiting)

    def put(self, result: Result, picture: Image | None = None) -> None:
        """Hand over one result; waits while the queue is full, except for live pictures."""
        with self._changed:
            may_drop = picture is not None and result.stamp.source in self._live
            if may_drop and len(self._waiting) >= self._room:
                self._drop_oldest_picture()
            while len(self._waiting) >= self._room and not self.error and not may_drop:
                self._changed.wait(_GLANCE)
                self._leave_if_stuck()
            if self.error is None:
                self._waiting.append((result, picture))
                self._changed.notify_all()

    def finish(self) -> None:
        """Ask for what `close` waits for."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def close(self) -> None:
        """Write what waits, then close the sink."""
        self.finish()
        while self._thread.is_alive() and not self._is_stuck():
            self._thread.join(_GLANCE)
        with self._changed:
            self._leave_if_stuck()

    def hurry(self) -> None:
        """The run is to end: a sink that hangs is waited for no longer. Callable from a signal."""
        self._hurried = min(self._hurried, time.monotonic())

    def _is_stuck(self) -> bool:
        return time.monotonic() - max(self._hurried, self._stepped) > PATIENCE

    def _leave_if_stuck(self) -> None:
        """Such as a pipe whose reader sleeps. The caller holds `changed`."""
        if self._thread.is_alive() and self.error is None and self._is_stuck():
            self.error = SinkError(
                f"output {self.name}: took nothing for {PATIENCE:g} s, so the last rows are missing in it; "
                "see that its disk or reader keeps up."
            )
            self._waiting.clear()

    def _drop_oldest_picture(self) -> None:
        for i, (result, picture) in enumerate(self._waiting):
            if picture is not None and result.stamp.source in self._live:
                del self._waiting[i]
                self.dropped += 1
                return

    def _run(self) -> None:
        try:
            while (entry := self._next()) is not None:
                self._sink.write(*entry)
        except Exception as error:
            self._fail(error)
        try:
            self._sink.close()
        except Exception as error:
            self._fail(error)

    def _next(self) -> tuple[Result, Image | None] | None:
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            if not self._waiting:
                return None
            entry = self._waiting.popleft()
            self._stepped = time.monotonic()
            self._changed.notify_all()
            return entry

    def _fail(self, error: Exception) -> None:
        log.debug("sink failed", exc_info=True)
        with self._changed:
            if self.error is None:
                words = f"{self.name}: {in_words(error)}"
                self.error = error if isinstance(error, SinkError) else SinkError(words)
                if not self.required:  # else it ends the run, whose last words say it
                    log.error("%s; the other outputs go on", self.error)
            self._waiting.clear()
            self._changed.notify_all()
