"""Where a network output sends to, and who it says it is: its address taken apart."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from core.errors import ConfigError
from core.settings import SinkConfig

_FOLDER = Path("runs", "spool")
_QUOTE = "In an address, write the characters @ : / ? # % of a user or password as %40 %3A %2F %3F %23 %25, "
_KEYS = "or give them as 'user' and 'password' or 'password_file' of the sink."


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address without secrets, and the secrets apart.

    Attributes:
        scheme: such as mqtts, in small letters.
        host, port: where to call; the port is that of the scheme unless said.
        path: as it stands in the address, without the first slash.
        query: as it stands in the address; may hold a token.
        user, password: from the settings, else from the address.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str = field(default="", repr=False)
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def shown(self) -> str:
        """The address for messages.

        >>> Endpoint("mqtt", "::1", 1883, "shop", user="me", password="word").shown
        'mqtt://[::1]:1883/shop'
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.path}"

    @property
    def spool(self) -> Path:
        """A file of its own in `runs/spool`, the same in every run from this folder."""
        kind, mark = self.scheme.split("+")[0], hashlib.sha256(self.shown.encode()).hexdigest()[:8]
        host = re.sub(r"[^a-zA-Z0-9.-]+", "_", self.host)
        return _FOLDER / f"{kind}-{host}-{self.port}-{mark}.db"


def endpoint(config: SinkConfig, ports: dict[str, int]) -> Endpoint:
    """Take the address of a network output apart.

    Args:
        config: its settings.
        ports: usual port of each scheme.

    Raises:
        ConfigError: it is malformed, or the file of the password cannot be read. The address is not
            repeated, since what is wrong with it may be a password that was not quoted.
    """
    scheme = config.path.split("://")[0].lower()
    try:
        parts = urlsplit(config.path)
        port = parts.port or ports[scheme]
        (parts.hostname or "").encode("idna")  # as the system is asked for it
    except ValueError as error:
        raise _malformed(scheme, "its host or port cannot be read") from error
    if not parts.hostname or re.search(r"[\s\x00-\x1f]", parts.netloc):
        raise _malformed(scheme, "it names no host")
    if ("@" in parts.path + parts.query and "@" not in parts.netloc) or parts.fragment:
        raise _malformed(scheme, "there is an @ or # behind the host")
    user, password = _login(config, parts)
    path = parts.path.removeprefix("/")
    return Endpoint(scheme, parts.hostname, port, path, parts.query, user, password)


def _login(config: SinkConfig, parts: SplitResult) -> tuple[str | None, str | None]:
    stated = config.read_password()
    written = None if parts.password is None else unquote(parts.password)
    user = unquote(parts.username) if parts.username else None
    return config.user or user, written if stated is None else stated


def _malformed(scheme: str, what: str) -> ConfigError:
    return ConfigError(f"output {scheme}://...: {what}. {_QUOTE}{_KEYS}")
