"""A small RTSP camera (RFC 2326, RFC 6184) with faults on command. Standard library and PyAV."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import socket
import struct
import threading
from dataclasses import dataclass, field
from fractions import Fraction

import av

from tests.clips import picture

_PAYLOAD = 1400  # bytes of a NAL unit that fit one RTP packet


@dataclass
class Faults:
    """What goes wrong. May be changed while the camera runs.

    Attributes:
        status: answer to DESCRIBE instead of 200.
        silent: take connections, say nothing.
        hang_up: close each connection at once.
        stall_after, close_after: pictures of a connection until it goes quiet, or is closed.
    """

    status: int = 200
    silent: bool = False
    hang_up: bool = False
    stall_after: int | None = None
    close_after: int | None = None


@dataclass
class Camera:
    """Serves a film in a loop over TCP; use as a context manager.

    Attributes:
        user, password: asked for by Digest if there is a user.
        rate: pictures/s that it claims; they are sent `speed` times as fast.
    """

    user: str = ""
    password: str = ""
    rate: int = 25
    speed: float = 1.0
    faults: Faults = field(default_factory=Faults)

    def __enter__(self) -> Camera:
        self.units = encode(self.rate)
        self.requests: list[str] = []
        self._stop = threading.Event()
        self._clients: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for sock in (self._listener, *self._clients):
            # shutdown wakes a thread that waits in accept or recv; close alone does not.
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)

    def address(self, login: str = "") -> str:
        return f"rtsp://{login + '@' if login else ''}127.0.0.1:{self.port}/main"

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
            if self.faults.hang_up:
                client.close()
                continue
            self._clients.append(client)
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        lock = threading.Lock()
        reader = client.makefile("rb")
        try:
            while (request := read_request(reader)) is not None:
                method, url, headers = request
                self.requests.append(method)
                if self.faults.silent:
                    continue
                answer = self._answer(method, url, headers)
                with lock:
                    client.sendall(answer)
                if method == "PLAY":
                    self._start(self._play, client, lock)
        except OSError:
            pass
        finally:
            # Both, as the player may still hold the socket.
            reader.close()
            client.close()

    def _answer(self, method: str, url: str, headers: dict[str, str]) -> bytes:
        status, more, body = 200, [], b""
        if method == "OPTIONS":
            more = ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"]
        elif self.user and not self._is_known(method, headers.get("authorization", "")):
            status, more = 401, ['WWW-Authenticate: Digest realm="camera", nonce="0a1b2c"']
        elif method == "DESCRIBE" and self.faults.status != 200:
            status = self.faults.status
        elif method == "DESCRIBE":
            body = describe(self.units)
            more = ["Content-Type: application/sdp", f"Content-Base: {url}/"]
        elif method == "SETUP":
            more = ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1"]
        lines = [
            f"RTSP/1.0 {status} X",
            f"CSeq: {headers.get('cseq', 0)}",
            "Session: 1",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, *more, "", ""]).encode() + body

    def _is_known(self, method: str, header: str) -> bool:
        """Digest access authentication, RFC 2069."""
        scheme, _, rest = header.partition(" ")
        if scheme != "Digest":
            return False
        said = dict(part.strip().split("=", 1) for part in rest.split(","))
        said = {key: value.strip('"') for key, value in said.items()}

        def md5(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        who = md5(f"{self.user}:camera:{self.password}")
        what = md5(f"{method}:{said['uri']}")
        return said.get("response") == md5(f"{who}:0a1b2c:{what}")

    def _play(self, client: socket.socket, lock: threading.Lock) -> None:
        sequence = itertools.count()
        for number in itertools.count():
            if self._stop.wait(1 / (self.rate * self.speed)) or number == self.faults.stall_after:
                return
            if number == self.faults.close_after:
                client.shutdown(socket.SHUT_RDWR)
                return
            stamp = number * 90000 // self.rate
            unit = self.units[number % len(self.units)]
            try:
                with lock:
                    client.sendall(b"".join(packetize(unit, stamp, sequence)))
            except OSError:
                return


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


def encode(rate: int, count: int = 25, size=(160, 120)) -> list[list[bytes]]:
    """The NAL units of each picture of a film whose first picture is a key frame."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuv420p"
    encoder.time_base = Fraction(1, rate)
    encoder.framerate = Fraction(rate)
    encoder.options = {
        "tune": "zerolatency",
        "crf": "12",
        "x264-params": "repeat-headers=1:annexb=1:keyint=25",
    }
    packets = []
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(picture(index, size), format="bgr24")
        frame.pts = index
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [split(bytes(packet)) for packet in packets]


def split(data: bytes) -> list[bytes]:
    """NAL units between start codes."""
    return [unit.rstrip(b"\0") for unit in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]


def describe(units: list[list[bytes]]) -> bytes:
    sets = ",".join(base64.b64encode(u).decode() for u in units[0] if u[0] & 31 in (7, 8))
    return "\r\n".join(
        [
            "v=0",
            "o=- 0 0 IN IP4 127.0.0.1",
            "s=camera",
            "t=0 0",
            "m=video 0 RTP/AVP 96",
            "a=rtpmap:96 H264/90000",
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}",
            "a=control:track0",
            "",
        ]
    ).encode()


def packetize(units: list[bytes], stamp: int, sequence):
    """The RTP packets of one picture, interleaved on channel 0; long units in parts (FU-A)."""
    parts = []
    for unit in units:
        if len(unit) <= _PAYLOAD:
            parts.append(unit)
            continue
        kind, body = unit[0], unit[1:]
        chunks = [body[i : i + _PAYLOAD] for i in range(0, len(body), _PAYLOAD)]
        for i, chunk in enumerate(chunks):
            ends = 0x80 * (i == 0) | 0x40 * (i == len(chunks) - 1)
            parts.append(bytes([kind & 0xE0 | 28, ends | kind & 0x1F]) + chunk)
    for i, part in enumerate(parts):
        marker = 0x80 if i == len(parts) - 1 else 0
        header = struct.pack(">BBHII", 0x80, marker | 96, next(sequence) & 0xFFFF, stamp & 0xFFFFFFFF, 1)
        yield struct.pack(">BBH", 0x24, 0, len(header) + len(part)) + header + part
