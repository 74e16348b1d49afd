"""The newest picture of each source, and who is watching."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from core.types import Image

_QUALITY = 80  # 720p: 1.9 ms and 99 KiB a picture


class Shot:
    """One picture, turned into JPEG when first asked for, and only once."""

    def __init__(self, picture: Image) -> None:
        self._picture = picture
        self._jpeg: bytes | None = None
        self._lock = threading.Lock()

    def jpeg(self) -> bytes:
        """The picture as JPEG; from any thread."""
        import cv2

        with self._lock:
            if self._jpeg is None:
                done, data = cv2.imencode(".jpg", self._picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
                if not done:
                    raise ValueError("the picture cannot be encoded")
                self._jpeg = data.tobytes()
            return self._jpeg


class Pictures:
    """Written by the sink's thread, read by the server's. Only the newest picture is kept."""

    def __init__(self) -> None:
        self._latest: dict[str, Shot] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self.watching = 0  # viewers; read and changed by the server's thread alone
        self.over = False

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """The server's loop runs: viewers may wait from now on."""
        self._loop = loop

    def put(self, source: str, picture: Image) -> None:
        """The newest picture of a source; takes no time worth naming, whoever watches."""
        self._latest[source] = Shot(picture)
        self._tell()

    def drop(self, source: str) -> None:
        """The source is over: nobody sees its last picture any more."""
        self._latest.pop(source, None)
        self._tell()

    def latest(self, source: str) -> Shot | None:
        """The newest picture of a source, None before the first and after its end."""
        return self._latest.get(source)

    async def after(self, source: str, seen: Shot | None, patience: float) -> Shot | None:
        """The newest picture once it is another than `seen`, or what there is after `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                while not self.over and self.latest(source) is seen:
                    await self._news.wait()
        except TimeoutError:
            pass
        return self.latest(source)

    def end(self) -> None:
        """Send every viewer home; in the server's thread."""
        self.over = True
        self._wake()

    @contextmanager
    def viewer(self) -> Iterator[None]:
        """Counts one viewer while it watches."""
        self.watching += 1
        try:
            yield
        finally:
            self.watching -= 1

    def _tell(self) -> None:
        if self._loop is not None and self.watching:
            with suppress(RuntimeError):  # the server has ended meanwhile
                self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        """All who wait look again; who comes later waits for the next news."""
        news, self._news = self._news, asyncio.Event()
        news.set()
