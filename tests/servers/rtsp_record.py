"""A small RTSP server that takes streams (RFC 2326, RFC 6184) and decodes their pictures."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

import av

from tests.servers.viewer import read_request
from tests.waiting import PATIENCE


@dataclass
class Recorder:
    """Takes streams over TCP; use as a context manager.

    Attributes:
        user, password: asked for (Basic) if there is a user.
        silent: take connections, say nothing. May be changed while it runs.
        stall: stop reading once a stream has begun. May be changed while it runs.
        pictures: by path, (RTP time in ticks of 1/90000 s, uint8 (H, W, 3) BGR) as they came.
        requests: methods, in order.
    """

    user: str = ""
    password: str = ""
    silent: bool = False
    stall: bool = False
    port: int = 0
    pictures: dict[str, list] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def __enter__(self) -> Recorder:
        self._stop = threading.Event()
        self._clients: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(5)

    def address(self, path: str = "seen", login: str = "") -> str:
        return f"rtsp://{login + '@' if login else ''}127.0.0.1:{self.port}/{path}"

    def hang_up(self) -> None:
        """Close all connections, as a server that is restarted."""
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def wait(self, count: int, path: str = "seen", patience: float = PATIENCE) -> list:
        """The pictures of a path, once there are so many."""
        until = time.monotonic() + patience
        while len(self.pictures.get(path, [])) < count:
            assert time.monotonic() < until, (
                f"{self.requests}, {[(k, len(v)) for k, v in self.pictures.items()]}"
            )
            time.sleep(0.02)
        return list(self.pictures[path])

    def _start(self, target, *args) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
            self._clients.append(client)
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        reader = client.makefile("rb")
        decoder = None
        path = ""
        try:
            while not self._stop.is_set():
                first = reader.peek(1)[:1]
                if not first:
                    return
                if first == b"$":
                    while self.stall and not self._stop.wait(0.05):
                        pass
                    self._packet(reader, decoder, path)
                    continue
                request = read_request(reader)
                if request is None:
                    return
                method, url, headers = request
                body = reader.read(int(headers.get("content-length", 0))).decode()
                self.requests.append(method)
                if self.silent:
                    continue
                status = 401 if self._is_unknown(headers) else 200
                if method == "ANNOUNCE" and status == 200:
                    decoder = Depacketizer(body)
                    path = url.partition("://")[2].partition("/")[2]
                    self.pictures.setdefault(path, [])
                client.sendall(self._answer(status, method, headers))
        except (OSError, ValueError):
            pass
        finally:
            reader.close()
            client.close()

    def _packet(self, reader, decoder, path: str) -> None:
        _, channel, length = struct.unpack(">BBH", reader.read(4))
        data = reader.read(length)
        if channel == 0 and len(data) == length:
            self.pictures[path] += decoder.pictures(data)

    def _is_unknown(self, headers: dict[str, str]) -> bool:
        wanted = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return bool(self.user) and headers.get("authorization") != f"Basic {wanted}"

    def _answer(self, status: int, method: str, headers: dict[str, str]) -> bytes:
        lines = [f"RTSP/1.0 {status} X", f"CSeq: {headers.get('cseq', 0)}", "Session: 1"]
        if status == 401:
            lines.append('WWW-Authenticate: Basic realm="recorder"')
        if method == "OPTIONS":
            lines.append("Public: OPTIONS, ANNOUNCE, SETUP, RECORD, TEARDOWN")
        if method == "SETUP":
            lines.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1;mode=record")
        return "\r\n".join([*lines, "", ""]).encode()


class Depacketizer:
    """RTP packets of H.264 to pictures."""

    def __init__(self, description: str) -> None:
        self._codec = av.CodecContext.create("h264", "r")
        self._unit = b""
        self._units = b""
        sets = re.search(r"sprop-parameter-sets=([^;\s]+)", description)
        for text in sets[1].split(",") if sets else []:
            self._units += b"\0\0\0\1" + base64.b64decode(text)

    def pictures(self, packet: bytes) -> list:
        """The pictures that this packet completes."""
        marker, time = packet[1] & 0x80, struct.unpack(">I", packet[4:8])[0]
        payload = packet[12:]
        kind = payload[0] & 31
        if kind == 28:  # a part of a long unit
            begins, ends = payload[1] & 0x80, payload[1] & 0x40
            if begins:
                self._unit = bytes([payload[0] & 0xE0 | payload[1] & 31])
            self._unit += payload[2:]
            if ends:
                self._units += b"\0\0\0\1" + self._unit
        elif kind == 24:  # several short ones
            rest = payload[1:]
            while rest:
                length = struct.unpack(">H", rest[:2])[0]
                self._units += b"\0\0\0\1" + rest[2 : 2 + length]
                rest = rest[2 + length :]
        else:
            self._units += b"\0\0\0\1" + payload
        if not marker:
            return []
        units, self._units = self._units, b""
        frames = self._codec.decode(av.Packet(units))
        return [(time, frame.to_ndarray(format="bgr24")) for frame in frames]
