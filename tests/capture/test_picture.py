"""Pictures of every kind become upright 8-bit BGR; what is none gets clear words."""

import math
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, features

from capture.picture import read_picture
from core.errors import SourceError
from tests.clips import opened

BLUE, GREEN, RED, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)  # BGR


def frames_of(path, **config):
    source = opened(path, **config)
    return list(iter(source.read, None))


def save(path, array, mode=None, **options):
    image = Image.fromarray(np.asarray(array))
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def corners(size=(40, 30)):
    """RGB: left half red, right half blue, upper right corner green."""
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2] = (255, 0, 0)
    image[:, width // 2 :] = (0, 0, 255)
    image[: height // 2, width // 2 :] = (0, 255, 0)
    return image


@pytest.mark.parametrize("ending", ["png", "bmp", "tiff", "gif", "webp", "ppm", "jpg", "tga", "jp2", "avif"])
def test_colours_come_out_in_every_format(tmp_path, ending) -> None:
    exact = {"webp": {"lossless": True}, "jpg": {"quality": 98, "subsampling": 0}, "avif": {"quality": 98}}
    path = save(tmp_path / f"a.{ending}", corners(), **exact.get(ending, {}))

    image = read_picture(path)

    assert image.shape == (30, 40, 3)
    assert np.abs(image[5, 5].astype(int) - RED).max() < 12
    assert np.abs(image[5, 35].astype(int) - GREEN).max() < 12
    assert np.abs(image[25, 35].astype(int) - BLUE).max() < 12


def test_a_frame_names_its_picture_also_where_one_before_it_is_broken(tmp_path) -> None:
    for name in ("a2.png", "a10.png"):
        save(tmp_path / name, corners())
    (tmp_path / "a1.png").write_bytes(b"no picture")

    assert [frame.stamp.file for frame in frames_of(tmp_path)] == ["a2.png", "a10.png"]
    assert [frame.stamp.file for frame in frames_of(tmp_path, rate=5)] == ["a2.png", "a10.png"]
    assert [frame.stamp.file for frame in frames_of(tmp_path / "a2.png")] == ["a2.png"]


@pytest.mark.parametrize("mode", ["P", "RGBA", "CMYK", "YCbCr"])
def test_colours_come_out_of_every_mode(tmp_path, mode) -> None:
    ending = "jpg" if mode in ("CMYK", "YCbCr") else "png"
    options = {"quality": 98, "subsampling": 0} if ending == "jpg" else {}
    path = save(tmp_path / f"a.{ending}", corners(), mode, **options)

    image = read_picture(path)

    assert np.abs(image[5, 35].astype(int) - GREEN).max() < 12
    assert np.abs(image[25, 35].astype(int) - BLUE).max() < 12


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_photograph_comes_out_upright_however_the_camera_was_held(tmp_path, turn) -> None:
    # What a camera held that way would have stored for the same scene.
    stored = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[turn](corners())
    exif = Image.Exif()
    exif[0x0112] = turn
    path = save(tmp_path / "a.png", np.ascontiguousarray(stored), exif=exif)

    assert (read_picture(path)[:, :, ::-1] == corners()).all()


@pytest.mark.parametrize(
    ("levels", "dtype", "expected"),
    [
        ((0, 32768, 65535), np.uint16, (0, 128, 255)),
        ((0.0, 0.5, 1.0), np.float32, (0, 128, 255)),
        ((0.0, 128.0, 255.0), np.float32, (0, 128, 255)),
        ((0.0, 32768.0, 65535.0), np.float32, (0, 128, 255)),
        ((0, 128, 255), np.uint8, (0, 128, 255)),
        ((0, 128, 255), np.int32, (0, 128, 255)),
        ((0, 128, 255), np.uint16, (0, 0, 1)),  # of 65535: nearly black
    ],
)
def test_grey_of_any_depth_keeps_its_brightness(tmp_path, levels, dtype, expected) -> None:
    path = save(tmp_path / "grey.tiff", np.array([levels] * 4, dtype))

    image = read_picture(path)

    assert image[0].tolist() == [[v, v, v] for v in expected]


def test_sixteen_bit_png_keeps_its_brightness(tmp_path) -> None:
    path = save(tmp_path / "grey.png", np.array([[0, 32768, 65535]], np.uint16))

    assert read_picture(path)[0, :, 0].tolist() == [0, 128, 255]


def test_sixteen_bit_colour_png_keeps_its_colours(tmp_path) -> None:
    import cv2

    deep = np.array([[[0, 32768, 65535]]], np.uint16)  # BGR
    cv2.imwrite(str(tmp_path / "deep.png"), deep)

    assert np.abs(read_picture(tmp_path / "deep.png")[0, 0].astype(int) - (0, 128, 255)).max() <= 1


def test_transparent_parts_are_white(tmp_path) -> None:
    array = np.zeros((2, 2, 4), np.uint8)
    array[0, 0] = (0, 0, 255, 255)

    image = read_picture(save(tmp_path / "a.png", array))

    assert image[0, 0].tolist() == list(BLUE)
    assert image[1, 1].tolist() == list(WHITE)


@pytest.mark.parametrize("size", [(1, 1), (20000, 3), (3, 20000)])
def test_extreme_sizes_are_read(tmp_path, size) -> None:
    path = save(tmp_path / "a.png", np.full((size[1], size[0], 3), 7, np.uint8))

    (frame,) = frames_of(path)

    assert frame.stamp.size == size


@pytest.mark.parametrize("side", [10000, 20000])
def test_a_picture_that_would_fill_the_memory_is_refused_in_our_words_alone(tmp_path, side) -> None:
    path = tmp_path / "bomb.png"
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\x08IDAT" + bytes(12))

    with (
        warnings.catch_warnings(record=True, action="always") as warned,
        pytest.raises(SourceError, match="more than 89 million pixels; scale it down"),
    ):
        opened(path)

    assert warned == []


def test_what_is_left_of_damaged_exif_data_is_used_without_a_word(tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a.jpg", corners(), exif=exif)
    whole = path.read_bytes()
    count = whole.index(b"Exif\0\0") + 14  # of the entries; there is one
    path.write_bytes(whole[:count] + b"\x09\x09" + whole[count + 2 :])

    with warnings.catch_warnings(record=True, action="always") as warned:
        (frame,) = frames_of(path)

    assert (frame.stamp.size, warned) == ((30, 40), [])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"hello", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"\xff\xd8\xff", "picture"),
    ],
)
def test_what_is_no_picture_is_said(tmp_path, content, words) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)

    with pytest.raises(SourceError, match=words):
        opened(path)


