"""The test camera itself: other programs read it, and its faults are what they are called."""

import os
import socket
import threading
import time
from contextlib import contextmanager

import av
import cv2
import numpy as np
import pytest

from tests.clips import index_of
from tests.servers import squares
from tests.servers.codings import CODINGS
from tests.servers.films import Look, faces, numbered
from tests.servers.reels import milliseconds
from tests.servers.rtsp import Camera, Faults

REPORT = b"\x80\xc8\x00\x06"  # an RTCP sender report begins so
QUICK = {"analyzeduration": "500000", "fpsprobesize": "0", "timeout": "3000000"}


@contextmanager
def pictures(camera, login="", way="tcp"):
    """The decoded pictures of a camera, as PyAV reads it."""
    options = QUICK | {"rtsp_transport": way}
    with av.open(camera.address(login), timeout=(3.0, 3.0), options=options) as container:
        container.streams.video[0].thread_type = "NONE"
        yield container.decode(video=0)


def numbers(images, count):
    """The numbers in the next pictures' squares."""
    return [squares.read(next(images).to_ndarray(format="bgr24")) for _ in range(count)]


@pytest.mark.parametrize("way", ["tcp", "udp"])
@pytest.mark.parametrize("coding", CODINGS)
def test_pyav_reads_it_by_either_way(coding, way) -> None:
    with (
        Camera(coding=coding, pictures=numbered(40), speed=10) as camera,
        pictures(camera, way=way) as images,
    ):
        got = numbers(images, 60)

    assert got == [n % 40 for n in range(60)]
    assert "SETUP" in camera.requests


def test_opencv_reads_it(monkeypatch) -> None:
    monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
    with Camera(pictures=numbered(40), speed=10) as camera:
        capture = cv2.VideoCapture(camera.address(), cv2.CAP_FFMPEG)
        got = [squares.read(capture.read()[1]) for _ in range(30)]
        capture.release()

    assert got == list(range(30))


@pytest.mark.parametrize("login", ["Basic", "Digest"])
def test_only_who_knows_the_password_gets_a_picture(login) -> None:
    with Camera(user="admin", password="a:b", login=login, speed=10) as camera:
        with pictures(camera, "admin:a%3Ab") as images:
            assert index_of(next(images).to_ndarray(format="bgr24")) == 0
        with pytest.raises(av.error.HTTPUnauthorizedError), pictures(camera, "admin:wrong"):
            pass


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, av.error.HTTPUnauthorizedError),
        (403, av.error.HTTPForbiddenError),
        (404, av.error.HTTPNotFoundError),
        (453, av.error.HTTPOtherClientError),
        (503, av.error.HTTPServerError),
    ],
)
def test_it_answers_what_it_is_told_to(status, error) -> None:
    with Camera(faults=Faults(status=status)) as camera, pytest.raises(error), pictures(camera):
        pass


@pytest.mark.slow
def test_lost_packets_break_pictures_and_the_same_seed_breaks_the_same_ones() -> None:
    def broken(seed):
        faults = Faults(loss=0.05, seed=seed)
        film = [cv2.resize(image, (320, 240)) for image in noise(30)]
        with (
            Camera(pictures=film, speed=10, key_interval=10, faults=faults) as camera,
            pictures(camera) as images,
        ):
            return [next(images).is_corrupt for _ in range(40)]

    first = broken(1)

    assert any(first)
    assert not all(first)
    assert broken(1) == first
    assert broken(2) != first


def noise(count):
    """Pictures that take many packets each."""
    dice = np.random.default_rng(1)
    return [dice.integers(0, 255, (60, 80, 3), np.uint8) for _ in range(count)]


def test_after_a_stall_it_goes_on_at_the_next_picture_of_the_same_connection() -> None:
    with Camera(pictures=numbered(200), speed=10) as camera, pictures(camera) as images:
        before = numbers(images, 5)
        camera.stall()
        during = until_quiet(camera)
        camera.resume()
        after = numbers(images, during[-1][1] + 5)

    assert before + after == list(range(len(before + after)))
    assert camera.requests.count("PLAY") == 1


def until_quiet(camera):
    """What has been sent once nothing more comes: a stall takes effect within a picture's time."""
    while True:
        before = list(camera.sent)
        time.sleep(3 / (camera.rate * camera.speed))
        if before == list(camera.sent):
            return before


@pytest.mark.slow
def test_a_stall_shows_in_the_times_of_the_pictures() -> None:
    with Camera(speed=1) as camera, pictures(camera) as images:
        first = [next(images).time for _ in range(3)][-1]  # the first may bear none
        camera.stall()
        until_quiet(camera)
        time.sleep(0.5)
        camera.resume()
        times = [first, *(next(images).time for _ in range(10))]

    assert max(np.diff(times)) > 0.4


def caught_up(camera, images):
    """Read all that has been sent by now: a busy machine may have much in its buffers. The last picture."""
    for _ in range(len(camera.sent) + 1):
        last = next(images)
    return last


@pytest.mark.parametrize("coding", CODINGS)
def test_a_changed_resolution_arrives(coding) -> None:
    with Camera(coding=coding, speed=10) as camera, pictures(camera) as images:
        assert next(images).width == 160
        camera.show(Look(size=(320, 240)))
        assert caught_up(camera, images).width == 320
        assert next(images).height == 240


