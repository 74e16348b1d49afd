"""The process that publishes one stream: `python -m outputs.rtsp_child`, started by `outputs.rtsp_feed`.

Muxing to a network holds Python's lock while the other side is silent, so it may not happen in the
program itself. The address, with its password, comes through the standard input, never by the command line.

Standard input: a line of JSON, `Order`; then for each picture its head, HEAD, and its pixels, BGR.
Standard output: `ready`, once it can call the server; `up`, once that takes the stream; if it ends otherwise
than asked, why.
"""

from __future__ import annotations

import json
import signal
import struct
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import BinaryIO

import av
import numpy as np
from av import error as av_error

from core.types import Image
from outputs.encoder import TICKS, Form, add_pictures

HEAD = struct.Struct("<dII")  # seconds, width, height
READY, UP = "ready", "up"

_KEY_INTERVAL = 2.0  # s between pictures that a viewer can join at
_USUAL = Fraction(25)  # pictures/s, a hint for the encoder
_ANSWERS: tuple[tuple[type[Exception], str], ...] = (
    (av_error.HTTPUnauthorizedError, "the user or password is wrong or missing (401)"),
    (av_error.HTTPForbiddenError, "this user may not publish there (403)"),
    (av_error.HTTPNotFoundError, "the server does not know this path (404)"),
    (av_error.HTTPBadRequestError, "the server takes no streams, or not this path (400)"),
    (
        av_error.HTTPOtherClientError,
        "the server refuses the stream (4xx); it may take none, or have this path taken",
    ),
    (av_error.HTTPServerError, "the server reports a fault of its own (5xx)"),
    (ConnectionRefusedError, "nobody listens there (connection refused)"),
    (TimeoutError, "the server is silent"),
    (BrokenPipeError, "the server hung up"),
    (ConnectionResetError, "the server hung up"),
)


@dataclass(frozen=True, slots=True)
class Order:
    """What the child is told first.

    Attributes:
        address: with user and password.
        timeout: seconds that the server may be silent.
    """

    address: str
    timeout: float

    def line(self) -> bytes:
        """As it is sent."""
        return json.dumps(asdict(self)).encode() + b"\n"


class Publisher:
    """One stream on an RTSP server, as H.264 over TCP."""

    def __init__(self, order: Order, size: tuple[int, int]) -> None:
        """`size`: (width, height) px of every picture; odd sides lose a column or row, as 4:2:0 needs."""
        options = {"rtsp_transport": "tcp", "timeout": str(round(order.timeout * 1e6))}
        self._container = av.open(order.address, "w", format="rtsp", options=options)
        self._size = size[0] // 2 * 2, size[1] // 2 * 2
        self._video = add_pictures(self._container, Form(self._size, _USUAL), "yuv420p")
        self._first = float("nan")
        self._latest = -1
        self._key_due = 0
        self._container.start_encoding()

    def add(self, picture: Image, time: float) -> None:
        """Send a picture, uint8 (H, W, 3) BGR, taken at `time`, seconds."""
        if self._latest < 0:
            self._first = time
        pts = max(round((time - self._first) * TICKS), self._latest + 1)
        width, height = self._size
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="bgr24")
        frame = frame.reformat(format="yuv420p")
        frame.pts, frame.time_base = pts, Fraction(1, TICKS)
        if pts >= self._key_due:
            frame.pict_type = av.video.frame.PictureType.I
            self._key_due = pts + round(_KEY_INTERVAL * TICKS)
        self._latest = pts
        self._container.mux(self._video.encode(frame))

    def close(self) -> None:
        """Say goodbye to the server."""
        self._container.mux(self._video.encode(None))
        self._container.close()


def publish(source: BinaryIO, say: Callable[[str], None]) -> None:
    """Publish what comes from `source` until it ends."""
    order = Order(**json.loads(source.readline()))
    say(READY)
    publisher = None
    while head := source.read(HEAD.size):
        if len(head) < HEAD.size:
            break
        time, width, height = HEAD.unpack(head)
        data = source.read(width * height * 3)
        if len(data) < width * height * 3:
            break  # the program was killed in the midst of it
        picture = np.frombuffer(data, np.uint8).reshape(height, width, 3)
        with _Deadline(2 * order.timeout):
            began = publisher is None
            publisher = publisher or Publisher(order, (width, height))
            publisher.add(picture, time)
        if began:
            say(UP)
    if publisher is not None:
        with _Deadline(order.timeout):
            publisher.close()


class _Deadline:
    """Ends this process, though all of Python stands still, so that none is left behind."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)


def explain(error: Exception) -> str:
    """What went wrong, in words without an address: PyAV's own hold the password."""
    for kind, words in _ANSWERS:
        if isinstance(error, kind):
            return words
    return getattr(error, "strerror", None) or type(error).__name__


def main() -> int:
    """Publish until told to end; the exit code."""
    try:
        publish(sys.stdin.buffer, _say)
    except Exception as error:
        _say(explain(error))
        return 1
    return 0


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
