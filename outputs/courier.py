"""The thread that takes what waits in a spool to the other side: in order, for as long as it takes."""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from core.errors import SinkError
from core.masking import mask
from core.types import Event
from outputs.rows import dumps, row, sendable
from outputs.spool import Letter, Spool

log = logging.getLogger(__name__)

BATCH = 100  # letters on their way at a time
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # s between two attempts, doubled from the one to the other
REFUSED_WAIT = 300.0  # s, where only a person can help
DRAIN = 2.0  # s for what waits when the run ends; an outlet counts as stuck after 3
_FAREWELL = 0.7  # s beyond, for the last words
_GLANCE = 0.1  # s between two looks at the connection
_WORDS = 400  # characters of what is said of a failure
_SYNC = 1.0  # s between two writes to the disk


class Trouble(Exception):
    """The other side took nothing.

    Attributes:
        wait: least seconds until the next attempt.
        grave: only a person can help; it is said even after a lesser one.
    """

    def __init__(self, words: str, wait: float = 0.0, grave: bool = False) -> None:
        # What the other side says is in them: it shall not write lines of its own into the log.
        shown = "".join(each if each.isprintable() else " " for each in words[:_WORDS])
        super().__init__(mask(shown))
        self.wait = max(wait, REFUSED_WAIT) if grave else wait
        self.grave = grave


class Carrier(Protocol):
    """How to reach the other side. Used by the courier's thread alone."""

    def deliver(self, letters: Sequence[Letter], left: Callable[[], float]) -> int:
        """Hand the letters over, perhaps none; how many, from the first on, were taken.

        Called several times a second, so that it can keep a connection alive.

        Args:
            letters: in order; those not taken come again.
            left: seconds until it must return.

        Raises:
            Trouble: none was taken.
        """

    def close(self) -> None:
        """Take leave, within half a second."""


class Courier:
    """Puts events into a spool, which never waits for the network, and has a thread empty it."""

    def __init__(self, name: str, spool: Spool, carrier: Carrier) -> None:
        """Start the thread.

        Args:
            name: of the output, for messages, without secrets.
            spool: closed by it.
            carrier: likewise.
        """
        self._name = name
        self._spool = spool
        self._carrier = carrier
        self._run_mark = secrets.token_hex(6)
        self._count = 0
        self._batch: list[Letter] = []
        self._troubled = self._grave = False
        self._attempts = 0
        self._chance = np.random.default_rng()
        self._lost = 0  # events that the disk did not take, since it last took one
        self._synced = time.monotonic()
        self._changed = threading.Condition()
        self._woken = False
        self._until = math.inf  # s, monotonic, by when all must be over
        self._error: BaseException | None = None
        if spool.waiting:
            log.info("output %s: %d events of an earlier run are sent first", name, spool.waiting)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, events: Sequence[Event]) -> None:
        """Add events; a full disk is said and does not end the run.

        Raises:
            SinkError: the thread has ended by a mistake of ours.
        """
        self._check()
        if not events:
            return
        full = self._spool.dropped > 0
        try:
            self._spool.append([self._letter(event) for event in events])
        except SinkError as error:
            if not self._lost:
                log.error("output %s: events are lost: %s", self._name, error)
            self._lost += len(events)
            return
        if self._lost:
            log.warning(
                "output %s: its spool can be written again, %d events were lost", self._name, self._lost
            )
            self._lost = 0
        if self._spool.dropped and not full:
            log.warning("output %s: the spool is full, the oldest events are dropped", self._name)
        self.wake()

    def wake(self) -> None:
        """There is something new to deliver."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def close(self) -> None:
        """Send what can be sent within 2 s, and say what is left. Idempotent.

        Raises:
            SinkError: as in `put`.
        """
        patience = 0.0 if self._troubled else DRAIN  # the next attempt would hardly be the first to succeed
        with self._changed:
            first = self._until == math.inf
            self._until = min(self._until, time.monotonic() + patience)
            self._changed.notify_all()
        if not first:
            return
        # A thread that hangs in a call of the system is left behind; it takes leave when that returns.
        self._thread.join(patience + _FAREWELL)
        self._spool.close()
        if self._spool.dropped:
            log.warning(
                "output %s: %d events were dropped, the spool was full", self._name, self._spool.dropped
            )
        if self._spool.waiting:
            words = "output %s: %d events were not taken; they wait in %s for the next run"
            log.warning(words, self._name, self._spool.waiting, self._spool.path)
        self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise SinkError(f"output {self._name}: {type(self._error).__name__}: {self._error}")

    def _letter(self, event: Event) -> tuple[str, str, str]:
        self._count += 1
        uid = f"{self._run_mark}-{self._count}"
        text = dumps({**row(event), "uid": uid})
        return uid, sendable(event.stamp.source), sendable(text)

    def _run(self) -> None:
        try:
            over = False
            while not over:
                over = self._closing()  # before the turn: what was put before the end is in it
                try:
                    self._turn()
                    over = over and (not self._spool.waiting or self._left() <= 0)
                except Trouble as trouble:
                    self._suffer(trouble)
                    over = self._closing()
                except SinkError as error:  # the spool's: doubles at worst
                    log.debug("%s", error)
                    self._pause(FIRST_WAIT, by_news=False)
        except BaseException as error:
            log.debug("courier failed", exc_info=True)
            self._error = error
        finally:
            self._carrier.close()

    def _turn(self) -> None:
        # Kept as it is from one attempt to the next, but for what had to make room meanwhile.
        self._batch = [letter for letter in self._batch if letter.number >= self._spool.first]
        if not self._batch:
            self._batch = self._spool.read(BATCH)
        taken = self._carrier.deliver(self._batch, self._left)
        self._sync()  # here too: there is no pause as long as anything waits
        self._recover()
        if taken:
            last = self._batch[taken - 1].number
            self._batch = self._batch[taken:]
            self._spool.acknowledge(last)
        if not self._spool.waiting:
            self._pause(_GLANCE)

    def _suffer(self, trouble: Trouble) -> None:
        if not self._troubled or (trouble.grave and not self._grave):
            log.warning("output %s: %s. Events wait in %s; trying on", self._name, trouble, self._spool.path)
        self._troubled, self._grave = True, trouble.grave
        longest = min(FIRST_WAIT * 2.0**self._attempts, LONGEST_WAIT)
        self._attempts = min(self._attempts + 1, 30)
        # Jitter, so that many machines do not call a server that comes back all at once.
        self._pause(max(longest * self._chance.uniform(0.5, 1.0), trouble.wait), by_news=False)

    def _recover(self) -> None:
        self._attempts = 0
        if self._troubled:
            self._troubled = self._grave = False
            log.info("output %s is back, %d waiting events are being sent", self._name, self._spool.waiting)

    def _pause(self, seconds: float, by_news: bool = True) -> None:
        """Wait, until the end at most, or also until something is new."""
        until = time.monotonic() + seconds
        while (wait := until - time.monotonic()) > 0 and not self._closing():
            self._sync()
            with self._changed:
                if not (by_news and self._woken) and not self._closing():
                    self._changed.wait(min(wait, _SYNC))
                if by_news and self._woken:
                    break
        with self._changed:
            self._woken = False

    def _sync(self) -> None:
        if time.monotonic() - self._synced > _SYNC:
            self._spool.sync()
            self._synced = time.monotonic()

    def _closing(self) -> bool:
        return self._until < math.inf

    def _left(self) -> float:
        return max(self._until - time.monotonic(), 0.0)
