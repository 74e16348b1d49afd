from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigError
from core.protocols import Sink
from core.settings import SinkConfig
from core.status import Status
from core.types import SourceInfo
from outputs import misnamed, open_sink, rtsp_feed
from outputs.rtsp import RtspPublisher, address
from tests import make
from tests.program import run
from tests.servers.rtsp_record import Recorder
from tests.tables import ROOT
from tests.waiting import PATIENCE

RATE = 25


@contextmanager
def _publishing(path: str, *names: str, **more) -> Iterator[Sink]:
    sources = {name: SourceInfo(name, "network", "", live=True) for name in names or ("door",)}
    sink = open_sink(SinkConfig(path=path, **more), sources, Status)
    try:
        yield sink
    finally:
        sink.close()


def _write(sink: Sink, index: int, source: str = "door", size=(320, 180), value=None) -> float:
    """Seconds that it took."""
    grey = index * 2 % 200 + 20 if value is None else value
    frame = make.frame(index, index / RATE, size=size, value=grey)
    result = make.result(frame, make.tracks({}))
    began = time.monotonic()
    sink.write(replace(result, stamp=replace(result.stamp, source=source)), frame.image)
    return time.monotonic() - began


def _film(sink: Sink, seconds: float, start: int = 0, **more) -> tuple[int, float]:
    """Pictures at their own times; the next number, and how long the slowest write took."""
    count = round(seconds * RATE)
    slowest = 0.0
    for index in range(start, start + count):
        slowest = max(slowest, _write(sink, index, **more))
        time.sleep(1 / RATE)
    return start + count, slowest


def _film_while(sink: Sink, server: Recorder, going: Callable[[], bool], start: int = 0, **more) -> int:
    """Pictures until something is so, however long a process takes to start; the next number."""
    until = time.monotonic() + PATIENCE
    while going():
        assert time.monotonic() < until, server.requests
        start, _ = _film(sink, 0.2, start, **more)
    return start


def _film_until(sink: Sink, server: Recorder, count: int, path: str = "seen", **more) -> list:
    """Pictures until so many more have arrived; all that did."""
    wanted = len(server.pictures.get(path, [])) + count
    _film_while(sink, server, lambda: len(server.pictures.get(path, [])) < wanted, **more)
    return list(server.pictures[path])


def _end(sink: Sink, source: str = "door") -> None:
    """The last result of a source."""
    result = make.result(make.frame(), make.tracks({}), last=True)
    sink.write(replace(result, stamp=replace(result.stamp, source=source)), None)


