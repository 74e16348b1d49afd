"""Events to a web server, signed, in batches, each at least once and in order."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import logging
import socket
import ssl
import string
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import quote

from core.settings import SinkConfig
from core.status import Status
from core.types import Image, Result, SourceInfo
from outputs.courier import Courier, Trouble
from outputs.endpoint import Endpoint, endpoint
from outputs.spool import Letter, Spool

log = logging.getLogger(__name__)

PORTS = {"webhook+http": 80, "webhook+https": 443}

_TIMEOUT = 10.0  # s for a connection, and for each piece of an answer
_CALL = 60.0  # s for a whole call: an answer may come in pieces without end
_ANSWER = 65536  # bytes of an answer that are read, so that the connection can be used again
_LONGEST = 3600.0  # s, the most that a server may ask us to wait
_LATER = (408, 425, 429)  # and 5xx: the same may be taken later
_CLOSED = (401, 403, 404, 405, 407)  # the login or the address is at fault, no batch would fare better
_TOO_LARGE = 413


class Webhook:
    """Sends every event by POST, as `{"events": [...]}`."""

    wants: Literal["data", "raw", "drawn"] = "data"

    def __init__(
        self, config: SinkConfig, _sources: Mapping[str, SourceInfo], _status: Callable[[], Status]
    ) -> None:
        end = endpoint(config, PORTS)
        secret = config.secret.get_secret_value() if config.secret else None
        spool = Spool(config.spool or end.spool, config.spool_rows)
        self._courier = Courier(end.shown, spool, Post(end, secret))

    def write(self, result: Result, picture: Image | None) -> None:  # noqa: ARG002  the protocol's
        """Keep the events of one frame; the courier sends them."""
        self._courier.put(result.events)

    def close(self) -> None:
        """Send what can be sent within 2 s."""
        self._courier.close()


class Post:
    """One connection to a server, used again while it lasts."""

    def __init__(self, end: Endpoint, secret: str | None) -> None:
        self._end = end
        self._secret = secret
        self._connection: http.client.HTTPConnection | None = None
        self.refused = 0  # events that the server would never take

    def deliver(self, letters: Sequence[Letter], left: Callable[[], float]) -> int:
        """Send the letters as one batch, or half of it if that is too much; how many are settled."""
        if not letters or left() <= 0:
            return 0
        status, reason, wait = self._send(letters)
        if 200 <= status < 300:
            return len(letters)
        if status == _TOO_LARGE and len(letters) > 1:
            return self.deliver(letters[: len(letters) // 2], left)
        words = f"the server answers {status} {reason[:100]}".rstrip()
        if status in _LATER or status >= 500:
            raise Trouble(words, wait)
        if status in _CLOSED:
            raise Trouble(f"{words}: correct the address, or user and password of the sink", wait, grave=True)
        if status < 400:
            raise Trouble(f"{words}: it sends us elsewhere, where we do not follow", wait, grave=True)
        self._refuse(len(letters), words)
        return len(letters)

    def close(self) -> None:
        """Let go of the connection, and say what was refused."""
        self._hang_up()
        if self.refused:
            log.warning(
                "output %s: %d events were refused by the server and dropped", self._end.shown, self.refused
            )

    def _refuse(self, count: int, words: str) -> None:
        if not self.refused:
            log.error(
                "output %s: %s to %d events: they are dropped, the rest goes on",
                self._end.shown,
                words,
                count,
            )
        self.refused += count

    def _send(self, letters: Sequence[Letter]) -> tuple[int, str, float]:
        body = batch(letters)
        used = self._connection is not None
        try:
            return self._call(body, letters)
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a part of size -5
            self._hang_up()
            # A server may close a connection that nothing was said on for some seconds.
            if used and isinstance(error, ConnectionError):
                return self._send(letters)
            if isinstance(error, ssl.SSLCertVerificationError):
                words = f"its certificate is not trusted ({error.verify_message})"
                raise Trouble(f"{words}: add its authority to the system's", grave=True) from error
            words = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise Trouble(f"the server does not answer ({words})") from error

    def _call(self, body: bytes, letters: Sequence[Letter]) -> tuple[int, str, float]:
        if self._connection is None:
            self._connection = self._new_connection()
        query = f"?{self._end.query}" if self._end.query else ""
        target = quote(f"/{self._end.path}{query}", safe=string.punctuation)
        self._connection.request("POST", target, body, self._headers(body, letters))
        with _limited(self._connection.sock), self._connection.getresponse() as answer:
            if len(answer.read(_ANSWER)) == _ANSWER or answer.will_close:
                self._hang_up()
            return answer.status, answer.reason, retry_after(answer.headers.get("Retry-After"), time.time())

    def _new_connection(self) -> http.client.HTTPConnection:
        host, port = self._end.host, self._end.port
        if self._end.scheme.endswith("https"):
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT, context=context)
        return http.client.HTTPConnection(host, port, timeout=_TIMEOUT)

    def _headers(self, body: bytes, letters: Sequence[Letter]) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "stream.py",
            "Idempotency-Key": f"{letters[0].uid}+{len(letters)}",
        }
        if self._secret is not None:
            headers["X-Stream-Signature"] = signature(self._secret, body, int(time.time()))
        if self._end.user is not None:
            login = f"{self._end.user}:{self._end.password or ''}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        return headers

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextlib.contextmanager
def _limited(connection: socket.socket) -> Iterator[None]:
    """Let nothing wait for this connection longer than a whole call may take."""
    late = threading.Event()

    def shut() -> None:
        late.set()
        with contextlib.suppress(OSError):
            # Not the method of an encrypted one, which would take the encryption away under who reads.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)

    end = threading.Timer(_CALL, shut)
    end.daemon = True
    end.start()
    try:
        yield
    finally:
        end.cancel()
    if late.is_set():  # http.client takes heads that break off for whole
        raise TimeoutError(f"its answer took more than {_CALL:.0f} s")


def batch(letters: Sequence[Letter]) -> bytes:
    """What is sent.

    >>> batch([Letter(7, "a-1", "door", '{"uid": "a-1"}')])
    b'{"events": [{"uid": "a-1"}]}'
    """
    return f'{{"events": [{", ".join(letter.body for letter in letters)}]}}'.encode()


def signature(secret: str, body: bytes, now: int) -> str:
    """Says that the body comes from who knows the secret, and when; see docs/integrations.md.

    >>> signature("key", b"{}", 1700000000)[:40]
    't=1700000000, sha256=9d713ed406bb7076d41'
    """
    mark = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={now}, sha256={mark}"


def retry_after(text: str | None, now: float) -> float:
    """Seconds that a server asks us to wait: it says a number, or a date (RFC 9110, section 10.2.3).

    >>> retry_after("7", 0.0), retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 50.0), retry_after("soon", 0.0)
    (7.0, 10.0, 0.0)
    """
    seconds = 0.0
    if text is not None and text.strip().isdecimal():
        seconds = float(text)
    elif text is not None:
        with contextlib.suppress(ValueError, OverflowError):
            seconds = parsedate_to_datetime(text).timestamp() - now
    return min(max(seconds, 0.0), _LONGEST)
