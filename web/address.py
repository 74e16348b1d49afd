"""Where the pages are served: `http://HOST:PORT/`, bound before the run begins."""

from __future__ import annotations

import errno
import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from core.errors import ConfigError, SinkError
from core.settings import SinkConfig

_HOME = "127.0.0.1"
_USUAL_PORT = 80
_BACKLOG = 64


def parse(config: SinkConfig) -> tuple[str, int]:
    """Host and port of the pages; nobody but this machine reaches them unless a host is named.

    Raises:
        ConfigError: the address cannot be used, in words.
    """
    path = config.path
    try:
        parts = urlsplit(path)
        port = _USUAL_PORT if parts.port is None else parts.port
        host = parts.hostname or _HOME
        host.encode("idna")  # as the system is asked for it: no part empty, none over 63 letters
    except ValueError as error:
        # The words of the error may hold part of a password.
        raise ConfigError(
            f"output {path}: its host or port cannot be read. Write it as http://:8080/"
        ) from error
    if config.user or config.password or config.password_file or parts.username is not None:
        # Left unsaid, it would be taken for protection.
        raise ConfigError(
            f"output {path}: the pages know no user and password. Leave both out, serve on this machine "
            "alone (http://:8080/), and let a web server that asks for a password stand before it."
        )
    if _has_more(parts):
        raise ConfigError(f"output {path}: the pages lie at the top; leave out what follows the port.")
    return host, port


def _has_more(parts: SplitResult) -> bool:
    return parts.path not in ("", "/") or bool(parts.query or parts.fragment)


def bind(config: SinkConfig) -> socket.socket:
    """A listening socket for the pages.

    Raises:
        ConfigError: the address cannot be used.
        SinkError: the system does not give it.
    """
    host, port = parse(config)
    try:
        family, *_, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(target[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise SinkError(f"output {config.path}: {_words(error, host, port)}") from error


def _words(error: OSError, host: str, port: int) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return (
            f"'{host}' is no address of this machine. Leave the host out, or use 0.0.0.0 for all of its own."
        )
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} is taken by another program, perhaps by another run. Name another port, or 0 for "
            "any that is free."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} may not be opened (no permission). Name one from 1024 on, such as 8080."
    return f"port {port} cannot be opened: {error.strerror or error}."


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine reaches it."""
    return ipaddress.ip_address(str(listener.getsockname()[0]).partition("%")[0]).is_loopback


def shown(listener: socket.socket) -> str:
    """The address to type into a browser."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def names_this_machine(host: str) -> bool:
    """Whether a Host header names this machine itself.

    A page from elsewhere whose name was made to lead here (DNS rebinding) still sends its own name.

    >>> [names_this_machine(h) for h in ("localhost:8080", "127.0.0.1", "[::1]:80", "evil.example:8080", "")]
    [True, True, True, False, False]
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name == "localhost" or name.endswith(".localhost"):
            return True
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
