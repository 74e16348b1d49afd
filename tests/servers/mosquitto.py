"""A real MQTT broker on this machine, and somebody who listens to it."""

from __future__ import annotations

import contextlib
import json
import queue
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.servers.ports import free_port
from tests.waiting import PATIENCE

# Debian puts it where only root looks.
PROGRAM = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
needed = pytest.mark.skipif(PROGRAM is None, reason="the broker `mosquitto` is not installed")


# Written down at each change, so that one that was killed still knows its listeners afterwards.
# Slow: 160 messages/s instead of 5000.
_MEMORY = "persistence true\nautosave_on_changes true\nautosave_interval 1\n"


class Mosquitto:
    """A broker that can be killed and started again."""

    def __init__(
        self, folder: Path, *, port: int = 0, lines: str = "allow_anonymous true\n", memory: bool = False
    ) -> None:
        self.port = port or free_port()
        self._settings = folder / f"mosquitto-{self.port}.conf"
        kept = f"{_MEMORY}persistence_location {folder}/\n" if memory else ""
        self._settings.write_text(f"listener {self.port} 127.0.0.1\nuser root\n{kept}{lines}")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(PROGRAM), "-c", str(self._settings)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise TimeoutError("mosquitto does not listen")

    def remembers(self) -> None:
        """Wait until it has written its listeners down."""
        file, until = self._settings.with_name("mosquitto.db"), time.monotonic() + PATIENCE
        while not file.exists() and time.monotonic() < until:
            time.sleep(0.02)
        assert file.exists()

    def kill(self, how: int = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> Mosquitto:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill(signal.SIGTERM)


class Relay:
    """Passes bytes on to a port of this machine, until it is cut."""

    def __init__(self, port: int) -> None:
        self._aim = port
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        self.cuts = 0
        self._pairs: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut(self) -> None:
        """Break every connection, whatever is on its way."""
        self.cuts += 1
        for end in self._pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self.cut()
        for thread in self._threads:
            thread.join(5)
        for end in self._pairs:
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = self._door.accept()
                there = socket.create_connection(("127.0.0.1", self._aim))
                self._pairs += [here, there]
                for pair in ((here, there), (there, here)):
                    self._threads.append(threading.Thread(target=self._pass, args=pair, daemon=True))
                    self._threads[-1].start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Listener:
    """Hears all topics of a broker, and calls it again when it is gone."""

    def __init__(self, port: int, topics: str = "#", **login: str) -> None:
        self._heard: queue.Queue[tuple[str, str, bool]] = queue.Queue()
        self.all: list[tuple[str, str, bool]] = []
        self._subscribed: queue.Queue[int] = queue.Queue()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=f"listener-{port}", clean_session=False)
        self._client.reconnect_delay_set(0.05, 0.05)
        self._client.on_connect = lambda client, *_: client.subscribe(topics, 1)
        self._client.on_subscribe = lambda *_: self._subscribed.put(1)
        self._client.on_message = lambda _client, _data, m: self._heard.put(
            (m.topic, m.payload.decode(), m.retain)
        )
        if login:
            self._client.username_pw_set(**login)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self.subscribed()

    def subscribed(self, seconds: float = PATIENCE) -> None:
        """Wait until the broker has answered, once more each time."""
        self._subscribed.get(timeout=seconds)

    def until(self, done, seconds: float = PATIENCE) -> list[tuple[str, str, bool]]:
        """All that was heard so far, as soon as `done` says yes to it."""
        until = time.monotonic() + seconds
        while not done(self.all):
            left = until - time.monotonic()
            assert left > 0, self.all[-5:]
            with contextlib.suppress(queue.Empty):
                self.all.append(self._heard.get(timeout=left))
                while True:  # all that is there: to look after each one takes long
                    self.all.append(self._heard.get_nowait())
        return self.all

    def publish(self, messages: dict[str, str]) -> None:
        """Leave these at the broker, by their topics."""
        for topic, text in messages.items():
            self._client.publish(topic, text, qos=1, retain=True).wait_for_publish(10)

    def last(self, topic: str) -> str | None:
        """What was heard last of a topic."""
        return next((text for name, text, _ in reversed(self.all) if name == topic), None)

    def events(self, topic: str) -> list[dict[str, object]]:
        """The events of a topic, doubles left out."""
        rows = [json.loads(text) for name, text, _ in self.all if name == topic]
        return list({row["uid"]: row for row in rows}.values())

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
