"""Video outputs, opened again by PyAV and OpenCV."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from core.errors import SinkError
from core.settings import SinkConfig
from core.types import Evidence, Faces, Image, Result, SourceInfo, Stamp, Tracks
from outputs import open_sink
from outputs.video import VideoFile
from tests import clips

ROOT = Path(__file__).parents[2]
UNEVEN = [0.0, 0.033, 0.066, 0.1, 0.26, 0.3, 0.301, 1.0, 1.04, 2.5, 2.54]  # seconds


def result(index: int, time: float, size: tuple[int, int], last: bool = False) -> Result:
    now = Stamp("a", index, time, math.nan, size)
    return Result(now, Faces.none(), Tracks.none(), Evidence.none(), last=last)


def write(
    path: Path,
    times: Sequence[float],
    pictures: Sequence[Image] | None = None,
    info: SourceInfo | None = None,
) -> Path:
    """A video with the picture `clips.picture(i)`, or that of `pictures`, at each time."""
    sink = VideoFile(path, {} if info is None else {"a": info})
    for i, time in enumerate(times):
        picture = clips.picture(i) if pictures is None else pictures[i]
        sink.write(result(i, time, (picture.shape[1], picture.shape[0])), picture)
    sink.write(result(len(times), times[-1], (1, 1), last=True), None)
    sink.close()
    sink.close()
    return path


def frames(path: Path) -> list[tuple[float, Image]]:
    with av.open(str(path)) as container:
        return [
            (float(f.time), np.asarray(f.to_ndarray(format="bgr24"), np.uint8))
            for f in container.decode(video=0)
        ]


def sound_packets(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        return [
            (float((p.pts or 0) * (p.time_base or 0)), bytes(p))
            for p in container.demux(audio=0)
            if p.dts is not None
        ]


def film_info(path: Path, start: float = 0.0) -> SourceInfo:
    return SourceInfo("a", "video", str(path), path, start=start)


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize("first", [0.0, 7.3])
def test_every_picture_is_shown_at_its_own_time(tmp_path: Path, ending: str, first: float) -> None:
    seen = frames(write(tmp_path / f"o{ending}", [first + time for time in UNEVEN]))

    assert [time for time, _ in seen] == pytest.approx(UNEVEN, abs=0.001)
    assert [clips.index_of(image) for _, image in seen] == list(range(len(UNEVEN)))


def test_a_time_that_stands_still_loses_no_picture(tmp_path: Path) -> None:
    seen = frames(write(tmp_path / "o.mp4", [0.0, 0.04, 0.04, 0.03, 0.08]))

    assert [clips.index_of(image) for _, image in seen] == [0, 1, 2, 3, 4]
    assert [time for time, _ in seen] == pytest.approx([0.0, 0.04, 0.04, 0.04, 0.08], abs=0.001)


@pytest.mark.parametrize("size", [(160, 120), (427, 241), (160, 121), (1, 1), (2, 2)])
def test_a_video_has_the_size_of_its_first_picture(tmp_path: Path, size: tuple[int, int]) -> None:
    width, height = size

    path = write(tmp_path / "o.mp4", [0.0, 0.04], [np.full((height, width, 3), 90, np.uint8)] * 2)

    assert [image.shape for _, image in frames(path)] == [(height, width, 3)] * 2
    if min(size) > 1:
        opened, image = cv2.VideoCapture(str(path)).read()
        assert opened
        assert image.shape == (height, width, 3)


def test_a_picture_too_large_for_h264_is_scaled_in_its_shape(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "o.mp4", [0.0], [np.full((20, 20000, 3), 90, np.uint8)])

    assert [image.shape for _, image in frames(path)] == [(16, 16384, 3)]
    assert "20000 x 20 is more than H.264 holds" in caplog.text


def test_later_pictures_of_another_size_are_fitted_in_on_black(tmp_path: Path) -> None:
    white = [np.full((h, w, 3), 255, np.uint8) for w, h in [(160, 120), (320, 120), (60, 120)]]

    (_, first), (_, wide), (_, tall) = frames(write(tmp_path / "o.mp4", [0.0, 0.04, 0.08], white))

    assert first.mean() > 250
    assert [int(wide[y, 80].mean()) // 200 for y in (10, 60, 110)] == [0, 1, 0]
    assert [int(tall[60, x].mean()) // 200 for x in (10, 80, 150)] == [0, 1, 0]


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize("sideways", [False, True])
def test_pixels_that_are_no_squares_are_shown_in_their_shape(
    tmp_path: Path, sideways: bool, ending: str
) -> None:
    film = clips.film(tmp_path / "wide.mp4", [0.0, 0.04], pixel=Fraction(16, 11))
    if sideways:
        clips.turn(film, 90)
    shown = Fraction(11, 16) if sideways else Fraction(16, 11)

    path = write(tmp_path / f"o{ending}", [0.0, 0.04], info=film_info(film))

    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == shown
    assert [image.shape for _, image in frames(path)] == [(120, 160, 3)] * 2


@pytest.mark.parametrize("reader", ["av", "cv2"])
def test_colours_come_back(tmp_path: Path, reader: str) -> None:
    colours = [(40, 60, 220), (60, 200, 40), (220, 40, 30), (255, 255, 255), (0, 0, 0)]
    bars = np.repeat(np.array(colours, np.uint8)[None], 120, axis=0).repeat(32, axis=1)

    path = write(tmp_path / "o.mp4", [0.0], [bars])

    image = frames(path)[0][1] if reader == "av" else cv2.VideoCapture(str(path)).read()[1]
    assert image[60, 16::32].astype(int) == pytest.approx(np.array(colours), abs=6)


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_the_sound_of_the_file_is_copied(tmp_path: Path, ending: str) -> None:
    times = [i / 25 for i in range(50)]
    film = clips.film(tmp_path / "film.mp4", times, sound=True)

    path = write(tmp_path / f"o{ending}", times, info=film_info(film))

    given, kept = sound_packets(film), sound_packets(path)
    if ending == ".mkv":  # has no times before its start
        given = [(time, packet) for time, packet in given if time >= 0]
    assert [packet for _, packet in kept] == [packet for _, packet in given]
    assert [time for time, _ in kept] == pytest.approx([time for time, _ in given], abs=0.001)
    assert [time for time, _ in frames(path)] == pytest.approx(times, abs=0.001)


def again(path: Path, parts: Sequence[Sequence[float]], infos: dict[str, SourceInfo]) -> Path:
    """A video of one source that ends and begins again: pictures `clips.picture(i)` at those times."""
    sink, i = VideoFile(path, infos), 0
    for times in parts:
        for time in times:
            sink.write(result(i, time, (160, 120)), clips.picture(i))
            i += 1
        sink.write(result(i, times[-1], (160, 120), last=True), None)
    sink.close()
    return path


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize("live", [False, True])
def test_a_source_that_begins_again_goes_on_after_its_last_picture(
    tmp_path: Path, ending: str, live: bool
) -> None:
    path = again(
        tmp_path / f"o{ending}",
        [[0.0, 0.5, 1.0], [0.0, 0.3, 0.9], [7.0, 7.1]],
        {"a": SourceInfo("a", "network", "x", live=live)},
    )

    seen = frames(path)
    times = [0.0, 0.5, 1.0, 1.5, 1.8, 2.4, 3.0, 3.1]
    assert [time for time, _ in seen] == pytest.approx(times, abs=0.001)
    assert [clips.index_of(image) for _, image in seen] == list(range(8))


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize("begin", [0.0, 1.6])
def test_the_sound_of_a_film_that_begins_again_stays_with_its_pictures(
    tmp_path: Path, ending: str, begin: float
) -> None:
    times = [i / 25 for i in range(100)]
    film = clips.film(tmp_path / "film.mp4", times, sound=True)
    first, second = times[:30], [time for time in times if time >= begin]

    path = again(tmp_path / f"o{ending}", [first, second], {"a": film_info(film)})

    given = {packet: time for time, packet in sound_packets(film)}
    assert len(given) == len(sound_packets(film))
    heard = [(time, given[packet]) for time, packet in sound_packets(path)]
    before = [(time, origin) for time, origin in heard if time < 1.199]
    after = [(time, origin + 1.2 - begin) for time, origin in heard if time >= 1.199]
    assert len(before) + len(after) > len(given) * (30 + len(second)) / 100 - 4
    assert [time for time, _ in before] == pytest.approx([origin for _, origin in before], abs=0.001)
    assert [time for time, _ in after] == pytest.approx([origin for _, origin in after], abs=0.001)


def test_the_sound_of_another_film_is_left_out_and_that_is_said(tmp_path: Path, caplog) -> None:
    times = [i / 25 for i in range(25)]
    films = [clips.film(tmp_path / f"{name}.mp4", times, sound=True) for name in "ab"]
    infos = {"a": film_info(films[0])}
    sink = VideoFile(tmp_path / "o.mp4", infos)
    for film in films:
        infos["a"] = film_info(film)
        for i, time in enumerate(times):
            sink.write(result(i, time, (160, 120)), clips.picture(i))
        sink.write(result(24, times[-1], (160, 120), last=True), None)
    sink.close()

    assert len(frames(tmp_path / "o.mp4")) == 50
    assert len(sound_packets(tmp_path / "o.mp4")) == len(sound_packets(films[0]))
    assert "b.mp4 is left out" in caplog.text


def test_a_source_that_comes_later_is_not_mixed_in_and_that_is_said_once(tmp_path: Path, caplog) -> None:
    sink = VideoFile(tmp_path / "o.mp4", {})
    for i in range(6):
        first = result(i, i / 25, (160, 120), last=i == 3)
        sink.write(first, None if first.last else clips.picture(i))
        other = replace(first, stamp=replace(first.stamp, source="b"))
        sink.write(other, None if first.last else clips.picture(20))
    sink.close()

    seen = [clips.index_of(image) for _, image in frames(tmp_path / "o.mp4")]
    assert seen == [0, 1, 2, 4, 5]
    assert caplog.text.count("'b' is left out") == 1


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_uneven_times_are_kept_beside_sound(tmp_path: Path, ending: str) -> None:
    film = clips.film(tmp_path / "film.mp4", UNEVEN, sound=True)

    path = write(tmp_path / f"o{ending}", UNEVEN, info=film_info(film))

    assert [time for time, _ in frames(path)] == pytest.approx(UNEVEN, abs=0.001)


def test_the_sound_follows_when_reading_begins_later_and_stops_earlier(tmp_path: Path) -> None:
    times = [i / 25 for i in range(100)]
    film = clips.film(tmp_path / "film.mp4", times, sound=True)
    chosen = times[60:80]

    path = write(tmp_path / "o.mp4", chosen, info=film_info(film, start=chosen[0]))

    given = {packet: time for time, packet in sound_packets(film)}
    kept = sound_packets(path)
    assert [time for time, _ in kept] == pytest.approx([given[p] - chosen[0] for _, p in kept], abs=0.001)
    assert kept[0][0] <= 0.0
    assert kept[-1][0] == pytest.approx(0.8, abs=0.07)


def noisy(path: Path, codec: str, seconds: float = 1.0) -> Path:
    """A film of a second with noise of some length, uncompressed or the like."""
    rate = 8000
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25, width=160, height=120, pix_fmt="yuv420p")
        audio = container.add_stream(codec, rate=rate)
        audio.layout = "stereo"
        for i in range(25):
            container.mux(video.encode(av.VideoFrame.from_ndarray(clips.picture(i), format="bgr24")))
        container.mux(video.encode(None))
        rng, step = np.random.default_rng(0), rate // 20
        for start in range(0, int(seconds * rate), step):
            samples = rng.integers(-9999, 9999, (1, 2 * step), np.int16)
            noise = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
            noise.pts, noise.sample_rate, noise.time_base = start, rate, Fraction(1, rate)
            container.mux(audio.encode(noise))
        container.mux(audio.encode(None))
    return path


def heard(path: Path) -> Image:
    """The samples of the sound, one after the other."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(audio=0)])


