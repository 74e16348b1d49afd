"""What an address stands for, under which name, and what is said when it stands for nothing."""

import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from capture.address import resolve, resolve_all, with_login
from core.errors import ConfigError, SourceError
from core.masking import masked
from core.settings import CaptureConfig, SourceConfig
from tests.clips import film

CONFIG = CaptureConfig()


def infos(address, name=None, **config):
    return resolve(SourceConfig(address=address, name=name), CaptureConfig(**config))


@pytest.mark.parametrize(
    ("address", "kind", "name", "live"),
    [
        (0, "webcam", "camera0", True),
        ("2", "webcam", "camera2", True),
        ("/dev/video1", "webcam", "video1", True),
        ("/dev/v4l/by-id/usb-cam-index0", "webcam", "usb-cam-index0", True),
        ("rtsp://cam.local/main", "network", "cam.local", True),
        ("rtsp://10.0.0.7:8554/main", "network", "10.0.0.7_8554", True),
        ("http://cam/video.mjpg", "network", "cam", True),
        ("https://cam/live/index.m3u8", "network", "cam", True),
        ("http://10.0.0.7/v?user=me@shop.de&pwd=x", "network", "10.0.0.7", True),
        ("http://admin:p/w@10.0.0.7:81/v?user=me", "network", "10.0.0.7_81", True),
        ("https://host/films/last%20night.mp4?key=1", "video", "last night", False),
        ("demo", "demo", "demo", False),
    ],
)
def test_an_address_says_what_it_is(address, kind, name, live) -> None:
    (info,) = infos(address)

    assert (info.kind, info.name, info.live) == (kind, name, live)
    assert infos(address, "given") == [replace(info, name="given")]


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://admin:hunter2@cam/main",
        "rtsp://admin:hu@hunter2@cam/main",
        "rtsp://admin:hunter2/x@cam/main",
        "rtsp://admin:hunter2#x@cam/main",
        "http://cam/video?user=admin&password=hunter2",
        "http://hunter2@[cam/main",
        "http://10.0.0.7/v?user=me@shop.de&pwd=hunter2",
        "http://cam:8080/v?user=me@shop.de&pwd=hunter2",
        "http://me@10.0.0.7/v?user=me@shop.de&pwd=hunter2",
        "http://10.0.0.7/user=admin_password=hunter2.mp4",
    ],
)
def test_no_password_is_left_in_name_or_address(address) -> None:
    for info in infos(address):
        assert "hunter2" not in repr(info)


# Such as `80/?user=x@`: nobody can tell a password that looks like a port and a query from these.
_LIKE_A_PORT = re.compile(r"\d*[/?#].*\?.*[=&]|.*@.*\?.*[=&]")


@given(
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=3).filter(
        lambda password: not _LIKE_A_PORT.match(password)
    )
)
def test_a_password_of_any_characters_is_masked(password) -> None:
    assert masked(f"rtsp://u:{password}@cam/main") == "rtsp://***@cam/main"


def test_a_login_beside_an_address_takes_nothing_from_its_query() -> None:
    source = SourceConfig(address="http://old:p/w@10.0.0.7?user=me@shop.de", user="me", password="a/b")

    assert with_login(source) == "http://me:a%2Fb@10.0.0.7?user=me@shop.de"


def test_a_login_beside_an_address_goes_to_its_host_whatever_its_path_holds() -> None:
    source = SourceConfig(address="rtsp://10.0.0.7:554/live/ch1@main", user="me", password="pw")

    assert with_login(source) == "rtsp://me:pw@10.0.0.7:554/live/ch1@main"


def test_pictures_and_films_are_told_apart_by_content(tmp_path) -> None:
    film(tmp_path / "a.mp4", [0, 0.04]).rename(tmp_path / "film.jpg")
    Image.new("RGB", (8, 8)).save(tmp_path / "picture.png")
    (tmp_path / "picture.png").rename(tmp_path / "picture.mp4")

    assert infos(str(tmp_path / "film.jpg"))[0].kind == "video"
    assert infos(str(tmp_path / "picture.mp4"))[0].kind == "image"


