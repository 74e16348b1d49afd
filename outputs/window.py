"""A window on the screen, where there is one."""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from core.types import Image, Result, SourceInfo

log = logging.getLogger(__name__)

_LARGEST = (1280, 720)  # pixels, at first; the user may drag it
_ESCAPE = 27
_PATIENCE = 0.05  # s between two looks at the keyboard while paused
_LATE = 0.5  # s behind its own speed after which a film does not try to catch up


class Window:
    """Shows each source in a window of its own. q or Esc quits, space pauses, s saves a still.

    A recording plays at its own speed. Runs in the main thread, as desktops ask.
    """

    wants: Literal["data", "raw", "drawn"] = "drawn"

    def __init__(
        self,
        sources: Mapping[str, SourceInfo],
        folder: Path,
        gui: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Show nothing yet.

        Args:
            sources: by name; those that are live are shown as they come.
            folder: where stills are saved.
            gui: has OpenCV's window functions; OpenCV itself unless given.
            clock: seconds that pass.
        """
        if gui is None:
            import cv2 as gui
        self.quit = False
        self._sources = sources
        self._folder = folder
        self._gui = gui
        self._clock = clock
        self._shown: tuple[Result, Image] | None = None
        self._began: dict[str, float] = {}  # clock at which second 0 of a source was due

    def write(self, result: Result, picture: Image | None) -> None:
        """Show a picture when it is due, and do what the keys say."""
        if picture is None or self.quit:
            return
        name = result.stamp.source
        if name not in self._began:
            self._open(name, picture)
        wait = self._wait(result)
        if wait > 0 and self._shown is not None:
            self._react(self._key(wait), *self._shown)
        self._gui.imshow(name, picture)
        self._shown = result, picture
        self._react(self._key(0.0), result, picture)
        if self._gui.getWindowProperty(name, self._gui.WND_PROP_VISIBLE) < 1:
            self.quit = True

    def close(self) -> None:
        """Take the windows away. Idempotent."""
        if self._began:
            self._gui.destroyAllWindows()
            self._began.clear()

    def _open(self, name: str, picture: Image) -> None:
        height, width = picture.shape[:2]
        scale = min(1.0, _LARGEST[0] / width, _LARGEST[1] / height)
        # Without a tool bar, and without the complaints of OpenCV's Qt about fonts it does not need.
        os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")
        plain = self._gui.WINDOW_NORMAL | self._gui.WINDOW_KEEPRATIO | self._gui.WINDOW_GUI_NORMAL
        self._gui.namedWindow(name, plain)
        self._gui.resizeWindow(name, max(round(width * scale), 1), max(round(height * scale), 1))
        self._began[name] = float("-inf")

    def _wait(self, result: Result) -> float:
        """Seconds until the next picture of a recording is due; 0 for a live source."""
        name, due = result.stamp.source, result.stamp.time
        info = self._sources.get(name)
        if info is None or info.live:
            return 0.0
        now = self._clock()
        if now - (self._began[name] + due) > _LATE:
            self._began[name] = now - due
        return max(self._began[name] + due - now, 0.0)

    def _key(self, seconds: float) -> int:
        """The key pressed within that time, 255 for none. The window lives only while we wait."""
        return int(self._gui.waitKey(max(round(seconds * 1000), 1))) & 0xFF

    def _react(self, key: int, result: Result, picture: Image) -> None:
        if key in (ord("q"), ord("Q"), _ESCAPE):
            self.quit = True
        elif key in (ord("s"), ord("S")):
            self._save(result, picture)
        elif key == ord(" "):
            self._pause(result, picture)

    def _pause(self, result: Result, picture: Image) -> None:
        key = 255
        while key != ord(" ") and not self.quit:
            key = self._key(_PATIENCE)
            if key != ord(" "):
                self._react(key, result, picture)
            name = result.stamp.source
            self.quit |= self._gui.getWindowProperty(name, self._gui.WND_PROP_VISIBLE) < 1
        self._began = dict.fromkeys(self._began, float("-inf"))

    def _save(self, result: Result, picture: Image) -> None:
        import cv2

        from outputs.fan import safe

        path = self._folder / f"{safe(result.stamp.source)}-{result.stamp.index:06d}.png"
        try:
            path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
        except OSError as error:
            log.warning("the still was not saved: %s: %s", path, error.strerror)
        else:
            log.info("still saved: %s", path)


def window_available() -> str | None:
    """None if a window can be shown here, else why not, in words."""
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        return "there is no display (DISPLAY is not set)"
    try:
        import cv2
    except ImportError as error:
        return f"OpenCV cannot be imported: {error}"
    built = re.search(r"^\s*GUI:\s+(\S+)", cv2.getBuildInformation(), re.MULTILINE)
    if built is None or built[1] == "NONE":
        return "OpenCV is the headless build; install opencv-python instead of opencv-python-headless"
    if sys.platform == "linux" and not _display_answers():
        return f"the display {os.environ['DISPLAY']} does not answer, or does not let us in"
    return None


def _display_answers() -> bool:
    """Ask the X server as OpenCV would, since OpenCV ends the whole program if that fails."""
    name = ctypes.util.find_library("xcb")
    if name is None:
        return True  # OpenCV brings its own; nothing speaks against it
    xcb = ctypes.CDLL(name)
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    broken = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not broken
