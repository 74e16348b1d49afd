"""Who may watch a test camera: Basic (RFC 7617) and Digest (RFC 2069) authentication."""

from __future__ import annotations

import base64
import hashlib

_REALM, _NONCE = "camera", "0a1b2c"


def question(scheme: str) -> str:
    """The header that asks for a login."""
    more = f', nonce="{_NONCE}"' if scheme == "Digest" else ""
    return f'WWW-Authenticate: {scheme} realm="{_REALM}"{more}'


def is_known(scheme: str, method: str, header: str, user: str, password: str) -> bool:
    """Is this `Authorization` header that of the user?"""
    said, _, rest = header.partition(" ")
    if said != scheme:
        return False
    if scheme == "Basic":
        return base64.b64decode(rest).decode() == f"{user}:{password}"
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    uri, response = (parts.get(key, "").strip('"') for key in ("uri", "response"))
    who, what = _md5(f"{user}:{_REALM}:{password}"), _md5(f"{method}:{uri}")
    return response == _md5(f"{who}:{_NONCE}:{what}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
