"""What test cameras play: pictures in, NAL units out, encoded once or as they are sent."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from tests.servers.codings import H264, Coding, Unit, split
from tests.servers.squares import write


class Encoder:
    """As a camera has it: no look ahead, no B-frames, a key frame every so many pictures."""

    def __init__(
        self,
        size: tuple[int, int],
        rate: int,
        key_interval: int,
        coding: Coding,
        quality: str = "even",
        preset: str = "",
    ) -> None:
        name, parameters = coding.parameters
        options, more = coding.qualities[quality]
        self._codec = cast("VideoCodecContext", av.CodecContext.create(coding.encoder, "w"))
        self._codec.width, self._codec.height = size
        self._codec.pix_fmt = coding.pixels
        self._codec.time_base = Fraction(1, rate)
        self._codec.framerate = Fraction(rate)
        keys = f"keyint={key_interval}:min-keyint={key_interval}:scenecut=0:bframes=0"
        self._codec.options = {
            "tune": "zerolatency",
            "preset": preset or coding.preset,
            name: f"repeat-headers=1:annexb=1:{keys}:{parameters}{more}",
            **options,
        }
        self._numbers = itertools.count()

    def unit(self, image) -> Unit:
        """The NAL units of the next picture, uint8 (H, W, 3) BGR."""
        frame = av.VideoFrame.from_ndarray(image, format="bgr24")
        frame.pts = next(self._numbers)
        (packet,) = self._codec.encode(frame)
        return split(bytes(packet))


class Loop:
    """A film that is encoded once and played again and again, from its first picture."""

    def __init__(
        self, pictures: Iterable, rate: int, key_interval: int, coding: Coding = H264, quality: str = "even"
    ) -> None:
        images = iter(pictures)
        first = next(images)
        size = (first.shape[1], first.shape[0])
        encoder = Encoder(size, rate, key_interval, coding, quality)
        self.units = [encoder.unit(image) for image in itertools.chain([first], images)]
        self.sets = coding.sets_of(self.units[0])

    def play(self) -> Iterator[tuple[int, Unit]]:
        """Number in the film, and the picture."""
        return itertools.cycle(enumerate(self.units))


class Clock:
    """Pictures drawn and encoded as they are sent, each with the milliseconds of its making.

    The clock is the machine's monotonic one, which all its processes share.
    """

    def __init__(self, size: tuple[int, int], rate: int, key_interval: int, coding: Coding = H264) -> None:
        self._size, self._rate, self._key_interval, self._coding = size, rate, key_interval, coding
        self.sets = coding.sets_of(self._encoder().unit(self._background(0)))

    def play(self) -> Iterator[tuple[int, Unit]]:
        """Milliseconds, and the picture; each call is an encoder of its own, and begins with a key frame."""
        encoder = self._encoder()
        for number in itertools.count():
            image = self._background(number)
            now = milliseconds()
            write(image, now)
            yield now, encoder.unit(image)

    def _encoder(self) -> Encoder:
        return Encoder(self._size, self._rate, self._key_interval, self._coding, preset="ultrafast")

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
