from __future__ import annotations

import json
import logging
import socket
import threading
import time
from contextlib import ExitStack, suppress
from urllib.parse import quote, urlsplit

import cv2
import httpx
import numpy as np
import pytest

from core.errors import ConfigError, SinkError
from core.settings import SinkConfig
from tests.waiting import until
from tests.web.run import Run, end, noise, picture, serving, show, up
from web import app as application
from web import mjpeg
from web import pictures as pictures_module
from web import server as server_module
from web.sink import WebPages


def _port(pages: WebPages) -> int:
    return urlsplit(pages.address).port or 0


def _decode(jpeg: bytes):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)


def _parts(response: httpx.Response, count: int) -> list[bytes]:
    """The first pictures of a live one."""
    data, found = b"", []
    for chunk in response.iter_raw():
        data += chunk
        while len(found) < count and b"\r\n--picture\r\n" in data:
            part, _, data = data.partition(b"\r\n--picture\r\n")
            found.append(part.partition(b"\r\n\r\n")[2])
        if len(found) == count:
            return found
    return found


def test_without_a_host_only_this_machine_is_served() -> None:
    with serving(Run("door")) as pages:
        assert pages.address.startswith("http://127.0.0.1:")
        assert httpx.get(pages.address).status_code == 200


def test_an_address_open_to_the_network_is_warned_of(caplog) -> None:
    with caplog.at_level(logging.WARNING), serving(Run("door"), "http://0.0.0.0:0/") as pages:
        answer = httpx.get(f"http://127.0.0.1:{_port(pages)}/health", headers={"Host": "shop.example"})

    assert answer.status_code == 200
    assert "without a password" in caplog.text


def test_a_taken_port_is_refused_in_words() -> None:
    with serving(Run("door")) as pages, pytest.raises(SinkError, match=r"is taken .* Name another"):
        WebPages(SinkConfig(path=f"http://:{_port(pages)}/"), {}, Run())


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"path": "http://:8080/", "user": "a", "password": "b"}, "know no user"),
        ({"path": "http://user:word@:8080/"}, "know no user"),
        ({"path": "http://:8080/pages"}, "leave out what follows"),
        ({"path": "http://:99999/"}, "Write it as"),
        ({"path": "http://:80a/"}, "its host or port cannot be read. Write it as"),
        ({"path": "http://shop..example:8080/"}, "its host or port cannot be read. Write it as"),
        ({"path": f"http://{'a' * 64}.example:8080/"}, "its host or port cannot be read. Write it as"),
        ({"path": "http://me:wo/word@:8080/"}, "its host or port cannot be read. Write it as"),
    ],
)
def test_what_the_pages_cannot_do_is_refused(config, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        WebPages(SinkConfig(**config), {}, Run())
    assert "word@" not in str(caught.value)
    assert "'wo'" not in str(caught.value)


def test_a_host_that_is_elsewhere_is_refused_in_words() -> None:
    with pytest.raises(SinkError, match="no address of this machine"):
        WebPages(SinkConfig(path="http://192.0.2.1:0/"), {}, Run())


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "", "127.0.0.1.evil.example"])
def test_a_name_made_to_lead_here_gets_nothing(host: str) -> None:
    with serving(Run("door")) as pages:
        for path in ("", "health", "metrics", "snapshot/door.jpg", "mjpeg/door"):
            assert httpx.get(pages.address + path, headers={"Host": host}).status_code == 421


def test_who_comes_under_another_name_is_told_an_address_that_works() -> None:
    with serving(Run("door")) as pages:
        refused = httpx.get(pages.address, headers={"Host": "shop.example"}).text
        named = refused.split("use ")[1].strip()
        address = named.replace("localhost", "127.0.0.1")  # which may be [::1] first

        assert named.startswith("http://localhost:")
        assert httpx.get(address).status_code == 200


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:80", "door.localhost"])
def test_this_machine_may_be_called_by_its_own_names(host: str) -> None:
    with serving(Run("door")) as pages:
        assert httpx.get(f"{pages.address}health", headers={"Host": host}).status_code == 200


def test_every_answer_forbids_what_the_pages_do_not_need() -> None:
    with serving(Run("door")) as pages:
        show(pages, picture())
        for path in ("", "page.js", "page.css", "health", "metrics", "snapshot/door.jpg", "mjpeg/x", "docs"):
            headers = httpx.get(pages.address + path).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "access-control-allow-origin" not in headers
            assert "server" not in headers


def test_nothing_but_the_pages_is_there() -> None:
    with serving(Run("door")) as pages:
        for path in ("docs", "redoc", "openapi.json", "page/index.html", "mjpeg/../../etc/passwd"):
            assert httpx.get(pages.address + path).status_code == 404
        assert httpx.post(f"{pages.address}health").status_code == 405


