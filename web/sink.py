"""The pages as an output: `-o http://:8080/`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Literal

from core.errors import SinkError
from core.settings import SinkConfig
from core.status import Status
from core.types import Image, Result, SourceInfo
from web.address import bind, is_loopback, shown
from web.app import create_app
from web.pictures import Pictures
from web.server import PagesServer

log = logging.getLogger(__name__)


class WebPages:
    """Serves the newest pictures, health and metrics, from a thread of its own."""

    wants: Literal["data", "raw", "drawn"] = "drawn"

    def __init__(
        self, config: SinkConfig, sources: Mapping[str, SourceInfo], status: Callable[[], Status]
    ) -> None:
        """Begin to serve.

        Args:
            config: `path` is http://HOST:PORT/; without a host, for this machine alone; port 0: any free one.
            sources: by name; may grow.
            status: how the run is doing, from any thread.

        Raises:
            ConfigError: the address cannot be used.
            SinkError: the port is taken or not allowed.
        """
        listener = bind(config)
        self.address = shown(listener)
        self._pictures = Pictures()
        home = is_loopback(listener)
        self._server = PagesServer(create_app(sources, status, self._pictures, home), self._pictures)
        self._server.start(listener)
        log.info("pages: %s", self.address)
        if not home:
            log.warning(
                "%s is open to the network: whoever reaches it sees the pictures, without a password. "
                "For this machine alone leave the host out: http://:%d/",
                self.address,
                listener.getsockname()[1],
            )

    def write(self, result: Result, picture: Image | None) -> None:
        """Show the picture of one frame; the newest wins, until the source is over.

        Raises:
            SinkError: the server is gone.
        """
        if self._server.failed:
            raise SinkError(f"output {self.address}: the pages have ended. Start the program again.")
        if picture is not None:
            self._pictures.put(result.stamp.source, picture)
        if result.last:
            self._pictures.drop(result.stamp.source)

    def close(self) -> None:
        """Send the viewers home and stop. Idempotent."""
        self._server.stop()
