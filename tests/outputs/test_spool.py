"""The queue on disk: against a list, a kill, a full disk, a broken file and a second run."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SinkError
from outputs.spool import Spool
from tests.program import ROOT
from tests.waiting import PATIENCE

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 7)),
        st.tuples(st.just("take"), st.integers(1, 7)),
        st.tuples(st.just("reopen"), st.just(0)),
        st.tuples(st.just("sync"), st.just(0)),
    ),
    max_size=40,
)


def letters(*numbers: int) -> list[tuple[str, str, str]]:
    return [(str(n), "door", f'{{"n": {n}}}') for n in numbers]


def waiting(spool: Spool) -> list[int]:
    return [int(letter.uid) for letter in spool.read(10**6)]


@settings(max_examples=60)
@given(STEPS, st.integers(1, 9))
def test_a_spool_is_a_list_that_forgets_its_oldest(steps: list[tuple[str, int]], bound: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "below" / "spool.db"
        spool, oracle, dropped, count = Spool(path, bound), [], 0, 0
        for step, n in steps:
            if step == "append":
                spool.append(letters(*range(count, count + n)))
                oracle += range(count, count + n)
                count += n
                dropped += max(len(oracle) - bound, 0)
                oracle = oracle[-bound:]
            elif step == "take" and oracle:
                spool.acknowledge(spool.read(n)[-1].number)
                oracle = oracle[n:]
            elif step == "reopen":
                spool.close()
                spool, dropped = Spool(path, bound), 0
            else:
                spool.sync()

            assert waiting(spool) == oracle
            assert (spool.waiting, spool.dropped) == (len(oracle), dropped)
        spool.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no such kill")
def test_a_kill_while_writing_loses_nothing_that_was_written(tmp_path: Path) -> None:
    words = """
