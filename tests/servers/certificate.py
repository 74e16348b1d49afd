"""Certificates for test servers, that nobody vouches for but themselves, and servers that show them."""

from __future__ import annotations

import select
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest


def certificate(folder: Path, name: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    """The files of a certificate for 127.0.0.1, or another name, and of its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, made = folder / "key.pem", folder / "certificate.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", f"subjectAltName={name}"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*command, "-keyout", key, "-out", made], check=True, capture_output=True)
    key.chmod(0o644)  # brokers give up their rights
    return made, key


def showing(made: Path, key: Path) -> ssl.SSLContext:
    """What a server needs to show this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    context.sslsocket_class = _Shared
    return context


class _Shared(ssl.SSLSocket):
    """One that a thread may read while another one writes, which OpenSSL alone does not allow."""

    def do_handshake(self, block: bool = False) -> None:
        super().do_handshake(block)
        self._turn = threading.Lock()
        self.setblocking(False)

    def recv_into(self, *args) -> int:
        return self._in_turn(super().recv_into, *args)

    def send(self, *args) -> int:
        return self._in_turn(super().send, *args)

    def shutdown(self, how: int) -> None:
        socket.socket.shutdown(self, how)  # theirs would go on without encryption

    def _in_turn(self, call: Callable[..., int], *args) -> int:
        while True:
            try:
                with self._turn:
                    return call(*args)
            except ssl.SSLWantReadError:
                select.select([self], [], [])
            except ssl.SSLWantWriteError:
                select.select([], [self], [])
