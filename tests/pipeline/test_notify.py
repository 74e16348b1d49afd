"""systemd's protocol, on a socket of our own."""

import os
import socket

import pytest

from pipeline.notify import Notifier


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_systemd_hears_that_we_are_ready_and_then_twice_in_each_watchdog(tmp_path, clock) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        tell = Notifier(str(tmp_path / "notify"), 10.0, lambda: "2 of 2 sources up")
        for _ in range(200):  # 20 s
            tell()
            clock[0] += 0.1
        heard = []
        while True:
            try:
                heard.append(systemd.recv(1000).decode())
            except BlockingIOError:
                break

    assert heard[0] == "READY=1\nWATCHDOG=1\nSTATUS=2 of 2 sources up"
    assert heard[1:] == ["WATCHDOG=1\nSTATUS=2 of 2 sources up"] * 3


def test_what_systemd_says_of_the_program_is_never_older_than_some_seconds(tmp_path, clock) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        tell = Notifier(str(tmp_path / "notify"), 60.0, lambda: str(clock[0]))
        for _ in range(2):
            tell()
            clock[0] += 5.1

        heard = [systemd.recv(1000).decode() for _ in range(2)]

    assert [text.rpartition("=")[2] for text in heard] == ["100.0", "105.1"]


def test_an_abstract_socket_is_found(clock) -> None:
    name = f"stream-py-test-{os.getpid()}"  # one for all of the machine, where another run may be at it
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name}")
        Notifier(f"@{name}", 0.0, lambda: "")()

        assert systemd.recv(100).startswith(b"READY=1")


def test_without_systemd_nothing_happens(tmp_path, clock) -> None:
    Notifier(str(tmp_path / "nobody"), 1.0, lambda: "")()
