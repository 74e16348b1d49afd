"""What the answers of a network camera mean, in words, and how long to leave it in peace then."""

from __future__ import annotations

import math

from av import error as av_error

from capture import encryption
from capture.connection import Lost
from core.settings import CaptureConfig

_LOCKOUT = 300.0  # s; cameras lock accounts after a few wrong passwords
MISCONFIGURED = 60.0  # s; some cameras answer so while they boot

_PARTS = (
    "is HLS, of whose parts no certificate is looked at here, or an address that cannot be read; "
    "use RTSPS, or capture.certificates=any."
)

# What the answer means, in words, with the least pause before another try.
_ANSWERS: tuple[tuple[type[Exception], str, str, float], ...] = (
    (
        av_error.HTTPUnauthorizedError,
        "denied",
        "the user or password is wrong or missing (401); set user and password of the source.",
        _LOCKOUT,
    ),
    (
        av_error.HTTPForbiddenError,
        "denied",
        "access is forbidden for this user (403); give it the right to view in the camera's settings.",
        _LOCKOUT,
    ),
    (
        av_error.HTTPNotFoundError,
        "missing",
        "the device answers, but has no such stream (404); check what stands after the host.",
        MISCONFIGURED,
    ),
    (
        av_error.HTTPBadRequestError,
        "missing",
        "the device does not accept the address (400); check what stands after the host.",
        MISCONFIGURED,
    ),
    (
        av_error.HTTPOtherClientError,
        "busy",
        "the device refuses, perhaps since too many watch it; close other viewers.",
        0.0,
    ),
    (av_error.HTTPServerError, "fault", "the device reports a fault of its own (5xx); restart it.", 0.0),
    (
        ConnectionRefusedError,
        "refused",
        "nobody listens there (connection refused); check that it is on, and the port.",
        0.0,
    ),
    (
        av_error.ProtocolNotFoundError,
        "unusable",
        "this kind of address is not supported here; use rtsp or http.",
        math.inf,
    ),
    (
        av_error.ArgumentError,
        "unusable",
        "the address cannot be read; set user and password as keys of the source, or quote them (%2F for /).",
        math.inf,
    ),
)


def explain(error: Exception, shown: str, waited: float, timeout: float) -> Lost:
    """Why a connection was not to be had, in words that hold no password.

    Args:
        error: as PyAV raised it; its text and attributes hold the whole address.
        shown: the address, masked.
        waited: seconds until it was raised.
        timeout: seconds after which a silent connection is given up.
    """
    words, reason, pause = why(error, waited, timeout)
    return Lost(f"{shown}: {words}", reason, pause)


def why(error: Exception, waited: float, timeout: float) -> tuple[str, str, float]:
    """The words with the remedy, the reason, and the least pause before another try."""
    for kind, reason, words, pause in _ANSWERS:
        if isinstance(error, kind):
            return words, reason, pause
    if isinstance(error, av_error.ExitError | TimeoutError):
        return f"no answer within {timeout:g} s; check the address, and that it is on.", "unreachable", 0.0
    if isinstance(error, av_error.InvalidDataError | PermissionError):  # -1 where RTSP breaks off midway
        if waited >= 0.9 * timeout:
            return "takes the call but stays silent; check the port, or restart the camera.", "silent", 0.0
        return "answers, but not with a stream of this kind; check the scheme and the port.", "unusable", 0.0
    return f"does not open ({said(error)}); check the address and the network.", "unreachable", 0.0


def refusal(error: Exception, address: str, shown: str, config: CaptureConfig, waited: float) -> Lost:
    """The same, also where encryption is the cause, of which FFmpeg says nothing: it may call once more.

    Args:
        error: as PyAV raised it.
        address: with user and password, which are not sent.
        shown: without.
        config: the time-outs and certificates that were asked for.
        waited: seconds until it was raised.
    """
    limit = min(config.open_timeout, config.stall_timeout)
    lost = explain(error, shown, waited, limit)
    if isinstance(error, av_error.ArgumentError) and encryption.is_demanding(address, config.certificates):
        return Lost(f"{shown}: {_PARTS}", "distrusted", MISCONFIGURED)
    if lost.reason not in ("unusable", "unreachable", "silent") or math.isinf(lost.pause):
        return lost
    if waited >= 0.9 * limit and not encryption.is_encrypted(address):
        return lost
    found = encryption.why_not(address, config.certificates)
    if found is None:
        return lost
    reason, words = found
    return Lost(f"{shown}: {words}", reason, MISCONFIGURED if reason == "distrusted" else 0.0)


def said(error: Exception) -> str:
    """What the system calls it, without the address."""
    return str(getattr(error, "strerror", None) or type(error).__name__)
