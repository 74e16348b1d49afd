"""What Home Assistant is told of sources, and that it is told when they go."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from paho.mqtt.client import MQTTMessage

from core.status import Status
from core.types import SourceInfo
from outputs.discovery import discovery
from outputs.endpoint import Endpoint
from outputs.mqtt import Broker
from outputs.retained import Retained
from tests.outputs.test_mqtt import DOOR, result, sink
from tests.servers.mosquitto import Listener, Mosquitto, needed

TILL = {"till": SourceInfo("till", "webcam", "1", live=True)}
HASS = shutil.which("hass")

# In the Python of Home Assistant: which fields of each message its component does not know.
CHECK = """
import asyncio, json, sys
from importlib import import_module
from homeassistant.core import HomeAssistant
from homeassistant.helpers import frame

async def check():
    frame.async_setup(HomeAssistant(sys.argv[1]))
    for topic, text in json.load(sys.stdin).items():
        said = json.loads(text)
        module = import_module(f"homeassistant.components.mqtt.{topic.split('/')[1]}")
        print(*set(said) - set(module.DISCOVERY_SCHEMA(said)))

asyncio.run(check())
"""


@pytest.mark.slow
@pytest.mark.skipif(HASS is None, reason="Home Assistant (`hass`) is not installed")
def test_home_assistant_takes_every_message_and_knows_every_field(tmp_path: Path) -> None:
    told = discovery("문 앞", "shop/문 앞", "shop/status", "1.2")
    python = Path(str(HASS)).with_name("python")

    done = subprocess.run(
        [python, "-c", CHECK, tmp_path], input=json.dumps(told), capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


@needed
def test_what_home_assistant_is_told_refers_to_topics_that_exist(tmp_path: Path) -> None:
    sources = {**DOOR, "문/앞": SourceInfo("문/앞", "webcam", "1", live=True)}
    with Mosquitto(tmp_path) as broker:
        mqtt = sink(broker.port, tmp_path, sources, lambda: Status(version="1.2"))
        mqtt.write(result(0, "source_started"), None)
        with Listener(broker.port) as listener:
            listener.until(lambda heard: sum(t.startswith("homeassistant/") for t, _, _ in heard) >= 10)
            mqtt.close()
            listener.until(lambda _: listener.last("shop/status") == "offline")

    topics = {topic for topic, _, _ in listener.all}
    told = {topic: json.loads(text) for topic, text, _ in listener.all if topic.startswith("homeassistant/")}
    assert len({payload["unique_id"] for payload in told.values()}) == 10
    assert len({payload["device"]["identifiers"][0] for payload in told.values()}) == 2
    assert {payload["device"]["name"] for payload in told.values()} == {"door", "문/앞"}
    for topic, payload in told.items():
        _, component, name, end = topic.split("/")
        assert component in ("sensor", "binary_sensor")
        assert (name, end) == (payload["unique_id"], "config")
        assert name.isascii()
        used = [payload["state_topic"], *(entry["topic"] for entry in payload["availability"])]
        assert set(used) <= topics
        assert payload["origin"] == {"name": "stream.py", "sw_version": "1.2"}
        assert len(payload["availability"]) == (1 if payload["name"] in ("Camera", "State") else 2)
        assert payload["availability_mode"] == "all"


@needed
def test_home_assistant_is_told_nothing_if_not_wanted(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, Listener(broker.port) as listener:
        mqtt = sink(broker.port, tmp_path, discovery=False)
        listener.until(lambda _: listener.last("shop/door/state"))
        mqtt.close()
        listener.until(lambda _: listener.last("shop/status") == "offline")

    assert not [topic for topic, _, _ in listener.all if topic.startswith("homeassistant")]


def about(source: str, listener: Listener) -> dict[str, str]:
    """What was heard last of a source and not of its events, by topic."""
    heard = {topic: text for topic, text, _ in listener.all}
    mine = discovery(source, f"shop/{source}", "shop/status", "")
    return {t: heard[t] for t in (*mine, f"shop/{source}/state", f"shop/{source}/availability") if t in heard}


@needed
def test_a_source_that_is_taken_out_of_the_settings_leaves_and_may_come_back(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, Listener(broker.port) as listener:
        mqtt = sink(broker.port, tmp_path, {**DOOR, **TILL})
        for source in ("door", "till"):
            mqtt.write(result(0, "source_started", source=source), None)
        listener.until(lambda _: all(len(about(x, listener)) == 7 for x in ("door", "till")))
        mqtt.write(result(1, "source_ended", source="till", last=True, reason="removed"), None)
        listener.until(lambda _: not any(about("till", listener).values()))
        door = about("door", listener)
        mqtt.write(result(0, "source_started", source="till"), None)
        listener.until(lambda _: all(about("till", listener).values()))
        mqtt.close()

    assert all(door.values())


@needed
def test_a_source_that_an_earlier_run_had_leaves_and_nothing_of_others_does(tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, Listener(broker.port) as listener:
        other = sink(
            broker.port, tmp_path, TILL, path=f"mqtt://127.0.0.1:{broker.port}/bar", spool=tmp_path / "b"
        )
        before = sink(broker.port, tmp_path, {**DOOR, **TILL})
        listener.until(lambda _: all(len(about(x, listener)) == 7 for x in ("door", "till")))
        listener.until(lambda _: listener.last("bar/till/state"))
        before.close()
        listener.until(lambda _: listener.last("shop/status") == "offline")
        mqtt = sink(broker.port, tmp_path, DOOR)
        listener.until(lambda _: not any(about("till", listener).values()))
        mqtt.close()
        other.close()

    assert all(about("door", listener).values())
    assert all(text for topic, text, _ in listener.all if topic.startswith("bar/"))
    assert all(
        text for topic, text, _ in listener.all if topic in discovery("till", "bar/till", "bar/status", "")
    )


def test_whatever_a_source_is_called_all_that_is_told_of_it_can_be_sent() -> None:
    name = "door\udcff"
    retained = Retained("shop", {name: SourceInfo(name, "video", name)}, told=True)
    retained.heed(result(0, "source_ended", source=name, error=f"{name}.mp4: cannot be opened"))

    told = {
        topic.encode(): json.loads(text.encode())
        for topic, text in retained.messages().items()
        if text[0] == "{"
    }

    assert len(told) == 6
    assert not [said for said in told.values() if "\udcff" in str(said)]
    assert {said["device"]["name"] for said in told.values() if "device" in said} == {"door\\udcff"}


OURS = '{"origin": {"name": "stream.py"}, "availability": [{"topic": "shop/status"}], "state_topic": "%s"}'


@needed
def test_what_others_leave_at_the_broker_keeps_no_event_from_arriving(tmp_path: Path) -> None:
    left = [
        "[" * 100_000,
        "{",
        "\0",
        *(OURS % topic for topic in ("shop/+/state", "shop/#", "a\\ud800/state")),
    ]
    left += [OURS % topic for topic in (f"shop/{'x' * 70_000}/state", "lamp/state", "")]
    with Mosquitto(tmp_path) as broker, Listener(broker.port) as listener:
        listener.publish({f"homeassistant/sensor/{i}/config": text for i, text in enumerate(left)})
        listener.publish({"shop/status": "offline", "lamp/state": "lit"})
        mqtt = sink(broker.port, tmp_path)
        for i in range(3):
            mqtt.write(result(i, "track_updated"), None)
        listener.until(lambda _: len(listener.events("shop/door/events")) == 3)
        mqtt.close()

    assert listener.last("lamp/state") == "lit"


def test_a_topic_that_is_no_text_is_passed_over() -> None:
    retained = Retained("shop", DOOR, told=True)
    message = MQTTMessage(0, b"\xff")
    message.retain = True

    Broker(Endpoint("mqtt", "broker", 1883, "shop"), retained)._on_message(None, None, message)

    assert retained.edition == (0, 1)


@pytest.mark.parametrize(("status", "cleared"), [("offline", 7), ("online", 0)])
def test_no_run_takes_away_what_another_one_that_is_running_has_told(status: str, cleared: int) -> None:
    retained = Retained("shop", DOOR, told=True)

    for topic, text in discovery("till", "shop/till", "shop/status", "").items():
        retained.heard(topic, text)
    retained.heard("homeassistant/sensor/lamp/config", '{"name": "lamp", "state_topic": "shop/lamp/state"}')
    retained.heard("homeassistant/sensor/broken/config", "{")
    retained.heard("shop/status", status)

    assert list(retained.messages().values()).count("") == cleared
