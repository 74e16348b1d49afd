"""Our reader against a server that is not ours."""

import subprocess
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from capture import open_source
from capture.address import resolve_all
from core.settings import CaptureConfig, SourceConfig
from core.types import Frame
from tests.servers.certificate import certificate

PYTHON = Path("/usr/bin/python3")
SCRIPT = Path(__file__).with_name("gst_rtsp.py")


@pytest.fixture(scope="module", autouse=True)
def registry(tmp_path_factory):
    """GStreamer's list of what it has, which it would keep in the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GST_REGISTRY", str(tmp_path_factory.mktemp("gstreamer") / "registry"))
        yield


@contextmanager
def server(*words):
    """The address of a running server."""
    if not PYTHON.exists():
        pytest.skip(f"there is no {PYTHON}, which alone has GStreamer's bindings")
    process = subprocess.Popen(
        [PYTHON, SCRIPT, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        port = process.stdout.readline().strip()
        if not port:
            said = process.communicate()[1]
            if "ModuleNotFoundError" in said or "not available" in said:
                pytest.skip(f"GStreamer's RTSP server is not installed: {said.splitlines()[-1]}")
            pytest.fail(said)
        yield f"127.0.0.1:{port}/main"
    finally:
        process.communicate()


def opened(address, **config):
    settings = CaptureConfig(open_timeout=5.0, stall_timeout=5.0, **config)
    (((info, where),),) = resolve_all([SourceConfig(address=address, name="door")], settings)
    return open_source(info, where, settings)


@pytest.mark.slow
@pytest.mark.parametrize("login", [(), ("--login", "admin", "p@ss/word")])
@pytest.mark.parametrize("coding", ["h264", "h265"])
def test_a_server_that_is_not_ours_is_read_with_and_without_a_login(coding, login) -> None:
    with server("--coding", coding, *login) as address:
        source = opened(f"rtsp://{'admin:p%40ss%2Fword@' if login else ''}{address}")
        frames = [item for item in (source.read() for _ in range(30)) if isinstance(item, Frame)]
        source.close()

    assert source.codec == {"h264": "h264", "h265": "hevc"}[coding]
    assert frames[0].stamp.size == (320, 240)
    assert not any(frame.damaged for frame in frames)
    times = [frame.stamp.time for frame in frames]
    assert np.median(np.diff(times)) == pytest.approx(1 / 25, abs=0.01)
    assert any((frame.image != frames[0].image).any() for frame in frames)


@pytest.mark.slow
def test_a_wrong_password_is_refused_by_a_server_that_is_not_ours() -> None:
    with server("--login", "admin", "right") as address:
        source = opened(f"rtsp://admin:wrong@{address}")
        while not (gap := source.read()).error:
            pass
        source.close()

    assert gap.reason == "denied"
    assert "wrong@" not in gap.error


@pytest.mark.slow
def test_an_encrypted_server_that_is_not_ours_is_read_by_who_trusts_it(tmp_path) -> None:
    made, key = certificate(tmp_path)
    secret = ("--login", "admin", "p@ss/word", "--certificate", str(made), str(key))
    with server(*secret) as address:
        source = opened(f"rtsps://admin:p%40ss%2Fword@{address}", certificates=str(made))
        frames = [item for item in (source.read() for _ in range(30)) if isinstance(item, Frame)]
        source.close()
        doubting = opened(f"rtsps://admin:p%40ss%2Fword@{address}", certificates="trusted")
        while not (gap := doubting.read()).error:
            pass
        doubting.close()

    assert any((frame.image != frames[0].image).any() for frame in frames)
    assert not any(frame.damaged for frame in frames)
    assert gap.reason == "distrusted"
    assert "p@ss" not in gap.error
