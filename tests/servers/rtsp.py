"""A small RTSP camera (RFC 2326) with faults on command. Standard library, PyAV to encode."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from tests.servers.codings import CODINGS
from tests.servers.films import Look, levels
from tests.servers.reels import Clock, Loop
from tests.servers.viewer import Viewer


@dataclass
class Faults:
    """What goes wrong. May be changed while the camera runs.

    Attributes:
        status: answer to DESCRIBE instead of 200.
        silent: take connections, say nothing; or nothing to requests of this method alone.
        hang_up: close each connection at once.
        stalled: send nothing; goes on where it was, on the same connection, once that is over.
        stall_after, close_after: pictures of a connection until it goes quiet for good, or is closed.
        ended: say that the stream is over (RTCP BYE).
        loss: share of the RTP packets that do not arrive.
        seed: which these are; of a connection, as it begins.
    """

    status: int = 200
    silent: bool | str = False
    hang_up: bool = False
    stalled: bool = False
    stall_after: int | None = None
    close_after: int | None = None
    ended: bool = False
    loss: float = 0.0
    seed: int = 1


@dataclass
class Camera:
    """Serves a film in a loop, by TCP or UDP as the viewer likes; use as a context manager.

    Every viewer sees it from its first picture on. It is encoded once, so sending costs next to nothing.

    Attributes:
        user, password: asked for if there is a user.
        login: how they are asked for.
        security: encrypts all (RTSPS) with this, see `tests.servers.certificate`.
        coding: one of `tests.servers.codings`.
        rate: pictures/s that it claims; they are sent `speed` times as fast.
        key_interval: pictures from one key frame to the next.
        wavering: the quality follows the content, so that even a frozen picture changes a little.
        pictures: the film, uint8 (H, W, 3) BGR; 25 levels of grey (tests.clips) if not given.
        clock: width and height of a film that is made as it is sent, with the time in its pixels.
        sent: of the last pictures, the monotonic time of sending and the number in the film.
    """

    user: str = ""
    password: str = ""
    login: Literal["Basic", "Digest"] = "Digest"
    security: ssl.SSLContext | None = None
    coding: str = "h264"
    rate: int = 25
    speed: float = 1.0
    key_interval: int = 25
    wavering: bool = False
    pictures: Iterable | None = None
    clock: tuple[int, int] | None = None
    faults: Faults = field(default_factory=Faults)
    sent: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=10_000))
    requests: list[str] = field(default_factory=list)

    def __enter__(self) -> Camera:
        self.format = CODINGS[self.coding]
        self._film = list(levels() if self.pictures is None else self.pictures)
        self.show()
        self._viewers: set[Viewer] = set()
        self._threads: set[threading.Thread] = set()
        self._changing = threading.Lock()
        self._door = _Door()
        self.port = self._door.port
        self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all connections and threads; may be called again."""
        self.refuse()
        self.drop()
        self._door.close()
        for thread in list(self._threads):
            thread.join(5)

    def address(self, login: str = "") -> str:
        """Where it is, for a client that logs in as user:password."""
        scheme = "rtsps" if self.security else "rtsp"
        return f"{scheme}://{login + '@' if login else ''}127.0.0.1:{self.port}/main"

    def show(self, look: Look = Look()) -> None:  # noqa: B008  frozen
        """Show the film with this look from the next picture on, which is a key frame."""
        if self.clock:
            self.reel: Clock | Loop = Clock(
                look.size or self.clock, self.rate, self.key_interval, self.format
            )
        else:
            still = "even" if look.frozen is None else "still"
            quality = "wavering" if self.wavering else still
            self.reel = Loop(look.of(self._film), self.rate, self.key_interval, self.format, quality)

    def freeze(self) -> None:
        """Show the picture that was sent last again and again."""
        self.show(Look(frozen=self.sent[-1][1] if self.sent else 0))

    def stall(self) -> None:
        """Send nothing more."""
        self.faults.stalled = True

    def resume(self) -> None:
        """Go on after a stall."""
        self.faults.stalled = False

    def drop(self) -> None:
        """End all connections now."""
        with self._changing:
            viewers = list(self._viewers)
        for viewer in viewers:
            viewer.hang_up()

    def refuse(self) -> None:
        """Take no new connections, as if nobody listened; the port stays ours."""
        self._door.shut()
        self._accepting.join()

    def listen(self) -> None:
        """Take connections, on the same port as ever."""
        self._accepting = self._start(self._accept, self._door.open())

    def note(self, number: int) -> None:
        """A picture goes out."""
        self.sent.append((time.monotonic(), number))

    def _start(self, target, *args) -> threading.Thread:
        def run() -> None:
            try:
                target(*args)
            finally:
                self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, daemon=True)
        self._threads.add(thread)
        thread.start()
        return thread

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                if self.faults.hang_up:
                    client.close()
                    continue
                if self.security:
                    client = self.security.wrap_socket(
                        client, server_side=True, do_handshake_on_connect=False
                    )
                viewer = Viewer(self, client)
                with self._changing:
                    self._viewers.add(viewer)
                self._start(self._serve, viewer)

    def _serve(self, viewer: Viewer) -> None:
        try:
            viewer.run()
        finally:
            with self._changing:
                self._viewers.discard(viewer)


class _Door:
    """A port that is kept while nobody may connect: bound, but without a listener, it refuses."""

    def __init__(self) -> None:
        self._socket = self._bound(0)
        self.port: int = self._socket.getsockname()[1]

    def open(self) -> socket.socket:
        self._socket.listen()
        return self._socket

    def shut(self) -> None:
        # shutdown wakes a thread that waits in accept; close alone does not.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._socket = self._bound(self.port)

    def close(self) -> None:
        self._socket.close()

    @staticmethod
    def _bound(port: int) -> socket.socket:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        return sock
