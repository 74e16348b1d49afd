"""One connection to a test camera: the conversation in one thread, the pictures in another."""

from __future__ import annotations

import contextlib
import itertools
import math
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.servers.codings import Unit
from tests.servers.login import is_known, question
from tests.servers.rtp import Datagrams, Interleaved, Stream

if TYPE_CHECKING:
    from tests.servers.rtsp import Camera

_REPORT = 5.0  # s between two sender reports
_POLL = 0.01  # s between two looks whether a stall is over
_BEHIND = 1.0  # s that a viewer may make the camera wait; it then leaves pictures out
_SESSIONS = itertools.count(1)


class Viewer:
    """Answers a client until one of the two hangs up."""

    def __init__(self, camera: Camera, client: socket.socket) -> None:
        self._camera = camera
        self._client = client
        self._session = next(_SESSIONS)
        self._way: Interleaved | Datagrams | None = None
        self._sending = threading.Lock()
        self._gone = threading.Event()
        self._player = threading.Thread(target=self._play, daemon=True)

    def run(self) -> None:
        """The conversation, to its end; its player has ended, too, and all sockets are closed, then."""
        reader = self._client.makefile("rb")
        try:
            if isinstance(self._client, ssl.SSLSocket):
                self._client.do_handshake()
            while (request := read_request(reader)) is not None and self._take(*request):
                pass
        except (OSError, ValueError):
            pass
        finally:
            self.hang_up()
            if self._player.ident:
                self._player.join()
            if self._way:
                self._way.close()
            reader.close()
            self._client.close()

    def hang_up(self) -> None:
        """End the connection; may be called by any thread."""
        self._gone.set()
        # This wakes a thread that waits in recv or send; close alone does not.
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def _take(self, method: str, url: str, headers: dict[str, str]) -> bool:
        """Answer a request; False: it was the last one."""
        self._camera.requests.append(method)
        if self._camera.faults.silent in (True, method):
            return True
        answer = self._answer(method, url, headers)
        with self._sending:
            self._client.sendall(answer)
        if method == "PLAY" and self._way and not self._player.ident:
            self._player.start()
        return method != "TEARDOWN"

    def _answer(self, method: str, url: str, headers: dict[str, str]) -> bytes:
        camera = self._camera
        status, more, body = 200, [], b""
        if method == "OPTIONS":
            more = ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"]
        elif camera.user and not is_known(
            camera.login, method, headers.get("authorization", ""), camera.user, camera.password
        ):
            status, more = 401, [question(camera.login)]
        elif method == "DESCRIBE" and camera.faults.status != 200:
            status = camera.faults.status
        elif method == "DESCRIBE":
            body = camera.format.describe(camera.reel.sets)
            more = ["Content-Type: application/sdp", f"Content-Base: {url}/"]
        elif method == "SETUP":
            more = [f"Transport: {self._set_up(headers.get('transport', ''))}"]
        lines = [
            f"RTSP/1.0 {status} X",
            f"CSeq: {headers.get('cseq', 0)}",
            f"Session: {self._session};timeout=60",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, *more, "", ""]).encode() + body

    def _set_up(self, wish: str) -> str:
        """Choose the way that the client asks for; the answer's words."""
        if self._way:
            self._way.close()
        ports = re.search(r"client_port=(\d+)-(\d+)", wish)
        if ports and "TCP" not in wish:
            self._way = Datagrams(self._client, (int(ports[1]), int(ports[2])))
        else:
            self._way = Interleaved(self._client, self._sending)
        return self._way.transport

    def _play(self) -> None:
        assert self._way
        stream = Stream(self._way.send, self._camera.faults.seed)
        pictures = self._pictures()
        reported = -math.inf
        try:
            for tick in self._ticks():
                stamp = round(tick * 90000 / self._camera.rate)
                if time.monotonic() - reported > _REPORT:
                    reported = time.monotonic()
                    stream.report(stamp)
                number, unit = next(pictures)
                self._camera.note(number)
                parts = [part for each in unit for part in self._camera.format.fragments(each)]
                stream.picture(parts, stamp, self._camera.faults.loss)
                if self._camera.faults.ended:
                    return stream.goodbye()
        except OSError:
            self.hang_up()

    def _ticks(self) -> Iterator[int]:
        """The number of each picture's time, when it has come; those of a stall are left out."""
        camera = self._camera
        period = 1 / (camera.rate * camera.speed)
        began, tick = time.monotonic(), 0
        for sent in itertools.count():
            if sent == camera.faults.close_after:
                self.hang_up()
            if sent == camera.faults.stall_after:
                return
            if self._was_stalled() or time.monotonic() - began - tick * period > _BEHIND:
                tick = math.ceil((time.monotonic() - began) / period)
            if self._gone.wait(max(began + tick * period - time.monotonic(), 0)):
                return
            yield tick
            tick += 1

    def _was_stalled(self) -> bool:
        """Wait until no stall is ordered; was there one?"""
        stalled = False
        while self._camera.faults.stalled and not self._gone.wait(_POLL):
            stalled = True
        return stalled

    def _pictures(self) -> Iterator[tuple[int, Unit]]:
        """The camera's film from its beginning; from that of another one as soon as it shows that."""
        while True:
            reel = self._camera.reel
            for picture in reel.play():
                yield picture
                if self._camera.reel is not reel:
                    break


def read_request(reader) -> tuple[str, str, dict[str, str]] | None:
    """Method, address and headers of the next request; the client's RTCP is skipped."""
    while (first := reader.read(1)) == b"$":
        _, length = struct.unpack(">BH", reader.read(3))
        reader.read(length)
    if not first:
        return None
    line = (first + reader.readline()).decode()
    headers = {}
    while (text := reader.readline().decode().strip()) != "":
        key, _, value = text.partition(":")
        headers[key.lower()] = value.strip()
    method, url, *_ = line.split()
    return method, url, headers
