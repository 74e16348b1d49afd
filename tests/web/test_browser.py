"""The page in a real browser."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import pytest

from tests.waiting import until
from tests.web.browser import CHROMIUM, Browser
from tests.web.run import Run, end, picture, serving, show, up
from web import app as application
from web.sink import WebPages

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.skipif(sys.platform == "win32", reason="the browser is spoken to through POSIX pipes"),
]
LIVE = "[...document.querySelectorAll('img')].filter(i => i.naturalWidth).length"
OFF = "[...document.querySelectorAll('.message')].map(m => m.textContent).join('|')"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as running:
        yield running


@contextmanager
def _filming(pages: WebPages, names) -> Iterator[threading.Event]:
    """Pictures with a number that counts up, until the end or the event."""
    stop = threading.Event()

    def film() -> None:
        index = 0
        while not stop.wait(0.04):
            index += 1
            image = picture(60 + index % 100).copy()
            cv2.putText(image, str(index), (200, 220), cv2.FONT_HERSHEY_SIMPLEX, 3, (255, 255, 255), 5)
            for name in names:
                show(pages, image, name, index)

    thread = threading.Thread(target=film)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("count", [1, 4, 9])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_source_has_a_tile_that_fits_the_screen(browser, count: int, width: int) -> None:
    names = [f"camera {i}" for i in range(count)]
    run = Run(*names)
    with serving(run) as pages, _filming(pages, names):
        browser.logs.clear()
        browser.show(pages.address, width, 800)
        browser.wait(f"document.querySelectorAll('article').length === {count} && {LIVE} > 0")
        for i in range(count):
            browser.value(f"document.querySelectorAll('article')[{i}].scrollIntoView()")
            browser.wait(f"document.querySelectorAll('img')[{i}].naturalWidth === 640")

        assert browser.value("document.documentElement.scrollWidth") <= width
        assert browser.value(OFF).strip("|") == ""
        assert browser.value("document.querySelector('#status').textContent") == "ok"
        assert browser.logs == []
        browser.show("about:blank")


def test_names_are_shown_as_they_are_and_run_nothing(browser) -> None:
    names = ["<img src=x onerror=alert(1)>", "a?b#c%d&e", "..", "문 앞"]
    with serving(Run(*names)) as pages, _filming(pages, names):
        browser.show(pages.address)
        browser.wait(f"{LIVE} === 4")
        shown = browser.value("[...document.querySelectorAll('h2')].map(h => h.textContent)")
        browser.show("about:blank")

    assert shown == names


def test_a_name_written_from_right_to_left_is_set_so_with_its_punctuation(browser) -> None:
    names = ["door 1!", "المدخل الرئيسي!"]
    with serving(Run(*names)) as pages:
        browser.show(pages.address)
        browser.wait("document.querySelectorAll('h2').length === 2")
        ways = browser.value("[...document.querySelectorAll('h2')].map(h => getComputedStyle(h).direction)")
        browser.show("about:blank")

    assert ways == ["ltr", "rtl"]


def test_before_the_first_picture_the_page_says_so(browser) -> None:
    run = Run("door")
    run.states["door"] = up("door", state="starting", age=float("nan"))
    with serving(run) as pages:
        browser.show(pages.address)
        browser.wait(f"{OFF} === 'waiting for the first picture'")
        run.states["door"] = up("door")
        with _filming(pages, ["door"]):
            browser.wait(f"{OFF} === '' && {LIVE} === 1")
            browser.show("about:blank")


def test_a_lost_source_says_since_when_and_keeps_its_last_picture(browser) -> None:
    run = Run("door")
    with serving(run) as pages, _filming(pages, ["door"]) as stop:
        browser.show(pages.address)
        browser.wait(f"{LIVE} === 1")
        stop.set()
        run.states["door"] = up("door", state="lost", reason="nobody listens there", since=4.0, age=4.0)
        browser.wait(f"{OFF}.startsWith('no signal since')")

        assert browser.value(LIVE) == 1
        assert "nobody listens there" in browser.value("document.body.innerText")
        browser.show("about:blank")


def test_an_ended_source_is_said_to_be_and_shows_no_picture(browser) -> None:
    run = Run("door")
    with serving(run) as pages, _filming(pages, ["door"]) as stop:
        browser.show(pages.address)
        browser.wait(f"{LIVE} === 1")
        stop.set()
        end(pages)
        run.states["door"] = up("door", state="over", since=4.0, age=4.0)
        browser.wait(f"{OFF} === 'ended' && {LIVE} === 0")
        browser.show("about:blank")


def test_the_page_says_when_the_program_is_gone_and_when_it_is_back(browser) -> None:
    run = Run("door")
    with serving(run) as pages, _filming(pages, ["door"]):
        address = pages.address
        browser.show(address)
        browser.wait(f"{LIVE} === 1")
    browser.wait("!document.querySelector('#lost').hidden")
    lost = browser.value("document.querySelector('#lost').textContent")
    state = browser.value("document.querySelector('.state').textContent")
    with serving(run, address) as pages, _filming(pages, ["door"]):
        browser.wait(f"document.querySelector('#lost').hidden && {OFF} === ''")
        browser.show("about:blank")

    assert lost.startswith("Connection lost")
    assert state == "unknown"


def test_after_another_start_the_page_shows_its_sources_alone_and_live_as_before(browser) -> None:
    with serving(Run("door", "till")) as pages, _filming(pages, ["door", "till"]):
        address = pages.address
        browser.show(address)
        browser.wait(f"{LIVE} === 2")
    browser.wait("!document.querySelector('#lost').hidden")
    with serving(Run("door", "yard"), address) as pages, _filming(pages, ["door", "yard"]):
        browser.wait(f"document.querySelector('#lost').hidden && {OFF} === '|' && {LIVE} === 2")
        names = browser.value("[...document.querySelectorAll('h2')].map(h => h.textContent)")
        watching = pages._pictures.watching
        browser.show("about:blank")

    assert names == ["door", "yard"]
    assert watching == 2


@pytest.mark.parametrize("count", [2, 5])
def test_when_the_program_is_gone_each_tile_keeps_its_last_picture(browser, count: int) -> None:
    names = [f"camera {i}" for i in range(count)]
    with serving(Run(*names)) as pages, _filming(pages, names):
        browser.show(pages.address, 1280, 1200)
        browser.wait(f"{LIVE} === {count}")
    browser.wait("!document.querySelector('#lost').hidden")
    visible = "[...document.querySelectorAll('img')].map(i => getComputedStyle(i).visibility)"
    seen = browser.value(visible)
    kept = browser.value(LIVE)
    browser.show("about:blank")

    assert seen == ["visible"] * count
    assert kept == count


def test_who_is_refused_a_live_picture_is_shown_single_ones(browser, monkeypatch) -> None:
    monkeypatch.setattr(application, "VIEWERS", 0)
    with serving(Run("door")) as pages, _filming(pages, ["door"]):
        browser.show(pages.address)
        browser.wait(f"{LIVE} === 1")
        first = browser.value("document.querySelector('img').src")
        browser.wait(f"{LIVE} === 1 && document.querySelector('img').src !== '{first}'")

        assert "snapshot/door.jpg" in first
        browser.show("about:blank")


def test_when_live_pictures_hold_all_connections_the_page_asks_for_single_ones(browser) -> None:
    names = [f"camera {i}" for i in range(4)]
    singles = "[...document.querySelectorAll('img')].filter(i => i.src.includes('snapshot')).length"
    with serving(Run(*names)) as pages, _filming(pages, names):
        browser.show(pages.address)
        browser.wait(f"{LIVE} === 4")
        others = "Object.assign(new Image(), { src: `mjpeg/camera%200?other${i}` })"
        browser.value(f"window.others = [1, 2, 3].map(i => {others}); 0")
        browser.wait(f"{singles} === 4 && {LIVE} === 4 && document.querySelector('#lost').hidden")
        browser.show("about:blank")


def test_a_page_out_of_sight_lets_go_of_a_live_picture_that_has_not_begun(browser) -> None:
    with serving(Run("door")) as pages:
        browser.show(pages.address)
        browser.wait("document.querySelector('img')?.src.includes('mjpeg')")
        until(lambda: pages._pictures.watching == 1)
        browser.value("Object.defineProperty(document, 'hidden', {value: true})")
        browser.value("document.dispatchEvent(new Event('visibilitychange'))")
        until(lambda: pages._pictures.watching == 0)
        browser.show("about:blank")


def test_many_tiles_leave_connections_free_and_rest_while_out_of_sight(browser) -> None:
    names = [f"camera {i}" for i in range(9)]
    with serving(Run(*names)) as pages, _filming(pages, names):
        browser.show(pages.address, 390, 844)
        browser.wait(f"{LIVE} > 1")
        time.sleep(1.0)

        assert pages._pictures.watching == 0
        assert browser.value("[...document.querySelectorAll('img')].filter(i => i.src).length") < 9
        browser.show("about:blank")


def test_a_live_picture_that_stops_is_asked_for_again(browser) -> None:
    with serving(Run("door")) as pages, _filming(pages, ["door"]):
        browser.show(pages.address)
        browser.wait(f"{LIVE} === 1")
        before = browser.value("document.querySelector('img').src")
        for link in pages._server._links():
            link.loop.call_soon_threadsafe(link.transport.abort)
        browser.wait(f"document.querySelector('img').src !== '{before}' && {OFF} === ''")
        browser.show("about:blank")
