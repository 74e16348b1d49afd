"""A small HTTP camera: MJPEG, files, and answers on command."""

from __future__ import annotations

import contextlib
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

from PIL import Image

from tests.clips import picture


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing of a client that hangs up since it does not trust us."""


class HttpCamera:
    """Serves /video as MJPEG, /status/404 as that answer, other paths as files of a folder.

    With `broken`, it cuts each picture off where nothing can be decoded yet.

    Attributes:
        asked: the paths so far.
    """

    def __init__(
        self,
        folder: Path | None = None,
        rate: float = 50.0,
        count: int = 10**9,
        security: ssl.SSLContext | None = None,
        broken: bool = False,
    ) -> None:
        camera = self
        self._broken = broken
        self.stop = threading.Event()
        self.asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def setup(self) -> None:
                if security:
                    self.request.do_handshake()  # here, where it keeps nobody else waiting
                super().setup()

            def do_GET(self) -> None:
                path = self.path.split("?")[0]
                camera.asked.append(path)
                if path.startswith("/status/"):
                    self.send_error(int(path.rsplit("/", 1)[1]))
                elif path == "/video":
                    camera.mjpeg(self, rate, count)
                else:
                    camera.file(self, folder / path.strip("/"))

            def log_message(self, *_: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if security:
            self._server.socket = security.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.address = f"{'https' if security else 'http'}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> HttpCamera:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def mjpeg(self, handler: BaseHTTPRequestHandler, rate: float, count: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        handler.end_headers()
        try:
            for index in range(count):
                data = BytesIO()
                Image.fromarray(picture(index)[:, :, ::-1]).save(data, "JPEG")
                if self._broken:
                    data = BytesIO(data.getvalue()[:20])
                    data.seek(0, 2)
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {data.tell()}\r\n\r\n"
                handler.wfile.write(head.encode() + data.getvalue() + b"\r\n")
                if self.stop.wait(1 / rate):
                    return
        except OSError:
            pass

    def file(self, handler: BaseHTTPRequestHandler, path: Path) -> None:
        data = path.read_bytes()
        first = int(handler.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        handler.send_response(206 if "Range" in handler.headers else 200)
        handler.send_header("Accept-Ranges", "bytes")
        handler.send_header("Content-Length", str(len(data) - first))
        handler.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        handler.end_headers()
        with contextlib.suppress(OSError):
            handler.wfile.write(data[first:])
