"""Network cameras: the newest picture, words for each failure, never a password."""

import socket
import time
import weakref

import av
import pytest

from capture import live, network
from capture.network import Stream, _digest
from core.errors import SourceError
from core.settings import CaptureConfig
from core.types import Frame, Gap
from tests.cameras import frames_of, looked_at, opened
from tests.clips import film, index_of, picture
from tests.servers import squares
from tests.servers.films import numbered
from tests.servers.http import HttpCamera
from tests.servers.rtsp import Camera, Faults


@pytest.mark.parametrize(("coding", "codec"), [("h264", "h264"), ("h265", "hevc"), ("main10", "hevc")])
def test_an_rtsp_camera_is_read(coding, codec) -> None:
    with Camera(coding=coding, speed=3) as camera:
        source = opened(camera.address())
        frames = frames_of(source, 12)
        source.close()

    assert source.codec == codec
    assert not any(frame.damaged for frame in frames)
    for frame in frames:
        assert index_of(frame.image) == frame.stamp.index % 25
    times = [f.stamp.time for f in frames]
    assert times == sorted(times)
    assert abs(frames[0].stamp.wall - time.time()) < 60


def test_a_password_is_accepted_and_a_wrong_one_is_said_without_being_shown() -> None:
    with Camera(user="admin", password="hunter2") as camera:
        source = opened(camera.address("admin:hunter2"))
        frames_of(source, 1)
        source.close()

        with pytest.raises(SourceError, match="user or password is wrong") as caught:
            looked_at(camera.address("admin:hunter3"))

    assert "hunter" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (Faults(status=403), "forbidden"),
        (Faults(status=404), "no such stream"),
        (Faults(status=400), "does not accept the address"),
        (Faults(status=453), "too many watch"),
        (Faults(status=503), "fault of its own"),
        (Faults(silent=True), "stays silent|no answer"),
        (Faults(silent="PLAY"), "stays silent|no answer"),
        (Faults(hang_up=True), "not with a stream of this kind"),
        pytest.param(Faults(stall_after=0), "gave no picture for|no answer", marks=pytest.mark.slow),
    ],
)
def test_each_failure_has_its_words_and_none_shows_the_password(faults, words) -> None:
    with Camera(faults=faults) as camera, pytest.raises(SourceError, match=words) as caught:
        looked_at(camera.address("admin:hunter2"), open_timeout=1.0, stall_timeout=0.5)

    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert caught.value.exit_code == 4


def test_nobody_listening_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(SourceError, match="connection refused"):
        looked_at(f"rtsp://admin:hunter2@127.0.0.1:{port}/main")


def test_an_unknown_name_is_said(monkeypatch) -> None:
    def unknown(*_args, **_more):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(SourceError, match=r"the name 'nowhere\.invalid' is not known"):
        looked_at("rtsp://admin:hunter2@nowhere.invalid/main")


def test_an_address_that_cannot_be_taken_apart_is_said_without_the_password() -> None:
    with pytest.raises(SourceError, match="as keys of the source, or quote them") as caught:
        looked_at("rtsp://admin:[hunter2@127.0.0.1/main")

    assert "hunter2" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["stall_after", "close_after"])
def test_a_camera_that_drops_out_is_called_again_and_gaps_fill_the_time(fault, monkeypatch, caplog) -> None:
    monkeypatch.setattr(live, "BACK_OFF", (0.05,))
    monkeypatch.setattr(live, "_SILENCE", 0.2)
    faults = Faults(**{fault: 5})
    with Camera(speed=3, faults=faults) as camera:
        source = opened(camera.address("admin:hunter2"), stall_timeout=0.6)
        first = frames_of(source, 1)[0]
        faults.status = 503
        items = []
        while not any(isinstance(item, Gap) for item in items):
            items.append(source.read())
        setattr(faults, fault, None)
        faults.status = 200
        back = frames_of(source, 3)
        source.close()

    times = [first.stamp.time, *(i.stamp.time for i in items), *(f.stamp.time for f in back)]
    assert times == sorted(times)
    assert back[-1].stamp.index > first.stamp.index
    assert "camera 'door'" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_slow_reader_gets_the_newest_picture_not_the_next() -> None:
    with Camera(speed=4) as camera:
        source = opened(camera.address())
        (first,) = frames_of(source, 1)
        camera.faults.stall_after = 40
        while source._index < 30:  # pictures that nobody reads
            pass
        (newest,) = frames_of(source, 1)
        source.close()

    assert newest.stamp.index >= 29 > first.stamp.index + 1
    assert index_of(newest.image) == newest.stamp.index % 25


def test_an_http_camera_is_read() -> None:
    with HttpCamera() as camera:
        source = opened(f"{camera.address}/video")
        frames = frames_of(source, 5)
        source.close()

    assert frames[0].stamp.size == (160, 120)
    assert source.codec == "mjpeg"
    assert [index_of(f.image) for f in frames] == [f.stamp.index % 28 for f in frames]


@pytest.mark.parametrize(
    ("status", "words"), [(401, "password"), (403, "forbidden"), (404, "no such stream")]
)
def test_http_answers_have_their_words(status, words) -> None:
    with HttpCamera() as camera, pytest.raises(SourceError, match=words):
        looked_at(f"{camera.address}/status/{status}")


def test_a_recorded_film_behind_http_is_read_without_loss(tmp_path) -> None:
    film(tmp_path / "a.mp4", [i / 25 for i in range(20)])
    with HttpCamera(tmp_path) as camera:
        source = opened(f"{camera.address}/a.mp4")
        frames = list(iter(source.read, None))
        source.close()

    assert not source.info.live
    assert [index_of(f.image) for f in frames] == list(range(20))


