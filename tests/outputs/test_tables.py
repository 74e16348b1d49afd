"""Text outputs, read back by other libraries."""

from __future__ import annotations

import csv
import errno
import json
import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import ReaderGone, SinkError
from core.settings import EventsConfig, SinkConfig
from core.types import ENDED, LOST, SEEN, Estimates, Event, Evidence, Faces, Result, SourceInfo, Stamp, Tracks
from outputs import open_sink, textfile
from outputs.summary import write_summary
from outputs.textfile import TextFile
from tests.make import evidence, stamp, tracks
from tests.waiting import PATIENCE
from watch.life import Life

DOOR = {"door": SourceInfo("door", "video", "door.mp4")}
BOX = (10.0, 20.0, 50.0, 70.0)
ROOT = Path(__file__).parents[2]


def film() -> list[Result]:
    """Person 1 is seen for 4 frames, lost for one, gone; person 2 comes in frame 2 and stays."""
    life = Life(EventsConfig(interval=0))
    frames: list[dict[int, int]] = [
        {1: SEEN},
        {1: SEEN},
        {1: SEEN, 2: SEEN},
        {1: SEEN, 2: SEEN},
        {1: LOST, 2: SEEN},
        {1: ENDED, 2: SEEN},
        {2: ENDED},
    ]
    results = []
    for i, states in enumerate(frames):
        last = i == len(frames) - 1
        now = stamp(min(i, 5))
        found = replace(tracks(dict.fromkeys(states, BOX)), states=np.array([*states.values()], np.uint8))
        found = replace(
            found, seen=np.full(len(states), 0.12), index=np.where(found.states == SEEN, found.index, -1)
        )
        known = evidence([*states])
        events = life.update(now, found, known, last=last)
        results.append(Result(now, found.faces, found, known, tuple(events), last=last))
    return results


def write(path: str | Path, results: list[Result], sources: dict[str, SourceInfo] = DOOR) -> Path:
    sink = open_sink(SinkConfig(path=str(path)), sources)
    assert sink.wants == "data"
    for result in results:
        sink.write(result, None)
    sink.close()
    sink.close()
    return Path(path)


def test_every_event_is_a_line_of_json(tmp_path: Path) -> None:
    path = write(tmp_path / "e.jsonl", film())

    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    assert [(r["event"], r["id"], r["frame"]) for r in rows if r["event"] != "track_updated"] == [
        ("track_started", 1, 0),
        ("track_started", 2, 2),
        ("track_ended", 1, 5),
        ("track_ended", 2, 5),
    ]
    assert len(rows) == 1 + 1 + 2 + 2 + 2 + 2 + 1


def test_a_line_is_on_disk_as_soon_as_it_is_written(tmp_path: Path) -> None:
    sink = open_sink(SinkConfig(path=str(tmp_path / "e.jsonl")), DOOR)

    sink.write(film()[0], None)

    assert (tmp_path / "e.jsonl").read_bytes().endswith(b"}\n")
    sink.close()


def test_a_visit_is_a_row_with_the_columns_of_the_contract(tmp_path: Path) -> None:
    path = write(tmp_path / "v.csv", film())

    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    promised = (
        "source,id,utc,first_t,last_t,seconds,age,age_low,age_high,gender,female,emotion,p_angry,p_disgust,"
        "p_fear,p_happy,p_sad,p_surprise,p_neutral,quality,looks"
    )
    assert ",".join(header).startswith(promised)
    visits = [dict(zip(header, cells, strict=True)) for cells in rows]
    assert [(v["source"], v["id"], v["reason"], v["seconds"]) for v in visits] == [
        ("door", "1", "left", "0.12"),
        ("door", "2", "end", "0.12"),
    ]
    assert (visits[0]["age"], visits[0]["emotion"], visits[0]["female"], visits[0]["utc"]) == (
        "34.0",
        "happy",
        "",
        "",
    )


def test_a_visit_says_in_utc_when_it_began(tmp_path: Path) -> None:
    last = film()[-1]
    (event,) = last.events
    timed = replace(event.stamp, wall=1_700_000_000.2, time=0.2)
    event = Event(event.kind, timed, event.track, {**event.data, "first_t": 0.05})

    path = write(tmp_path / "v.csv", [replace(last, events=(event,))])

    (visit,) = csv.DictReader(path.read_text().splitlines())
    assert visit["utc"] == "2023-11-14T22:13:20.050Z"


