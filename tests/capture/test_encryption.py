"""Encrypted cameras: read, told apart from plain ones, and believed only as the settings say."""

import socket
import threading
from contextlib import ExitStack, closing, contextmanager

import pytest

from capture import live
from core.errors import SourceError
from core.types import Frame, Gap
from tests.cameras import frames_of, looked_at, opened
from tests.clips import film, index_of
from tests.servers.certificate import certificate, showing
from tests.servers.http import HttpCamera
from tests.servers.rtsp import Camera, Faults

LOGIN = {"user": "admin", "password": "hunter2"}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A certificate that the camera made for itself, and its key."""
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def security(own):
    return showing(*own)


def refused(address, **config):
    """What is said of a camera that does not open."""
    with closing(opened(address, **config)) as source:
        while not ((gap := source.read()) and isinstance(gap, Gap) and gap.error):
            pass
    return gap


def test_an_encrypted_camera_is_read_and_called_again_after_a_drop(security, monkeypatch, caplog) -> None:
    monkeypatch.setattr(live, "BACK_OFF", (0.05,))
    with (
        Camera(speed=3, security=security, **LOGIN) as camera,
        closing(opened(camera.address("admin:hunter2"))) as source,
    ):
        before = frames_of(source, 12)
        camera.drop()
        while not isinstance(gap := source.read(), Gap) or not gap.error:
            pass
        after = frames_of(source, 3)

    assert [index_of(frame.image) for frame in before] == [frame.stamp.index % 25 for frame in before]
    assert not any(frame.damaged for frame in before + after)
    assert gap.reason in ("ended", "broken")
    assert camera.requests.count("PLAY") == 2
    assert "hunter2" not in caplog.text + gap.error


def test_an_encrypted_camera_that_stalls_is_said_to_stall(security) -> None:
    with Camera(speed=3, security=security, faults=Faults(stall_after=60)) as camera:
        gap = refused(camera.address(), stall_timeout=0.6)

    assert (gap.reason, gap.error) == ("stalled", f"{camera.address()}: gave no picture for 0.6 s.")


def test_a_wrong_password_of_an_encrypted_camera_is_said(security) -> None:
    with Camera(security=security, **LOGIN) as camera:
        gap = refused(camera.address("admin:hunter3"))

    assert gap.reason == "denied"
    assert "hunter" not in gap.error


def test_rtsp_by_udp_goes_by_tcp_where_it_is_encrypted(security) -> None:
    with (
        Camera(speed=3, security=security) as camera,
        closing(opened(camera.address(), transport="udp")) as source,
    ):
        frames = frames_of(source, 5)

    assert not any(frame.damaged for frame in frames)


def test_who_demands_trust_gives_a_certificate_that_vouches_for_itself_no_password(security) -> None:
    with Camera(security=security, **LOGIN) as camera:
        gap = refused(camera.address("admin:hunter2"), certificates="trusted")

    assert gap.reason == "distrusted"
    assert "its certificate is not trusted (self-signed certificate); name the file" in gap.error
    assert "hunter2" not in gap.error
    assert camera.requests == []


def test_a_certificate_is_trusted_by_its_file_or_by_the_system(own, security, monkeypatch) -> None:
    with Camera(speed=3, security=security, **LOGIN) as camera:
        with closing(opened(camera.address("admin:hunter2"), certificates=str(own[0]))) as source:
            frames_of(source, 1)
        monkeypatch.setenv("SSL_CERT_FILE", str(own[0]))
        with closing(opened(camera.address("admin:hunter2"), certificates="trusted")) as source:
            frames_of(source, 1)

    assert camera.requests.count("PLAY") == 2


def test_a_certificate_for_another_name_is_not_trusted(tmp_path) -> None:
    made, key = certificate(tmp_path, "DNS:elsewhere.example")
    with Camera(security=showing(made, key)) as camera:
        gap = refused(camera.address(), certificates=str(made))

    assert gap.reason == "distrusted"
    assert "certificate is not valid for '127.0.0.1'); give the device a new one" in gap.error


def test_a_file_that_holds_no_certificate_is_said(security, tmp_path) -> None:
    (tmp_path / "empty.pem").write_text("nothing\n")
    with (
        Camera(security=security) as camera,
        pytest.raises(SourceError, match=r"empty\.pem holds no certificate"),
    ):
        looked_at(camera.address(), certificates=str(tmp_path / "empty.pem"))


@pytest.mark.parametrize("kind", ["rtsp", "http"])
def test_the_wrong_one_of_the_two_schemes_is_said(kind, security) -> None:
    make = Camera if kind == "rtsp" else HttpCamera
    with make() as plain, make(security=security) as encrypted:
        for camera, scheme, words in (
            (plain, f"{kind}s", f"answers, but without encryption; use {kind}://"),
            (encrypted, kind, f"answers, but only encrypted; use {kind}s://"),
        ):
            address = camera.address() if kind == "rtsp" else camera.address
            with pytest.raises(SourceError, match=words):
                looked_at(f"{scheme}://{address.partition('://')[2]}")


@contextmanager
def patient():
    """The port of a plain camera that waits for the end of the line, which never comes from who encrypts."""

    def serve() -> None:
        with ExitStack() as clients:
            heard = b"any"
            while heard:
                client = clients.enter_context(server.accept()[0])
                heard = client.recv(1000)
                if heard.startswith(b"OPTIONS"):
                    client.sendall(b"RTSP/1.0 200 OK\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            socket.create_connection(server.getsockname()).close()
            thread.join()


@pytest.mark.slow
def test_a_plain_camera_that_waits_for_more_is_told_from_a_silent_one(security) -> None:
    with patient() as port, pytest.raises(SourceError, match="without encryption; use rtsp://"):
        looked_at(f"rtsps://127.0.0.1:{port}/main", stall_timeout=0.5)
    with (
        Camera(security=security, faults=Faults(silent=True)) as camera,
        pytest.raises(SourceError, match=r"stays silent|no answer"),
    ):
        looked_at(camera.address(), stall_timeout=0.5)


def test_an_encrypted_http_camera_and_film_are_believed_as_the_settings_say(own, security, tmp_path) -> None:
    film(tmp_path / "a.mp4", [i / 25 for i in range(5)])
    with HttpCamera(tmp_path, security=security) as camera:
        for path in ("video", "a.mp4"):
            for certificates in ("any", str(own[0])):
                with closing(opened(f"{camera.address}/{path}", certificates=certificates)) as source:
                    (frame,) = frames_of(source, 1)
                    assert index_of(frame.image) == frame.stamp.index
            with pytest.raises(SourceError, match=r"not trusted \(self-signed certificate\)"):
                looked_at(f"{camera.address}/{path}", certificates="trusted")


def test_hls_is_refused_where_trust_is_demanded_as_its_parts_would_be_taken_from_anybody(
    own, security, tmp_path
) -> None:
    film(tmp_path / "a.m3u8", [i / 25 for i in range(28)], options={"hls_list_size": "0"})
    with HttpCamera(tmp_path, security=security) as camera:
        with closing(opened(f"{camera.address}/a.m3u8")) as source:
            frames = [item for item in iter(source.read, None) if isinstance(item, Frame)]
        asked = camera.asked.copy()
        gap = refused(f"{camera.address}/a.m3u8", certificates=str(own[0]))

    assert index_of(frames[-1].image) == 27
    assert gap.reason == "distrusted"
    assert "is HLS" in gap.error
    assert camera.asked[len(asked) :] == ["/a.m3u8"]


def test_an_rtmp_server_is_called() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        with closing(opened(f"rtmp://127.0.0.1:{server.getsockname()[1]}/app/main")):
            client, _ = server.accept()
            with client:
                assert client.recv(1) == b"\x03"  # RTMP begins so