def test_sound_that_the_container_cannot_hold_is_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    film = noisy(tmp_path / "film.avi", "pcm_mulaw")

    path = write(tmp_path / "o.mp4", [i / 25 for i in range(25)], info=film_info(film))

    assert len(frames(path)) == 25
    assert "no sound: this kind of file cannot hold 'pcm_mulaw'" in caplog.text


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize("of", [".avi", ".mkv"])
def test_sound_of_which_nobody_says_from_which_side_it_comes_is_copied(
    tmp_path: Path, of: str, ending: str
) -> None:
    film = noisy(tmp_path / f"film{of}", "pcm_s16le")

    path = write(tmp_path / f"o{ending}", [i / 25 for i in range(25)], info=film_info(film))

    assert len(frames(path)) == 25
    assert (heard(path) == heard(film)).all()


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_the_sound_of_a_transport_stream_is_copied(tmp_path: Path, ending: str) -> None:
    times = [i / 25 for i in range(50)]
    film = clips.film(tmp_path / "film.ts", times, sound=True)

    path = write(tmp_path / f"o{ending}", times, info=film_info(film))

    given, kept = sound_packets(film), sound_packets(path)
    head = 7  # bytes before each packet, which only this kind of file has
    assert [packet for _, packet in kept] == [packet[head:] for _, packet in given][-len(kept) :]
    assert len(given) - len(kept) <= (ending == ".mkv")  # has no times before its start
    assert len(frames(path)) == 50