def test_visits_and_looks_name_the_picture_in_their_last_column(tmp_path: Path) -> None:
    """Also one with a comma and a byte that is no UTF-8; and none in a film."""
    strange = os.fsdecode(b"a, \xe9.png")
    last = film()[-1]
    (event,) = last.events
    event = replace(event, stamp=replace(event.stamp, file=strange))
    looked = replace(last, looked=np.array([2]), looks=Estimates.none(1))
    still = replace(looked, stamp=event.stamp, events=(event,))

    visits = write(tmp_path / "v.csv", [still, last]).read_text(encoding="utf-8")
    looks = write(tmp_path / "x.looks.csv", [still, looked]).read_text(encoding="utf-8")

    for text in (visits, looks):
        header, *rows = csv.reader(text.splitlines())
        assert header[-1] == "file"
        assert [cells[-1] for cells in rows] == ["a, \\udce9.png", ""]


def test_mot_text_holds_seen_tracks_and_not_lost_or_ended_ones(tmp_path: Path) -> None:
    table = np.loadtxt(write(tmp_path / "m.txt", film()), delimiter=",")

    assert table[:, :2].astype(int).tolist() == [
        [1, 1], [2, 1], [3, 1], [3, 2], [4, 1], [4, 2], [5, 2], [6, 2]
    ]  # fmt: skip
    assert table[0].tolist() == pytest.approx([1, 1, 10, 20, 40, 50, 0.9, -1, -1, -1])


def test_mot_text_gives_a_predicted_box_its_last_score(tmp_path: Path) -> None:
    seen = tracks({1: BOX})
    predicted = replace(seen, faces=Faces.none(1), index=np.array([-1]))
    results = [Result(stamp(i), t.faces, t, evidence([1])) for i, t in enumerate([seen, predicted])]

    table = np.loadtxt(write(tmp_path / "m.txt", results), delimiter=",")

    assert table[:, 6].tolist() == pytest.approx([0.9, 0.9])


def test_mot_text_numbers_the_frames_of_a_source_that_begins_again_after_its_last_one(tmp_path: Path) -> None:
    table = np.loadtxt(write(tmp_path / "m.txt", [*film(), *film()]), delimiter=",")

    once = [1, 2, 3, 3, 4, 4, 5, 6]
    assert table[:, 0].astype(int).tolist() == [*once, *(frame + 6 for frame in once)]


def test_mot_text_holds_the_first_source_alone_and_says_so_once(tmp_path: Path, caplog) -> None:
    others = [replace(r, stamp=replace(r.stamp, source="till")) for r in film()]
    mixed = [r for pair in zip(film(), others, strict=True) for r in pair]

    path = write(tmp_path / "m.txt", [*mixed, *others])

    assert path.read_bytes() == write(tmp_path / "alone.txt", film()).read_bytes()
    assert caplog.text.count("'till' is left out") == 1


def test_nobody_seen_is_an_empty_mot_file(tmp_path: Path) -> None:
    nobody = Result(stamp(), Faces.none(), Tracks.none(), Evidence.none())

    assert write(tmp_path / "m.txt", [nobody]).read_bytes() == b""


def test_every_look_is_a_row_beside_the_belief(tmp_path: Path) -> None:
    looks = replace(
        Estimates.none(1),
        quality=np.array([0.5], np.float32),
        age=(np.eye(101)[[20]] / 2 + np.eye(101)[[30]] / 2).astype(np.float32),
    )
    known = evidence([4, 5], age=40.0)
    result = Result(stamp(3), Faces.none(), tracks({4: BOX, 5: BOX}), known, (), np.array([5]), looks)

    path = write(tmp_path / "x.looks.csv", [result])

    (row,) = csv.DictReader(path.read_text().splitlines())
    assert (row["source"], row["frame"], row["t"], row["id"]) == ("door", "3", "0.12", "5")
    assert (row["age"], row["age_std"], row["female"], row["quality"]) == ("25.0", "5.0", "", "0.5")
    assert (row["belief_age"], row["belief_gender"], row["belief_emotion"]) == ("40.0", "female", "happy")


@pytest.mark.parametrize("name", ["e.jsonl", "v.csv", "m.txt", "x.looks.csv"])
def test_the_same_results_give_the_same_bytes(tmp_path: Path, name: str) -> None:
    (tmp_path / "other").mkdir()

    first, second = write(tmp_path / name, film()), write(tmp_path / "other" / name, film())

    assert first.read_bytes() == second.read_bytes()


def test_names_in_any_script_and_of_any_bytes_are_written(tmp_path: Path) -> None:
    for name in ("문 앞", os.fsdecode(b"caf\xe9")):
        event = Event("source_started", Stamp(name, 0, 0.0, math.nan, (1, 1)), 0)
        result = Result(event.stamp, Faces.none(), Tracks.none(), Evidence.none(), (event,))

        path = write(tmp_path / "e.jsonl", [result], {name: SourceInfo(name, "video", name)})

        assert json.loads(path.read_text(encoding="utf-8"))["source"] == name


