"""Events to a real web server that refuses, is away, and asks for time."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import socket
import ssl
import time
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.settings import SinkConfig
from outputs import courier, open_sink, webhook
from outputs.webhook import signature
from tests.outputs.test_mqtt import DOOR, result
from tests.program import ROOT, run
from tests.servers.certificate import certificate
from tests.servers.hook import HookServer
from tests.servers.ports import free_port
from tests.waiting import PATIENCE, until

SECRET = "a secret that both know"


@pytest.fixture(autouse=True)
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(courier, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(courier, "LONGEST_WAIT", 0.1)


def sink(port: int, folder: Path, path: str = "/hook", **more):
    address = f"webhook+http://127.0.0.1:{port}{path}"
    config = SinkConfig(path=more.pop("address", address), spool=folder / "spool.db", **more)
    return open_sink(config, DOOR)


def write(webhook, *numbers: int) -> None:
    for number in numbers:
        webhook.write(result(number, "track_updated"), None)


def verifier():
    """The example of the documentation, as it stands there."""
    text = (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8")
    code = next(body for body in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "hmac" in body)
    names: dict = {}
    exec(code, names)
    return names["verify"]


def test_the_example_of_the_documentation_verifies_what_is_sent(tmp_path: Path) -> None:
    with HookServer() as server:
        webhook = sink(server.port, tmp_path, secret=SECRET)
        write(webhook, 1)
        webhook.close()

    call, verify = server.taken[0], verifier()
    header = call.headers["x-stream-signature"]
    assert verify(SECRET, header, call.body)
    assert not verify("another", header, call.body)
    assert not verify(SECRET, header, call.body + b" ")
    assert not verify(SECRET, signature(SECRET, call.body, int(time.time()) - 3600), call.body)


def test_events_arrive_in_order_after_the_server_was_busy_and_away(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO)
    port = free_port()
    webhook = sink(port, tmp_path)
    write(webhook, *range(150))
    until(lambda: caplog.text.count("the server does not answer") == 1)
    with HookServer(port) as server:
        server.answers += [503, 429, 500]
        server.until(lambda: len(server.frames()) == 150)
    write(webhook, *range(150, 200))
    until(lambda: caplog.text.count("the server does not answer") == 2)
    with HookServer(port) as again:
        again.until(lambda: len(again.frames()) == 50)
        webhook.close()

    assert server.frames() + again.frames() == list(range(200))
    assert caplog.text.count("the server does not answer") == 2
    assert "is back" in caplog.text


def test_a_batch_that_is_tried_again_is_the_same(tmp_path: Path) -> None:
    with HookServer() as server:
        server.answers += [503, 503]
        webhook = sink(server.port, tmp_path)
        write(webhook, 1, 2)
        server.until(lambda: len(server.frames()) == 2)
        webhook.close()

    first, second, third = server.calls[:3]
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body == third.body
    assert re.fullmatch(r"[0-9a-f]{12}-1\+\d", first.headers["idempotency-key"])


@pytest.mark.parametrize("status", [400, 410, 422])
def test_a_batch_that_is_refused_is_dropped_and_does_not_block_the_rest(
    tmp_path: Path, status, caplog
) -> None:
    with HookServer() as server:
        webhook = sink(server.port, tmp_path)
        write(webhook, 1)
        server.until(lambda: len(server.taken) == 1)
        server.answers += [status]
        write(webhook, 2)
        server.until(lambda: len(server.calls) == 2)
        write(webhook, 3)
        server.until(lambda: len(server.taken) == 2)
        webhook.close()

    assert server.frames() == [1, 3]
    assert f"the server answers {status}" in caplog.text
    assert "1 events were refused by the server and dropped" in caplog.text


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_a_server_that_refuses_us_is_asked_again_in_minutes_and_nothing_is_dropped(
    tmp_path: Path, status: int, caplog
) -> None:
    with HookServer() as server, HookServer() as elsewhere:
        server.answers += [(status, {"Location": f"http://127.0.0.1:{elsewhere.port}/"})]
        webhook = sink(server.port, tmp_path, user="me", password="hunter2")
        write(webhook, 1)
        until(lambda: "Events wait in" in caplog.text)
        time.sleep(0.4)  # four further attempts, if it made any
        webhook.close()

    assert (len(server.calls), len(elsewhere.calls)) == (1, 0)
    assert "1 events were not taken; they wait in" in caplog.text
    assert "hunter2" not in caplog.text


def test_what_is_too_much_at_once_is_sent_in_parts(tmp_path: Path) -> None:
    def judge(call) -> int:
        return 413 if len(call.events) > 10 else 200

    webhook = sink(port := free_port(), tmp_path)
    write(webhook, *range(60))
    with HookServer(port, judge) as server:
        server.until(lambda: len(server.frames()) == 60)
        webhook.close()

    assert server.frames() == list(range(60))


def test_a_server_that_asks_for_time_is_given_it(tmp_path: Path) -> None:
    with HookServer() as server:
        server.answers += [(503, {"Retry-After": "1"})]
        webhook = sink(server.port, tmp_path)
        write(webhook, 1)
        server.until(lambda: server.taken)
        webhook.close()

    assert server.calls[1].at - server.calls[0].at > 0.99


def test_a_time_to_wait_that_no_calendar_has_is_no_reason_to_end(tmp_path: Path) -> None:
    with HookServer() as server:
        server.answers += [(503, {"Retry-After": f"Thu, 01 Jan 1970 00:01:00 +{'9' * 20}"})]
        webhook = sink(server.port, tmp_path)
        write(webhook, 1)
        server.until(lambda: server.taken)
        webhook.close()

    assert server.frames() == [1]


def test_a_connection_is_used_again_and_replaced_when_the_server_has_closed_it(
    tmp_path: Path, caplog
) -> None:
    with HookServer() as server:
        server.answers += [204, (204, {"Connection": "close"}), 204]
        webhook = sink(server.port, tmp_path)
        for number in range(3):
            write(webhook, number)
            server.until(lambda n=number: len(server.taken) == n + 1)
        webhook.close()

    assert server.frames() == [0, 1, 2]
    assert "does not answer" not in caplog.text


def test_a_login_and_a_query_are_sent_and_never_shown(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    with HookServer() as server:
        server.answers += [500]
        address = f"webhook+http://me:hunter2%40@127.0.0.1:{server.port}/my hook/문?token=hunter3"
        webhook = sink(server.port, tmp_path, address=address)
        write(webhook, 1)
        server.until(lambda: server.taken)
        webhook.close()

    assert server.taken[0].path == "/my%20hook/%EB%AC%B8?token=hunter3"
    assert server.taken[0].headers["authorization"] == "Basic bWU6aHVudGVyMkA="
    assert "500" in caplog.text
    assert "hunter" not in caplog.text


def test_a_server_that_never_answers_holds_the_end_up_for_less_than_three_seconds(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        webhook = sink(silent.getsockname()[1], tmp_path)
        write(webhook, 1)
        silent.settimeout(PATIENCE)
        called, _ = silent.accept()
        began = time.monotonic()
        webhook.close()
        took = time.monotonic() - began
    called.close()
    webhook._courier._thread.join(12)

    assert took < 2.9


@pytest.mark.parametrize(
    ("answer", "more"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", b""),
        (b"\x1b[2J it is well\nerror: all is lost" + b"x" * 9000 + b"\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    ],
    ids=["a part of negative size", "no HTTP", "heads that drip without end"],
)
def test_a_server_that_answers_nonsense_is_asked_again(
    tmp_path: Path, monkeypatch, caplog, answer: bytes, more: bytes
) -> None:
    monkeypatch.setattr(webhook, "_CALL", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(PATIENCE)
        out = sink(listening.getsockname()[1], tmp_path)
        write(out, 1, 2)
        first, _ = listening.accept()
        with first, contextlib.suppress(OSError):
            first.recv(65536)
            first.sendall(answer)
            while more and not first.sendall(more):
                time.sleep(0.02)
        second, _ = listening.accept()
        with second:
            asked = b""
            while not asked.endswith(b"}]}"):
                asked += second.recv(65536)
            second.sendall(b"HTTP/1.1 204 N\r\nContent-Length: 0\r\n\r\n")
            out.close()

    said = [record.getMessage() for record in caplog.records]
    assert b'"frame": 1' in asked
    assert "does not answer" in said[0]
    assert all(words.isprintable() and len(words) < 700 for words in said)


def test_the_end_does_not_wait_for_a_server_that_was_away_already(
    tmp_path: Path, monkeypatch, caplog
) -> None:
    monkeypatch.setattr("outputs.webhook._TIMEOUT", 0.3)
    monkeypatch.setattr(courier, "FIRST_WAIT", 1.0)
    monkeypatch.setattr(courier, "LONGEST_WAIT", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        webhook = sink(silent.getsockname()[1], tmp_path)
        write(webhook, 1)
        silent.accept()[0].close()
        until(lambda: "does not answer" in caplog.text)
        monkeypatch.setattr("outputs.webhook._TIMEOUT", 10.0)
        second, _ = silent.accept()  # which is on its way, and would be for 10 s
        began = time.monotonic()
        webhook.close()
        took = time.monotonic() - began
        second.close()
    webhook._courier._thread.join(12)

    assert took < 2


@pytest.mark.parametrize("trusted", [True, False])
def test_a_server_is_believed_only_with_a_certificate_that_the_system_trusts(
    tmp_path: Path, trusted: bool, caplog, monkeypatch
) -> None:
    made, key = certificate(tmp_path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(made))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    server = HookServer()
    server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
    monkeypatch.setattr(server._server, "handle_error", lambda *_: None)
    with server:
        webhook = sink(0, tmp_path, address=f"webhook+https://127.0.0.1:{server.port}/")
        write(webhook, 1)
        until(lambda: server.taken if trusted else "not trusted" in caplog.text)
        webhook.close()

    assert ("certificate is not trusted" in caplog.text) != trusted
    assert len(server.taken) == trusted


def test_a_malformed_address_is_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match="%40"):
        open_sink(SinkConfig(path="webhook+https:///hook"), DOOR)


@pytest.mark.slow
def test_a_run_posts_exactly_the_rows_of_the_file_beside_it(tmp_path: Path) -> None:
    with HookServer() as server:
        address = f"webhook+http://127.0.0.1:{server.port}/hook"
        done = run("-s", "demo", "--to", "3", "-o", "all.jsonl", "-o", address, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    rows = [row for call in server.taken for row in call.events]
    assert len({row.pop("uid") for row in rows}) == len(rows)
    assert rows == [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