def test_sound_that_goes_on_after_the_last_picture_is_copied_to_its_end(tmp_path: Path) -> None:
    film = noisy(tmp_path / "film.mkv", "pcm_s16le", seconds=3.0)

    whole = write(tmp_path / "whole.mp4", [i / 25 for i in range(25)], info=film_info(film))
    part = write(tmp_path / "part.mp4", [i / 25 for i in range(10)], info=film_info(film))

    assert (heard(whole) == heard(film)).all()
    assert sound_packets(part)[-1][0] < 0.4


def test_a_film_that_cannot_be_opened_again_costs_only_its_sound(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "o.mp4", [0.0, 0.04], info=film_info(tmp_path / "gone.mp4"))

    assert len(frames(path)) == 2
    assert "its sound cannot be read" in caplog.text


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_the_same_pictures_give_the_same_bytes(tmp_path: Path, ending: str) -> None:
    film = clips.film(tmp_path / "film.mp4", [i / 25 for i in range(25)], sound=True)
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (120, 160, 3), np.uint8) for _ in UNEVEN]

    paths = [write(tmp_path / f"{n}{ending}", UNEVEN, noise, film_info(film)) for n in "ab"]

    first, second = (hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
    assert first == second


def test_a_source_without_a_picture_leaves_no_file(tmp_path: Path) -> None:
    sink = open_sink(SinkConfig(path=str(tmp_path / "o.mp4")), {})

    sink.write(result(0, 0.0, (1, 1), last=True), None)
    sink.close()

    assert sink.wants == "drawn"
    assert not (tmp_path / "o.mp4").exists()


WRITER = """
import sys
from pathlib import Path
from core.types import SourceInfo
from tests.outputs.test_video import film_info, result
from outputs.video import VideoFile
from tests import clips
path, film, rate, number = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
camera = SourceInfo("a", "network", "x", live=True)
sink = VideoFile(path, {"a": film_info(Path(film)) if film else camera})
for i in range(number):
    picture = clips.picture(i, (320, 240))
    sink.write(result(i, i / rate, (320, 240)), picture)
print("written", flush=True)
sys.stdin.read()
"""


def test_nothing_is_kept_in_memory_of_each_picture_of_a_camera(tmp_path: Path) -> None:
    """FFmpeg writes what it kept at the end: of a camera that is not even a byte a picture."""
    grown = {}
    for live in (False, True):
        path = tmp_path / f"{live}.mp4"
        sink = VideoFile(path, {"a": SourceInfo("a", "network", "x", live=live)})
        for i in range(3000):
            sink.write(result(i, i / 25, (16, 16)), clips.picture(0, (16, 16)))
        before = path.stat().st_size
        sink.close()
        grown[live] = path.stat().st_size - before

    assert grown[False] > 3000 > grown[True]


@pytest.mark.parametrize("reader", ["av", "cv2"])
def test_a_video_of_a_camera_is_read_to_its_end_and_can_be_jumped_in(tmp_path: Path, reader: str) -> None:
    path = write(
        tmp_path / "o.mp4",
        [i / 10 for i in range(280)],
        info=SourceInfo("a", "network", "x", live=True),
    )

    if reader == "av":
        with av.open(str(path)) as container:
            assert container.duration == pytest.approx(28e6, abs=0.2e6)
            container.seek(20_000_000)
            jumped = clips.index_of(next(container.decode(video=0)).to_ndarray(format="bgr24"))
        seen = [clips.index_of(image) for _, image in frames(path)]
    else:
        video = cv2.VideoCapture(str(path))
        assert video.get(cv2.CAP_PROP_FRAME_COUNT) == pytest.approx(280, abs=1)
        seen = [clips.index_of(video.read()[1]) for _ in range(280)]
        video.set(cv2.CAP_PROP_POS_MSEC, 20_000)
        jumped = clips.index_of(video.read()[1])
    assert seen == [i % 28 for i in range(280)]
    assert jumped == 200 % 28


@pytest.mark.slow
@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize(("rate", "sound"), [(1, ""), (7, "whole"), (25, "short")])
def test_a_video_plays_after_a_kill_but_for_its_last_2_seconds(
    tmp_path: Path, ending: str, rate: int, sound: str
) -> None:
    number = 10 * rate
    film = tmp_path / "film.mp4"
    if sound:
        seconds = 1.0 if sound == "short" else 10.0
        clips.film(
            film, [i / rate for i in range(number)] if sound == "whole" else [0.0, seconds], sound=True
        )
    path = tmp_path / f"o{ending}"
    words = [str(path), str(film) if sound else "", str(rate), str(number)]
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, *words], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()

    process.kill()
    process.communicate()

    seen = frames(path)
    written = [i / rate for i in range(number)]
    assert len(seen) >= sum(time <= written[-1] - 2 for time in written)
    assert [time for time, _ in seen] == pytest.approx(written[: len(seen)], abs=0.001)
    if sound:
        assert len(sound_packets(path)) > 5


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    if os.name == "nt" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a small disk can be made by root only")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip(f"no small disk: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_a_full_disk_is_told_and_what_was_written_plays(small_disk: Path, ending: str) -> None:
    rng = np.random.default_rng(0)
    sink = VideoFile(small_disk / f"o{ending}", {})

    with pytest.raises(SinkError, match=r"the disk is full: .* What was seen up to") as told:
        for i in range(200):
            sink.write(result(i, i / 25, (64, 48)), rng.integers(0, 256, (48, 64, 3), np.uint8))
    sink.close()

    until = float(str(told.value).split("up to ")[1].split(" s ")[0])
    seen = frames(small_disk / f"o{ending}")
    assert len(seen) > 10
    assert seen[-1][0] == pytest.approx(until, abs=0.006)  # said with two decimals
    assert [time for time, _ in seen] == pytest.approx([i / 25 for i in range(len(seen))], abs=0.001)