def test_dash_is_the_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    write("-", film())

    assert json.loads(capfd.readouterr().out.splitlines()[0])["event"] == "track_started"


@pytest.mark.skipif(os.name == "nt", reason="a Windows process has no descriptors to close")
def test_a_standard_output_that_is_closed_is_an_error_in_words() -> None:
    script = (
        "from core.errors import SinkError; from outputs.textfile import STDOUT, TextFile; import sys\n"
        "try: TextFile(STDOUT)\n"
        "except SinkError as error: print(error, file=sys.stderr)\n"
    )
    words = ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, script]

    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=True)

    assert done.stderr == "output -: there is no standard output, it is closed. Name a file.\n"


def test_a_reader_that_goes_away_is_told_from_a_failure() -> None:
    if not Path("/dev/fd").exists():
        pytest.skip("this system has no /dev/fd")
    reader, writer = os.pipe()
    os.close(reader)
    file = TextFile(Path(f"/dev/fd/{writer}"))

    with pytest.raises(ReaderGone, match="nobody reads it"):
        file.write("one\n", 0.0)

    file.close()
    os.close(writer)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
@pytest.mark.parametrize("ending", ["jsonl", "csv", "txt", "looks.csv", "json"])
def test_a_named_pipe_that_nobody_reads_is_an_error_in_words(
    tmp_path: Path, monkeypatch, ending: str
) -> None:
    monkeypatch.setattr(textfile, "_READER", 0.2)
    pipe = tmp_path / f"o.{ending}"
    os.mkfifo(pipe)

    with pytest.raises(SinkError, match="nobody reads this pipe; start its reader first"):
        write_summary(pipe, {}) if ending == "json" else write(pipe, film())

    assert pipe.is_fifo()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_the_reader_of_a_named_pipe_may_come_a_little_late_and_may_be_slow(tmp_path: Path) -> None:
    pipe, lines = tmp_path / "o.jsonl", f"{'x' * 99}\n" * 3000  # more than a pipe holds
    os.mkfifo(pipe)
    with ThreadPoolExecutor(2) as pool:
        opened = pool.submit(TextFile, pipe)
        assert not wait([opened], timeout=0.2).done
        with pipe.open() as reader:
            file = opened.result(timeout=PATIENCE)
            written = pool.submit(file.write, lines, 0.0)
            assert not wait([written], timeout=0.2).done
            text = reader.read(len(lines))
            written.result(timeout=PATIENCE)
        file.close()

    assert text == lines


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("ending", ["jsonl", "csv", "txt", "looks.csv"])
def test_a_full_disk_is_an_error_in_words(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"o.{ending}"
    path.symlink_to("/dev/full")

    with pytest.raises(SinkError, match=r"the disk is full: .* free"):
        write(path, film())


def test_a_full_disk_leaves_whole_lines_only(tmp_path: Path) -> None:
    """A limit on the file's size stands for the disk: both stop a write in the middle."""
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from outputs.textfile import TextFile; from core.errors import ReaderGone, SinkError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "file = TextFile(Path(sys.argv[1]))\n"
        "try:\n"
        "    for i in range(100): file.write('x' * 29 + '\\n' + 'y' * 29 + '\\n', float(i))\n"
        "except SinkError as error: print(error); file.close()\n"
    )
    pytest.importorskip("resource")

    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "o.txt")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )

    text = (tmp_path / "o.txt").read_text()
    assert os.strerror(errno.EFBIG) in done.stdout
    assert "What was seen up to 15.00 s is in it" in done.stdout
    assert len(text) == 990
    assert text.endswith("\n")


def test_the_summary_is_read_back_and_nan_is_null(tmp_path: Path) -> None:
    write_summary(tmp_path / "s.json", {"a": math.nan, "b": {"c": [1, math.inf, "문"]}, "d": (0.5,)})

    text = (tmp_path / "s.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=pytest.fail) == {
        "a": None,
        "b": {"c": [1, None, "문"]},
        "d": [0.5],
    }
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_a_summary_that_cannot_be_written_names_its_folder(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="nowhere"):
        write_summary(tmp_path / "nowhere" / "s.json", {})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_whoever_waits_at_a_named_pipe_gets_the_summary(tmp_path: Path) -> None:
    pipe = tmp_path / "s.json"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(pipe.read_text, encoding="utf-8")
        write_summary(pipe, {"a": 1})

    assert json.loads(reader.result(timeout=PATIENCE)) == {"a": 1}
    assert pipe.is_fifo()


def test_a_summary_goes_to_where_a_link_points(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "s.json").symlink_to(tmp_path / "far" / "real.json")

    write_summary(tmp_path / "s.json", {"a": 1})

    assert (tmp_path / "s.json").is_symlink()
    assert json.loads((tmp_path / "far" / "real.json").read_text()) == {"a": 1}
