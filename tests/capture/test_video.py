"""Films: every frame, once, in order, at its time, upright; and clear words for what is none."""

import datetime
import itertools
import math
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from capture import open_source, probe
from capture.address import resolve_all
from capture.clock import Playback
from core.errors import SourceError
from core.settings import CaptureConfig, SourceConfig
from tests.clips import film, index_of, opened, picture, tone, turn
from tests.servers.http import HttpCamera

STEADY = [i / 25 for i in range(50)]


def frames_of(path, **config):
    source = opened(path, **config)
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mjpeg")])
def test_a_film_is_read_without_loss_and_in_order(tmp_path, name, codec) -> None:
    path = film(tmp_path / name, STEADY, codec=codec)

    frames = frames_of(path)

    assert [index_of(f.image) for f in frames] == [i % 28 for i in range(50)]
    assert [f.stamp.index for f in frames] == list(range(50))
    assert frames[0].stamp.size == (160, 120)


def test_times_are_those_of_the_container_not_of_a_frame_rate(tmp_path) -> None:
    times = [0, 0.04, 0.08, 0.24, 0.4, 0.41, 1.5]
    path = film(tmp_path / "vfr.mp4", times)

    assert [f.stamp.time for f in frames_of(path)] == pytest.approx(times, abs=1e-3)


def test_time_counts_from_the_first_frame_wherever_the_file_begins(tmp_path) -> None:
    path = film(tmp_path / "late.ts", [5 + t for t in STEADY])

    times = [f.stamp.time for f in frames_of(path)]

    assert times == pytest.approx(STEADY, abs=1e-3)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize("begin", [0.04, 0.5, 1.3, 1.96])
def test_from_and_to_give_the_same_frames_as_cutting_the_whole(tmp_path, name, begin) -> None:
    path = film(tmp_path / name, STEADY)
    end = begin + 0.4

    frames = frames_of(path, begin=begin, end=end)

    wanted = [f for f in frames_of(path) if begin - 1e-6 <= f.stamp.time < end - 1e-6]
    assert [f.stamp.time for f in frames] == [f.stamp.time for f in wanted]
    assert all((a.image == b.image).all() for a, b in zip(frames, wanted, strict=True))
    assert frames[0].stamp.index == 0


