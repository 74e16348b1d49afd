"""What films and network streams share: choosing the picture, decoding it, painting it in BGR."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable
from typing import Any

import cv2
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from core.errors import SourceError
from core.types import Array, Image

_HOLE = 1.5  # usual steps from one picture to the next, over which one is missing in between
_SLOWER = 1.05  # growth of the usual step, a picture
_TURNS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}


def picture_stream(container: InputContainer, address: str) -> VideoStream:
    """The moving pictures of a container, set to be decoded by one thread.

    Measured on 2 shared cores, ms of CPU a frame: 720p 3.2 with one thread, 4.3 with frame
    threads; 1080p 5.7 and 6.5. The detector needs the other core, frame threads delay a live
    picture by two frames, and broken frames decode alike each time.

    Raises:
        SourceError: there are none, or nothing here decodes them.
    """
    streams = [s for s in container.streams.video if "attached_pic" not in str(s.disposition)]
    if not streams:
        has = "sound only" if container.streams.audio else "no moving picture"
        raise SourceError(f"{address}: has {has}; give a file or stream with a picture.")
    best = container.streams.best("video")
    stream = next((s for s in streams if s is best), streams[0])
    if stream.codec_context is None:
        raise SourceError(f"{address}: its coding is not known here; convert it to H.264.")
    if stream.codec_context.name == "ansi":  # FFmpeg paints text files
        raise SourceError(f"{address}: is text, not a video.")
    stream.thread_type = "NONE"
    return stream


class Decoder:
    """Decodes the packets of one stream, and remembers what was broken.

    Attributes:
        errors: broken packets so far.
        damaged: is the picture that was given last broken, or built on a broken one?
    """

    def __init__(self) -> None:
        self.errors = 0
        self.damaged = False
        self.failed_in_a_row = 0

    def pictures(self, packets: Iterable[Packet[VideoStream]]) -> Generator[VideoFrame]:
        """Every picture that decodes, in the order of showing."""
        for packet in packets:
            broken = packet.is_corrupt
            try:
                pictures = packet.decode()
                self.failed_in_a_row = 0
            except FFmpegError:
                pictures, broken, self.damaged = [], True, True
                self.failed_in_a_row += 1
            self.errors += broken
            for picture in pictures:
                # Pictures build on each other: all are suspect until the next clean key frame.
                self.damaged = picture.is_corrupt or (self.damaged and not picture.key_frame)
                yield picture


class Holes:
    """Tells by the times of pictures that one is missing between them, which no decoder flags.

    For streams that lose packets unseen: a picture that fits into one packet goes with it as a whole.
    """

    def __init__(self) -> None:
        self._last = math.nan
        self._step = math.inf  # s, usual; it follows a slower camera slowly

    def after(self, time: float) -> bool:
        """Is a picture missing before the one at `time`, seconds? NaN says nothing."""
        step = time - self._last
        self._last = time
        if not step > 0:
            return False
        missing = step > _HOLE * self._step
        self._step = min(step, _SLOWER * self._step)
        return missing


class Painter:
    """Turns decoded pictures into upright BGR; one for each source, as it keeps its tables."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()

    def paint(self, picture: VideoFrame) -> Image:
        """uint8 (H, W, 3) BGR, turned and mirrored as the file says that it is shown."""
        image = self._reformatter.reformat(picture, format="bgr24").to_ndarray().view(np.uint8)
        return np.ascontiguousarray(_upright(image, picture), np.uint8)


def _upright(image: Array, picture: VideoFrame) -> Array:
    """The image of a picture, turned and mirrored as its display matrix says."""
    try:
        beside: Any = picture.side_data  # PyAV's own hints name no key
        matrix = bytes(beside["DISPLAYMATRIX"])
    except KeyError:
        return image
    except ValueError:  # PyAV knows no name for something else beside the picture, as EXIF data
        turns = round(picture.rotation / 90) % 4  # counter-clockwise
        return cv2.rotate(image, _TURNS[turns]) if turns else image
    # A pixel at x, y is shown at a x + c y, b x + d y.
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].tolist()
    if abs(b) > abs(a):
        image, a, d = cv2.transpose(image), c, b
    if a < 0:
        image = cv2.flip(image, 1)
    return cv2.flip(image, 0) if d < 0 else image
