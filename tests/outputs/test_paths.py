"""Outputs by the ending of their path, and what is wrong with paths before anything is opened."""

from __future__ import annotations

import errno
import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ConfigError, SinkError
from core.settings import SinkConfig
from core.types import Event, Evidence, Faces, Result, SourceInfo, Stamp, Tracks
from outputs import REGISTRY, ending, open_sink
from outputs.fan import fill, safe
from outputs.paths import check_paths, set_aside, short_of_room
from outputs.textfile import STDOUT, failure


def sources(*names: str, path: Path | None = None) -> dict[str, SourceInfo]:
    return {name: SourceInfo(name, "video", name, path) for name in names}


def check(*paths: Path | str, among: dict[str, SourceInfo] | None = None) -> list[tuple[int, str]]:
    faults = check_paths([SinkConfig(path=str(path)) for path in paths], among or sources("door"))
    return [(fault.exit_code, str(fault)) for fault in faults]


def start_of(source: str, last: bool = False) -> Result:
    event = Event("source_started", Stamp(source, 0, 0.0, math.nan, (1, 1)), 0)
    return Result(event.stamp, Faces.none(), Tracks.none(), Evidence.none(), (event,), last=last)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.MP4", ".mp4"),
        ("a.b.csv", ".csv"),
        ("a.looks.csv", ".looks.csv"),
        ("x/s.json", ".json"),
        ("-", "-"),
    ],
)
def test_the_ending_of_a_path_names_the_output(path: str, kind: str) -> None:
    assert ending(path) == kind


@pytest.mark.parametrize("path", ["a.avi", "a", ".mp4", "folder/", "a.mp4.bak"])
def test_an_unknown_ending_is_answered_with_the_right_ones(path: str) -> None:
    with pytest.raises(ConfigError) as told:
        open_sink(SinkConfig(path=path), sources("door"))

    assert all(kind in str(told.value) for kind in REGISTRY)


def test_right_paths_have_no_fault_and_leave_no_file(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.mp4", "a.jsonl", "a.csv", "a.txt", "a.json", "{source}/b.csv")]

    assert check(*paths, "-") == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_touched_by_the_check(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("old")

    assert check(tmp_path / "a.jsonl") == []
    assert (tmp_path / "a.jsonl").read_text() == "old"


def test_all_faults_are_told_at_once_settings_first(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()

    faults = check(
        tmp_path / "no" / "a.csv", "a.avi", tmp_path / "folder.csv", tmp_path / "b.csv", tmp_path / "b.csv"
    )

    assert [code for code, _ in faults] == [2, 2, 6, 6]
    for (_, words), part in zip(
        faults, ["a.avi", "two outputs", "does not exist", "is a folder"], strict=True
    ):
        assert part in words


def test_two_spellings_of_a_path_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "sub")
    (tmp_path / "to-new.csv").symlink_to(tmp_path / "new.csv")
    (tmp_path / "there.csv").touch()
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "there.csv")

    for one, other in [
        ("a.csv", "./a.csv"),
        ("a.csv", str(tmp_path / "a.csv")),
        ("sub/../a.csv", "a.csv"),
        ("sub/a.csv", "link/a.csv"),
        ("new.csv", "to-new.csv"),
        ("there.csv", "hard.csv"),
        ("-", "-"),
    ]:
        ((code, words),) = check(one, other)
        assert code == 2, (one, other)
        assert str(Path(one)) in words
        assert str(Path(other)) in words


def test_two_sources_that_fill_one_path_are_kept_apart(tmp_path: Path) -> None:
    assert check(tmp_path / "{source}.csv", among=sources("a b", "a_b", "A b")) == []


def test_outputs_to_a_device_may_meet(tmp_path: Path) -> None:
    if not Path("/dev/null").exists():
        pytest.skip("no /dev/null")
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).symlink_to("/dev/null")

    assert check(tmp_path / "a.csv", tmp_path / "b.csv") == []


@pytest.mark.parametrize("spelling", ["film.mp4", "link.mp4", "sub/../film.mp4"])
def test_the_input_is_no_output(tmp_path: Path, spelling: str) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    (tmp_path / "link.mp4").symlink_to(film)
    (tmp_path / "sub").mkdir()

    ((code, words),) = check(tmp_path / spelling, among=sources("film", path=film))

    assert code == 2
    assert "source 'film' reads" in words


