"""Events to an MQTT broker, each at least once and in order, and what it keeps for who comes later."""

from __future__ import annotations

import contextlib
import secrets
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import unquote

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from core.errors import ConfigError
from core.settings import SinkConfig
from core.status import Status
from core.types import Image, Result, SourceInfo
from outputs.courier import BATCH, Courier, Trouble
from outputs.endpoint import Endpoint, endpoint
from outputs.retained import OFFLINE, Retained
from outputs.spool import Letter, Spool

PORTS = {"mqtt": 1883, "mqtts": 8883}
PREFIX = "stream"

# Messages that the broker may owe an answer for: a whole batch. With paho's 20, Nagle's algorithm on the
# broker's side and delayed acknowledgements on ours make it wait for 40 ms five times a batch.
_INFLIGHT = BATCH
_PATIENCE = 5.0  # s for a connection or an answer
_KEEPALIVE = 30  # s; after half as many more without a word the broker sends our last will
_LEAVE = 0.4  # s for the last word
_REFUSED = (134, 135)  # reason codes: bad user name or password, not authorized
_BROKEN = "the connection to the broker broke off"

Message = tuple[str, str, bool]  # topic, payload, whether it is retained


class Mqtt:
    """Publishes every event to `PREFIX/SOURCE/events`, and the state of each source, retained."""

    wants: Literal["data", "raw", "drawn"] = "data"

    def __init__(
        self, config: SinkConfig, sources: Mapping[str, SourceInfo], status: Callable[[], Status]
    ) -> None:
        end = endpoint(config, PORTS)
        self._retained = Retained(prefix(end), sources, config.discovery, status().version)
        spool = Spool(config.spool or end.spool, config.spool_rows)
        self._courier = Courier(end.shown, spool, Broker(end, self._retained))

    def write(self, result: Result, picture: Image | None) -> None:  # noqa: ARG002  the protocol's
        """Keep the events of one frame; the courier sends them."""
        if self._retained.heed(result):
            self._courier.wake()
        self._courier.put(result.events)

    def close(self) -> None:
        """Send what can be sent within 2 s, then say that the program is gone."""
        self._courier.close()


def prefix(end: Endpoint) -> str:
    """What all topics begin with.

    >>> prefix(Endpoint("mqtt", "broker", 1883, "")), prefix(Endpoint("mqtt", "broker", 1883, "shop/1/"))
    ('stream', 'shop/1')

    Raises:
        ConfigError: it holds a wildcard, or is the broker's own.
    """
    words = unquote(end.path).strip("/")
    if any(mark in words for mark in "+#\0") or words.startswith("$") or end.query:
        raise ConfigError(f"output {end.shown}: a topic has no + # or ? and does not begin with $.")
    return words or PREFIX