def test_a_disk_that_fills_up_at_the_end_leaves_a_video_that_plays(small_disk: Path) -> None:
    """The index of an MP4 is written last: here it finds no room."""
    path, rng = small_disk / "o.mp4", np.random.default_rng(0)
    sink = VideoFile(path, {})
    for i in range(30):
        sink.write(result(i, i / 25, (64, 48)), rng.integers(0, 256, (48, 64, 3), np.uint8))
    (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free))

    with pytest.raises(SinkError, match="the disk is full"):
        sink.close()

    assert len(frames(path)) >= 12


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_a_disk_that_is_full_from_the_start_is_told_of_a_device_too(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"full{ending}").symlink_to("/dev/full")

    with pytest.raises(SinkError, match="the disk is full"):
        write(tmp_path / f"full{ending}", [i / 25 for i in range(60)])


def test_a_folder_that_may_not_be_written_is_told_at_the_first_picture(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"the folder '.*nowhere' does not exist"):
        write(tmp_path / "nowhere" / "o.mp4", [0.0])


@pytest.mark.slow
def test_a_real_film_keeps_its_times_and_its_sound(tmp_path: Path) -> None:
    data = os.environ.get("STREAM_DATA")
    if not data:
        pytest.skip("STREAM_DATA does not name the folder of the data")
    subprocess.run(
        ["tar", "xf", Path(data) / "videos.tar", "-C", tmp_path, "talking_head_512_audio.mp4"], check=True
    )
    film = tmp_path / "talking_head_512_audio.mp4"
    given = frames(film)

    path = write(tmp_path / "o.mp4", [t for t, _ in given], [p for _, p in given], film_info(film))

    kept = frames(path)
    assert [t for t, _ in kept] == pytest.approx([t for t, _ in given], abs=0.001)
    assert sound_packets(path) == sound_packets(film)
    errors = [np.mean((a[1].astype(float) - b[1]) ** 2) for a, b in zip(given[::30], kept[::30], strict=True)]
    assert 10 * math.log10(255**2 / max(errors)) > 32  # dB
