"""A queue on disk: what the other side of a network output has not taken yet.

SQLite with a write-ahead log and `synchronous=NORMAL`. A kill loses nothing, since each write is one
transaction in the hands of the operating system. A power cut cannot break the file either, but takes what
the disk did not have yet; `sync` puts it there once a second. `FULL` would do so at every write, and hold
up the run for up to 0.1 s each time on a memory card. So a power cut costs the last second or two.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from core.errors import SinkError
from outputs.textfile import free

log = logging.getLogger(__name__)

T = TypeVar("T")
_MARK = 0x73747370  # says in the file's head that it is ours
_LARGE = 256  # pages of an empty file beyond which it is made small again
_PATIENCE = 1.0  # s that an earlier run has to let go of the file


@dataclass(frozen=True, slots=True)
class Letter:
    """One event on its way.

    Attributes:
        number: its place in the queue.
        uid: never given to another event, in no run.
        source: name of the source.
        body: JSON.
    """

    number: int
    uid: str
    source: str
    body: str


@dataclass(frozen=True, slots=True)
class _Anew:
    """That the file is to begin anew; `fault` is what was wrong with the old one, if anything."""

    fault: sqlite3.Error | None


class Spool:
    """Letters in order, at most so many. Any thread may use it; one process at a time may open it.

    Numbers have no gaps, as letters come at one end and go at the other.
    """

    def __init__(self, path: Path, rows: int) -> None:
        """Open the file, or begin it; its folder is made. A broken one is set aside.

        Raises:
            SinkError: it cannot be written, is something else, or another run has it.
        """
        self.path = path
        self.dropped = 0
        self._rows = rows
        self._lock = threading.RLock()
        self._unsafe = False  # something is not on the disk for certain
        self._open = True
        self._pending: _Anew | None = None  # an empty file that could not be begun yet
        self._first = self._next = 1  # of the oldest that waits, and of the one to come
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = self._begin()
        except (OSError, sqlite3.OperationalError) as error:
            raise self._failure(error) from error

    @property
    def first(self) -> int:
        """Number of the oldest letter that nobody has taken yet."""
        return self._first

    @property
    def waiting(self) -> int:
        """Letters that nobody has taken yet."""
        return self._next - self._first

    def append(self, letters: Sequence[tuple[str, str, str]]) -> None:
        """Add (uid, source, body) of each, all or none; the oldest make room and are counted.

        Raises:
            SinkError: the disk is full or fails; nothing of this was kept.
        """
        with self._lock:
            if not letters or not self._open:
                return
            rows = [(self._next + i, *letter) for i, letter in enumerate(letters)]
            oldest = max(self._first, self._next + len(rows) - self._rows)

            def work(db: sqlite3.Connection) -> None:
                db.executemany("INSERT INTO letters VALUES (?, ?, ?, ?)", rows)
                db.execute("DELETE FROM letters WHERE number < ?", (oldest,))

            self._do(work)
            self.dropped += oldest - self._first
            self._first, self._next = oldest, self._next + len(rows)

    def read(self, most: int) -> list[Letter]:
        """The oldest letters that wait; they stay until they are acknowledged."""
        words = "SELECT number, uid, source, body FROM letters WHERE number >= ? ORDER BY number LIMIT ?"
        with self._lock:
            if not self.waiting or not self._open:
                return []
            return [
                Letter(*row) for row in self._do(lambda db: db.execute(words, (self._first, most)).fetchall())
            ]

    def acknowledge(self, number: int) -> None:
        """The letters up to this one have been taken.

        Raises:
            SinkError: the disk refuses. A later call makes up for it; else a later run sends doubles.
        """
        with self._lock:
            self._first = max(self._first, min(number + 1, self._next))
            if not self._open:
                return
            try:
                self._do(lambda db: db.execute("DELETE FROM letters WHERE number < ?", (self._first,)))
            except SinkError:
                if self.waiting:
                    raise
                self._renew()  # even a delete needs room; without the file there is some again

    def sync(self) -> None:
        """Put on the disk what a power cut would take."""
        with self._lock:
            if self._open and self._unsafe:
                try:
                    self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                    self._unsafe = False
                except sqlite3.Error as error:  # the next write says so in words
                    log.debug("spool %s: not synced: %s", self.path, error)

    def close(self) -> None:
        """Let go of the file. Idempotent; later calls do nothing."""
        with self._lock:
            self._open = False
            self._db.close()

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """One transaction; the caller holds the lock."""
        if self._pending is not None:
            self._renew()
        try:
            with self._db as db:
                self._unsafe = True
                return work(db)
        except sqlite3.OperationalError as error:
            raise self._failure(error) from error
        except sqlite3.DatabaseError as error:
            self._renew(error)
            raise SinkError(f"spool {self.path}: was broken, and begins anew.") from error

    def _renew(self, error: sqlite3.Error | None = None) -> None:
        """Begin an empty file. Numbers go on, as whoever still acknowledges means the old letters."""
        number = self._next
        fault = error or (self._pending.fault if self._pending else None)
        self._pending = _Anew(fault)
        self._db.close()
        try:
            if fault is not None:
                self._set_aside(fault)
                self._pending = _Anew(None)  # what lies there from now on is no letter of anybody
            for part in (self.path, self._log_file(self.path)):
                part.unlink(missing_ok=True)
            self._db = self._opened()
        except (OSError, sqlite3.OperationalError) as failed:  # tried again with the next letters
            raise self._failure(failed) from failed
        finally:
            self._first = self._next = number
        self._pending = None

    def _begin(self) -> sqlite3.Connection:
        try:
            return self._opened()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            self._set_aside(error)
            return self._opened()

    def _opened(self) -> sqlite3.Connection:
        db = self._connect()
        try:
            fault = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if fault != "ok":
                raise sqlite3.DatabaseError(fault)
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        return db

    def _connect(self) -> sqlite3.Connection:
        self.path.touch(0o600)  # it tells of people
        db = sqlite3.connect(self.path, timeout=_PATIENCE, check_same_thread=False)
        # Nobody else may open it from here on, until it is closed or this process is gone.
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        mark = db.execute("PRAGMA application_id").fetchone()[0]
        if mark != _MARK and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise SinkError(f"spool {self.path}: is a database of something else. Name another file.")
        if mark != _MARK:
            db.execute(f"PRAGMA application_id={_MARK}")
        db.execute("PRAGMA journal_mode=WAL").fetchall()
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA secure_delete=ON")  # what was taken shall not stay in the file
        with db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS letters (number INTEGER PRIMARY KEY, uid TEXT NOT NULL, "
                "source TEXT NOT NULL, body TEXT NOT NULL)"
            )
            db.execute("DELETE FROM letters WHERE number < 0")  # a write, so that the lock is had now
        first, last = db.execute("SELECT min(number), max(number) FROM letters").fetchone()
        self._first, self._next = (1, 1) if first is None else (first, last + 1)
        if first is None and db.execute("PRAGMA page_count").fetchone()[0] > _LARGE:
            db.execute("VACUUM")

    def _set_aside(self, error: sqlite3.Error) -> None:
        aside = self.path.with_name(f"{self.path.name}.broken-{time.strftime('%Y%m%dT%H%M%S')}")
        # The log of the old file too: it would be played into the new one.
        for part, other in ((self.path, aside), (self._log_file(self.path), self._log_file(aside))):
            if part.exists():
                part.replace(other)
        log.error("spool %s: is broken (%s): set aside as %s, a new one begins", self.path, error, aside.name)

    @staticmethod
    def _log_file(path: Path) -> Path:
        return path.with_name(f"{path.name}-wal")

    def _failure(self, error: OSError | sqlite3.OperationalError) -> SinkError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if isinstance(error, OSError):
            words = f"cannot be written: {error.strerror}. {_REMEDY}"
        elif code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            words = (
                "another run or output uses it. End that one, or name another file with 'spool' in the sink."
            )
        elif code == sqlite3.SQLITE_FULL:
            words = f"the disk is full: {free(self.path)} free. Make room."
        else:
            words = f"cannot be written: {error}. {_REMEDY}"
        return SinkError(f"spool {self.path}: {words}")


_REMEDY = "See to its disk and rights, or name another file with 'spool' in the sink."
