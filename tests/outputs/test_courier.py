"""What holds for every network output: what is said, what is dropped, and when it is tried again."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path

import pytest

from core.errors import SinkError
from core.types import Event
from outputs import courier
from outputs.courier import Courier, Trouble
from outputs.spool import Spool
from tests.make import stamp
from tests.waiting import until


class Fake:
    """The other side: away until it is let in, then it takes everything."""

    def __init__(self, *troubles: Trouble | Exception) -> None:
        self.troubles = list(troubles)
        self.here = threading.Event()
        self.took: list[str] = []
        self.attempts: list[float] = []
        self.calls = 0

    def deliver(self, letters, left) -> int:
        self.calls += 1
        if letters:
            self.attempts.append(time.monotonic())
        if self.troubles and letters:
            raise self.troubles.pop(0)
        if not self.here.is_set():
            raise Trouble("nobody answers")
        self.took += [letter.uid.split("-")[1] for letter in letters]
        return len(letters)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(courier, "FIRST_WAIT", 0.02)
    monkeypatch.setattr(courier, "LONGEST_WAIT", 0.04)


def send(to: Courier, count: int) -> None:
    for i in range(count):
        to.put([Event("track_updated", stamp(i), 1)])


def test_the_oldest_make_room_and_are_neither_sent_nor_forgotten_in_the_count(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO)
    spool, there = Spool(tmp_path / "s.db", 10), Fake()
    one = Courier("x", spool, there)
    send(one, 25)
    there.here.set()
    until(lambda: there.took)
    one.close()

    assert there.took == [str(n) for n in range(16, 26)]
    assert caplog.text.count("the spool is full, the oldest events are dropped") == 1
    assert "15 events were dropped" in caplog.text


def test_a_full_disk_is_said_once_and_the_run_goes_on(tmp_path: Path, caplog) -> None:
    spool, there = Spool(tmp_path / "s.db", 1000), Fake()
    one = Courier("x", spool, there)
    send(one, 1)
    spool._db.execute("PRAGMA max_page_count=4")  # SQLite's own way to have no room
    send(one, 200)
    spool._db.execute("PRAGMA max_page_count=4000")
    send(one, 1)
    there.here.set()
    until(lambda: "202" in there.took)
    one.close()

    assert caplog.text.count("events are lost: spool") == 1
    assert "the disk is full" in caplog.text
    assert f"can be written again, {202 - len(there.took)} events were lost" in caplog.text
    assert there.took == sorted(there.took, key=int)


def test_attempts_are_apart_and_never_at_the_same_beat(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(courier, "FIRST_WAIT", 0.1)
    monkeypatch.setattr(courier, "LONGEST_WAIT", 0.1)
    asked, pause = [], Courier._pause

    def noted(self, seconds: float, by_news: bool = True) -> None:
        """As it is; a busy machine adds a beat of its own to what was asked for."""
        asked.extend([] if by_news else [seconds])
        pause(self, seconds, by_news)

    monkeypatch.setattr(Courier, "_pause", noted)
    there = Fake()
    one = Courier("x", Spool(tmp_path / "s.db", 10), there)
    send(one, 1)
    until(lambda: len(there.attempts) >= 6)
    one.close()

    assert min(b - a for a, b in pairwise(there.attempts)) >= 0.05
    assert 0.05 <= min(asked) < max(asked) <= 0.1


def test_attempts_become_rarer_the_longer_the_other_side_is_away(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(courier, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(courier, "LONGEST_WAIT", 0.16)
    there = Fake()
    one = Courier("x", Spool(tmp_path / "s.db", 10), there)
    send(one, 1)
    until(lambda: len(there.attempts) >= 8)
    one.close()

    waits = [b - a for a, b in pairwise(there.attempts)]
    assert all(wait >= 0.5 * min(0.01 * 2**n, 0.16) for n, wait in enumerate(waits))


def test_while_there_is_nothing_to_send_the_thread_sleeps(tmp_path: Path) -> None:
    there = Fake()
    there.here.set()
    one = Courier("x", Spool(tmp_path / "s.db", 10), there)
    send(one, 1)
    until(lambda: there.took)
    began, calls = time.monotonic(), there.calls
    until(lambda: there.calls >= calls + 3)
    waited = time.monotonic() - began
    one.close()

    assert waited > 0.15  # looks at the connection are a tenth of a second apart


def test_what_waits_goes_to_the_disk_while_the_other_side_takes_its_time(tmp_path: Path, monkeypatch) -> None:
    class Slow(Fake):
        def deliver(self, letters, left) -> int:
            self.here.wait(0.01)
            return 0

    def kept() -> int:
        """What a power cut would leave: SQLite's log is gone with it."""
        left = tmp_path / "left.db"
        left.write_bytes((tmp_path / "s.db").read_bytes())
        with closing(sqlite3.connect(left)) as db, suppress(sqlite3.DatabaseError):
            return int(db.execute("SELECT count(*) FROM letters").fetchone()[0])
        return 0

    monkeypatch.setattr(courier, "_SYNC", 0.05)
    one = Courier("x", Spool(tmp_path / "s.db", 1000), Slow())
    send(one, 50)

    until(lambda: kept() == 50)
    one.close()


def test_what_only_a_person_can_mend_is_said_though_something_lesser_was(tmp_path: Path, caplog) -> None:
    troubles = [Trouble("one"), Trouble("two"), Trouble("the login is wrong", grave=True)]
    there = Fake(*troubles)
    there.here.set()
    one = Courier("x", Spool(tmp_path / "s.db", 10), there)
    send(one, 1)
    until(lambda: "the login is wrong" in caplog.text)
    time.sleep(0.1)  # two further attempts, if it made any
    attempts = len(there.attempts)
    one.close()

    assert "one" in caplog.text
    assert "two" not in caplog.text
    assert caplog.text.count("the login is wrong") == 1
    assert attempts == 3  # the next one is minutes away


def test_a_mistake_of_ours_is_not_kept_quiet(tmp_path: Path) -> None:
    one = Courier("x", Spool(tmp_path / "s.db", 10), Fake(KeyError("oops")))
    send(one, 1)
    until(lambda: not one._thread.is_alive())

    with pytest.raises(SinkError, match="oops"):
        send(one, 1)
    with pytest.raises(SinkError, match="oops"):
        one.close()


def test_what_is_put_last_is_sent_before_the_end(tmp_path: Path) -> None:
    there = Fake()
    there.here.set()
    one = Courier("x", Spool(tmp_path / "s.db", 1000), there)
    send(one, 500)
    one.close()
    one.close()

    assert len(there.took) == 500