def _command_line(pid: int) -> str:
    """Of a process, from Linux's list; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("\0", " ").strip()
    except OSError:
        return ""


def _parent(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("PPid:"))


def _children() -> list[int]:
    """Processes of ours that publish."""
    there = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]
    ours = [pid for pid in there if _parent(pid) == os.getpid()]
    return [pid for pid in ours if "outputs.rtsp_child" in _command_line(pid)]


def test_what_is_drawn_is_published_at_its_own_times() -> None:
    with Recorder() as server, _publishing(server.address()) as sink:
        shown = _film_until(sink, server, 20)

    ticks = np.diff([time for time, _ in shown])
    values = [float(picture.mean()) for _, picture in shown]
    assert server.requests[:4] == ["OPTIONS", "ANNOUNCE", "SETUP", "RECORD"]
    assert shown[0][1].shape == (180, 320, 3)
    assert set(ticks % (90000 // RATE)) == {0}
    assert np.diff(values).tolist() == pytest.approx((ticks // (90000 // RATE) * 2).tolist(), abs=4)


def test_a_stream_ends_with_a_goodbye_and_without_a_process() -> None:
    with Recorder() as server:
        with _publishing(server.address()) as sink:
            _film_until(sink, server, 5)
            assert len(_children()) == 1
            began = time.monotonic()
            sink.close()
            took = time.monotonic() - began

        assert took < 3
        assert server.requests[-1] == "TEARDOWN"
        assert _children() == []


def test_a_source_that_ends_and_begins_again_is_published_again() -> None:
    with Recorder() as server, _publishing(server.address("{source}")) as sink:
        _film_until(sink, server, 5, "door", value=50)
        _end(sink)
        shown = _film_until(sink, server, 10, "door", value=150)

    assert shown[0][1].mean() == pytest.approx(50, abs=8)
    assert shown[-1][1].mean() == pytest.approx(150, abs=8)
    assert [word for word in server.requests if word in ("RECORD", "TEARDOWN")] == ["RECORD", "TEARDOWN"] * 2
    assert _children() == []


def test_without_its_name_in_the_address_only_the_first_source_is_published_even_when_it_has_ended(
    caplog,
) -> None:
    with Recorder() as server, _publishing(server.address()) as sink:
        _film_until(sink, server, 5, value=50)
        _end(sink)
        _film(sink, 0.5, source="till", value=150)
        _film_until(sink, server, 5, value=50)

    assert {round(picture.mean() / 50) for _, picture in server.pictures["seen"]} == {1}
    assert server.requests.count("RECORD") == 2
    assert caplog.text.count("'till' is left out") == 1


def test_a_process_that_does_not_start_is_tried_again(caplog, monkeypatch) -> None:
    real, tried = subprocess.Popen, []

    def no_room_at_first(*args, **more):
        tried.append(args)
        if len(tried) == 1:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return real(*args, **more)

    monkeypatch.setattr(rtsp_feed, "PAUSES", (0.1,))
    monkeypatch.setattr(subprocess, "Popen", no_room_at_first)
    with Recorder() as server, _publishing(server.address()) as sink:
        _film_until(sink, server, 5)

    assert caplog.text.count("its process does not start") == 1


@pytest.mark.slow
def test_each_source_has_a_stream_of_its_own() -> None:
    with Recorder() as server, _publishing(server.address("{source}"), "door", "till 2") as sink:
        door = _film_until(sink, server, 5, "door", value=50)
        till = _film_until(sink, server, 5, "till_2", source="till 2", value=150)

    assert door[-1][1].mean() == pytest.approx(50, abs=8)
    assert till[-1][1].mean() == pytest.approx(150, abs=8)


@pytest.mark.slow
def test_a_picture_of_another_size_is_fitted_into_the_stream() -> None:
    with Recorder() as server, _publishing(server.address()) as sink:
        first = _film_until(sink, server, 5, size=(321, 181))
        shown = _film_until(sink, server, 10, start=1000, size=(640, 640))

    assert len(first) < len(shown)
    assert {picture.shape for _, picture in shown} == {(180, 320, 3)}


@pytest.mark.slow
def test_a_login_is_sent_to_the_server_alone(caplog, monkeypatch) -> None:
    monkeypatch.setattr(rtsp_feed, "STEADY", 0.0)
    with caplog.at_level(logging.DEBUG), Recorder(user="me", password="p@ss/w:rd") as server:
        with _publishing(server.address(), user="me", password="p@ss/w:rd") as sink:
            _film_until(sink, server, 5)
            lines = [_command_line(pid) for pid in _children()]
        with _publishing(server.address(login="me:s3cret")) as sink:
            _film_while(sink, server, lambda: "is wrong" not in caplog.text)

    assert lines
    assert not [line for line in lines if "p@ss" in line or "p%40ss" in line]
    assert "the user or password is wrong" in caplog.text
    assert not [secret for secret in ("p@ss", "p%40ss", "s3cret") if secret in caplog.text]


@pytest.mark.slow
def test_a_silent_server_slows_nothing_and_is_given_up(caplog, monkeypatch) -> None:
    monkeypatch.setattr(rtsp_feed, "SILENCE", 1.0)
    with Recorder(silent=True) as server, _publishing(server.address()) as sink:
        following, slowest = _film(sink, 4.0, size=(1280, 720))
        more = {"start": following, "size": (1280, 720)}
        following = _film_while(sink, server, lambda: server.requests.count("OPTIONS") < 2, **more)
        server.silent = False
        _film_until(sink, server, 5, start=following, size=(1280, 720))

    assert slowest < 0.25
    assert caplog.text.count("trying again") == 1


@pytest.mark.slow
def test_a_process_that_starts_slowly_is_no_silent_server(monkeypatch, tmp_path: Path) -> None:
    """As where four cameras begin at once on a small machine."""
    (tmp_path / "sitecustomize.py").write_text("import time\ntime.sleep(4)\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(rtsp_feed, "SILENCE", 3.0)
    with Recorder() as server, _publishing(server.address()) as sink:
        _film_until(sink, server, 1)


@pytest.mark.slow
def test_a_server_that_stops_reading_slows_nothing_and_is_given_up(caplog, monkeypatch) -> None:
    monkeypatch.setattr(rtsp_feed, "SILENCE", 1.0)
    monkeypatch.setattr(rtsp_feed, "STEADY", 0.5)
    noise = np.random.default_rng(1).integers(0, 255, (8, 360, 640, 3), np.uint8)
    slowest = 0.0
    with Recorder() as server, _publishing(server.address()) as sink:
        for index in range(200):
            frame = make.frame(index, index / RATE, size=(640, 360))
            began = time.monotonic()
            sink.write(make.result(frame, make.tracks({})), noise[index % 8])
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(1 / RATE)
            server.stall = index > 40
            if "trying again" in caplog.text:
                break

    assert slowest < 0.25
    assert caplog.text.count("trying again") == 1


@pytest.mark.slow
def test_a_server_that_comes_back_is_published_to_again_and_both_are_said_once(caplog, monkeypatch) -> None:
    monkeypatch.setattr(rtsp_feed, "STEADY", 0.5)
    with Recorder() as server:
        port = server.port
        with _publishing(server.address()) as sink:
            following = _film_while(sink, server, lambda: len(server.pictures.get("seen", [])) < 5)
            server.__exit__()
            following = _film_while(sink, server, lambda: "trying again" not in caplog.text, following)
            with Recorder(port=port) as again:
                following = _film_while(
                    sink, again, lambda: len(again.pictures.get("seen", [])) < 10, following
                )
                _film_while(sink, again, lambda: "is back after" not in caplog.text, following)

    assert caplog.text.count("trying again") == 1
    assert caplog.text.count("is back after") == 1


@pytest.mark.slow
def test_nobody_listening_is_said_and_ends_in_time(caplog) -> None:
    with Recorder() as server:
        path = server.address()
    with _publishing(path) as sink:
        _film_while(sink, server, lambda: "trying again" not in caplog.text)
        began = time.monotonic()
        sink.close()
        took = time.monotonic() - began

    assert "nobody listens there" in caplog.text
    assert took < 3


@pytest.mark.slow
def test_the_end_comes_in_time_though_the_server_hangs() -> None:
    with Recorder(silent=True) as server, _publishing(server.address()) as sink:
        _film_while(sink, server, lambda: not server.requests)
        began = time.monotonic()
        sink.close()
        took = time.monotonic() - began

        assert took < 3
        assert _children() == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
@pytest.mark.parametrize("silent", [False, True])
def test_no_process_outlives_a_program_that_is_killed(silent: bool) -> None:
    script = (
        "import sys, time\n"
        "from core.settings import SinkConfig\n"
        "from core.status import Status\n"
        "from core.types import SourceInfo\n"
        "from outputs import rtsp_feed\n"
        "from tests.outputs.test_rtsp import _film, _children\n"
        "from outputs import open_sink\n"
        "rtsp_feed.SILENCE = 1.0\n"
        "sink = open_sink(SinkConfig(path=sys.argv[1]), {}, Status)\n"
        "following, _ = _film(sink, 0.8)\n"
        "while not (found := _children()):\n"
        "    following, _ = _film(sink, 0.1, following)\n"
        "print(*found, flush=True)\n"
        "_film(sink, 60, following)\n"
    )
    with Recorder(silent=silent) as server:
        program = subprocess.Popen(
            [sys.executable, "-c", script, server.address()], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert program.stdout is not None
        try:
            pid = int(program.stdout.readline())
        finally:
            program.kill()
            program.communicate()
        until = time.monotonic() + PATIENCE
        while _command_line(pid).strip() not in ("", "[python] <defunct>"):
            assert time.monotonic() < until, _command_line(pid)
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"path": "rtsp:///seen"}, "names no server"),
        ({"path": "rtsp://host:x/seen"}, "its host or port cannot be read. Write it as"),
        ({"path": "rtsp://me:wo/word@host/seen"}, "its host or port cannot be read. Write it as"),
        ({"path": "rtsp://host/seen", "password": "word"}, "needs a user"),
        ({"path": "rtsp://a:word@host/seen", "user": "b"}, "leave one out"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_words(config, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        RtspPublisher(SinkConfig(**config), {}, Status)
    assert "word@" not in str(caught.value)
    assert "'wo'" not in str(caught.value)


def test_two_sources_need_their_name_in_the_address() -> None:
    two = {name: SourceInfo(name, "network", "", live=True) for name in ("door", "till")}

    assert "Put {source}" in str(misnamed(SinkConfig(path="rtsp://host/seen"), two))
    assert misnamed(SinkConfig(path="rtsp://host/{source}"), two) is None


def test_a_host_in_brackets_and_a_password_of_any_kind_make_an_address() -> None:
    config = SinkConfig(path="rtsp://[::1]:8554/{source}?a=b", user="me", password="@:/?#")

    assert address(config) == "rtsp://me:%40%3A%2F%3F%23@[::1]:8554/{source}?a=b"


@pytest.mark.slow
def test_the_program_publishes_and_ends_in_order() -> None:
    with Recorder() as server:
        done = run("-s", "demo", "--max-seconds", "3", "-o", server.address(login="me:s3cret"))

    assert done.returncode == 0, done.stderr
    assert "s3cret" not in done.stderr
    assert server.pictures["seen"][0][1].shape == (720, 1280, 3)