@pytest.mark.parametrize("kind", [2, 4, 11], ids=["a text", "a larger number", "a fraction"])
def test_a_picture_is_upright_though_other_exif_data_are_of_the_wrong_kind(tmp_path, kind) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x0128] = 6, 2
    path = save(tmp_path / "a.jpg", corners(), exif=exif)
    unit = struct.pack(">HH", 0x0128, 3)
    path.write_bytes(path.read_bytes().replace(unit, struct.pack(">HH", 0x0128, kind)))

    (frame,) = frames_of(path)

    assert frame.stamp.size == (30, 40)


def test_a_picture_is_one_frame_that_belongs_to_no_other(tmp_path) -> None:
    source = opened(save(tmp_path / "portrait.png", corners()))

    frames = list(iter(source.read, None))

    assert [(f.stamp.index, f.stamp.time, f.cut) for f in frames] == [(0, 0.0, True)]
    assert source.info.stills
    assert source.info.name == "portrait"


def test_a_folder_of_pictures_is_unrelated_stills_in_natural_order(tmp_path) -> None:
    for number in (10, 9, 1):
        save(tmp_path / f"a{number}.png", np.full((4, 5, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("x")

    frames = frames_of(tmp_path)

    assert [int(f.image[0, 0, 0]) for f in frames] == [1, 9, 10]
    assert [f.stamp.time for f in frames] == [0, 1, 2]
    assert all(f.cut for f in frames)


def test_with_a_rate_a_folder_is_a_film(tmp_path) -> None:
    for number in range(5):
        save(tmp_path / f"{number}.png", np.full((4, 5, 3), number, np.uint8))

    source = opened(tmp_path, rate=10.0, begin=0.1, end=0.4, wall=50.0)
    frames = list(iter(source.read, None))

    assert [f.stamp.time for f in frames] == pytest.approx([0.1, 0.2, 0.3])
    assert [f.stamp.wall for f in frames] == pytest.approx([50.1, 50.2, 50.3])
    assert not any(f.cut for f in frames)
    assert not source.info.stills
    assert source.length == pytest.approx(0.3)


def test_the_time_that_a_recording_began_is_that_of_a_picture_but_of_no_unrelated_ones(tmp_path) -> None:
    paths = [save(tmp_path / f"{number}.png", corners()) for number in range(2)]

    (alone,) = frames_of(paths[1], wall=50.0)

    assert alone.stamp.wall == 50.0
    assert all(math.isnan(frame.stamp.wall) for frame in frames_of(tmp_path, wall=50.0))


def test_in_a_folder_an_unreadable_picture_is_left_out_and_counted(tmp_path, caplog) -> None:
    save(tmp_path / "1.png", corners())
    broken = save(tmp_path / "2.png", corners())
    broken.write_bytes(broken.read_bytes().replace(b"IDAT", b"XDAT"))
    save(tmp_path / "3.png", corners())
    source = opened(tmp_path)

    frames = list(iter(source.read, None))

    assert [f.stamp.index for f in frames] == [0, 2]
    assert source.decode_errors == 1
    assert broken.name in caplog.text


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_in_a_folder_a_damaged_avif_is_left_out_as_any_other_picture_is(tmp_path, caplog) -> None:
    save(tmp_path / "1.png", corners())
    Image.fromarray(np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3)).save(tmp_path / "2.avif")
    whole = (tmp_path / "2.avif").read_bytes()
    (tmp_path / "2.avif").write_bytes(whole[:-10] + bytes(10))  # for which Pillow raises a RuntimeError
    save(tmp_path / "3.png", corners())

    assert [f.stamp.index for f in frames_of(tmp_path)] == [0, 2]
    assert "2.avif" in caplog.text


def test_a_folder_in_which_nothing_can_be_read_is_an_error(tmp_path) -> None:
    (tmp_path / "1.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (tmp_path / "2.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")

    with pytest.raises(SourceError, match="none of its 2 pictures"):
        opened(tmp_path)
