"""Bad input gets a clear error and loses nothing: one row each, on the real program."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from core.session import has_gpu
from tests.portraits import every, portrait, write_film
from tests.program import ROOT, ended, run, start

pytestmark = pytest.mark.slow


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "film.mp4", every(25, 1))


def _fails(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """It ends with this code; the last line is the error and says all these words."""
    assert done.returncode == code, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: "), done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


# --- sources -------------------------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    _fails(run("-s", tmp_path / "no.mp4"), 4, "no.mp4", "no such file")


def test_a_missing_file_keeps_nobody_from_the_others(film: Path, tmp_path: Path) -> None:
    done = run("-s", tmp_path / "no.mp4", "-s", film, "-o", tmp_path / "v.csv", "-o", tmp_path / "s.json")

    _fails(done, 4, "no.mp4", "no such file")
    assert len((tmp_path / "v.csv").read_text().splitlines()) == 2
    missing, there = json.loads((tmp_path / "s.json").read_text())["sources"]
    assert ("no such file" in missing["error"], there["error"]) == (True, None)


def test_all_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    _fails(run("-s", tmp_path / "no.mp4", "-s", tmp_path / "nor.mp4"), 4, "no.mp4", "nor.mp4")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file that no one can read, not even root")
def test_a_file_that_cannot_be_read_spoils_no_folder(film: Path, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    shutil.copy(film, folder / "good.mp4")
    (folder / "bad.mp4").symlink_to("/proc/self/mem")

    done = run("-s", folder, "-o", tmp_path / "v.csv")

    _fails(done, 4, "bad.mp4")
    assert len((tmp_path / "v.csv").read_text().splitlines()) == 2


def test_every_film_of_a_folder_that_cannot_be_read_is_named(film: Path, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    shutil.copy(film, folder / "b.mp4")
    for name in ("a", "c", "d"):
        (folder / f"{name}.mp4").write_text("this is a letter, not a film\n" * 50)

    _fails(run("-s", folder), 4, "a.mp4", "c.mp4", "d.mp4")


@pytest.mark.skipif(sys.platform != "linux", reason="limits the open files of a process that runs")
def test_more_films_than_may_be_open_at_once_are_better_named_by_their_folder(tmp_path: Path) -> None:
    import resource

    words: list[str | Path] = []
    for i in range(60):
        words += ["-s", tmp_path / f"{i}.mp4"]
        (tmp_path / f"{i}.mp4").symlink_to(tmp_path / "film.mp4")
    write_film(tmp_path / "film.mp4", every(10, 0.5))
    process = start(*words)
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (60, 60))

    _, said = process.communicate(timeout=120)

    assert process.returncode == 4, said
    assert "Too many open files; name its folder" in said


def test_hours_of_a_film_without_a_date_are_not_kept_without_a_word(film: Path, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(f"sources: [{{address: '{film}', hours: '09:00-09:01'}}]")

    undated = run("--config", tmp_path / "shop.yaml", "-o", tmp_path / "v.csv")
    dated = run("--config", tmp_path / "shop.yaml", "--start", "2026-01-01T12:00:00")

    assert "hours are not kept" in undated.stderr
    assert "--start" in undated.stderr
    assert "hours are not kept" not in dated.stderr


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing to see")

    _fails(run("-s", tmp_path), 4, "no pictures and no videos")


def test_an_empty_file_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()

    _fails(run("-s", tmp_path / "empty.mp4"), 4, "empty.mp4", "is empty")


def test_text_renamed_to_mp4_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("this is a letter, not a film\n" * 50)

    _fails(run("-s", tmp_path / "text.mp4"), 4, "text.mp4")


def test_a_sound_file_has_no_picture(tmp_path: Path) -> None:
    film = write_film(tmp_path / "both.mp4", every(25, 1), sound=True)
    with av.open(str(film)) as given, av.open(str(tmp_path / "sound.m4a"), "w") as out:
        track = out.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(audio=0):
            if packet.dts is not None:
                packet.stream = track
                out.mux(packet)

    _fails(run("-s", tmp_path / "sound.m4a"), 4, "sound.m4a", "has sound only")


def test_a_truncated_film_gives_what_was_readable_and_says_so(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "whole.mkv", every(25, 4))
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    events, summary = tmp_path / "e.jsonl", tmp_path / "s.json"

    done = run("-s", cut, "-o", events, "-o", summary)

    kinds = [json.loads(line)["event"] for line in events.read_text().splitlines()]
    assert kinds.count("track_started") == kinds.count("track_ended") >= 1
    assert kinds[-1] == "source_ended"
    row = json.loads(summary.read_text())["sources"][0]
    assert 20 < row["frames_out"] < 90
    if done.returncode:  # Matroska may end anywhere without a fault to be seen
        _fails(done, 4, "cut.mkv")


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("grey.png", np.full((50, 60), 90, np.uint8)),
        ("deep.png", np.full((50, 60, 3), 30000, np.uint16)),
        ("glass.png", np.full((50, 60, 4), 90, np.uint8)),
        ("pixel.png", np.full((1, 1, 3), 90, np.uint8)),
        ("wide.png", np.full((20, 20000, 3), 90, np.uint8)),
    ],
)
def test_an_odd_picture_is_read_and_holds_nobody(tmp_path: Path, name: str, picture) -> None:
    cv2.imwrite(str(tmp_path / name), picture)
    summary = tmp_path / "s.json"

    done = run("-s", tmp_path / name, "-o", summary, "-o", tmp_path / "v.mp4")

    assert done.returncode == 0, done.stderr
    row = json.loads(summary.read_text())["sources"][0]
    assert (row["width"], row["height"]) == picture.shape[1::-1]
    assert row["frames_out"] == 1
    assert row["tracks"] == 0


def test_a_picture_of_zero_size_is_refused(tmp_path: Path) -> None:
    (tmp_path / "zero.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(17))

    _fails(run("-s", tmp_path / "zero.png"), 4, "zero.png")


def test_a_broken_picture_in_a_folder_is_skipped_and_counted(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), portrait())
    (folder / "b.png").write_bytes((folder / "a.png").read_bytes()[:2000])
    cv2.imwrite(str(folder / "c.png"), portrait())

    done = run("-s", folder, "-o", tmp_path / "s.json", "-o", tmp_path / "v.csv")

    assert done.returncode == 0, done.stderr
    row = json.loads((tmp_path / "s.json").read_text())["sources"][0]
    assert (row["frames_out"], row["decode_errors"], row["tracks"]) == (2, 1, 2)


def test_what_a_film_on_the_network_gave_is_kept_when_it_cannot_be_had_any_more(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("what was seen")

    _fails(run("-s", "http://127.0.0.1:1/film.mp4", "-o", tmp_path / "v.csv"), 4)

    (kept,) = tmp_path.glob("v-until-*.csv")
    assert kept.read_text() == "what was seen"


@pytest.mark.parametrize("words", [(), ("--from", "100")])
def test_what_a_film_gave_is_kept_when_the_film_cannot_be_read_any_more(
    film: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """It is text by now, or is asked for what lies beyond its end."""
    visits = tmp_path / "keep.csv"
    assert run("-s", film, "-o", visits).returncode == 0
    before = visits.read_text()
    assert len(before.splitlines()) > 1
    if not words:
        film.write_text("this is a letter, not a film\n" * 50)

    _fails(run("-s", film, "-o", visits, *words), 4, "film.mp4")

    (kept,) = tmp_path.glob("keep-until-*.csv")
    assert kept.read_text() == before


def test_a_film_s_next_run_takes_the_place_of_its_last(film: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert run("-s", film, "-o", tmp_path / "keep.csv").returncode == 0

    assert not list(tmp_path.glob("keep-until-*"))


def test_a_camera_that_is_not_there_is_named() -> None:
    _fails(run("-s", "77"), 4, "77")


@pytest.mark.parametrize(
    "address", ["rtsp://me:hunter2@127.0.0.1:9/main", "http://me:hunter2@127.0.0.1:9/a?token=hunter2"]
)
def test_an_unreachable_address_is_told_without_its_password(address: str, tmp_path: Path) -> None:
    done = run("-s", address, "-o", tmp_path / "e.jsonl", "--set", "capture.open_timeout=2", "-v")

    assert done.returncode == 4
    assert done.stderr.strip().splitlines()[-1].startswith("error: ")
    assert "hunter2" not in done.stderr + done.stdout


def test_a_name_that_no_computer_has_is_told() -> None:
    _fails(
        run("-s", "rtsp://no-such-camera.invalid/main", "--set", "capture.open_timeout=3"),
        4,
        "no-such-camera.invalid",
    )


# --- outputs -------------------------------------------------------------------------------------


def test_an_output_in_a_folder_that_is_not_there(film: Path, tmp_path: Path) -> None:
    _fails(run("-s", film, "-o", tmp_path / "nowhere" / "o.mp4"), 6, "nowhere")


def test_an_output_of_unknown_kind(film: Path) -> None:
    _fails(run("-s", film, "-o", "o.docx"), 2, "o.docx", ".mp4")


def test_two_outputs_to_one_path(film: Path, tmp_path: Path) -> None:
    _fails(run("-s", film, "-o", tmp_path / "o.csv", "-o", tmp_path / "." / "o.csv"), 2, "o.csv")


def test_the_input_is_not_its_own_output(film: Path, tmp_path: Path) -> None:
    before = film.read_bytes()
    (tmp_path / "link.mp4").symlink_to(film)

    _fails(run("-s", film, "-o", film), 2, "film.mp4")
    _fails(run("-s", film, "-o", tmp_path / "link.mp4"), 2)
    assert film.read_bytes() == before


def test_one_video_cannot_hold_two_sources(film: Path, tmp_path: Path) -> None:
    _fails(run("-s", film, "-s", "demo", "-o", tmp_path / "o.mp4"), 2, "{source}")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told(film: Path, tmp_path: Path) -> None:
    (tmp_path / "full.jsonl").symlink_to("/dev/full")

    _fails(run("-s", film, "-o", tmp_path / "full.jsonl"), 6, "full.jsonl", "full")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_named_pipe_that_nobody_reads_does_not_keep_the_program_from_ending(
    film: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "o.jsonl")
    process = start("-s", film, "-o", tmp_path / "o.jsonl")
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    assert any("Emotion is" in line for line in lines)  # the last word before outputs are opened

    process.send_signal(signal.SIGTERM)
    _, err = ended(process, 5)

    assert process.returncode == 6
    assert "nobody reads this pipe" in err.splitlines()[-1]


# --- weights, names, settings --------------------------------------------------------------------


def test_a_corrupt_network_is_told(film: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"not a network at all")

    _fails(run("-s", film, "--set", f"detector.weights={tmp_path / 'bad.onnx'}"), 3, "bad.onnx")


def test_a_network_of_the_wrong_shape_is_told(film: Path, tmp_path: Path) -> None:
    own = Path(__file__).parents[1] / "weights" / "age_dlib.onnx"
    shutil.copy(own, tmp_path / "age.onnx")

    _fails(run("-s", film, "--set", f"detector.weights={tmp_path / 'age.onnx'}"), 3)


def test_an_unknown_network_is_answered_with_the_right_ones(film: Path) -> None:
    _fails(run("-s", film, "--detector", "yonet"), 2, "yonet", "Did you mean 'yunet'?")
    _fails(run("-s", film, "--set", "estimators.age=crystal_ball"), 2, "age_dlib")


def test_a_device_that_is_not_there_is_an_error_never_a_silent_cpu_run(film: Path) -> None:
    if has_gpu():
        pytest.skip("this onnxruntime offers cuda")
    _fails(run("-s", film, "--device", "cuda"), 3, "cuda", "only: cpu")


@pytest.mark.parametrize(
    "words",
    [
        ["--set", "detector.thresold=0.5"],
        ["--set", "detector.threshold=7"],
        ["--config", "no-such.yaml"],
        ["--nonsense"],
        ["--start", "yesterday"],
        ["--start", "9999-12-31T23:59:59Z"],
        ["--max-seconds", "nan"],
        ["--max-seconds", "0"],
        ["--from", "5", "--to", "3"],
        ["-o", ""],
        ["--every-look", "looks.mp4"],
        ["-s", ""],
        [],
    ],
)
def test_a_wrong_word_ends_with_usage(film: Path, words: list[str]) -> None:
    source = ["-s", str(film)] if words else []

    _fails(run(*source, *words), 2)


def test_a_summary_that_cannot_be_written_hides_no_earlier_failure(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no film at all")
    (tmp_path / "a.json.part").mkdir()  # in the way

    done = run("-s", tmp_path / "text.mp4", "-o", tmp_path / "a.json", "-o", tmp_path / "b.json")

    _fails(done, 4, "text.mp4")
    assert json.loads((tmp_path / "b.json").read_text())["exit_code"] == 4


@pytest.mark.parametrize("words", [("-s", "~nobody-of-that-name/x.mp4"), ("-s", "a" * 300 + ".mp4")])
def test_a_name_that_no_file_can_have_is_a_missing_source(words: tuple[str, str]) -> None:
    _fails(run(*words), 4, words[1][:40])


def test_a_name_that_no_file_can_have_is_no_output(film: Path) -> None:
    _fails(run("-s", film, "-o", "a" * 300 + ".csv"), 6, "aaa.csv")


def test_a_run_goes_on_without_the_outputs_that_fail_and_are_not_required(film: Path, tmp_path: Path) -> None:
    (tmp_path / "a.json.part").mkdir()  # in the way at the end
    settings = tmp_path / "mine.yaml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        failing = [
            f"http://:{taken.getsockname()[1]}/",
            str(tmp_path / "no" / "o.csv"),
            str(tmp_path / "a.json"),
        ]
        sinks = [*({"path": path, "required": False} for path in failing), {"path": str(tmp_path / "ok.csv")}]
        settings.write_text(json.dumps({"sinks": sinks}))
        done = run("-s", film, "--config", settings)
        checked = run("-s", film, "--config", settings, "--check")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ok.csv").exists()
    assert done.stderr.count("goes on without it") == 2
    assert "a.json" in done.stderr
    assert checked.returncode == 0, checked.stdout
    assert "not required, so the run" in checked.stdout


def test_a_link_to_no_file_yet_is_written_through(film: Path, tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").symlink_to(tmp_path / "real.jsonl")

    done = run("-s", film, "-o", tmp_path / "e.jsonl", "--max-seconds", "0.2")

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "e.jsonl").is_symlink()
    assert "source_started" in (tmp_path / "real.jsonl").read_text()


def test_a_name_that_the_terminal_cannot_show_does_not_end_a_report(tmp_path: Path) -> None:
    film = write_film(tmp_path / "문.mp4", every(25, 1))

    done = run("-s", film, "--check", PYTHONIOENCODING="ascii")

    assert done.returncode == 0, done.stderr
    assert "placement" in done.stdout


def test_a_settings_file_that_holds_itself_is_refused(film: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("detector: &a [*a]\n")

    _fails(run("-s", film, "--config", tmp_path / "c.yaml"), 2, "c.yaml", "within itself")


def test_part_of_a_password_is_not_taken_for_a_host() -> None:
    done = run("-s", "rtsp://user:p@secret/word@127.0.0.1:1/main", "-v")

    _fails(done, 4, "%2F")
    assert "secret" not in done.stdout + done.stderr


# --- being stopped -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("after", [0, 1, 30])
def test_a_signal_at_any_moment_flushes_everything(tmp_path: Path, number: int, after: int) -> None:
    """After `after` rows of events: 0 is while it is still starting."""
    events, video = tmp_path / "e.jsonl", tmp_path / "v.mp4"
    film = write_film(tmp_path / "long.mp4", every(25, 40))
    process = start("-s", film, "-o", "-", "-o", events, "-o", video, "--set", "events.interval=0")
    assert process.stdout is not None
    if after == 0:
        assert process.stderr is not None
        process.stderr.readline()
    for _ in range(after):
        process.stdout.readline()

    process.send_signal(number)
    _, err = ended(process, 5)

    assert process.returncode == 0, err
    rows = [json.loads(line) for line in events.read_text().splitlines()] if events.exists() else []
    kinds = [row["event"] for row in rows]
    assert kinds.count("track_started") == kinds.count("track_ended")
    if after == 30:
        assert kinds[-1] == "source_ended"
        assert rows[-1]["reason"] == "stopped"
        with av.open(str(video)) as seen:
            assert sum(1 for _ in seen.decode(video=0)) >= 20


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
def test_the_program_goes_on_when_its_terminal_is_closed(tmp_path: Path) -> None:
    import pty

    film = write_film(tmp_path / "long.mp4", every(25, 20))
    screen, terminal = pty.openpty()
    shell = ["sh", "-c", 'exec "$@" <"$0" 2>"$0"', os.ttyname(terminal)]  # its terminal is the first it opens
    words = [sys.executable, str(ROOT / "stream.py"), "--no-window", "-s", str(film), "-o", "-"]
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        [*shell, *words], stdout=subprocess.PIPE, text=True, start_new_session=True, env=usual
    )
    assert process.stdout is not None
    process.stdout.readline()

    os.close(terminal)
    os.close(screen)
    rows, _ = ended(process)

    assert process.returncode == 0
    assert json.loads(rows.splitlines()[-1])["reason"] == "end"


def test_signals_while_the_program_leaves_change_nothing(film: Path, tmp_path: Path) -> None:
    code = (
        "import atexit, os, runpy, signal, sys\n"
        "for _ in range(2):\n"
        "    atexit.register(os.kill, os.getpid(), signal.SIGTERM)\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    words = [str(ROOT / "stream.py"), "--no-window", "-s", str(film), "-o", str(tmp_path / "e.jsonl")]

    done = subprocess.run([sys.executable, "-c", code, *words], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


def test_a_reader_that_has_enough_ends_the_run_quietly(tmp_path: Path) -> None:
    film = write_film(tmp_path / "long.mp4", every(25, 60))
    process = start("-s", film, "-o", "-", "--set", "events.interval=0")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()

    with process.stderr as stderr:
        err = stderr.read()
    code = process.wait(timeout=60)

    assert code == 0
    assert "error" not in err
    assert "Broken" not in err
    assert "1500 frames" not in err  # it did not go on to the end for nobody


@pytest.mark.skipif(os.name == "nt", reason="no permissions to take away")
def test_an_output_that_may_not_be_written(film: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)

    _fails(run("-s", film, "-o", folder / "o.csv"), 6, "locked")


def test_help_and_version_need_no_network_and_no_camera() -> None:
    done = run("--help", COLUMNS="80")

    assert done.returncode == 0
    assert "examples:" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert run("--version").stdout.startswith("stream.py ")
