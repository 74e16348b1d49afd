"""The drawn video on an RTSP server: `-o rtsp://server/path`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Literal
from urllib.parse import quote, urlsplit

from core.errors import ConfigError
from core.masking import mask
from core.settings import SinkConfig
from core.status import Status
from core.types import Image, Result, SourceInfo
from outputs import PLACE
from outputs.fan import fill
from outputs.one_source import OneSource
from outputs.rtsp_feed import Feed

_CLOSING = 2.0  # s for all streams to end in order


class RtspPublisher:
    """Publishes the newest pictures, a stream for each source; a slow server gets fewer of them."""

    wants: Literal["data", "raw", "drawn"] = "drawn"

    def __init__(
        self, config: SinkConfig, sources: Mapping[str, SourceInfo], status: Callable[[], Status]
    ) -> None:
        """Connect to nothing yet: each stream begins with its first picture.

        Args:
            config: `path` is rtsp://HOST:PORT/PATH, perhaps with `{source}` in it; and the login.
            sources: by name; may grow.
            status: not asked.

        Raises:
            ConfigError: the address or the login cannot be used.
        """
        del status
        self._address = address(config)
        self._sources = sources
        self._feeds: dict[str, Feed] = {}
        self._ended: dict[str, Feed] = {}  # by source, the one of its time before it came again
        self._only = None if PLACE in config.path else OneSource(mask(self._address))

    def write(self, result: Result, picture: Image | None) -> None:
        """Publish the picture of one frame; the newest wins, and nothing is waited for."""
        source = result.stamp.source
        if picture is not None and (feed := self._feed(source)) is not None:
            feed.put(result.stamp.time, picture)
        if result.last and source in self._feeds:
            ended = self._feeds.pop(source)
            ended.finish()
            self._ended[source] = ended

    def close(self) -> None:
        """End all streams. Idempotent."""
        until = time.monotonic() + _CLOSING
        for feed in self._feeds.values():
            feed.finish()
        for feed in [*self._ended.values(), *self._feeds.values()]:
            feed.join(until)

    def _feed(self, source: str) -> Feed | None:
        if source in self._feeds:
            return self._feeds[source]
        if self._only is not None and not self._only.lets_in(source):
            return None
        name = quote(fill(PLACE, {**self._sources, source: None})[source].name)
        # A source that begins again has the same address, where a server takes one stream at a time.
        before = self._ended.pop(source, None)
        self._feeds[source] = Feed(self._address.replace(PLACE, name), source, before)
        return self._feeds[source]


def address(config: SinkConfig) -> str:
    """The address with user and password in it, quoted.

    Raises:
        ConfigError: it cannot be used, in words.

    >>> address(SinkConfig(path="rtsp://10.0.0.9/{source}", user="me", password="a@b/c"))
    'rtsp://me:a%40b%2Fc@10.0.0.9/{source}'
    """
    try:
        parts = urlsplit(config.path)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        # The words of the error may hold part of a password.
        words = "its host or port cannot be read. Write it as rtsp://server:8554/path"
        raise ConfigError(f"output {config.path}: {words}") from error
    if not host:
        raise ConfigError(f"output {config.path}: it names no server. Write it as rtsp://server:8554/path")
    password = config.read_password()
    if config.user is None:
        if password is not None:
            raise ConfigError(f"output {config.path}: a password needs a user; set user too.")
        return config.path
    if parts.username is not None:
        raise ConfigError(f"output {config.path}: a user in the address and in user; leave one out.")
    login = quote(config.user, safe="") + (f":{quote(password, safe='')}" if password is not None else "")
    place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
    return parts._replace(netloc=f"{login}@{place}").geturl()
