"""Events to a real broker, which is killed, refuses, and comes back."""

from __future__ import annotations

import json
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigError, SinkError
from core.settings import SinkConfig
from core.status import Status
from core.types import Event, Result, SourceInfo, Stamp, Tracks
from outputs import courier, open_sink
from outputs.retained import Retained, safe
from tests.make import evidence, faces, tracks
from tests.program import ROOT, run
from tests.servers.certificate import certificate
from tests.servers.mosquitto import PROGRAM, Listener, Mosquitto, Relay, needed
from tests.servers.ports import free_port
from tests.waiting import until

DOOR = {"door": SourceInfo("door", "webcam", "0", live=True)}
BOX = (10.0, 20.0, 50.0, 70.0)


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(courier, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(courier, "LONGEST_WAIT", 0.1)


def result(number: int = 0, *kinds: str, people: int = 1, source: str = "door", last=False, **data) -> Result:
    """One frame with `people` in sight and these events."""
    stamp = Stamp(source, number, number / 25, float("nan"), (640, 360))
    there = tracks({i + 1: BOX for i in range(people)}) if people else Tracks.none()
    events = tuple(Event(kind, stamp, int(kind.startswith("track")), data) for kind in kinds)
    return Result(stamp, faces(), there, evidence(there.ids), events, last=last)


def sink(port: int, folder: Path, sources=DOOR, status=Status, **more):
    more.setdefault("spool", folder / "spool.db")
    return open_sink(
        SinkConfig(path=more.pop("path", f"mqtt://127.0.0.1:{port}/shop"), **more), sources, status
    )


def frames(rows: list[dict[str, object]]) -> list[object]:
    return [row["frame"] for row in rows]


@needed
def test_events_arrive_in_order_and_complete_though_the_broker_is_killed_midway(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, memory=True) as broker, Listener(broker.port) as listener:
        mqtt = sink(broker.port, tmp_path)
        for i in range(300):
            mqtt.write(result(i, "track_updated"), None)
            if i == 100:
                listener.until(lambda _: len(listener.events("shop/door/events")) > 100)
                broker.remembers()
                broker.kill()
            if i == 200:
                broker.start()
        listener.until(lambda _: len(listener.events("shop/door/events")) >= 300)
        mqtt.close()

    assert frames(listener.events("shop/door/events")) == list(range(300))


@needed
def test_nothing_is_lost_when_the_connection_breaks_with_messages_on_their_way(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, Listener(broker.port) as listener:
        relay = Relay(broker.port)
        mqtt = sink(relay.port, tmp_path)
        for i in range(1000):
            mqtt.write(result(i, "track_updated"), None)
            if i % 150 == 149:
                relay.cut()
                time.sleep(0.12)
        listener.until(lambda _: len(listener.events("shop/door/events")) >= 1000)
        mqtt.close()
        relay.close()

    assert frames(listener.events("shop/door/events")) == list(range(1000))


@needed
def test_what_was_not_taken_is_sent_by_the_next_run(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO)
    port = free_port()
    first = sink(port, tmp_path)
    for i in range(5):
        first.write(result(i, "track_updated"), None)
    began = time.monotonic()
    first.close()
    took = time.monotonic() - began

    with Mosquitto(tmp_path, port=port), Listener(port) as listener:
        second = sink(port, tmp_path)
        second.write(result(5, "track_updated"), None)
        second.close()
        listener.until(lambda _: len(listener.events("shop/door/events")) >= 6)

    assert frames(listener.events("shop/door/events")) == list(range(6))
    assert took < 2.9
    assert "5 events were not taken; they wait in" in caplog.text
    assert "5 events of an earlier run are sent first" in caplog.text


@needed
def test_a_broker_that_is_gone_is_said_once_and_again_when_it_is_back(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO)
    with Mosquitto(tmp_path, memory=True) as broker, Listener(broker.port) as listener:
        broker.kill(signal.SIGTERM)
        mqtt = sink(broker.port, tmp_path)
        mqtt.write(result(0, "track_updated"), None)
        until(lambda: "does not answer" in caplog.text)
        broker.start()
        listener.until(lambda _: listener.events("shop/door/events"))
        mqtt.close()

    assert caplog.text.count("does not answer") == 1
    assert (
        caplog.text.count(f"mqtt://127.0.0.1:{broker.port}/shop is back, 1 waiting events are being sent")
        == 1
    )


@needed
def test_a_source_is_online_from_its_start_and_back_and_offline_when_lost_and_ended(tmp_path: Path) -> None:
    steps = [
        (result(0, "source_started"), "online", "up", 1),
        (result(1, "source_lost", people=0, reason="stalled", error="no frame"), "offline", "lost", 0),
        (result(2, "source_back", people=2, seconds=3.0), "online", "up", 2),
        (result(2, "source_ended", people=0, last=True, reason="end"), "offline", "over", 0),
    ]
    with Mosquitto(tmp_path) as broker, Listener(broker.port) as listener:
        mqtt = sink(broker.port, tmp_path)
        listener.until(lambda _: listener.last("shop/status") == "online")
        told = []
        for written, availability, state, _ in steps:
            mqtt.write(written, None)
            listener.until(
                lambda _, a=availability, s=state: (
                    listener.last("shop/door/availability") == a
                    and json.loads(listener.last("shop/door/state") or "{}").get("state") == s
                )
            )
            told.append(json.loads(listener.last("shop/door/state")))
        mqtt.close()
        listener.until(lambda _: listener.last("shop/status") == "offline")

    assert [state["people"] for state in told] == [people for _, _, _, people in steps]
    assert told[1]["reason"] == "no frame"
    assert set(told[0]) == {"state", "reason", "people", "visitors", "updated"}


@needed
def test_whoever_comes_later_is_told_what_is_and_that_a_killed_program_is_gone(tmp_path: Path) -> None:
    words = """
import sys, time
from pathlib import Path
from tests.outputs.test_mqtt import result, sink
mqtt = sink(int(sys.argv[1]), Path(sys.argv[2]))
mqtt.write(result(0, "source_started", people=3), None)
time.sleep(60)
"""
    with Mosquitto(tmp_path) as broker:
        command = [sys.executable, "-c", words, str(broker.port), str(tmp_path)]
        child = subprocess.Popen(command, cwd=ROOT)
        with Listener(broker.port) as early:
            early.until(lambda _: '"people": 3' in (early.last("shop/door/state") or ""))
            early.until(lambda _: early.last("shop/door/availability") == "online")
        child.send_signal(signal.SIGKILL)
        child.wait()
        with Listener(broker.port, "shop/#") as late:
            late.until(lambda _: late.last("shop/status") == "offline")
            late.until(lambda _: late.last("shop/door/state"))
            # As nobody could say otherwise: see `status`.
            late.until(lambda _: late.last("shop/door/availability") == "online")


@pytest.fixture
def guarded(tmp_path: Path):
    """A broker that knows one user."""
    passwords = tmp_path / "passwords"
    program = Path(PROGRAM).with_name("mosquitto_passwd")
    found = program if program.exists() else Path("/usr/bin/mosquitto_passwd")
    subprocess.run([found, "-b", "-c", passwords, "shop", "p@ss/w#rd"], check=True, capture_output=True)
    passwords.chmod(0o644)
    with Mosquitto(tmp_path, lines=f"allow_anonymous false\npassword_file {passwords}\n") as broker:
        yield broker


@needed
def test_a_wrong_password_is_said_once_and_never_shown(guarded, tmp_path: Path, caplog, capfd) -> None:
    caplog.set_level(logging.DEBUG)
    mqtt = sink(guarded.port, tmp_path, path=f"mqtt://shop:hunter2%40@127.0.0.1:{guarded.port}/shop")
    mqtt.write(result(0, "track_updated"), None)
    until(lambda: "refuses the login" in caplog.text)
    time.sleep(0.5)  # a few further attempts, if it made any
    mqtt.close()

    written = caplog.text + "".join(capfd.readouterr())
    assert written.count("refuses the login") == 1
    assert "correct user and password" in written
    assert "hunter2" not in written


@needed
@pytest.mark.parametrize("where", ["address", "settings", "file"])
def test_a_login_stands_in_the_address_the_settings_or_a_file(guarded, tmp_path: Path, where: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("p@ss/w#rd\n")
    ways = {
        "address": {"path": f"mqtt://shop:p%40ss%2Fw%23rd@127.0.0.1:{guarded.port}/shop"},
        "settings": {"user": "shop", "password": "p@ss/w#rd"},
        "file": {"user": "shop", "password_file": secret},
    }
    with Listener(guarded.port, username="shop", password="p@ss/w#rd") as listener:
        mqtt = sink(guarded.port, tmp_path, **ways[where])
        mqtt.write(result(0, "track_updated"), None)
        listener.until(lambda _: listener.events("shop/door/events"))
        mqtt.close()


@needed
@pytest.mark.parametrize("trusted", [True, False])
def test_a_broker_is_believed_only_with_a_certificate_that_the_system_trusts(
    tmp_path: Path, trusted: bool, caplog, monkeypatch
) -> None:
    made, key = certificate(tmp_path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(made))
    safe_port = free_port()  # opened after the other, which nobody calls again
    lines = f"allow_anonymous true\nlistener {safe_port} 127.0.0.1\ncertfile {made}\nkeyfile {key}\n"
    with Mosquitto(tmp_path, lines=lines) as broker, Listener(broker.port) as listener:
        mqtt = sink(broker.port, tmp_path, path=f"mqtts://127.0.0.1:{safe_port}/shop")
        mqtt.write(result(0, "track_updated"), None)
        if trusted:
            listener.until(lambda _: listener.events("shop/door/events"))
        else:
            until(lambda: "not trusted" in caplog.text)
        mqtt.close()

    assert ("certificate is not trusted" in caplog.text) != trusted


def test_writing_never_waits_for_a_broker_that_takes_the_call_and_says_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mqtt = sink(silent.getsockname()[1], tmp_path)
        began = time.monotonic()
        for i in range(100):
            mqtt.write(result(i, "track_updated"), None)
        wrote = time.monotonic() - began
        mqtt.close()
        took = time.monotonic() - began

    assert wrote < 1
    assert took < 3.5


@pytest.mark.parametrize(
    "address",
    [
        "mqtt://",
        "mqtt:///shop",
        "mqtt://h:x/",
        "mqtt://shop..example/x",
        f"webhook+https://{'a' * 64}.example/x",
        "mqtt://u:hunter/2@h/x",
        "mqtt://u:hunter#2@h/x",
        "mqtt://u:12/hunter@h/x",
    ],
)
def test_a_malformed_address_is_refused_at_the_start_without_being_shown(address: str) -> None:
    with pytest.raises(ConfigError) as told:
        open_sink(SinkConfig(path=address), DOOR)

    assert "hunter" not in str(told.value)
    assert "%40" in str(told.value)


@pytest.mark.parametrize("topic", ["a+b", "a%23", "$SYS/x", "a?b"])
def test_a_prefix_that_is_no_topic_is_refused(topic: str) -> None:
    with pytest.raises(ConfigError, match="a topic has no"):
        open_sink(SinkConfig(path=f"mqtt://broker/{topic}"), DOOR)


def test_a_password_file_that_is_not_there_is_an_error_of_the_settings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        sink(1, tmp_path, user="me", password_file=tmp_path / "none")


def test_two_outputs_never_share_a_spool(tmp_path: Path) -> None:
    first = sink(free_port(), tmp_path)

    with pytest.raises(SinkError, match="another run or output uses it"):
        sink(free_port(), tmp_path)

    first.close()


def test_names_of_sources_that_a_topic_cannot_hold_stay_apart() -> None:
    retained = Retained("shop", {}, told=False)

    bases = [retained.base(name) for name in ("a/b", "a+b", "a_b", "문 앞", "a\udcff")]

    assert bases == ["shop/a_b", "shop/a_b-2", "shop/a_b-3", "shop/문 앞", "shop/a\\udcff"]
    assert safe("#") == "_"


def test_a_frozen_picture_and_the_end_of_the_opening_hours_are_states() -> None:
    retained = Retained("shop", DOOR, told=False)

    def state(kind: str, **data: str) -> tuple[str, str, str]:
        retained.heed(result(0, kind, **data))
        found = retained.messages()
        said = json.loads(found["shop/door/state"])
        return said["state"], said["reason"], found["shop/door/availability"]

    assert state("source_started") == ("up", "", "online")
    assert state("source_frozen", reason="frozen", error="restart it") == ("frozen", "restart it", "online")
    assert state("source_moving") == ("up", "", "online")
    assert state("source_closed") == ("closed", "", "offline")
    assert state("source_opened") == ("up", "", "online")


def test_nobody_takes_what_an_earlier_run_has_left_for_what_is_now() -> None:
    retained = Retained("shop", DOOR, told=True)
    retained.heed(result(0, "source_started"))
    up = list(retained.messages())
    retained.heed(result(1, "source_lost", people=0))
    lost = list(retained.messages())

    assert up[-1] == lost[-1] == "shop/status"
    assert up.index("shop/door/state") < up.index("shop/door/availability")
    assert lost.index("shop/door/availability") < lost.index("shop/door/state")


def test_a_frame_in_which_nothing_changes_is_no_news() -> None:
    retained = Retained("shop", DOOR, told=False)

    heard = [retained.heed(result(i, people=n)) for i, n in enumerate((1, 1, 2, 2, 0, 0))]

    assert heard == [True, False, True, False, True, False]


def test_a_state_says_since_when_it_is_so_and_why_whatever_others_do(monkeypatch) -> None:
    retained = Retained("shop", DOOR, told=False)
    retained.heed(result(0, "source_ended", reason="stopped"))
    before = retained.messages()["shop/door/state"]

    monkeypatch.setattr(time, "time", lambda: 4e9)
    retained.heed(result(0, "source_started", source="till"))

    assert retained.messages()["shop/door/state"] == before
    assert json.loads(before)["reason"] == "stopped"
    assert json.loads(retained.messages()["shop/till/state"])["updated"].startswith("2096-")


def test_the_last_frame_leaves_nobody_in_sight() -> None:
    retained = Retained("shop", DOOR, told=False)
    retained.heed(result(0, "source_started", "track_started", people=2))
    ended = result(1, "source_ended", people=2, last=True)
    retained.heed(ended)

    state = json.loads(retained.messages()["shop/door/state"])

    assert (state["people"], state["visitors"], state["state"]) == (0, 1, "over")
    assert np.all(ended.tracks.states == 0)


def test_a_poster_keeps_no_room_occupied() -> None:
    retained = Retained("shop", DOOR, told=False)

    def people(*kinds: str, there: int = 1, **data) -> int:
        retained.heed(result(0, *kinds, people=there, **data))
        return json.loads(retained.messages()["shop/door/state"])["people"]

    assert people("track_started", static=False) == 1
    assert people("track_updated", static=True) == 0
    assert people() == 0
    assert people(there=2) == 1
    assert people("track_updated", static=False, there=2) == 2


@needed
@pytest.mark.slow
def test_a_run_publishes_exactly_the_rows_of_the_file_beside_it(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, Listener(broker.port) as listener:
        words = ["-s", "demo", "--to", "3", "-o", "all.jsonl", "-o", f"mqtt://127.0.0.1:{broker.port}/shop"]
        done = run(*words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        listener.until(lambda _: listener.last("shop/status") == "offline")

    rows = listener.events("shop/demo/events")
    numbers = [int(str(row.pop("uid")).split("-")[1]) for row in rows]
    assert rows == [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert numbers == list(range(1, len(rows) + 1))
    assert len(rows) > 10
    assert json.loads(listener.last("shop/demo/state"))["state"] == "over"


@pytest.mark.slow
def test_a_broker_that_is_not_there_is_no_failure_of_the_run(tmp_path: Path) -> None:
    words = ["-s", "demo", "--to", "1", "-o", f"mqtt://me:hunter2@127.0.0.1:{free_port()}/shop"]

    done = run(*words, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "does not answer" in done.stderr
    assert "wait in runs/spool/mqtt-127.0.0.1-" in done.stderr
    assert "hunter2" not in done.stderr
    assert [path.suffix for path in (tmp_path / "runs" / "spool").iterdir()] == [".db"]


def test_no_thread_is_left_after_the_end(tmp_path: Path) -> None:
    before = threading.enumerate()
    sink(free_port(), tmp_path).close()

    assert not set(threading.enumerate()) - set(before)
