"""The clips of the data packs, one property each."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import SourceError
from tests.clips import opened, unpacked

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    return unpacked(tmp_path_factory.mktemp("clips"))


def frames_of(path, **config):
    return list(iter(opened(path, **config).read, None))


@pytest.mark.parametrize(
    ("name", "count", "size", "last"),
    [
        ("v_rotate90.mp4", 300, (270, 480), 11.96),
        ("v_vfr.mp4", 131, (480, 270), 11.84),
        ("v_1fps.mp4", 12, (480, 270), 11.0),
        ("v_hevc.mp4", 300, (480, 270), 11.96),
        ("v_hevc_10bit.mkv", 300, (480, 270), 11.96),
        ("v_odd427x241_444.mp4", 300, (427, 241), 11.96),
        ("v_odd_mjpeg.avi", 150, (427, 241), 5.96),
        ("v_interlaced.mp4", 300, (480, 272), 11.96),
        ("v_mpegts.ts", 300, (480, 270), 11.96),
        ("talking_face_cif_vp9.webm", 480, (360, 288), 19.958),
    ],
)
def test_every_frame_of_every_coding_is_read_at_its_time(clips, name, count, size, last) -> None:
    frames = frames_of(clips / name)

    assert len(frames) == count
    assert {f.stamp.size for f in frames} == {size}
    assert frames[-1].stamp.time == pytest.approx(last, abs=1e-3)
    assert not any(f.damaged for f in frames)
    assert min(f.image.mean() for f in frames) > 30  # not black


@pytest.mark.parametrize("name", ["v_hevc.mp4", "v_odd_mjpeg.avi", "v_rotate90.mp4"])
def test_pictures_agree_with_another_reader(clips, name) -> None:
    other = cv2.VideoCapture(str(clips / name))
    for frame in frames_of(clips / name, end=1.0):
        taken, image = other.read()

        assert taken
        # The two convert colours differently, by a little.
        assert np.abs(frame.image.astype(int) - image).mean() < 3


def test_a_change_of_size_passes_through(clips) -> None:
    sizes = [f.stamp.size for f in frames_of(clips / "v_resolution_change.ts")]

    assert sizes == [(480, 270)] * 125 + [(320, 180)] * 125


def test_broken_bytes_lose_no_frame_and_are_counted(clips) -> None:
    source = opened(clips / "v_corrupt.ts")

    frames = list(iter(source.read, None))

    assert len(frames) == 300
    assert source.decode_errors == 2
    assert sum(f.damaged for f in frames) >= 16


def test_a_file_cut_short_gives_its_frames_and_an_error(clips) -> None:
    source = opened(clips / "v_truncated.mp4")
    whole = frames_of(clips / "cc_three_faces_480p.mp4", end=6.7)

    frames = []
    with pytest.raises(SourceError, match=r"breaks off after 6\.7 s of 12\.0 s"):
        while (frame := source.read()) is not None:
            frames.append(frame)

    assert len(frames) >= 165
    assert all(
        np.abs(a.image.astype(int) - b.image).mean() < 8 for a, b in zip(frames[:165], whole, strict=False)
    )


def test_text_under_a_videos_name_is_said(clips) -> None:
    with pytest.raises(SourceError, match="is not a video"):
        opened(clips / "v_not_a_video.mp4")


@pytest.mark.parametrize(
    "name", ["v_mpegts.ts", "v_hevc_10bit.mkv", "v_vfr.mp4", "talking_face_cif_vp9.webm"]
)
def test_from_and_to_cut_exactly(clips, name) -> None:
    whole = [f.stamp.time for f in frames_of(clips / name)]

    part = [f.stamp.time for f in frames_of(clips / name, begin=3.3, end=5.0)]

    assert part == [t for t in whole if 3.3 <= t < 5.0]
