"""Small films of one real face, made from the demo's pictures."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

PICTURES = Path(__file__).parents[1] / "capture" / "demo" / "pictures"


def portrait(width: int = 320, height: int = 240, shift: float = 0.0):
    """uint8 (height, width, 3) BGR: the astronaut's face, about 100 px high, `shift` px to the right."""
    picture = cv2.imread(str(PICTURES / "astronaut.png"))
    move = np.float64([[1, 0, width / 2 - 224 + shift], [0, 1, height / 2 - 120]])
    return cv2.warpAffine(picture, move, (width, height), borderValue=(60, 80, 70))


def write_film(
    path: Path,
    times: Sequence[float],
    size: tuple[int, int] = (320, 240),
    sound: bool = False,
    codec="libx264",
) -> Path:
    """A film of one face that drifts to the right, a frame at each of `times` (s)."""
    width, height = size
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.options = {"preset": "ultrafast", "crf": "18"}
        voice = out.add_stream("aac", rate=16000, layout="mono") if sound else None
        for time in times:
            frame = av.VideoFrame.from_ndarray(portrait(width, height, 20 * time), "bgr24")
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        if voice is not None:
            _hum(out, voice, seconds=max(times))
    return path


def _hum(out, voice, seconds: float) -> None:
    samples = np.sin(np.arange(int(16000 * seconds)) * 0.17).astype(np.float32)
    for start in range(0, len(samples) - 1024, 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 16000, start, Fraction(1, 16000)
        out.mux(voice.encode(frame))
    out.mux(voice.encode())


def every(rate: float, seconds: float) -> list[float]:
    """Times of a film of that rate and length."""
    return [i / rate for i in range(round(rate * seconds))]