class Broker:
    """A connection to a broker: a new one, with nothing remembered, after each failure."""

    def __init__(self, end: Endpoint, retained: Retained) -> None:
        self._end = end
        self._retained = retained
        self._client: Client | None = None
        self._answer: ReasonCode | None = None
        self._acknowledged: set[int] = set()
        self._told: dict[str, str] = {}  # retained messages that this connection has brought
        self._edition: tuple[int, int] | None = None  # that all of it is of
        self._tls = _Tls(ssl.PROTOCOL_TLS_CLIENT)

    def deliver(self, letters: Sequence[Letter], left: Callable[[], float]) -> int:
        """Publish what is retained and has changed, then the letters; how many the broker has taken."""
        if self._client is None:
            self._client = self._connect(left)
        self._tell(left)
        if not letters:
            self._turn(self._client, 0.0)
            return 0
        bases = {letter.source: self._retained.base(letter.source) for letter in letters}
        return self._publish([(f"{bases[x.source]}/events", x.body, False) for x in letters], left)

    def close(self) -> None:
        """Say that the program is gone, as the last will would."""
        if self._client is None:
            return
        until = time.monotonic() + _LEAVE
        try:
            self._publish([(self._retained.status, OFFLINE, True)], lambda: until - time.monotonic())
        except Trouble:
            return  # then the broker sends the last will
        client, self._client = self._client, None
        client.disconnect()

    def _tell(self, left: Callable[[], float]) -> None:
        edition = self._retained.edition
        if edition == self._edition:
            return
        now = self._retained.messages()
        news = [(topic, text) for topic, text in now.items() if self._told.get(topic) != text]
        while news and left() > 0:
            taken = self._publish([(topic, text, True) for topic, text in news[:BATCH]], left)
            if self._client is None:  # the next connection begins from the start
                raise Trouble(_BROKEN)
            self._told.update(news[:taken])
            news = news[taken:]
        if not news:
            self._edition = edition

    def _connect(self, left: Callable[[], float]) -> Client:
        client = self._prepared()
        try:
            client.connect(self._end.host, self._end.port, _KEEPALIVE)
            until = time.monotonic() + min(_PATIENCE, left())
            while self._answer is None and time.monotonic() < until:
                if client.loop(0.05) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    break
        except ssl.SSLCertVerificationError as error:
            self._tls.drop()
            words = (
                f"its certificate is not trusted ({error.verify_message}): add its authority to the system's"
            )
            raise Trouble(words, grave=True) from error
        except (OSError, ValueError) as error:
            self._tls.drop()
            words = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Trouble(f"the broker does not answer ({words})") from error
        if self._answer is None or self._answer.is_failure:
            _drop(client)
            raise _refused(self._answer)
        if self._retained.before:
            client.subscribe([(topic, 1) for topic in self._retained.before])
        return client

    def _prepared(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"stream-{secrets.token_hex(6)}",
            protocol=MQTTProtocolVersion.MQTTv311,  # which every broker speaks
        )
        client.disable_logger()
        client.connect_timeout = _PATIENCE
        client.max_inflight_messages_set(_INFLIGHT)
        client.max_queued_messages_set(2 * BATCH)
        client.will_set(self._retained.status, OFFLINE, qos=1, retain=True)
        if self._end.user is not None:
            client.username_pw_set(self._end.user, self._end.password)
        if self._end.scheme == "mqtts":
            self._tls.load_default_certs()
            client.tls_set_context(self._tls)
        client.on_connect, client.on_publish, client.on_message = (
            self._on_connect,
            self._on_publish,
            self._on_message,
        )
        self._answer, self._told, self._edition = None, {}, None
        self._acknowledged.clear()
        return client

    def _publish(self, messages: Sequence[Message], left: Callable[[], float]) -> int:
        """How many, from the first on, the broker has taken.

        Raises:
            Trouble: none.
        """
        client = self._client
        if client is None:
            return 0
        mids = [client.publish(topic, text, qos=1, retain=retain).mid for topic, text, retain in messages]
        until = time.monotonic() + _PATIENCE
        try:
            while not self._acknowledged.issuperset(mids) and time.monotonic() < until and left() > 0:
                self._turn(client, 0.05)
            return self._taken(mids)
        except Trouble:
            if taken := self._taken(mids):
                return taken
            raise
        finally:
            if not self._acknowledged.issuperset(mids):
                self._client = None  # what it still has in hand comes again by the next connection
                _drop(client)
            self._acknowledged.difference_update(mids)

    def _taken(self, mids: Sequence[int]) -> int:
        owed = [i for i, mid in enumerate(mids) if mid not in self._acknowledged]
        if owed == list(range(len(mids))) and mids:
            raise Trouble("the broker does not answer (timed out)")
        return owed[0] if owed else len(mids)

    def _turn(self, client: Client, seconds: float) -> None:
        code = client.loop(seconds)
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._client = None
            raise Trouble(_BROKEN)

    def _on_connect(self, _client: Client, _data: Any, _flags: Any, code: ReasonCode, _props: Any) -> None:
        self._answer = code

    def _on_publish(self, _client: Client, _data: Any, mid: int, _code: Any, _props: Any) -> None:
        self._acknowledged.add(mid)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if not message.retain:  # it is new, and our own
            return
        with contextlib.suppress(UnicodeDecodeError):  # its topic is no text
            self._retained.heard(message.topic, message.payload.decode("utf-8", "replace"))


class _Tls(ssl.SSLContext):
    """Certificates are checked. Knows its socket, which paho leaves open when one is refused."""

    _socket: ssl.SSLSocket | None = None

    def wrap_socket(self, *args: Any, **more: Any) -> ssl.SSLSocket:
        """As that of every context."""
        self._socket = super().wrap_socket(*args, **more)
        return self._socket

    def drop(self) -> None:
        """Close the socket of an attempt that failed."""
        if self._socket is not None:
            self._socket.close()


def _refused(answer: ReasonCode | None) -> Trouble:
    if answer is None:
        return Trouble("the broker does not answer (it took the call and says nothing)")
    if answer.value in _REFUSED:
        words = f"the broker refuses the login ({answer.getName()}): correct user and password of the sink"
        return Trouble(words, grave=True)
    return Trouble(f"the broker refuses the connection ({answer.getName()})")


def _drop(client: Client) -> None:
    """Without a farewell, so that the broker sends the last will."""
    connection = client.socket()
    if connection is not None:
        connection.close()