@pytest.mark.parametrize("path", ["health/", "metrics/", "mjpeg/door/", "page.js/"])
def test_nobody_is_sent_to_another_place(path: str) -> None:
    with serving(
        Run("door")
    ) as pages:  # behind a server that speaks TLS, it would be the visitor's own machine
        answer = httpx.get(pages.address + path, headers={"Host": "localhost"})

    assert answer.status_code == 404
    assert "location" not in answer.headers


def test_the_head_of_a_snapshot_is_that_of_its_picture_and_has_no_body() -> None:
    with serving(Run("door")) as pages:
        show(pages, picture())
        head, whole = (httpx.request(how, f"{pages.address}snapshot/door.jpg") for how in ("HEAD", "GET"))

    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-type"] == "image/jpeg"
    assert head.headers["content-length"] == str(len(whole.content))


def test_the_page_loads_nothing_from_elsewhere() -> None:
    with serving(Run("door")) as pages:
        texts = [httpx.get(pages.address + path).text for path in ("", "page.js", "page.css")]

    assert not [text for text in texts if "https://" in text or "http://" in text or "//cdn" in text]


def test_health_answers_with_the_code_that_a_supervisor_looks_at() -> None:
    run = Run("door", "till")
    with serving(run) as pages:
        fine = httpx.get(f"{pages.address}health")
        run.states["till"] = up("till", state="lost", reason="no answer", since=31.0)
        half = httpx.get(f"{pages.address}health")
        run.states["door"] = up("door", state="lost")
        none = httpx.get(f"{pages.address}health")

    assert [answer.status_code for answer in (fine, half, none)] == [200, 200, 503]
    assert [answer.json()["status"] for answer in (fine, half, none)] == ["ok", "degraded", "failing"]
    assert half.json()["sources"][1]["reason"] == "no answer"


