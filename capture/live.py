"""A live source: a thread of its own keeps the newest picture, and connects again when it is lost."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from capture.clock import LiveClock
from core.errors import SourceError
from core.types import Frame, Gap, Image, SourceInfo, Stamp

log = logging.getLogger(__name__)

BACK_OFF = (1.0, 2.0, 4.0, 5.0)  # s before the next try; the last again and again
_GOOD_AGAIN = 30.0  # s of pictures after which the back-off begins anew
_SILENCE = 1.0  # s without a picture that make a Gap
_KEY_FRAME = 10.0  # s that a camera may take, once open, to its next key frame
_LEAVE = 1.0  # s that the thread has to end before it is left behind


class Lost(SourceError):
    """A connection that is not to be had, or no more; `pause`: least seconds before another try."""

    def __init__(self, message: str, pause: float = 0.0) -> None:
        super().__init__(message)
        self.pause = pause


class Grab(NamedTuple):
    """A picture as it came: `paint` makes it BGR, which only those that are read are worth."""

    paint: Callable[[], Image]
    presentation: float  # s; NaN if it bears none
    damaged: bool


class Connection(Protocol):
    """An open camera. All its methods are called by one thread: closing from another one crashes."""

    codec: str

    @property
    def errors(self) -> int:
        """Broken packets so far."""

    def grab(self) -> Grab | None:
        """Wait for the next picture; None: it is over, and was meant to end. Raises Lost."""

    def close(self) -> None:
        """Let go of it."""


class Live:
    """Reads a connection in a thread of its own, so that `read` never waits longer than a second.

    Pictures that nobody took are replaced by newer ones; `Stamp.index` counts them too.
    """

    length = math.nan

    def __init__(self, info: SourceInfo, connect: Callable[[], Connection], open_timeout: float) -> None:
        """Connect and wait for the first picture.

        Args:
            info: what is known of the source.
            connect: opens it, within `open_timeout`; raises Lost.
            open_timeout: seconds.

        Raises:
            SourceError: no picture came.
        """
        self.info = info
        self.decode_errors = 0
        self.codec = ""
        self._connect = connect
        self._clock = LiveClock()
        self._began = self._wall = math.nan
        self._last = Stamp(info.name, 0, 0.0, math.nan, (1, 1))
        self._index = 0
        self._slot: tuple[Grab, int, float] | None = None  # picture, index, time
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._over = False
        self._error: SourceError | None = None
        self._thread = threading.Thread(target=self._run, name=f"camera {info.name}", daemon=True)
        self._thread.start()
        self._await_first(open_timeout + _KEY_FRAME)

    def read(self) -> Frame | Gap | None:
        """The newest picture, once; a Gap after each second without; None if the stream ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._slot or self._over, _SILENCE)
            taken, self._slot = self._slot, None
            if taken is None and self._over:
                if self._error:
                    raise self._error
                return None
        if taken is None:
            now = max(time.monotonic() - self._began, self._last.time)
            self._last = self._stamp(self._last.index, now, self._last.size)
            return Gap(self._last, "no picture")
        grab, index, at = taken
        image = grab.paint()
        # Not before a Gap that was given since.
        at = max(at, self._last.time)
        self._last = self._stamp(index, at, (image.shape[1], image.shape[0]))
        return Frame(self._last, image, damaged=grab.damaged)

    def close(self) -> None:
        """End the thread; one that hangs in a read is left behind, as closing for it would crash."""
        self._stop.set()
        self._thread.join(_LEAVE)
        if self._thread.is_alive():
            log.debug("%s: hangs in a read and is left behind.", self.info.address)

    def _stamp(self, index: int, at: float, size: tuple[int, int]) -> Stamp:
        return Stamp(self.info.name, index, at, self._wall + at, size)

    def _await_first(self, seconds: float) -> None:
        with self._changed:
            shown = self._changed.wait_for(lambda: self._slot or self._over, seconds)
            if self._slot:
                return
            error = self._error
        self.close()
        if shown and error:
            raise error
        raise SourceError(
            f"{self.info.address}: no picture came within {seconds:g} s; "
            "see that the camera sends a key frame every 1 to 2 s."
        )

    def _run(self) -> None:
        """Connect, pass on pictures, and again, until told to stop or there is no hope."""
        failures, lost_at = 0, math.nan
        while not self._stop.is_set():
            before = self._index
            began = time.monotonic()
            try:
                self._pump(lost_at)
                return self._end(None)
            except SourceError as error:
                pause = error.pause if isinstance(error, Lost) else math.inf
                if self._index == 0 or math.isinf(pause):
                    return self._end(error)
                if self._index > before:
                    lost_at = time.monotonic()
                    failures = 0 if lost_at - began > _GOOD_AGAIN else failures
                pause = max(pause, BACK_OFF[min(failures, len(BACK_OFF) - 1)])
                # Said once when it is lost; the tries in between are for those who look closely.
                level = logging.WARNING if self._index > before else logging.DEBUG
                log.log(level, "camera '%s': %s Trying again in %g s.", self.info.name, error, pause)
                failures += 1
                self._stop.wait(pause)
            except Exception as error:
                # Not its text: foreign errors may hold the whole address.
                return self._end(SourceError(f"{self.info.address}: failed with {type(error).__name__}."))
        return self._end(None)

    def _pump(self, lost_at: float) -> None:
        """Pass on the pictures of one connection, until it ends as it should."""
        connection = self._connect()
        errors = self.decode_errors
        try:
            self.codec = connection.codec
            self._clock.reconnect()
            while not self._stop.is_set() and (grab := connection.grab()):
                if not math.isnan(lost_at):
                    log.warning(
                        "camera '%s' is back after %.0f s.", self.info.name, time.monotonic() - lost_at
                    )
                    lost_at = math.nan
                self.decode_errors = errors + connection.errors
                self._put(grab)
        finally:
            self.decode_errors = errors + connection.errors
            connection.close()

    def _put(self, grab: Grab) -> None:
        arrival = time.monotonic()
        if self._index == 0:
            self._began, self._wall = arrival, time.time()
        at = self._clock.time(grab.presentation, arrival - self._began)
        with self._changed:
            self._slot = (grab, self._index, at)
            self._index += 1
            self._changed.notify_all()

    def _end(self, error: SourceError | None) -> None:
        with self._changed:
            self._over, self._error = True, error
            self._changed.notify_all()
