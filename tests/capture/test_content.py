"""Pictures and films are known by what is in them, and by their ending where that says nothing."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from capture.content import is_film, is_picture

PICTURES = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "JPEG2000")
FILMS = {"mp4": "mpeg4", "mov": "mpeg4", "matroska": "mpeg4", "avi": "mpeg4", "flv": "flv", "asf": "mpeg4"}
FILMS |= {"mpegts": "mpeg2video", "mpeg": "mpeg1video", "ogg": "libvpx"}


def _picture(path: Path, kind: str) -> Path:
    Image.new("RGB", (32, 32), (200, 100, 50)).save(path, kind)
    return path


def _film(path: Path, kind: str) -> Path:
    with av.open(str(path), "w", format=kind) as container:
        stream = container.add_stream(FILMS[kind], rate=25, width=64, height=48, pix_fmt="yuv420p")
        for grey in (50, 150, 250):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), grey, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("name", ["a", "a.mp4"])
def test_a_picture_of_any_kind_is_one_whatever_its_name_says(tmp_path: Path, kind: str, name: str) -> None:
    path = _picture(tmp_path / name, kind)

    assert (is_picture(path), is_film(path)) == (True, False)


@pytest.mark.parametrize("kind", FILMS)
@pytest.mark.parametrize("name", ["a", "a.jpg"])
def test_a_film_of_any_kind_is_one_whatever_its_name_says(tmp_path: Path, kind: str, name: str) -> None:
    path = _film(tmp_path / name, kind)

    assert (is_picture(path), is_film(path)) == (False, True)


@pytest.mark.parametrize(
    ("name", "kind"), [("a.tga", "picture"), ("a.JPG", "picture"), ("a.h264", "film"), ("a.MTS", "film")]
)
def test_where_the_content_says_nothing_the_ending_does(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(b"RIFF or whatever it may be, of some length" * 20)

    assert (is_picture(tmp_path / name), is_film(tmp_path / name)) == (kind == "picture", kind == "film")


@pytest.mark.parametrize("text", [b"", b"Got no picture, and no film.", b"RIFF....WAVEfmt "])
def test_what_is_neither_by_content_nor_by_ending_is_neither(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.dat").write_bytes(text)

    assert (is_picture(tmp_path / "a.dat"), is_film(tmp_path / "a.dat")) == (False, False)


def test_a_film_that_cannot_be_read_is_left_to_be_told_when_it_is_opened() -> None:
    if not Path("/proc/self/mem").exists():
        pytest.skip("no file that nobody can read the beginning of")

    assert (is_picture(Path("/proc/self/mem")), is_film(Path("/proc/self/mem"))) == (False, False)
