"""A web server that takes webhooks, or does what it is told instead."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.waiting import PATIENCE


@dataclass
class Call:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def events(self) -> list[dict[str, object]]:
        return json.loads(self.body)["events"]


class HookServer:
    """Remembers every call; answers with what stands first in `answers`, else with 204.

    An answer is a status, or a status and headers. `judge` may decide by the call instead.
    """

    def __init__(self, port: int = 0, judge=None) -> None:
        self.calls: list[Call] = []
        self.taken: list[Call] = []
        self.answers: list = []
        self._open: list[socket.socket] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 5

            def setup(self) -> None:
                super().setup()
                hook._open.append(self.connection)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                call = Call(self.path, headers, body, time.monotonic())
                hook.calls.append(call)
                answer = judge(call) if judge else hook.answers.pop(0) if hook.answers else 204
                status, more = answer if isinstance(answer, tuple) else (answer, {})
                if 200 <= status < 300:
                    hook.taken.append(call)
                self.send_response(status)
                for name, value in {"Content-Length": "0", **more}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_port

    def frames(self) -> list[object]:
        """Of the events taken, doubles left out."""
        rows = [row for call in self.taken for row in call.events]
        return [row["frame"] for row in {row["uid"]: row for row in rows}.values()]

    def until(self, done, seconds: float = PATIENCE) -> None:
        until = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < until, [(c.path, len(c.body)) for c in self.calls[-5:]]
            time.sleep(0.01)

    def __enter__(self) -> HookServer:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        for connection in self._open:  # one that goes on would be a server that is still there
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
