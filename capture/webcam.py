"""Webcams, by OpenCV: V4L2 on Linux, what the system has elsewhere."""

from __future__ import annotations

import errno
import logging
import math
import os
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from capture.connection import Grab, Lost
from capture.frozen import digest
from capture.live import Live
from core.settings import CaptureConfig
from core.types import Image, SourceInfo

log = logging.getLogger(__name__)

_PROBED = 10  # indices tried where the system keeps no list
_MEASURED = 30  # frames after which the rate is known
_SLOW = 0.7  # share of the rate asked for, below which people are told


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera of this machine.

    Attributes:
        address: for `-s`.
        name: as its maker calls it; empty if the system does not say.
        stable: an address that survives unplugging; empty if there is none.
    """

    address: int
    name: str
    stable: str

    def __str__(self) -> str:
        return "  ".join(filter(None, [f"{self.address:>2}", self.name, self.stable]))


def list_cameras(devices: Path = Path("/dev"), system: Path = Path("/sys/class/video4linux")) -> list[Camera]:
    """The cameras of this machine; the paths are Linux's."""
    if sys.platform != "linux":
        return _probe_cameras()
    links = {link.resolve(): str(link) for link in sorted((devices / "v4l" / "by-id").glob("*"))}
    cameras = []
    for node in system.glob("video*"):
        # A camera has several nodes; the first gives pictures, the others data about them.
        number = node.name.removeprefix("video")
        if not number.isdecimal() or _text(node / "index") not in ("0", ""):
            continue
        stable = links.get((devices / node.name).resolve(), "")
        cameras.append(Camera(int(number), _text(node / "name"), stable))
    return sorted(cameras, key=lambda camera: camera.address)


def open_webcam(
    info: SourceInfo, address: str | int, config: CaptureConfig, *, wall: float = math.nan
) -> Live:
    """The camera at `address`; its wall time is the clock's, so `wall` is not asked."""
    del wall
    device = int(address) if str(address).isdecimal() else str(address)
    return Live(info, Finder(device, info.name, config), config)


class Finder:
    """Opens one webcam, and later the same one: a number may be another camera's after a replug."""

    def __init__(self, device: int | str, name: str, config: CaptureConfig) -> None:
        self._device = device
        self._name = name
        self._config = config

    def __call__(self) -> Webcam:
        """Open it. Raises Lost."""
        camera = Webcam(self._device, self._name, self._config)
        if isinstance(self._device, int) and sys.platform == "linux":
            stable = {known.address: known.stable for known in list_cameras()}
            self._device = stable.get(self._device) or self._device
        return camera


class Webcam:
    """One opened webcam. Mirrored only when `mirror` says so: records keep left and right."""

    errors = 0  # OpenCV counts none

    def __init__(self, device: int | str, name: str, config: CaptureConfig) -> None:
        """Open it with the size and rate of `config`, or what comes near.

        Raises:
            Lost: it does not open.
        """
        self._name = name
        self._config = config
        linux = sys.platform == "linux"
        if linux:
            _check_device(device)
        self._capture = cv2.VideoCapture(device, cv2.CAP_V4L2 if linux else cv2.CAP_ANY)
        if not self._capture.isOpened():
            raise Lost(
                f"camera {device}: does not open; see that no other program uses it, and plug it in again.",
                "refused",
            )
        self._configure()
        self.codec = _fourcc(self._capture)
        self._frames = 0
        self._began = math.nan

    def grab(self) -> Grab:
        """The next picture."""
        taken, image = self._capture.read()
        if not taken:
            raise Lost(f"camera '{self._name}' gives no more pictures; plug it in again.", "unplugged")
        self._measure()
        picture = image.view(np.uint8)
        return Grab(partial(self._paint, picture), math.nan, False, digest=digest(picture))

    def close(self) -> None:
        """Let go of it."""
        self._capture.release()

    def _configure(self) -> None:
        """MJPG first: uncompressed, USB 2 carries 720p at only 5 to 10 frames/s."""
        width, height = self._config.size
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        self._capture.set(cv2.CAP_PROP_FPS, self._config.fps)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        # `set` says yes to what the driver then does not do.
        got = (
            round(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            round(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        )
        if got != (width, height):
            log.warning(
                "camera '%s' gives %dx%d %s, not the %dx%d that capture.size asks for.",
                *(self._name, *got, _fourcc(self._capture), width, height),
            )

    def _measure(self) -> None:
        """Say once if the real rate is far below the one asked for; what the driver says is not it."""
        self._frames += 1
        now = time.monotonic()
        if self._frames == 1:
            self._began = now
        if self._frames == _MEASURED + 1:
            rate = _MEASURED / max(now - self._began, 1e-9)
            if rate < _SLOW * self._config.fps:
                log.warning(
                    "camera '%s' gives %.1f frames/s (%s), not %g; try more light or a smaller capture.size.",
                    *(self._name, rate, self.codec, self._config.fps),
                )

    def _paint(self, image: Image) -> Image:
        picture = image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        return np.ascontiguousarray(cv2.flip(picture, 1) if self._config.mirror else picture, np.uint8)


def _check_device(device: int | str) -> None:
    """Say what is wrong before OpenCV merely says no."""
    path = Path(f"/dev/video{device}") if isinstance(device, int) else Path(device)
    if not path.exists():
        there = ", ".join(f"{camera.address} ({camera.name})" for camera in list_cameras())
        raise Lost(
            f"camera {device}: there is no {path}; cameras here: {there or 'none; plug one in'}.", "missing"
        )
    if not os.access(path, os.R_OK | os.W_OK):
        raise Lost(
            f"camera {device}: {path} must not be used by you ({os.strerror(errno.EACCES)}); "
            "add yourself to the group 'video' and log in again.",
            "denied",
        )


def _probe_cameras() -> list[Camera]:
    cameras = []
    for number in range(_PROBED):
        capture = cv2.VideoCapture(number, cv2.CAP_ANY)
        if capture.isOpened():
            cameras.append(Camera(number, "", ""))
        capture.release()
    return cameras


def _fourcc(capture: cv2.VideoCapture) -> str:
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    return code.to_bytes(4, "little", signed=code < 0).decode("ascii", "replace").strip("\0 ") or "unknown"


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
