"""A live source: a thread of its own keeps the newest picture, and connects again when it is lost."""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from capture.clock import LEAST_STEP, LiveClock, WallClock
from capture.connection import FIRST_PICTURE, Connection, Grab, Lost
from capture.frozen import Frozen
from core.errors import SourceError
from core.hours import Hours
from core.settings import CaptureConfig
from core.types import Frame, Gap, SourceInfo, Stamp

log = logging.getLogger(__name__)

BACK_OFF = (1.0, 2.0, 4.0, 5.0)  # s before the next try; the last again and again
_JITTER = 0.2  # share by which a pause varies, so that ten cameras do not call at once
_GOOD_AGAIN = 30.0  # s of pictures after which the back-off begins anew
_SILENCE = 1.0  # s without a picture that make a Gap
_LEAVE = 1.0  # s that the thread has to end before it is left behind
_HANGS = 5.0  # s over its own time-out after which a call has hung
_LEFT_BEHIND = 3  # threads that may hang at once; then the source waits for one of them to return


class Live:
    """Reads a connection in a thread of its own, so that `read` never waits longer than a second.

    Pictures that nobody took are replaced by newer ones; `Stamp.index` counts them too. A call that
    does not return long after its time-out is left behind with its thread, and another one calls anew.
    Outside of its opening hours the camera is let go of.

    Attributes:
        stalled: pictures so far that waited in a stalled network and were old news as they came.
    """

    length = math.nan

    def __init__(self, info: SourceInfo, connect: Callable[[], Connection], config: CaptureConfig) -> None:
        """Begin to call.

        Args:
            info: what is known of the source.
            connect: opens it, within `open_timeout`; raises Lost.
            config: its time-outs, seconds.
        """
        self.info = info
        self.decode_errors = 0
        self.stalled = 0
        self.codec = ""
        self._connect = connect
        self._config = config
        self._clock = LiveClock()
        self._wall = WallClock()
        self._frozen = Frozen(config.frozen_after)
        self._hours = Hours.parse(info.hours)
        self._burst = False  # the last picture waited in a stalled network
        self._began = math.nan
        self._lag = 0.0  # s that the last picture is older than its arrival
        self._last = Stamp(info.name, 0, 0.0, math.nan, (0, 0))
        self._index = 0
        self._slot: tuple[Grab, int, float, bool] | None = None  # picture, index, time, frozen
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._over = False
        self._error: SourceError | None = None
        self._trouble = ("", "")  # reason and words, while it is lost
        # The same as it was lost, and the index of the next picture, until it is read.
        self._news: tuple[int, tuple[str, str]] | None = None
        self._jitter = random.Random(info.name)
        self._left: list[threading.Thread] = []
        self._caller = 0  # which thread counts; others were left behind
        self._due = math.inf  # s, monotonic, until when the call that runs must return
        self._call()

    def read(self) -> Frame | Gap | None:
        """The newest picture, once; a Gap when it is lost and after each second without; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._slot or self._over or self._news, _SILENCE)
            if self._news and (self._slot is None or self._slot[1] >= self._news[0]):
                (_, trouble), self._news = self._news, None
                return self._gap(trouble)
            taken, self._slot = self._slot, None
            if taken is None and self._over:
                if self._error:
                    raise self._error
                return None
        if taken is None:
            self._leave_if_hung()
            return self._gap(self._trouble)
        grab, index, at, frozen = taken
        image = grab.paint()
        if at <= self._last.time and not math.isnan(self._last.wall):  # a Gap was given since
            at = self._last.time + LEAST_STEP
        self._last = self._stamp(index, at, (image.shape[1], image.shape[0]))
        return Frame(self._last, image, damaged=grab.damaged, frozen=frozen)

    def close(self) -> None:
        """End the thread; one that hangs in a read is left behind, as closing for it would crash."""
        self._stop.set()
        self._thread.join(_LEAVE)
        if self._thread.is_alive():
            log.debug("%s: hangs in a read and is left behind.", self.info.address)

    def _gap(self, trouble: tuple[str, str]) -> Gap:
        if math.isnan(self._began):  # before the first picture no time of the source goes by
            return Gap(replace(self._last, wall=time.time()), *trouble)
        self._wall.hear(time.monotonic() - self._began, time.time())
        # By the camera's clock as well, or pictures that come afterwards would be older than the Gap.
        now = max(time.monotonic() - self._began - self._lag, self._last.time)
        self._last = self._stamp(self._last.index, now, self._last.size)
        return Gap(self._last, *trouble)

    def _stamp(self, index: int, at: float, size: tuple[int, int]) -> Stamp:
        return Stamp(self.info.name, index, at, self._wall.at(at), size)

    def _call(self) -> None:
        self._caller += 1
        self._thread = threading.Thread(
            target=self._run, args=(self._caller,), name=f"camera {self.info.name}", daemon=True
        )
        self._thread.start()

    def _leave_if_hung(self) -> None:
        """Call anew by another thread if a call has not returned long after its own time-out."""
        self._left = [thread for thread in self._left if thread.is_alive()]
        if time.monotonic() < self._due or len(self._left) >= _LEFT_BEHIND:
            return
        self._due = math.inf
        self._left.append(self._thread)
        self._lose("hangs", f"{self.info.address}: hangs; the call to it did not return.", 0.0)
        self._call()

    def _run(self, caller: int) -> None:
        """Connect, pass on pictures, and again, until told to stop or there is no hope."""
        failures = 0
        while self._counts(caller):
            if not self._is_open():
                self._rest()
                continue
            before, began = self._index, time.monotonic()
            try:
                if self._pump(caller):
                    return self._end(caller, None)
                continue
            except SourceError as error:
                reason, least = (error.reason, error.pause) if isinstance(error, Lost) else ("unusable", 0.0)
                if math.isinf(least):
                    return self._end(caller, error)
                words = str(error)  # not the error itself: it holds all of the connection that it ended
            except Exception as error:
                # Not its text: foreign errors may hold the whole address.
                words = f"{self.info.address}: failed with {type(error).__name__}."
                return self._end(caller, SourceError(words))
            if self._index > before and time.monotonic() - began > _GOOD_AGAIN:
                failures = 0
            pause = self._pause(failures, least)
            failures += 1
            if self._counts(caller):
                self._due = math.inf
                self._lose(reason, words, pause)
                self._stop.wait(pause)
        return self._end(caller, None)

    def _is_open(self) -> bool:
        return self._hours.are_open(time.time())

    def _rest(self) -> None:
        """Outside of the opening hours nobody is called, and nothing is missed."""
        with self._changed:
            self._trouble, self._due = ("", ""), math.inf
        self._stop.wait(_SILENCE)

    def _pause(self, failures: int, least: float) -> float:
        """Seconds until the next try: never more often than told, nor later than the back-off's last."""
        if least > BACK_OFF[-1]:
            return least * (1 + _JITTER * self._jitter.random())
        return BACK_OFF[min(failures, len(BACK_OFF) - 1)] * (1 - _JITTER * self._jitter.random())

    def _lose(self, reason: str, words: str, pause: float) -> None:
        """Say once that it is lost; another reason than before only to those who look closely."""
        level = logging.DEBUG if self._trouble[0] else logging.WARNING
        # Before its first picture the program may give up instead.
        again = f" Trying again in {pause:.0f} s." if self._index or self._config.wait else ""
        log.log(level, "camera '%s': %s%s", self.info.name, words, again)
        with self._changed:
            if not self._trouble[0]:
                self._news = (self._index, (reason, words))
            self._trouble = (reason, words)
            self._changed.notify_all()

    def _pump(self, caller: int) -> bool:
        """Pass on the pictures of one connection, until it ends as it should; False if the hours ended it."""
        self._due = time.monotonic() + self._config.open_timeout + _HANGS
        connection = self._connect()
        errors = self.decode_errors
        limit = max(self._config.stall_timeout, FIRST_PICTURE) + _HANGS
        try:
            if not self._counts(caller):  # it took so long that another call was made
                return True
            self.codec = connection.codec
            self._clock.reconnect()
            self._frozen.reset()
            while self._counts(caller):
                if not self._is_open():
                    return False
                self._due = time.monotonic() + limit
                grab = connection.grab()
                if not grab:
                    return True
                if self._counts(caller):
                    self.decode_errors = errors + connection.errors
                    self._put(grab)
                limit = self._config.stall_timeout + _HANGS
            return True
        finally:
            if self._counts(caller):
                self.decode_errors = errors + connection.errors
            connection.close()

    def _put(self, grab: Grab) -> None:
        arrival = time.monotonic()
        if self._index == 0:
            self._began = arrival
        at = self._clock.time(grab.presentation, arrival - self._began)
        self._lag = max(arrival - self._began - at, 0.0)
        if self._wall.hear(arrival - self._began, time.time()):
            log.info("camera '%s': the clock of this machine was set; its UTC is followed.", self.info.name)
        frozen = self._frozen.hear(grab.digest, grab.key, arrival)
        with self._changed:
            # A tracker would read what comes in a burst as huge speeds; and the time of its last
            # pictures may have been told already as one without any.
            self._burst = self._clock.behind or (self._burst and at < self._last.time)
            if self._burst:
                self.stalled += 1
            else:
                self._slot = (grab, self._index, at, frozen)
            self._index += 1
            self._trouble = ("", "")
            self._changed.notify_all()

    def _counts(self, caller: int) -> bool:
        return caller == self._caller and not self._stop.is_set()

    def _end(self, caller: int, error: SourceError | None) -> None:
        with self._changed:
            if caller == self._caller:
                self._over, self._error, self._due = True, error, math.inf
                self._changed.notify_all()