def test_from_after_the_end_is_said_with_the_length(tmp_path) -> None:
    path = film(tmp_path / "short.mp4", STEADY)

    with pytest.raises(SourceError, match=r"no frame between 'from' 30 s and 'to'.*2\.0 s long"):
        opened(path, begin=30.0)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_film_held_sideways_comes_out_upright(tmp_path, degrees) -> None:
    plain = frames_of(film(tmp_path / "plain.mp4", STEADY[:3]))
    path = turn(film(tmp_path / "turned.mp4", STEADY[:3]), degrees)

    frames = frames_of(path)

    # The file says: turn clockwise by so much to show it.
    assert (frames[1].image == np.rot90(plain[1].image, -degrees // 90)).all()


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_film_of_a_camera_that_mirrors_is_shown_as_it_says(tmp_path, degrees) -> None:
    plain = frames_of(film(tmp_path / "plain.mp4", STEADY[:3]))
    path = turn(film(tmp_path / "turned.mp4", STEADY[:3]), degrees, mirrored=True)

    frames = frames_of(path)

    assert (frames[1].image == np.rot90(plain[1].image[:, ::-1], -degrees // 90)).all()


@pytest.mark.parametrize(("degrees", "pixel"), [(None, 16 / 11), (90, 11 / 16), (180, 16 / 11)])
def test_frames_say_the_shape_of_their_pixels(tmp_path, degrees, pixel) -> None:
    path = film(tmp_path / "dv.mp4", STEADY[:3], pixel=Fraction(16, 11))
    if degrees is not None:
        turn(path, degrees)

    assert [frame.pixel for frame in frames_of(path)] == [pytest.approx(pixel)] * 3


def test_a_picture_that_brings_more_than_is_known_of_is_upright_all_the_same(tmp_path) -> None:
    held_sideways = Pillow.Exif()
    held_sideways[0x112] = 6  # turn clockwise by 90 degrees to show it
    Pillow.fromarray(picture(3)).save(tmp_path / "a.jpg", exif=held_sideways)
    path = tmp_path / "camera.mjpeg"
    path.write_bytes((tmp_path / "a.jpg").read_bytes() * 2)

    frames = frames_of(path)

    assert frames[0].image.shape == (160, 120, 3)
    assert frames[0].image[10, 110].mean() > 200 > frames[0].image[10, 10].mean()


def test_wall_time_is_the_recordings_own_or_the_one_given(tmp_path) -> None:
    path = film(tmp_path / "dated.mp4", STEADY[:5], metadata={"creation_time": "2024-05-01T10:00:00Z"})
    made = datetime.datetime(2024, 5, 1, 10, tzinfo=datetime.UTC).timestamp()

    assert frames_of(path)[2].stamp.wall == pytest.approx(made + 0.08)
    assert opened(path, wall=1000.0).read().stamp.wall == 1000.0
    assert math.isnan(opened(film(tmp_path / "plain.mp4", STEADY[:5])).read().stamp.wall)


def test_a_clock_that_was_never_set_is_no_date(tmp_path) -> None:
    path = film(tmp_path / "epoch.mp4", STEADY[:3], metadata={"creation_time": "1970-01-01T00:00:00Z"})

    assert math.isnan(opened(path).read().stamp.wall)


@pytest.mark.parametrize("sound", [False, True])
def test_a_matroska_that_does_not_begin_at_zero_is_whole(tmp_path, sound) -> None:
    path = film(tmp_path / "part.mkv", [60 + i / 25 for i in range(50)], sound=sound)

    source = opened(path)

    assert source.length == pytest.approx(2.0, abs=0.05)
    assert len(list(iter(source.read, None))) == 50


def test_length_is_that_of_the_part_asked_for(tmp_path) -> None:
    path = film(tmp_path / "a.mp4", STEADY, sound=True)

    assert opened(path).length == pytest.approx(2.0, abs=0.05)
    assert opened(path, begin=0.5, end=1.5).length == pytest.approx(1.0)


def test_a_truncated_film_gives_all_it_has_and_then_says_so(tmp_path) -> None:
    path = film(tmp_path / "cut.mp4", STEADY, options={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: -path.stat().st_size // 3])
    source = opened(path)

    frames = []
    with pytest.raises(SourceError, match=r"breaks off after \d\.\d s of 2\.0 s"):
        while (frame := source.read()) is not None:
            frames.append(frame)

    assert 20 < len(frames) < 50
    assert [index_of(f.image) for f in frames if not f.damaged] == [
        f.stamp.index % 28 for f in frames if not f.damaged
    ]


def test_broken_packets_are_counted_and_what_follows_is_suspect_until_a_clean_key_frame(tmp_path) -> None:
    path = film(tmp_path / "dirty.mp4", [i / 25 for i in range(60)])
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size, p.is_keyframe) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    position, size, _ = packets[15]
    data[position : position + size] = bytes(size)
    path.write_bytes(bytes(data))

    source = opened(path)
    damaged = []
    while (frame := source.read()) is not None:
        damaged.append(frame.damaged)

    keys = [i for i, (_, _, key) in enumerate(packets) if key]
    after = next(key for key in keys if key > 15)
    assert source.decode_errors == 1
    assert any(damaged[12:after])
    assert not any(damaged[:10])
    assert not any(damaged[after + 1 :])


@pytest.mark.parametrize("name", ["film.mp4", "notes.txt", "page.mkv"])
def test_text_is_no_video(tmp_path, name) -> None:
    path = tmp_path / name
    path.write_text("Dear diary, today nobody came.\n" * 200)

    with pytest.raises(SourceError, match="not a video"):
        opened(path)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("status/404", r"has no such stream \(404\); check"),
        ("status/401", "set user and password"),
        (None, "check that"),
    ],
)
def test_a_recording_behind_an_address_that_does_not_open_is_told_with_a_remedy(path, words) -> None:
    with HttpCamera() as camera:
        address = f"{camera.address}/{path}" if path else "http://me:hunter2@127.0.0.1:1/x.mp4"
        source = SourceConfig(address=address, kind="video")
        (((info, opens),),) = resolve_all([source], CaptureConfig())

        with pytest.raises(SourceError, match=words) as caught:
            open_source(info, opens, CaptureConfig())

    assert "hunter2" not in str(caught.value)


def test_sound_alone_is_no_video(tmp_path) -> None:
    with pytest.raises(SourceError, match="sound only"):
        opened(tone(tmp_path / "song.m4a"))


def test_an_index_that_was_never_written_is_said(tmp_path) -> None:
    path = film(tmp_path / "killed.mp4", STEADY)
    path.write_bytes(path.read_bytes()[:2000])

    with pytest.raises(SourceError, match="index is missing"):
        opened(path)


def test_a_colon_in_the_name_is_no_protocol(tmp_path) -> None:
    assert len(frames_of(film(tmp_path / "x.mp4", STEADY[:3]).rename(tmp_path / "12:30 100%d.mp4"))) == 3


def test_a_playlist_without_an_end_ends_with_what_it_lists(tmp_path) -> None:
    film(tmp_path / "a.m3u8", [i / 25 for i in range(28)], options={"hls_list_size": "0"})
    whole = (tmp_path / "a.m3u8").read_text()
    (tmp_path / "a.m3u8").write_text(whole.replace("#EXT-X-ENDLIST\n", ""))

    assert "#EXT-X-ENDLIST" in whole
    assert [index_of(f.image) for f in frames_of(tmp_path / "a.m3u8")] == list(range(28))


def test_sound_longer_than_the_picture_is_no_truncation(tmp_path) -> None:
    path = tmp_path / "long.mp4"
    film(path, [*STEADY[:10]], sound=True)

    assert len(frames_of(path)) == 10


def test_pictures_are_read_only(tmp_path) -> None:
    frame = opened(film(tmp_path / "a.mp4", STEADY[:2])).read()

    with pytest.raises(ValueError, match="read-only"):
        frame.image[0] = 0


def test_close_may_be_called_twice(tmp_path) -> None:
    source = opened(film(tmp_path / "a.mp4", STEADY[:2]))

    source.close()
    source.close()

    assert source.read() is None


def test_a_probe_measures_the_frame_rate(tmp_path) -> None:
    path = film(tmp_path / "slow.mp4", [i / 5 for i in range(20)])
    config = CaptureConfig()
    (((info, address),),) = resolve_all([SourceConfig(address=str(path))], config)

    seen = probe(info, address, config)

    assert seen.fps == pytest.approx(5)
    assert seen.codec == "h264"
    assert index_of(seen.frame.image) == index_of(picture(0))


@given(st.lists(st.one_of(st.floats(-100, 100), st.just(math.nan)), min_size=1, max_size=40))
def test_time_always_rises_whatever_the_container_says(presentations) -> None:
    clock = Playback()

    times = [clock.time(p) for p in presentations]

    assert times[0] == 0
    assert all(b > a for a, b in itertools.pairwise(times))


def test_a_missing_time_is_one_step_after_the_frame_before() -> None:
    clock = Playback()

    times = [clock.time(p) for p in (5.0, 5.1, math.nan, 5.3)]

    assert times == pytest.approx([0, 0.1, 0.2, 0.3])


def test_an_appended_recording_goes_on_where_the_first_one_ended() -> None:
    clock = Playback()

    times = [clock.time(p) for p in (0.0, 0.1, 50.0, 50.1, 0.0, 0.1)]

    assert times == pytest.approx([0, 0.1, 50, 50.1, 50.2, 50.3])


def test_frames_without_any_time_are_a_twenty_fifth_of_a_second_apart_until_one_bears_its_own() -> None:
    clock = Playback()

    times = [clock.time(p) for p in (math.nan, math.nan, 7.0, 7.1)]

    assert times == pytest.approx([0, 0.04, 0.08, 0.18])
