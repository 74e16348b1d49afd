"""Makes small films whose frames can be told apart by their brightness; unpacks the real ones; opens both."""

from __future__ import annotations

import math
import os
import tarfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from capture import open_source
from capture.address import resolve_all
from core.settings import CaptureConfig, SourceConfig

BASE = Fraction(1, 1000)


def picture(index: int, size=(160, 120)):
    """Frame `index`: grey of level 16 + 8 x (index % 28), with a white patch at the upper left."""
    width, height = size
    image = np.full((height, width, 3), 16 + 8 * (index % 28), np.uint8)
    image[: height // 4, : width // 4] = 255
    return image


def index_of(image) -> int:
    """Which frame (modulo 28) this is, whatever coding did to it."""
    height, width = image.shape[:2]
    return round((float(image[height // 2 :, width // 2 :].mean()) - 16) / 8)


def film(
    path: Path,
    times: Sequence[float],
    size=(160, 120),
    codec: str = "libx264",
    sound: bool = False,
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    pixel: Fraction | None = None,
) -> Path:
    """A film with one frame at each of `times` (seconds), perhaps with a tone; a `pixel` may be no square."""
    with av.open(str(path), "w", options=options or {}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.time_base = BASE
        stream.codec_context.time_base = BASE
        if pixel is not None:
            stream.codec_context.sample_aspect_ratio = pixel
        if codec == "libx264":
            stream.codec_context.gop_size = 12
            stream.options = {"crf": "10", "preset": "ultrafast" if len(times) > 60 else "fast"}
        tone = container.add_stream("aac", rate=16000) if sound else None
        for index, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(index, size), format="bgr24")
            frame.pts, frame.time_base = round(time / BASE), BASE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if tone is not None:
            _tone(container, tone, times[-1])
    return path


def tone(path: Path, seconds: float = 0.5) -> Path:
    """A file of sound only."""
    with av.open(str(path), "w") as container:
        _tone(container, container.add_stream("aac", rate=16000), seconds)
    return path


def _tone(container, stream, seconds: float) -> None:
    for start in range(0, round(seconds * 16000), 1024):
        wave = np.sin(np.arange(start, start + 1024) * 0.1).astype(np.float32)[None]
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.pts, frame.sample_rate, frame.time_base = start, 16000, Fraction(1, 16000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def opened(path, wall=math.nan, **config):
    """The one source behind a path."""
    settings = CaptureConfig(**config)
    (((info, address),),) = resolve_all([SourceConfig(address=str(path))], settings)
    return open_source(info, address, settings, wall=wall)


def turn(path: Path, degrees: int, mirrored: bool = False) -> Path:
    """Write a turn (clockwise) into the display matrix of an MP4's only track, as a phone does.

    Front cameras mirror too: left and right are swapped, then the picture is turned.
    """
    data = bytearray(path.read_bytes())
    one, zero, minus = (1 << 16).to_bytes(4, "big"), bytes(4), ((-1 << 16) & 0xFFFFFFFF).to_bytes(4, "big")
    rows = {
        0: (one, zero, zero, one),
        90: (zero, one, minus, zero),
        180: (minus, zero, zero, minus),
        270: (zero, minus, one, zero),
    }
    a, b, c, d = rows[degrees]
    if mirrored:
        opposite = {one: minus, minus: one, zero: zero}
        a, b = opposite[a], opposite[b]
    at = data.index(b"tkhd") + 4 + 40  # version and flags, times, ids, layer, volume
    data[at : at + 36] = a + b + zero + c + d + zero + zero + zero + (1 << 30).to_bytes(4, "big")
    path.write_bytes(bytes(data))
    return path


def unpacked(folder: Path) -> Path:
    """The real clips, in this folder; the test is skipped where there are none."""
    data = os.environ.get("STREAM_DATA")
    if not data or not (Path(data) / "videos.tar").is_file():
        pytest.skip("STREAM_DATA names no folder with videos.tar")
    with tarfile.open(Path(data) / "videos.tar") as tar:
        tar.extractall(folder, filter="data")
    return folder
