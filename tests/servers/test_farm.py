"""Test cameras in another process."""

import av
import pytest

from tests.servers import squares
from tests.servers.farm import Farm

OPTIONS = {"rtsp_transport": "tcp", "analyzeduration": "200000", "fpsprobesize": "0"}


@pytest.mark.slow
def test_cameras_in_another_process_send_pictures_and_obey() -> None:
    with Farm("--cameras", "2", "--rate", "50", "--seconds", "1", "--size", "320x240") as farm:
        for number, address in enumerate(farm.addresses):
            with av.open(address, timeout=(3.0, 3.0), options=OPTIONS) as container:
                images = container.decode(video=0)
                assert squares.read(next(images).to_ndarray(format="bgr24")) == 0
                farm.order(number, "show", size=[160, 120])
                assert 160 in (image.width for image in images)
                farm.order(number, "drop")
                assert all(image.width == 160 for image in images)  # and then it ends
        farm.order(0, "faults", status=404)
        with pytest.raises(av.error.HTTPNotFoundError):
            av.open(farm.addresses[0], options=OPTIONS)


@pytest.mark.slow
def test_an_order_that_does_not_exist_is_not_overheard(capfd) -> None:
    with Farm() as farm, pytest.raises(RuntimeError):
        farm.order(0, "explode")

    assert "no such order: explode" in capfd.readouterr().err
