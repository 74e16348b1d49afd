"""Encrypted addresses: whose word is taken for who answers, and why one does not open."""

from __future__ import annotations

import contextlib
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

_PLAIN = {"rtsps": "rtsp", "https": "http", "rtmps": "rtmp"}  # the same without encryption
_ENCRYPTED = {plain: scheme for scheme, plain in _PLAIN.items()}
_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443, "rtmp": 1935, "rtmps": 443}
_GREETINGS = {"rtsp": b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", "http": b"HEAD / HTTP/1.0\r\n\r\n"}
# Not HLS: FFmpeg looks at the certificate of its list only, and would send anybody the login for its parts.
_WHOLE = "rtsp,mpjpeg,mjpeg,mpegts,mpeg,flv,mov,matroska,avi,asf,ogg,h264,hevc"
_UNKNOWN = (18, 19, 20, 21)  # OpenSSL's numbers: signed by itself or by somebody that is not known
_NAME = "name the file of its authority in capture.certificates"
_NEW = "give the device a new one, for the name or number in its address"
_PATIENCE = 2.0  # s for each of at most two calls
# Where systems keep the authorities that they trust, in one file as GnuTLS in FFmpeg wants it; PyAV's
# looks in one place only, which few systems have.
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def is_encrypted(address: str) -> bool:
    """Does its scheme say so?"""
    return _scheme(address) in _PLAIN


def is_demanding(address: str, certificates: str) -> bool:
    """Must it show a certificate that is trusted?"""
    return certificates != "any" and is_encrypted(address)


def options(address: str, certificates: str) -> dict[str, str]:
    """FFmpeg's options.

    Args:
        address: unencrypted ones show no certificate.
        certificates: as in the settings: any, trusted, or a file.
    """
    if not is_demanding(address, certificates):
        return {"tls_verify": "0"}  # said, as FFmpeg means to change its default
    file = _authorities(certificates)
    return {"tls_verify": "1", "format_whitelist": _WHOLE, **({"ca_file": file} if file else {})}


def why_not(address: str, certificates: str) -> tuple[str, str] | None:
    """Why an address did not open, where FFmpeg tells no more than that: reason and words; None: not known.

    Calls there once more, twice at most, without a login. FFmpeg alone decides what is believed.
    """
    scheme, end = _scheme(address), _end(address)
    if end is None:
        return None
    if scheme in _PLAIN:
        return _why_not_encrypted(end, scheme, certificates)
    if scheme in _ENCRYPTED and _shakes_hands(end, _context("any")):
        return "unusable", f"answers, but only encrypted; use {_ENCRYPTED[scheme]}://, or its other port."
    return None


def _why_not_encrypted(end: tuple[str, int], scheme: str, certificates: str) -> tuple[str, str] | None:
    try:
        if _shakes_hands(end, _context(certificates)):
            return None
    except ssl.SSLCertVerificationError as error:
        remedy = _NAME if error.verify_code in _UNKNOWN else _NEW
        return "distrusted", f"its certificate is not trusted ({error.verify_message.rstrip('.')}); {remedy}."
    except OSError:  # of the file
        return "unusable", f"capture.certificates: {certificates} holds no certificate (PEM)."
    if _speaks_plainly(end, _PLAIN[scheme]):
        return "unusable", f"answers, but without encryption; use {_PLAIN[scheme]}://, or its other port."
    return None


def _authorities(certificates: str) -> str | None:
    """The file of those whose word is taken; None: none was found, so FFmpeg looks by itself."""
    if certificates != "trusted":
        return certificates
    named = ssl.get_default_verify_paths().cafile  # SSL_CERT_FILE of the environment, if it says so
    return next((file for file in (named, *_BUNDLES) if file and Path(file).is_file()), None)


def _context(certificates: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if certificates == "any":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif file := _authorities(certificates):
        context.load_verify_locations(file)
    else:
        context.load_default_certs()
    return context


def _shakes_hands(end: tuple[str, int], context: ssl.SSLContext) -> bool:
    """Does it speak TLS? Raises SSLCertVerificationError."""
    try:
        with (
            socket.create_connection(end, timeout=_PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=end[0]),
        ):
            return True
    except ssl.SSLCertVerificationError:
        raise
    except (OSError, ValueError):  # ValueError: a name that cannot stand in a certificate
        return False


def _speaks_plainly(end: tuple[str, int], scheme: str) -> bool:
    greeting = _GREETINGS.get(scheme)
    if greeting is None:
        return False
    with contextlib.suppress(OSError), socket.create_connection(end, timeout=_PATIENCE) as plain:
        plain.sendall(greeting)
        return plain.recv(5) == scheme.upper().encode() + b"/"
    return False


def _scheme(address: str) -> str:
    return address.partition("://")[0].lower()


def _end(address: str) -> tuple[str, int] | None:
    """Host and port; None where there is nobody to call."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or _PORTS.get(_scheme(address))
    except ValueError:
        return None
    return (host, port) if host and port else None