import sys, itertools
from pathlib import Path
from outputs.spool import Spool
spool = Spool(Path(sys.argv[1]), 10**6)
for n in itertools.count():
    spool.append([(str(n), "door", "x" * 300)])
    if n % 7 == 0:
        spool.acknowledge(n // 2)
    print(n, flush=True)
"""
    for _ in range(3):
        path = tmp_path / "spool.db"
        child = subprocess.Popen(
            [sys.executable, "-c", words, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        with child:
            for line in child.stdout:
                if int(line) >= 500:
                    child.send_signal(signal.SIGKILL)
                    break
            last = int((line + child.stdout.read()).split()[-1])

        spool = Spool(path, 10**6)
        found = waiting(spool)
        spool.acknowledge(spool.read(10**6)[-1].number)
        spool.close()

        assert found == list(range(found[0], found[-1] + 1))
        assert found[-1] in (last, last + 1)  # the one that it could not tell of any more


def test_a_full_disk_is_said_and_leaves_what_was_there(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.db", 100)
    spool.append(letters(0, 1))
    spool._db.execute("PRAGMA max_page_count=4")  # SQLite's own way to have no room

    with pytest.raises(SinkError, match="the disk is full"):
        for n in range(2, 100):
            spool.append([(str(n), "door", "x" * 2000)])
    found = waiting(spool)
    spool._db.execute("PRAGMA max_page_count=4000")
    spool.append(letters(1000))
    spool.close()

    again = Spool(tmp_path / "spool.db", 100)
    assert found[:2] == [0, 1]
    assert waiting(again) == [*found, 1000]
    again.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_disk_that_takes_nothing_more_takes_again_when_all_was_taken(tmp_path: Path) -> None:
    words = """
import resource, sys
from pathlib import Path
from core.errors import SinkError
from outputs.spool import Spool
from tests.waiting import PATIENCE
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
spool, n = Spool(Path(sys.argv[1]), 10**6), 0
try:
    while True:
        spool.append([(str(n), "door", "x" * 900)])
        n += 1
except SinkError as error:
    print(str(error).split(": ")[1])
found = spool.read(10**6)
print(len(found) == n > 20)
spool.acknowledge(found[-1].number)
spool.append([("last", "door", "x" * 900)])
print([(letter.uid, letter.number > found[-1].number) for letter in spool.read(9)])
spool.close()
"""
    command = [sys.executable, "-c", words, str(tmp_path / "spool.db")]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.stdout.splitlines() == ["cannot be written", "True", "[('last', True)]"], done.stderr


def test_a_file_that_breaks_while_it_is_used_is_set_aside_too(tmp_path: Path, caplog) -> None:
    spool = Spool(tmp_path / "spool.db", 10**4)
    spool.append(letters(1, 2))

    def broken(db: sqlite3.Connection) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    with pytest.raises(SinkError, match="begins anew"):
        spool._do(broken)
    spool.append(letters(3))
    spool.acknowledge(2)

    assert waiting(spool) == [3]
    assert "set aside" in caplog.text
    spool.close()


@pytest.mark.parametrize("broken", [True, False])
def test_a_disk_that_is_read_only_when_the_file_begins_anew_is_said_and_may_recover(
    tmp_path: Path, monkeypatch, caplog, broken: bool
) -> None:
    """Broken: the file is set aside; else it is emptied since the disk is full and all was taken."""
    path = tmp_path / "spool.db"
    spool = Spool(path, 10**4)
    spool.append(letters(1, 2))
    real = {name: getattr(Path, name) for name in ("replace", "unlink")}

    def read_only(*_args, **_more) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def fails(db: sqlite3.Connection) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    for name in real:
        monkeypatch.setattr(Path, name, read_only)
    if broken:
        with pytest.raises(SinkError, match=r"cannot be written: .* See to its disk"):
            spool._do(fails)
    else:
        spool._db.execute("PRAGMA query_only=ON")  # takes not even a delete
        with pytest.raises(SinkError, match=r"cannot be written: .* See to its disk"):
            spool.acknowledge(2)
    for again in (lambda: spool.append(letters(3)), lambda: spool.acknowledge(1)):
        with pytest.raises(SinkError, match=r"cannot be written: .* See to its disk"):
            again()
    assert waiting(spool) == []
    for name, method in real.items():
        monkeypatch.setattr(Path, name, method)
    spool.append(letters(4))

    assert waiting(spool) == [4]
    assert spool.read(1)[0].number > 2
    assert len(list(tmp_path.glob("spool.db.broken-*"))) == caplog.text.count("is malformed)") == broken
    assert sys.platform == "win32" or path.stat().st_mode & 0o077 == 0
    spool.close()


@pytest.mark.parametrize("damage", ["text", "cut", "overwritten"])
def test_a_broken_file_is_set_aside_with_a_word(tmp_path: Path, damage: str, caplog) -> None:
    path = tmp_path / "spool.db"
    spool = Spool(path, 10**4)
    spool.append([(str(n), "door", "x" * 500) for n in range(200)])
    spool.close()
    whole = path.read_bytes()
    broken = {
        "text": b"source,id\n" * 99,
        "cut": whole[: len(whole) // 2],
        "overwritten": whole[:4096] + b"\xa5" * 9000 + whole[13096:],
    }[damage]
    path.write_bytes(broken)

    again = Spool(path, 10**4)
    again.append(letters(1))

    assert waiting(again) == [1]
    assert "set aside as spool.db.broken-" in caplog.text
    assert [p.read_bytes() for p in tmp_path.glob("*.broken-*")] == [broken]
    again.close()


def test_a_second_run_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    words = (
        "import sys; from pathlib import Path; from outputs.spool import Spool; Spool(Path(sys.argv[1]), 9)"
    )
    command = [sys.executable, "-c", words, str(path)]
    spool = Spool(path, 9)
    spool.append(letters(1))

    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    still = waiting(spool)
    spool.close()
    allowed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert "another run or output uses it" in refused.stderr
    assert still == [1]
    assert allowed.returncode == 0


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "mine.db"
    mine = sqlite3.connect(path)
    mine.execute("CREATE TABLE sales (day TEXT)")
    mine.commit()
    mine.close()
    before = path.read_bytes()

    with pytest.raises(SinkError, match="something else"):
        Spool(path, 9)

    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SinkError, match="name another file with 'spool'"):
        Spool(tmp_path / "file" / "spool.db", 9)


def test_what_was_taken_is_not_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    spool = Spool(path, 9)
    spool.append([("1", "door", "nobody should read this " * 9)])
    spool.acknowledge(1)
    spool.close()

    assert b"nobody should read this" not in path.read_bytes()
    assert sys.platform == "win32" or path.stat().st_mode & 0o077 == 0


def test_what_comes_after_the_end_leaves_the_file_to_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "spool.db"
    spool = Spool(path, 9)
    spool.append(letters(1, 2))
    spool.close()

    spool.append(letters(3))  # as by a thread that hung meanwhile
    spool.acknowledge(1)
    spool.sync()
    spool.close()

    assert spool.read(9) == []
    with closing(Spool(path, 9)) as again:
        assert waiting(again) == [1, 2]
    assert [file.name for file in tmp_path.glob("*broken*")] == []


def test_one_thread_may_write_while_another_reads(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.db", 10**5)
    heard: list[int] = []

    def listen() -> None:
        while len(heard) < 2000:
            for letter in spool.read(50):
                heard.append(int(letter.uid))
                spool.acknowledge(letter.number)

    reader = threading.Thread(target=listen, daemon=True)
    reader.start()
    for n in range(0, 2000, 2):
        spool.append(letters(n, n + 1))
    reader.join(PATIENCE)
    spool.close()

    assert heard == list(range(2000))