@pytest.mark.skipif(os.name == "nt", reason="no permissions to take away")
def test_a_folder_or_file_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (tmp_path / "old.csv").touch(0o400)
    (tmp_path / "locked").mkdir(0o500)

    faults = check(tmp_path / "old.csv", tmp_path / "locked" / "a.csv")

    assert [code for code, _ in faults] == [6, 6]


def test_a_path_that_only_the_system_refuses_is_told() -> None:
    if not Path("/proc/version").exists():
        pytest.skip("no /proc")

    ((code, words),) = check("/proc/a.csv")

    assert code == 6
    assert "/proc" in words


def test_a_name_that_is_too_long_is_told(tmp_path: Path) -> None:
    ((code, words),) = check(tmp_path / f"{'x' * 300}.csv")

    assert code == 6
    assert os.strerror(errno.ENAMETOOLONG) in words


@pytest.mark.parametrize("kind", [".mp4", ".mkv", ".txt"])
def test_what_cannot_tell_sources_apart_needs_their_place_in_the_path(tmp_path: Path, kind: str) -> None:
    ((code, words),) = check(tmp_path / f"a{kind}", among=sources("door", "till"))

    assert code == 2
    assert str(tmp_path / f"a-{{source}}{kind}") in words
    assert check(tmp_path / f"a-{{source}}{kind}", among=sources("door", "till")) == []
    assert check(tmp_path / f"a{kind}") == []


def test_tables_with_a_column_for_the_source_are_shared(tmp_path: Path) -> None:
    among = sources("door", "till")
    sink = open_sink(SinkConfig(path=str(tmp_path / "a.jsonl")), among)

    for name in among:
        sink.write(start_of(name), None)
    sink.close()

    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 2


def test_each_source_gets_its_file_from_its_first_result_to_its_last(tmp_path: Path) -> None:
    sink = open_sink(
        SinkConfig(path=str(tmp_path / "{source}" / "a.jsonl")), sources("door", "till", "never")
    )
    sink.write(start_of("door"), None)
    sink.write(start_of("till"), None)
    sink.write(start_of("door", last=True), None)
    sink.close()

    assert sink.wants == "data"
    assert {p.parent.name: len(p.read_text().splitlines()) for p in tmp_path.rglob("*.jsonl")} == {
        "door": 2,
        "till": 1,
    }


def test_a_text_file_that_cannot_be_made_fails_when_it_is_opened(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"the folder '.*no' does not exist"):
        open_sink(SinkConfig(path=str(tmp_path / "no" / "a.csv")), sources("door"))


def test_a_full_disk_behind_the_standard_output_is_not_told_the_room_of_another() -> None:
    error = OSError(errno.ENOSPC, "No space left on device")

    assert "MB" in str(failure(Path("a.csv"), error))
    assert str(failure(STDOUT, error)).startswith("output -: the disk is full. Make room")


@pytest.mark.skipif(os.name == "nt", reason="no such locks")
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt"])
def test_a_file_that_another_run_writes_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    first = open_sink(SinkConfig(path=str(path)), sources("door"))
    path.write_text("rows of the first run")  # as if it had written them

    [(code, words)] = check(path)
    with pytest.raises(SinkError, match="another run writes this file"):
        open_sink(SinkConfig(path=str(path)), sources("door"))

    assert (code, "another run writes this file" in words) == (6, True)
    assert path.read_text() == "rows of the first run"
    first.close()
    assert check(path) == []


def test_little_room_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outputs.paths._ROOM_TEXT", math.inf)

    (words,) = short_of_room([SinkConfig(path=str(tmp_path / "a.csv"))], sources("door"))

    assert "MB are free" in words


