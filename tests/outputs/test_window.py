"""The window, on a pretended desktop."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.types import SourceInfo
from outputs.window import Window, window_available
from tests.make import frame, result, tracks


class Desktop:
    """Keys come from a list, time goes by while the window waits, the user may close it."""

    WINDOW_NORMAL, WINDOW_KEEPRATIO, WINDOW_GUI_NORMAL, WND_PROP_VISIBLE = 0, 0, 16, 4

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.now = 0.0
        self.shown: list[float] = []
        self.size = (0, 0)
        self.open = False

    def namedWindow(self, name: str, flags: int) -> None:  # noqa: N802  OpenCV's
        self.open = True

    def resizeWindow(self, name: str, width: int, height: int) -> None:  # noqa: N802
        self.size = (width, height)

    def imshow(self, name: str, picture) -> None:
        self.shown.append(self.now)

    def waitKey(self, milliseconds: int) -> int:  # noqa: N802
        self.now += milliseconds / 1000
        key = self.keys.pop(0) if self.keys else ""
        if key == "closed":
            self.open = False
        return ord(key) if len(key) == 1 else -1

    def getWindowProperty(self, name: str, which: int) -> float:  # noqa: N802
        return float(self.open)

    def destroyAllWindows(self) -> None:  # noqa: N802
        self.open = False

    def clock(self) -> float:
        return self.now


def show(desktop: Desktop, count: int, live: bool = False, folder: Path = Path(), size=(64, 48)) -> Window:
    info = SourceInfo("door", "webcam" if live else "video", "0", live=live)
    window = Window({"door": info}, folder, desktop, desktop.clock)
    for i in range(count):
        picture = frame(i, size=size)
        window.write(result(picture, tracks({})), picture.image)
    return window


def test_a_recording_plays_at_its_own_speed() -> None:
    desktop = Desktop()

    show(desktop, 26)

    assert desktop.shown[-1] - desktop.shown[0] == pytest.approx(1.0, abs=0.05)


def test_a_live_source_is_shown_as_it_comes() -> None:
    desktop = Desktop()

    show(desktop, 26, live=True)

    assert desktop.shown[-1] < 0.1


def test_a_recording_that_fell_behind_does_not_hurry() -> None:
    desktop = Desktop()
    window = show(desktop, 2)
    desktop.now += 10

    for i in range(2, 27):
        window.write(result(frame(i), tracks({})), frame(i).image)

    assert desktop.shown[-1] - desktop.shown[2] == pytest.approx(0.96, abs=0.05)


@pytest.mark.parametrize("key", ["q", "Q", "\x1b", "closed"])
def test_q_and_esc_and_the_cross_quit(key: str) -> None:
    window = show(Desktop("", key), 3)

    assert window.quit


def test_other_keys_do_nothing() -> None:
    assert not show(Desktop("x", "", "z"), 3).quit


def test_space_pauses_until_space_and_the_film_goes_on_from_there() -> None:
    desktop = Desktop("", "", " ", *[""] * 100, " ")

    show(desktop, 4)

    gaps = np.diff(desktop.shown)
    assert gaps[0] == pytest.approx(0.04, abs=0.02)
    assert gaps[1] > 5.0
    assert gaps[2] == pytest.approx(0.04, abs=0.02)


def test_q_quits_while_paused() -> None:
    assert show(Desktop(" ", "", "q"), 1).quit


def test_s_saves_the_picture_as_png(tmp_path: Path) -> None:
    show(Desktop("", "", "s"), 2, folder=tmp_path)

    (path,) = tmp_path.iterdir()
    assert path.name == "door-000001.png"
    assert cv2.imread(str(path)).tolist() == frame(1, size=(64, 48)).image.tolist()


def test_a_still_that_cannot_be_saved_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    window = show(Desktop("s"), 2, folder=tmp_path / "nowhere")

    assert not window.quit
    assert "was not saved" in caplog.text


def test_a_4k_picture_fits_the_screen_in_its_shape() -> None:
    desktop = Desktop()

    show(desktop, 1, size=(3840, 2160))

    assert desktop.size == (1280, 720)


def test_closing_takes_the_window_away() -> None:
    desktop = Desktop()
    window = show(desktop, 1)

    window.close()
    window.close()

    assert not desktop.open


def test_without_a_display_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)

    assert "no display" in (window_available() or "")


def test_the_headless_build_or_a_dead_display_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", ":9876")

    reason = window_available()

    assert reason is not None
    assert "headless build" in reason or "does not answer" in reason