def test_a_list_of_other_files_is_no_film_whatever_it_is_called(tmp_path) -> None:
    film(tmp_path / "secret.mkv", [0, 0.04])
    (tmp_path / "upload.mp4").write_text("ffconcat version 1.0\nfile secret.mkv\n")

    with pytest.raises(SourceError, match=r"upload\.mp4: is a list of other files"):
        infos(str(tmp_path / "upload.mp4"))
    assert [info.name for info in infos(str(tmp_path))] == ["secret"]


def test_an_animated_gif_is_a_film_and_a_still_one_a_picture(tmp_path) -> None:
    pictures = [Image.fromarray(np.full((8, 8, 3), v, np.uint8)) for v in (0, 200)]
    pictures[0].save(tmp_path / "moving.gif", save_all=True, append_images=pictures[1:])
    pictures[0].save(tmp_path / "still.gif")

    assert infos(str(tmp_path / "moving.gif"))[0].kind == "video"
    assert infos(str(tmp_path / "still.gif"))[0].kind == "image"


def test_a_folder_gives_its_pictures_and_each_of_its_videos_in_natural_order(tmp_path) -> None:
    for name in ("clip10.mp4", "clip9.mp4", "clip9.mkv"):
        film(tmp_path / name, [0, 0.04])
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "list.csv").write_text("x")

    found = infos(str(tmp_path))

    assert [i.kind for i in found] == ["folder", "video", "video", "video"]
    assert [i.path.name for i in found[1:]] == ["clip9.mkv", "clip9.mp4", "clip10.mp4"]
    assert len({i.name for i in found}) == 4


def test_the_name_given_to_a_folder_is_that_of_all_in_it(tmp_path) -> None:
    film(tmp_path / "a.mp4", [0, 0.04])
    alone = infos(str(tmp_path), "shop")
    film(tmp_path / "b.mp4", [0, 0.04])
    two = infos(str(tmp_path), "shop")
    (tmp_path / "b.mp4").unlink()
    Image.new("RGB", (8, 8)).save(tmp_path / "c.png")
    mixed = infos(str(tmp_path), "shop")

    assert [info.name for info in alone] == ["shop"]
    assert [info.name for info in two] == ["shop_a", "shop_b"]
    assert [info.name for info in mixed] == ["shop", "shop_a"]


def test_names_of_a_run_differ_and_given_ones_stay(tmp_path) -> None:
    path = film(tmp_path / "door.mp4", [0, 0.04])
    sources = [SourceConfig(address=str(path)) for _ in range(2)]

    found = resolve_all([*sources, SourceConfig(address=0, name="door")], CONFIG)

    assert [[info.name for info, _ in lane] for lane in found] == [["door_2"], ["door_3"], ["door"]]


def test_a_file_whose_name_says_nothing_has_a_name_all_the_same(tmp_path) -> None:
    (info,) = infos(str(film(tmp_path / "a.mp4", [0, 0.04]).rename(tmp_path / " .mp4")))

    assert info.name == "source"


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="'door' is given twice"):
        resolve_all([SourceConfig(address=0, name="door"), SourceConfig(address=1, name="door")], CONFIG)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nothing.mp4", "there is no such file or folder in"),
        ("nowhere/nothing.mp4", "the folder .*nowhere does not exist"),
        ("empty.mp4", r"is empty \(0 bytes\)"),
        ("hollow", "hollow: the folder holds no files; sub-folders are not entered"),
        ("papers", "papers: the folder holds no pictures and no videos; sub-folders"),
    ],
)
def test_an_address_that_stands_for_nothing_is_said(tmp_path, address, words) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "hollow").mkdir()
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "notes.txt").write_text("x")

    with pytest.raises(SourceError, match=words):
        infos(str(tmp_path / address))


def test_an_unknown_scheme_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SourceError, match=r"'foo' addresses are not known.*rtsp"):
        infos("foo://user:hunter2@cam/x")


def test_what_a_source_says_of_its_reading_counts_before_what_is_said_for_all(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((9, 9, 3), np.uint8))
    source = SourceConfig.model_validate({"address": str(tmp_path), "capture": {"rate": 10, "from": 3}})

    (((info, _),),) = resolve_all([source], CaptureConfig())

    assert (info.stills, info.start) == (False, 3.0)