def frozen(wavering, coding="h264"):
    film = faces(25, (320, 180))
    with (
        Camera(coding=coding, pictures=film, speed=10, key_interval=5, wavering=wavering) as camera,
        pictures(camera) as images,
    ):
        next(images)
        camera.freeze()
        caught_up(camera, images)
        return [next(images) for _ in range(20)]


@pytest.mark.parametrize("coding", CODINGS)
def test_a_frozen_camera_sends_the_same_picture_in_new_packets_and_key_frames(coding) -> None:
    shown = frozen(wavering=False, coding=coding)

    images = [frame.to_ndarray(format="bgr24") for frame in shown]
    assert all((image == images[0]).all() for image in images)
    assert sum(frame.key_frame for frame in shown) == 4
    assert [frame.time for frame in shown] == sorted({frame.time for frame in shown})


def test_a_quality_that_wavers_changes_even_a_frozen_picture_a_little() -> None:
    images = [frame.to_ndarray(format="bgr24").astype(int) for frame in frozen(wavering=True)]

    changes = [np.abs(image - images[0]) for image in images]
    assert 0 < max(change.max() for change in changes) < 40
    assert max(change.mean() for change in changes) < 2


def test_at_night_there_is_no_colour() -> None:
    with Camera(pictures=faces(25, (320, 180)), speed=10) as camera:
        camera.show(Look(grey=True))
        with pictures(camera) as images:
            image = next(images).to_ndarray(format="bgr24").astype(int)

    assert np.ptp(image, axis=2).max() <= 4
    assert image.std() > 20


def test_key_frames_come_as_often_as_asked() -> None:
    with Camera(key_interval=5) as camera:
        keys = [camera.format.is_key(unit) for unit in camera.reel.units]

    assert keys == [index % 5 == 0 for index in range(25)]


def test_it_says_when_a_stream_is_over() -> None:
    with Camera(speed=10) as camera, pictures(camera) as images:
        next(images)
        camera.faults.ended = True
        rest = list(images)

    assert len(rest) < len(camera.sent)


def test_a_dropped_viewer_may_come_back() -> None:
    with Camera(speed=10) as camera:
        with pictures(camera) as images:
            next(images)
            camera.drop()
            assert len(list(images)) < len(camera.sent)
        with pictures(camera) as images:
            assert index_of(next(images).to_ndarray(format="bgr24")) == 0


def test_it_refuses_and_is_back_on_the_same_port() -> None:
    with Camera(speed=10) as camera:
        for _ in range(3):
            camera.refuse()
            with pytest.raises(av.error.ConnectionRefusedError), pictures(camera):
                pass
            camera.listen()
            with pictures(camera) as images:
                next(images)


@pytest.mark.parametrize("way", ["tcp", "udp"])
def test_reports_tell_the_time_of_the_wall(way) -> None:
    with (
        Camera() as camera,
        socket.create_connection(("127.0.0.1", camera.port)) as client,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtcp,
    ):
        rtcp.bind(("127.0.0.1", 0))
        rtcp.settimeout(5)
        port = rtcp.getsockname()[1]
        wish = "/TCP;unicast;interleaved=0-1" if way == "tcp" else f";unicast;client_port={port}-{port}"
        for method, more in (("SETUP", f"Transport: RTP/AVP{wish}\r\n"), ("PLAY", "")):
            client.sendall(f"{method} {camera.address()} RTSP/1.0\r\nCSeq: 1\r\n{more}\r\n".encode())
        received = until(client, REPORT, 28) if way == "tcp" else rtcp.recv(2000)

    report = received[received.index(REPORT) :]
    seconds = int.from_bytes(report[8:12], "big") - 2_208_988_800
    assert abs(seconds - time.time()) < 10


def until(client, begin, length):
    """What a socket gives until `begin` and what follows it are there."""
    received = b""
    while begin not in received or len(received) < received.index(begin) + length:
        received += client.recv(4096)
    return received


def test_the_clock_in_the_pixels_tells_how_old_a_picture_is() -> None:
    with Camera(clock=(640, 360), speed=2) as camera, pictures(camera) as images:
        ages = [
            squares.since(squares.read(next(images).to_ndarray(format="bgr24")), milliseconds())
            for _ in range(20)
        ]

    assert all(0 <= age < 5000 for age in ages)


def test_it_knows_when_it_sent_which_picture() -> None:
    began = time.monotonic()
    with Camera(pictures=numbered(40), speed=10) as camera, pictures(camera) as images:
        (number,) = numbers(images, 1)
        now = time.monotonic()
        at = next(at for at, sent in camera.sent if sent == number)

    assert began <= at <= now


@pytest.mark.parametrize("fault", ["none", "silent", "stalled"])
def test_a_closed_camera_leaves_no_thread_and_no_socket_behind(fault) -> None:
    threads, files = set(threading.enumerate()), set(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with (
        Camera(faults=Faults(silent=fault == "silent")) as camera,
        socket.create_connection(("127.0.0.1", camera.port)) as client,
    ):
        client.sendall(b"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        if fault != "silent":
            play_and_close(camera, stalled=fault == "stalled")

    # Of an earlier test one may have ended meanwhile: only what is new was left behind.
    assert set(threading.enumerate()) <= threads
    assert set(os.listdir("/proc/self/fd")) <= files  # noqa: PTH208


def play_and_close(camera, stalled):
    with pictures(camera) as images:
        next(images)
        camera.faults.stalled = stalled
        camera.close()