@given(st.lists(st.text(min_size=1, max_size=300), unique=True, max_size=6))
def test_any_names_give_different_files_in_the_folder_itself(names: list[str]) -> None:
    paths = fill("folder/{source}.mp4", names)

    assert len({str(path).casefold() for path in paths.values()}) == len(names)
    for path in paths.values():
        assert path.parent == Path("folder")
        assert not path.name.startswith(".")
        assert len(path.name.encode("utf-8", "surrogateescape")) <= 255


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("visits-{begun}.csv", "Did you mean {began}?"),
        ("{Source}/a.csv", "Did you mean {source}?"),
        ("{}.csv", "There are: {source}"),
        ("rtsp://me:{a}@server/{sources}?b={c}", "in the place of {sources}. Did you mean {source}?"),
        ("rtsp://server/{sources}", "in the place of {sources}. Did you mean {source}?"),
    ],
)
def test_a_place_that_nothing_is_put_in_is_refused_with_the_right_ones(path: str, near: str) -> None:
    ((code, words),) = check(path)

    assert code == 2
    assert near in words
    assert "{source}" in words
    assert "{began}" in words


@pytest.mark.parametrize(
    "path", ["{source}-{began}.csv", "mqtt://me:{a}@server/shop", "webhook+http://h/{a}"]
)
def test_right_places_and_braces_of_addresses_are_left_alone(path: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert check(path) == []


def test_a_safe_name_is_its_own_safe_name() -> None:
    for name in ("door", "문_앞", "camera-1.left"):
        assert safe(name) == name


@pytest.mark.parametrize("name", ["a.csv", "a.looks.csv"])
def test_a_start_that_saw_nobody_leaves_no_further_table_of_nothing(tmp_path: Path, name: str) -> None:
    sink = SinkConfig(path=str(tmp_path / name))
    camera = {"door": SourceInfo("door", "network", "door", live=True)}

    for _ in range(2):
        set_aside([sink], camera, lambda: True)
        open_sink(sink, camera).close()
    nothing = [path.name for path in tmp_path.iterdir()]
    with (tmp_path / name).open("a") as file:
        file.write("a visit\n")
    set_aside([sink], camera, lambda: True)

    assert nothing == [name]
    [kept] = tmp_path.iterdir()
    assert "-until-" in kept.name


def _earlier(folder: Path) -> list[SinkConfig]:
    """Outputs of which three files are there, one of them empty, last changed at a known time."""
    names = ("door.csv", "door.looks.csv", "empty.jsonl")
    for name in names:
        (folder / name).write_text("" if name.startswith("empty") else "what was seen")
        os.utime(folder / name, (1_700_000_000.25, 1_700_000_000.25))
    paths = ["{source}.csv", *names[1:], "new.txt"]
    return [SinkConfig(path="-"), *(SinkConfig(path=str(folder / path)) for path in paths)]


def test_what_an_earlier_run_saw_by_a_camera_is_kept_under_another_name(tmp_path: Path) -> None:
    among = {"door": SourceInfo("door", "network", "door", live=True), **sources("film")}

    set_aside(_earlier(tmp_path), among, lambda: True)

    moment = "until-2023-11-14T221320.250Z.csv"
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    saw = "what was seen"
    assert written == {f"door-{moment}": saw, f"door.looks-{moment}": saw, "empty.jsonl": ""}


@pytest.mark.parametrize("live", [True, False])
def test_a_source_that_comes_later_or_again_has_a_file_too_and_a_camera_s_is_kept(tmp_path, live) -> None:
    among = sources("a b")
    sink = open_sink(SinkConfig(path=str(tmp_path / "{source}.jsonl")), among)
    among["a?b"] = SourceInfo("a?b", "network" if live else "video", "a?b", live=live)

    for _ in range(2):
        sink.write(start_of("a?b"), None)
        sink.write(start_of("a?b", last=True), None)
    sink.close()

    written = sorted(path.name for path in tmp_path.iterdir())
    assert written[-1] == "a_b-2.jsonl"
    assert [name.startswith("a_b-2-until-") for name in written] == [True] * live + [False]


def test_what_was_made_of_a_film_is_left_to_be_made_again(tmp_path: Path) -> None:
    set_aside(_earlier(tmp_path), sources("door"), lambda: True)

    assert (tmp_path / "door.csv").read_text() == "what was seen"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may rename everything")
def test_a_file_that_cannot_be_kept_is_not_overwritten(tmp_path: Path) -> None:
    camera = {"door": SourceInfo("door", "network", "door", live=True)}
    sinks = _earlier(tmp_path)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(SinkError, match="no permission"):
            set_aside(sinks, camera, lambda: True)
    finally:
        tmp_path.chmod(0o700)
