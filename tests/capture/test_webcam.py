"""Webcams: a stand-in camera behind V4L2, the list of cameras, and words where there is none."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capture import probe, webcam
from capture.address import resolve_all
from capture.webcam import Camera, Finder, list_cameras
from core.errors import SourceError
from core.settings import CaptureConfig, SourceConfig

ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="V4L2 is Linux's")

# Run in a process of its own, as the stand-in is loaded before everything else.
READER = """
import json, logging, sys
logging.basicConfig(format="%(message)s")
from capture import open_source
from capture.address import resolve_all
from core.settings import CaptureConfig, SourceConfig
from core.types import Frame, Gap
path, count, mirror = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "mirror"
config = CaptureConfig(mirror=mirror)
source = SourceConfig(address=path, kind="webcam", name="door")
(((info, address),),) = resolve_all([source], config)
said, frames = "", []
source = open_source(info, address, config)
while len(frames) < count:
    item = source.read()
    frames += [item] if isinstance(item, Frame) else []
    said = item.error or said if isinstance(item, Gap) else said
rows = [(f.stamp.size, f.stamp.time, f.image[200, 100].tolist(), f.image[200, 500].tolist()) for f in frames]
print(json.dumps({"rows": rows, "said": said, "codec": source.codec}))
source.close()
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler for the stand-in camera")
    library = tmp_path_factory.mktemp("shim") / "shim.so"
    source = ROOT / "tests" / "servers" / "v4l2_shim.c"
    built = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"],
        check=False,
        capture_output=True,
        text=True,
    )
    if "No such file" in built.stderr:
        pytest.skip("no kernel headers for the stand-in camera")
    assert built.returncode == 0, built.stderr
    return library


def read(shim, folder, count=5, mirror="", **settings):
    """What a process reads from the stand-in, and what it says on stderr."""
    device = folder / "camera"
    device.touch()
    environment = {**os.environ, "LD_PRELOAD": str(shim), "SHIM_PATH": str(device), "PYTHONPATH": str(ROOT)}
    environment |= {f"SHIM_{key.upper()}": str(value) for key, value in settings.items()}
    done = subprocess.run(
        [sys.executable, "-c", READER, device, str(count), mirror],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def jpeg(folder) -> Path:
    image = np.zeros((480, 640, 3), np.uint8)
    image[:, :320] = (255, 0, 0)
    Image.fromarray(image).save(folder / "a.jpg", quality=95)
    return folder / "a.jpg"


@linux
@pytest.mark.slow
def test_a_webcam_is_read_as_mjpg_and_its_real_size_is_said(shim, tmp_path) -> None:
    seen, log = read(shim, tmp_path, jpeg=jpeg(tmp_path))

    assert seen["codec"] == "MJPG"
    assert [row[0] for row in seen["rows"]] == [[640, 480]] * 5
    assert np.diff([row[1] for row in seen["rows"]]).min() > 0
    assert seen["rows"][0][2][2] > 240 > 20 > seen["rows"][0][3][2]  # red is on the left
    assert "camera 'door' gives 640x480 MJPG, not the 1280x720" in log


@linux
@pytest.mark.slow
def test_a_mirrored_webcam_swaps_left_and_right(shim, tmp_path) -> None:
    seen, _ = read(shim, tmp_path, mirror="mirror", jpeg=jpeg(tmp_path))

    assert seen["rows"][0][2][2] < 20 < 240 < seen["rows"][0][3][2]


@linux
@pytest.mark.slow
def test_a_slow_webcam_is_said_with_its_real_rate(shim, tmp_path) -> None:
    seen, log = read(shim, tmp_path, count=36, fps=18)

    assert seen["codec"] == "YUYV"
    assert "frames/s (YUYV), not 30" in log


@linux
@pytest.mark.slow
def test_an_unplugged_webcam_is_said_and_read_again_when_it_is_back(shim, tmp_path) -> None:
    seen, log = read(shim, tmp_path, count=6, frames=4)

    times = [row[1] for row in seen["rows"]]
    assert "camera 'door' gives no more pictures; plug it in again." in seen["said"]
    assert "gives no more pictures" in log
    assert times == sorted(times)
    assert max(np.diff(times)) > 0.5  # the time in between is not forgotten


@linux
@pytest.mark.parametrize("address", [987, "/dev/video987"])
def test_a_camera_that_is_not_there_is_said_with_those_that_are(address) -> None:
    config = CaptureConfig()
    (((info, where),),) = resolve_all([SourceConfig(address=address)], config)

    with pytest.raises(SourceError, match=r"there is no /dev/video987; cameras here: "):
        probe(info, where, config)


@linux
def test_cameras_are_listed_by_name_with_an_address_that_stays(tmp_path) -> None:
    for node, name, index in [("video0", "Front", 0), ("video1", "Front", 1), ("video10", "Till", 0)]:
        folder = tmp_path / "sys" / node
        folder.mkdir(parents=True)
        (folder / "name").write_text(f"{name}\n")
        (folder / "index").write_text(f"{index}\n")
    links = tmp_path / "dev" / "v4l" / "by-id"
    links.mkdir(parents=True)
    (tmp_path / "dev" / "video10").touch()
    (links / "usb-till").symlink_to(tmp_path / "dev" / "video10")

    found = list_cameras(tmp_path / "dev", tmp_path / "sys")

    assert found == [Camera(0, "Front", ""), Camera(10, "Till", str(links / "usb-till"))]
    assert str(found[1]).split() == ["10", "Till", str(links / "usb-till")]


@linux
@pytest.mark.parametrize(("number", "again"), [(0, "/dev/v4l/by-id/usb-front"), (1, 1)])
def test_a_webcam_opened_by_number_is_called_again_by_its_lasting_name_if_it_has_one(
    number, again, monkeypatch
) -> None:
    called = []
    monkeypatch.setattr(webcam, "Webcam", lambda device, *_: called.append(device))
    there = [Camera(0, "Front", "/dev/v4l/by-id/usb-front"), Camera(1, "Till", "")]
    monkeypatch.setattr(webcam, "list_cameras", lambda: there)
    find = Finder(number, "door", CaptureConfig())

    find()
    find()  # unplugged, and plugged in again: numbers may have been dealt anew

    assert called == [number, again]


@linux
def test_where_there_is_no_camera_the_list_is_empty(tmp_path) -> None:
    assert list_cameras(tmp_path, tmp_path / "none") == []