def test_hls_is_read_to_its_end(tmp_path) -> None:
    with av.open(str(tmp_path / "a.m3u8"), "w", format="hls", options={"hls_list_size": "0"}) as out:
        stream = out.add_stream("libx264", rate=25, options={"g": "25"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for index in range(28):
            image = av.VideoFrame.from_ndarray(picture(index, (160, 120)), format="bgr24")
            out.mux(stream.encode(image))
        out.mux(stream.encode(None))
    with HttpCamera(tmp_path) as camera:
        source = opened(f"{camera.address}/a.m3u8")
        frames = [item for item in iter(source.read, None) if isinstance(item, Frame)]
        source.close()

    assert source.info.live
    assert index_of(frames[-1].image) == 27


@pytest.mark.parametrize(("coding", "codec"), [("h264", "h264"), ("h265", "hevc")])
@pytest.mark.parametrize("device", ["nonsense", "drm"])  # FFmpeg knows the second, and decodes nothing by it
def test_a_decoder_that_is_not_there_is_said_and_the_cpu_takes_its_place(
    coding, codec, device, caplog
) -> None:
    with Camera(coding=coding, speed=3) as camera:
        source = opened(camera.address(), hardware=device)
        (frame,) = frames_of(source, 1)
        source.close()

    assert index_of(frame.image) == frame.stamp.index % 25
    assert f"no '{device}' to decode {codec} by; the CPU does it" in caplog.text


@pytest.mark.parametrize("coding", ["h264", "h265"])
def test_a_camera_is_read_by_udp(coding, caplog) -> None:
    with Camera(coding=coding, speed=3) as camera:
        source = opened(camera.address(), transport="udp")
        frames = frames_of(source, 12)
        source.close()

    assert [index_of(frame.image) for frame in frames] == [frame.stamp.index % 25 for frame in frames]
    assert ("damaged by lost packets are not told" in caplog.text) == (coding == "h265")


def test_h265_that_builds_on_a_lost_picture_is_left_out_and_counted() -> None:
    with Camera(coding="h265", speed=3, faults=Faults(loss=0.05)) as camera:
        stream = Stream(camera.address(), "door", CaptureConfig(transport="udp"))
        pictures = [stream.grab() for _ in range(60)]
        stream.close()

    assert len(pictures) == 60  # though most of a second fails at times, it is not called anew
    assert stream.errors > 10


@pytest.mark.parametrize("coding", ["h264", "h265"])
def test_after_lost_packets_the_pictures_are_whole_again_from_a_key_frame_on(coding) -> None:
    film = numbered(40)
    with Camera(coding=coding, pictures=film, speed=4, key_interval=10, faults=Faults(loss=0.2)) as camera:
        stream = Stream(camera.address(), "door", CaptureConfig(transport="udp"))
        for _ in range(20):
            stream.grab()
        camera.faults.loss = 0.0
        row = [-1]
        while len(row) < 25:
            grab = stream.grab()
            number = squares.read(grab.paint())
            row = [*row, number] if not grab.damaged and number == (row[-1] + 1) % 40 else [number]
        stream.close()

    assert len(row) == 25


def test_a_camera_whose_pictures_cannot_be_decoded_is_no_call_that_hangs(monkeypatch) -> None:
    """However soon a stall would count, there is time for a first picture."""
    monkeypatch.setattr(live, "_HANGS", 0.2)
    monkeypatch.setattr(network, "FIRST_PICTURE", 3.0)
    monkeypatch.setattr(live, "FIRST_PICTURE", 3.0)
    with HttpCamera(broken=True) as camera:
        source = opened(f"{camera.address}/video", open_timeout=5.0, stall_timeout=0.5)
        while not (item := source.read()).reason:
            pass
        source.close()

    assert item.reason == "undecodable"


@pytest.mark.parametrize("coding", ["h264", "h265", "main10"])
def test_a_frozen_picture_is_told_whatever_the_coding(coding) -> None:
    with Camera(coding=coding, speed=3, key_interval=5) as camera:
        source = opened(camera.address(), frozen_after=0.3)
        moving = frames_of(source, 12)
        camera.freeze()
        while not frames_of(source, 1)[0].frozen:
            pass
        camera.show()
        while frames_of(source, 1)[0].frozen:
            pass
        source.close()

    assert not any(frame.frozen for frame in moving)


@pytest.mark.parametrize("layout", ["yuv420p", "yuv422p10le", "nv12", "p010le", "gray", "gray10le"])
def test_pictures_of_any_layout_are_told_apart_by_their_brightness(layout) -> None:
    a, b = (av.VideoFrame.from_ndarray(picture(index), format="bgr24") for index in (3, 4))
    same, other = ([_digest(one.reformat(format=layout)) for one in pair] for pair in ((a, a), (a, b)))

    assert same[0] == same[1] != -1
    assert other[0] != other[1]


def test_a_camera_that_never_shows_a_picture_is_left_in_peace_on_close() -> None:
    with Camera(speed=3) as camera:
        source = opened(camera.address(), stall_timeout=30.0)
        camera.faults.stall_after = 0
        began = time.monotonic()
        source.close()

    assert time.monotonic() - began < 3


def test_a_connection_that_stalled_is_gone_once_it_is_closed() -> None:
    with Camera(speed=3, faults=Faults(stall_after=5)) as camera:
        stream = Stream(camera.address(), "door", CaptureConfig(stall_timeout=0.5))
        with pytest.raises(SourceError, match="no picture"):
            while stream.grab():
                pass
        stream.close()
        gone = weakref.ref(stream)
        del stream

        assert gone() is None
