"""RTP and RTCP (RFC 3550), and the two ways they travel: within RTSP, or by UDP."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections.abc import Callable

_KIND = 96  # of the payload, as the description says
_SSRC = 1
_EPOCHS = 2_208_988_800  # s between NTP's 1900 and 1970

Send = Callable[[bytes, bool], None]  # a packet; is it RTCP?


class Stream:
    """Numbers and sends the packets of one viewer; loses a share of them on the way, if told to."""

    def __init__(self, send: Send, seed: int) -> None:
        self._send = send
        self._dice = random.Random(seed)
        self._sequence = 0
        self._packets = self._bytes = 0

    def picture(self, parts: list[bytes], stamp: int, loss: float = 0.0) -> None:
        """Send one picture, a packet for each part; `stamp` of 90 kHz."""
        for i, part in enumerate(parts):
            marker = 0x80 if i == len(parts) - 1 else 0
            self._sequence = (self._sequence + 1) & 0xFFFF
            head = struct.pack(">BBHII", 0x80, marker | _KIND, self._sequence, stamp & 0xFFFFFFFF, _SSRC)
            self._packets += 1
            self._bytes += len(part)
            # The dice fall for each packet, so that the same seed loses the same ones.
            if self._dice.random() >= loss:
                self._send(head + part, False)

    def report(self, stamp: int) -> None:
        """Send a sender report: which time of the wall the stamp stands for."""
        seconds = time.time() + _EPOCHS
        ntp = int(seconds), int(seconds % 1 * 2**32)
        body = struct.pack(">IIIIII", _SSRC, *ntp, stamp & 0xFFFFFFFF, self._packets, self._bytes)
        self._send(struct.pack(">BBH", 0x80, 200, len(body) // 4) + body, True)

    def goodbye(self) -> None:
        """Say that the stream is over."""
        # In one packet with an empty sender report, as RFC 3550 wants a report to come first.
        self._send(
            struct.pack(">BBHI", 0x80, 201, 1, _SSRC) + struct.pack(">BBHI", 0x81, 203, 1, _SSRC), True
        )


class Interleaved:
    """Packets within the RTSP connection, channel 0, RTCP 1."""

    def __init__(self, client: socket.socket, lock: threading.Lock) -> None:
        self._client, self._lock = client, lock
        self.transport = "RTP/AVP/TCP;unicast;interleaved=0-1"

    def send(self, packet: bytes, control: bool) -> None:
        with self._lock:
            self._client.sendall(struct.pack(">BBH", 0x24, control, len(packet)) + packet)

    def close(self) -> None:
        """The connection is not ours."""


class Datagrams:
    """Packets by UDP, from a pair of ports to a pair of the viewer's."""

    def __init__(self, client: socket.socket, ports: tuple[int, int]) -> None:
        self._to = [(client.getpeername()[0], port) for port in ports]
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in ports]
        for sock in self._sockets:
            sock.bind((client.getsockname()[0], 0))
        own = "-".join(str(sock.getsockname()[1]) for sock in self._sockets)
        self.transport = (
            f"RTP/AVP;unicast;client_port={ports[0]}-{ports[1]};server_port={own};ssrc={_SSRC:08X}"
        )

    def send(self, packet: bytes, control: bool) -> None:
        self._sockets[control].sendto(packet, self._to[control])

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()