def test_metrics_are_served_as_prometheus_asks() -> None:
    with serving(Run("door")) as pages:
        answer = httpx.get(f"{pages.address}metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'stream_source_up{source="door"} 1.0' in answer.text


@pytest.mark.parametrize("name", ["door", "문 앞", "a?b#c%d", "<b>&amp;", "..", "bad\udcff"])
def test_a_snapshot_is_the_newest_picture_whatever_the_source_is_called(name: str) -> None:
    path = quote(name.encode("utf-8", "backslashreplace"), safe="")
    with serving(Run(name, "other")) as pages:
        before = httpx.get(f"{pages.address}snapshot/{path}.jpg")
        show(pages, picture(20), name)
        show(pages, picture(200), name)
        answer = httpx.get(f"{pages.address}snapshot/{path}.jpg")

    assert before.status_code == 503
    assert answer.headers["content-type"] == "image/jpeg"
    assert abs(_decode(answer.content).mean() - 200) < 2


def test_a_source_that_joins_later_is_shown() -> None:
    run = Run("door")
    with serving(run) as pages:
        before = httpx.get(f"{pages.address}snapshot/late.jpg").status_code
        run.sources["late"] = run.sources["door"]
        show(pages, picture(), "late")
        after = httpx.get(f"{pages.address}snapshot/late.jpg").status_code

    assert (before, after) == (404, 200)


def test_the_last_picture_of_a_source_goes_with_it_until_it_comes_back() -> None:
    with serving(Run("door", "till")) as pages:
        answers = []
        for write in (
            lambda: show(pages, picture(20)),
            lambda: end(pages),
            lambda: show(pages, picture(200)),
        ):
            write()
            show(pages, picture(), "till")
            answers.append(httpx.get(f"{pages.address}snapshot/door.jpg"))
        other = httpx.get(f"{pages.address}snapshot/till.jpg")

    assert [answer.status_code for answer in (*answers, other)] == [200, 503, 200, 200]
    assert "has ended" in answers[1].text


def test_who_watches_a_source_that_ends_sees_it_again_when_it_comes_back() -> None:
    with serving(Run("door")) as pages, httpx.stream("GET", f"{pages.address}mjpeg/door") as response:
        show(pages, picture(20))
        chunks = response.iter_raw()
        seen = b""
        while seen.count(b"image/jpeg") < 1:
            seen += next(chunks)
        end(pages)
        feeder = threading.Thread(target=_feed, args=(pages, [200] * 5))
        feeder.start()
        while seen.count(b"image/jpeg") < 4:
            seen += next(chunks)
        feeder.join()

    last = seen.split(b"\r\n--picture\r\n")[-2].partition(b"\r\n\r\n")[2]
    assert abs(_decode(last).mean() - 200) < 2


def test_who_watches_before_the_first_picture_gets_it_when_it_comes(monkeypatch) -> None:
    looks, after = [], pictures_module.Pictures.after

    async def counted(self, *args):
        looks.append(1)
        return await after(self, *args)

    monkeypatch.setattr(mjpeg, "REPEAT", 0.02)
    monkeypatch.setattr(pictures_module.Pictures, "after", counted)
    with serving(Run("door")) as pages, httpx.stream("GET", f"{pages.address}mjpeg/door") as response:
        until(lambda: len(looks) > 3)  # there was none each time
        show(pages, picture(200))
        (first,) = _parts(response, 1)

    assert abs(_decode(first).mean() - 200) < 2


def test_an_unknown_source_is_answered_with_those_that_exist() -> None:
    with serving(Run("door", "till")) as pages:
        answers = [httpx.get(f"{pages.address}{path}") for path in ("mjpeg/roof", "snapshot/roof.jpg")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert "There are: door, till." in answers[0].text


def test_a_live_picture_shows_what_is_written_in_order() -> None:
    with serving(Run("door")) as pages, httpx.stream("GET", f"{pages.address}mjpeg/door") as response:
        until(lambda: pages._pictures.watching == 1)
        feeder = threading.Thread(target=_feed, args=(pages, range(20, 240, 10)))
        feeder.start()
        shown = [float(_decode(part).mean()) for part in _parts(response, 5)]
        feeder.join()

    assert response.headers["content-type"].startswith("multipart/x-mixed-replace")
    assert shown == sorted(shown)
    assert shown[-1] > shown[0]


def _feed(pages: WebPages, values) -> None:
    for value in values:
        show(pages, picture(value))
        time.sleep(0.04)


def test_the_only_picture_is_sent_twice_since_chromium_shows_it_only_then() -> None:
    with serving(Run("door")) as pages:
        show(pages, picture(120))
        with httpx.stream("GET", f"{pages.address}mjpeg/door") as response:
            first, second = _parts(response, 2)

    assert first == second


def test_a_picture_is_encoded_once_for_all_viewers_and_never_for_none(monkeypatch) -> None:
    encoded = []
    encode = cv2.imencode
    monkeypatch.setattr(cv2, "imencode", lambda *a: encoded.append(1) or encode(*a))
    with serving(Run("door")) as pages:
        show(pages, picture())
        show(pages, picture())
        assert not encoded
        with ExitStack() as stack:
            for _ in range(3):
                response = stack.enter_context(httpx.stream("GET", f"{pages.address}mjpeg/door"))
                _parts(response, 2)

    assert len(encoded) == 1


def test_a_viewer_that_leaves_is_no_longer_counted() -> None:
    with serving(Run("door")) as pages:
        show(pages, picture())
        with httpx.stream("GET", f"{pages.address}mjpeg/door"):
            until(lambda: pages._pictures.watching == 1)
        until(lambda: pages._pictures.watching == 0)


def test_more_viewers_than_the_limit_are_told_so(monkeypatch) -> None:
    monkeypatch.setattr(application, "VIEWERS", 1)
    with serving(Run("door")) as pages, httpx.stream("GET", f"{pages.address}mjpeg/door"):
        until(lambda: pages._pictures.watching == 1)
        answer = httpx.get(f"{pages.address}mjpeg/door")

    assert answer.status_code == 503
    assert "watched already" in answer.text


def _deaf(pages: WebPages) -> socket.socket:
    """A viewer that asks for a live picture and never reads."""
    viewer = socket.socket()
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    viewer.connect(("127.0.0.1", _port(pages)))
    viewer.sendall(b"GET /mjpeg/door HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return viewer


def test_a_viewer_that_never_reads_slows_nothing_and_keeps_one_picture_at_most() -> None:
    shots = []
    made = pictures_module.Shot

    with serving(Run("door")) as pages, _deaf(pages):
        until(lambda: pages._pictures.watching == 1)
        images = [noise(i) for i in range(8)]
        longest = 0.0
        for i in range(100):
            began = time.monotonic()
            show(pages, images[i % 8], index=i)
            longest = max(longest, time.monotonic() - began)
            time.sleep(0.005)
        waiting = [link.transport.get_write_buffer_size() for link in pages._server._links()]
        shots = [shot for shot in vars(pages._pictures)["_latest"].values() if isinstance(shot, made)]
        alive = httpx.get(f"{pages.address}health").status_code

    largest = len(cv2.imencode(".jpg", images[0], [cv2.IMWRITE_JPEG_QUALITY, 80])[1])
    assert longest < 0.25
    assert max(waiting) < 2 * largest + 65536
    assert len(shots) == 1
    assert alive == 200


def test_a_viewer_that_never_reads_is_cut_off(monkeypatch) -> None:
    monkeypatch.setattr(server_module, "PATIENCE", 0.3)
    with serving(Run("door")) as pages, _deaf(pages):
        for i in range(200):
            show(pages, noise(i % 4), index=i)
            time.sleep(0.01)
            if i > 20 and not pages._pictures.watching:
                break
        until(lambda: pages._pictures.watching == 0)


def test_a_connection_that_asks_for_nothing_is_cut_off(monkeypatch) -> None:
    monkeypatch.setattr(server_module, "PATIENCE", 0.3)
    with (
        serving(Run("door")) as pages,
        socket.create_connection(("127.0.0.1", _port(pages)), 5) as idle,
        suppress(ConnectionResetError),
    ):
        assert idle.recv(1) == b""


_ASKED = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    ("whole", "half"),
    [(_ASKED + b"\r\n", _ASKED), (_ASKED + b"Content-Length: 9\r\n\r\n", b"half")],
)
def test_a_connection_that_asks_for_half_a_thing_is_cut_off_also_after_an_answer(
    monkeypatch, whole: bytes, half: bytes
) -> None:
    monkeypatch.setattr(server_module, "PATIENCE", 0.3)
    with (
        serving(Run("door")) as pages,
        socket.create_connection(("127.0.0.1", _port(pages)), 5) as link,
        suppress(ConnectionResetError),
    ):
        link.sendall(whole)
        assert link.recv(65536).startswith(b"HTTP/1.1 200")
        link.sendall(half)
        while link.recv(65536):  # the rest of the answer
            pass


def test_a_connection_that_asks_now_and_then_is_kept(monkeypatch) -> None:
    monkeypatch.setattr(server_module, "PATIENCE", 1.5)
    with serving(Run("door")) as pages, httpx.Client(base_url=pages.address) as client:
        streams = []
        for _ in range(8):
            streams.append(client.get("health").extensions["network_stream"])
            time.sleep(0.25)

    assert len(set(map(id, streams))) == 1


def test_nonsense_from_the_network_is_answered_and_fills_no_log(caplog) -> None:
    with serving(Run("door")) as pages:
        answers = []
        for words in (
            b"\x16\x03\x01 this would be TLS\r\n\r\n",
            _ASKED + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", _port(pages)), 5) as link:
                link.sendall(words)
                answers.append(link.recv(12))

    assert answers == [b"HTTP/1.1 400", b"HTTP/1.1 200"]
    assert caplog.text == ""


def test_a_server_that_breaks_is_a_failure_of_the_output(monkeypatch, caplog) -> None:
    async def broken(*_: object) -> bool:
        raise RuntimeError("broken")

    monkeypatch.setattr(server_module.PagesServer, "on_tick", broken)
    with serving(Run("door")) as pages:
        until(lambda: pages._server.failed)
        with pytest.raises(SinkError, match="the pages have ended"):
            show(pages, picture())

    assert "the pages have ended" in caplog.text


def test_the_end_comes_within_two_seconds_whoever_watches() -> None:
    with serving(Run("door")) as pages, ExitStack() as stack:
        stack.enter_context(_deaf(pages))
        response = stack.enter_context(httpx.stream("GET", f"{pages.address}mjpeg/door"))
        stack.enter_context(socket.create_connection(("127.0.0.1", _port(pages))))
        until(lambda: pages._pictures.watching == 2)
        for i in range(60):
            show(pages, noise(i % 4), index=i)
            time.sleep(0.005)
        began = time.monotonic()
        pages.close()
        took = time.monotonic() - began
        pages.close()
        show(pages, picture())
        assert not pages._server._thread.is_alive()
        response.close()

    assert took < 2


def test_a_closed_server_leaves_its_port_free_at_once() -> None:
    with serving(Run("door")) as pages:
        port = _port(pages)
        httpx.get(f"{pages.address}health")
    with serving(Run("door"), f"http://:{port}/") as again:
        assert httpx.get(f"{again.address}health").status_code == 200


def test_no_answer_holds_a_secret() -> None:
    run = Run("door")
    run.states["door"] = up(
        "door", state="lost", reason="rtsp://user:s3cret@10.0.0.7/: refused; token=s3cret"
    )
    with serving(run) as pages:
        texts = [httpx.get(pages.address + path).text for path in ("", "health", "metrics", "mjpeg/x")]
        assert json.loads(texts[1])["sources"][0]["reason"]

    assert not [text for text in texts if "s3cret" in text]
