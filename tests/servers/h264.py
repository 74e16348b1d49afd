"""H.264 for the test cameras: pictures in, NAL units out (RFC 6184 wants them without start codes)."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import av
import numpy as np

from tests.servers.squares import write

Unit = list[bytes]  # the NAL units of one picture


# x264's options. What follows a key picture makes up for what that one has lost, so a picture shown again
# never decodes to quite the same pixels: by some levels if even, by about 15 where the quality follows the
# content, as most cameras have it. In a still nothing is made up for: its other pictures are coarser by far
# (6 x log2 of the ratio, and the widest dead zone), and so repeat the key picture.
QUALITIES = {
    "even": ({"qp": "20"}, ""),
    "wavering": ({"crf": "20"}, ""),
    "still": ({"qp": "40"}, ":ipratio=10:deadzone-inter=32"),
}


class Encoder:
    """x264 as a camera has it: no look ahead, no B-frames, a key frame every so many pictures."""

    def __init__(
        self,
        size: tuple[int, int],
        rate: int,
        key_interval: int,
        preset: str = "veryfast",
        quality: str = "even",
    ) -> None:
        options, more = QUALITIES[quality]
        self._codec = av.CodecContext.create("libx264", "w")
        self._codec.width, self._codec.height = size
        self._codec.pix_fmt = "yuv420p"
        self._codec.time_base = Fraction(1, rate)
        self._codec.framerate = Fraction(rate)
        # One thread: the same pictures give the same bytes on every machine.
        keys = f"keyint={key_interval}:min-keyint={key_interval}:scenecut=0:threads=1"
        self._codec.options = {
            "tune": "zerolatency",
            "preset": preset,
            "x264-params": f"repeat-headers=1:annexb=1:{keys}{more}",
            **options,
        }
        self._numbers = itertools.count()

    def unit(self, image) -> Unit:
        """The NAL units of the next picture, uint8 (H, W, 3) BGR."""
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts = next(self._numbers)
        (packet,) = self._codec.encode(frame)
        return split(bytes(packet))


def split(data: bytes) -> Unit:
    """NAL units between start codes."""
    return [unit.rstrip(b"\0") for unit in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]


def kind(unit: bytes) -> int:
    """5: key picture, 7: sequence parameter set, 8: picture parameter set, 1: another picture."""
    return unit[0] & 31


class Loop:
    """A film that is encoded once and played again and again, from its first picture."""

    def __init__(self, pictures: Iterable, rate: int, key_interval: int, quality: str = "even") -> None:
        images = iter(pictures)
        first = next(images)
        size = (first.shape[1], first.shape[0])
        encoder = Encoder(size, rate, key_interval, quality=quality)
        self.units = [encoder.unit(image) for image in itertools.chain([first], images)]
        self.sets = sets(self.units[0])

    def play(self) -> Iterator[tuple[int, Unit]]:
        """Number in the film, and the picture."""
        return itertools.cycle(enumerate(self.units))


class Clock:
    """Pictures drawn and encoded as they are sent, each with the milliseconds of its making.

    The clock is the machine's monotonic one, which all its processes share.
    """

    def __init__(self, size: tuple[int, int], rate: int, key_interval: int) -> None:
        self._size, self._rate, self._key_interval = size, rate, key_interval
        self.sets = sets(Encoder(size, rate, key_interval, "ultrafast").unit(self._background(0)))

    def play(self) -> Iterator[tuple[int, Unit]]:
        """Milliseconds, and the picture; each call is an encoder of its own, and begins with a key frame."""
        encoder = Encoder(self._size, self._rate, self._key_interval, "ultrafast")
        for number in itertools.count():
            image = self._background(number)
            now = milliseconds()
            write(image, now)
            yield now, encoder.unit(image)

    def _background(self, number: int):
        """Something that moves, as nothing is as cheap to encode as a still."""
        width, height = self._size
        row = np.arange(width, dtype=np.uint16) + 4 * number
        return np.repeat(
            np.broadcast_to((row % 256).astype(np.uint8), (height, width))[:, :, None], 3, axis=2
        )


def milliseconds() -> int:
    """Of the machine's monotonic clock, as far as the squares reach: 4.6 hours."""
    return round(time.monotonic() * 1000) % 2**24


def sets(unit: Unit) -> Sequence[bytes]:
    """The parameter sets that stand before a key picture."""
    return [part for part in unit if kind(part) in (7, 8)]
