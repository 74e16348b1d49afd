"""The HTTP server in a thread of its own, which no viewer can hold up."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from web.pictures import Pictures

log = logging.getLogger(__name__)

CONNECTIONS = 128  # at once, viewers and all others
PATIENCE = 10.0  # s that a viewer may take nothing, or ask for nothing at first, until it is cut off
_CLOSING = 2.0  # s for the thread to end


class PagesServer(uvicorn.Server):
    """uvicorn, which also cuts off who reads nothing or asks for nothing."""

    def __init__(self, app: FastAPI, pictures: Pictures) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="asyncio",
                http=H11Protocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",  # it warns of each request that is none, which anybody may send
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=CONNECTIONS,
                timeout_graceful_shutdown=1,
            )
        )
        self._pictures = pictures
        # Bytes that wait and since when, s of the loop's clock, that they have not become fewer.
        self._stuck: dict[H11Protocol, tuple[int, float]] = {}
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)
        self._listener: socket.socket | None = None
        self.failed = False

    def start(self, listener: socket.socket) -> None:
        """Serve on this socket, which is ours from now on."""
        self._listener = listener
        self._thread.start()

    def stop(self) -> None:
        """End every answer and the thread. Idempotent."""
        self.should_exit = True
        self._thread.join(_CLOSING)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does; from then on viewers are told of pictures."""
        await super().startup(sockets)
        self._pictures.attach(asyncio.get_running_loop())

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: look for those that only hold a connection."""
        now = asyncio.get_running_loop().time()
        stuck: dict[H11Protocol, tuple[int, float]] = {}
        for link in self._waiting():
            left = link.transport.get_write_buffer_size()
            before, since = self._stuck.get(link, (left, now))
            stuck[link] = (left, since if before == left else now)
            if now - stuck[link][1] > PATIENCE:
                link.transport.abort()
        self._stuck = stuck
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does, but what a viewer has not read is thrown away."""
        self._pictures.end()
        for link in self._waiting():
            link.transport.abort()
        await super().shutdown(sockets)
        for link in self._links():
            link.transport.abort()
        await asyncio.sleep(0)  # each transport lets go of its socket in the next turn

    def _links(self) -> list[H11Protocol]:
        return [link for link in self.server_state.connections if isinstance(link, H11Protocol)]

    def _waiting(self) -> list[H11Protocol]:
        """Connections whose other side has not read what it was sent, or has not asked in full."""
        return [link for link in self._links() if link.flow.write_paused or _asks(link)]

    def _run(self) -> None:
        listener = self._listener
        assert listener is not None
        try:
            self.run(sockets=[listener])
        except Exception:
            self.failed = True
            log.exception("the pages have ended")
        finally:
            listener.close()


def _asks(link: H11Protocol) -> bool:
    """Whether there is no answer under way, nor the rest of a few seconds after one, which uvicorn ends."""
    return link.cycle is None or (link.cycle.response_complete and link.timeout_keep_alive_task is None)
