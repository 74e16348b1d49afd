"""The program as a whole, as the contract describes it: real faces in, every output read back."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.portraits import every, portrait, write_film
from tests.program import run

pytestmark = pytest.mark.slow

ENDINGS = ("mp4", "jsonl", "csv", "txt")


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _of(rows: list[dict], event: str) -> list[dict]:
    return [row for row in rows if row["event"] == event]


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    return write_film(tmp_path_factory.mktemp("film") / "door.mp4", every(25, 3), sound=True)


@pytest.fixture(scope="module")
def alone(film: Path, tmp_path_factory) -> Path:
    """A folder with every output of one run over one film."""
    out = tmp_path_factory.mktemp("alone")
    words = [word for end in ENDINGS for word in ("-o", out / f"door.{end}")]
    done = run("-s", film, *words, "-o", out / "s.json", "--start", "2026-11-23T09:00:00Z", cwd=out)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return out


def test_one_face_is_one_person_from_its_first_row_to_its_last(alone: Path) -> None:
    rows = _rows(alone / "door.jsonl")

    kinds = [row["event"] for row in rows]
    assert kinds[:2] == ["source_started", "track_started"]
    assert kinds[-2:] == ["track_ended", "source_ended"]
    assert {row.get("id") for row in rows if "id" in row} == {1}
    assert [row["t"] for row in rows] == sorted(row["t"] for row in rows)
    ended = _of(rows, "track_ended")[0]
    assert (ended["reason"], ended["emotion"]) == ("end", "happy")
    assert ended["age_low"] <= 37 <= ended["age_high"]  # Eileen Collins was about that
    assert ended["frames_seen"] >= 70
    assert rows[0]["utc"] == "2026-11-23T09:00:00.000Z"


@pytest.mark.xfail(strict=True, reason="people says female with 0.65 only: docs/estimates.md")
def test_the_woman_in_the_space_suit_is_named_female(alone: Path) -> None:
    ended = _of(_rows(alone / "door.jsonl"), "track_ended")[0]

    assert ended["gender"] == "female"


def test_the_visits_agree_with_the_events(alone: Path) -> None:
    ended = _of(_rows(alone / "door.jsonl"), "track_ended")[0]

    with (alone / "door.csv").open(encoding="utf-8", newline="") as file:
        (visit,) = csv.DictReader(file)

    assert float(visit["seconds"]) == pytest.approx(ended["last_t"] - ended["first_t"], abs=1e-6)
    assert all(visit[key] == str(ended[key]) for key in ("source", "id", "gender", "emotion"))
    assert float(visit["age"]) == ended["age"]


def test_the_mot_rows_lie_on_the_face(alone: Path) -> None:
    rows = np.loadtxt(alone / "door.txt", delimiter=",", ndmin=2)

    assert rows[:, 0].astype(int).tolist() == list(range(1, 76))
    centre = rows[:, 2:4] + rows[:, 4:6] / 2
    assert np.ptp(centre[:, 1]) < 8  # the face moves level,
    assert centre[-1, 0] - centre[0, 0] == pytest.approx(60, abs=8)  # 20 px to the right a second


def test_the_video_has_every_frame_at_its_time_and_the_sound(alone: Path, film: Path) -> None:
    with av.open(str(alone / "door.mp4")) as made, av.open(str(film)) as given:
        times = [frame.time for frame in made.decode(video=0)]
        size = (made.streams.video[0].width, made.streams.video[0].height)
        assert size == (320, 240)
        assert made.streams.video[0].codec_context.name == "h264"
        assert times == pytest.approx([frame.time for frame in given.decode(video=0)], abs=1e-3)
    with av.open(str(alone / "door.mp4")) as made:
        assert sum(1 for _ in made.decode(audio=0)) > 40


def test_the_summary_counts_every_frame_and_names_every_network(alone: Path) -> None:
    found = json.loads((alone / "s.json").read_text(encoding="utf-8"))

    (source,) = found["sources"]
    assert source["frames_in"] == source["frames_out"] + sum(source["drops"].values()) == 75
    assert source["drops"].keys() == {"late", "queue", "stage", "stalled", "shed", "closed"}
    assert {m["role"] for m in found["models"]} == {"detector", "age", "gender", "emotion"}
    assert all(len(m["sha256"]) == 64 and m["licence"] for m in found["models"])
    assert found["provider"].endswith("ExecutionProvider")
    assert found["looks_run"] > 0
    assert found["exit_code"] == 0


def test_the_same_file_gives_the_same_bytes_alone_or_beside_another(
    alone: Path, film: Path, tmp_path
) -> None:
    other = write_film(tmp_path / "till.mp4", every(10, 4))
    out = tmp_path / "out"
    out.mkdir()
    words = [word for end in ENDINGS for word in ("-o", out / f"{{source}}.{end}")]

    done = run("-s", other, "-s", film, *words, "--start", "2026-11-23T09:00:00Z")

    assert done.returncode == 0, done.stderr
    for end in ENDINGS:
        assert (out / f"door.{end}").read_bytes() == (alone / f"door.{end}").read_bytes(), end
    assert (out / "till.jsonl").exists()


def test_a_row_a_frame_on_the_standard_output_and_nothing_else(film: Path) -> None:
    done = run("-s", film, "-o", "-", "--set", "events.interval=0", "--max-seconds", "1")

    rows = [json.loads(line) for line in done.stdout.splitlines()]
    tracked = [row for row in rows if row["event"].startswith("track") and row["event"] != "track_ended"]
    assert [row["frame"] for row in tracked] == list(range(25))
    assert "NaN" not in done.stdout


def test_part_of_a_film_keeps_its_times(film: Path, tmp_path: Path) -> None:
    done = run("-s", film, "-o", tmp_path / "e.jsonl", "--from", "1", "--to", "2")

    rows = _rows(tmp_path / "e.jsonl")
    assert done.returncode == 0
    assert rows[0]["t"] == pytest.approx(1.0, abs=0.041)
    assert rows[-1]["t"] == pytest.approx(2.0, abs=0.081)


def test_each_run_has_a_file_of_its_own_if_its_path_says_so(film: Path, tmp_path: Path) -> None:
    for second in range(2):
        looks = tmp_path / "looks-{began}.csv"
        done = run("-s", film, "-o", tmp_path / "visits-{began}.csv", "--every-look", looks)
        assert done.returncode == 0, done.stderr
        written = sorted(tmp_path.glob("visits-20??-??-??T??????.???Z.csv"))
        assert len(written) == second + 1
        assert len(list(tmp_path.glob("looks-20??-??-??T??????.???Z.csv"))) == second + 1

    assert [len(path.read_text().splitlines()) for path in written] == [2, 2]


@pytest.mark.skipif(sys.platform != "linux", reason="needs names of files that are any bytes")
def test_outputs_may_lie_in_a_folder_whose_name_is_no_utf_8(film: Path, tmp_path: Path) -> None:
    folder = tmp_path / "b\udcfcro"  # "büro" as ISO 8859-1 writes it
    folder.mkdir()

    done = run("-s", film, "-o", folder / "v.csv", "--every-look", folder / "looks.csv")

    assert done.returncode == 0, done.stderr
    assert len((folder / "v.csv").read_text().splitlines()) == 2
    assert len((folder / "looks.csv").read_text().splitlines()) > 2


def test_photographs_are_strangers_to_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.png", "b.jpg", "c.webp"):
        cv2.imwrite(str(folder / name), portrait(400, 300))

    done = run("-s", folder, "-o", tmp_path / "v.csv", "-o", tmp_path / "e.jsonl")

    assert done.returncode == 0, done.stderr
    started = _of(_rows(tmp_path / "e.jsonl"), "track_started")
    assert [(row["id"], row["frame"]) for row in started] == [(1, 0), (2, 1), (3, 2)]
    visits = list(csv.DictReader((tmp_path / "v.csv").read_text().splitlines()))
    assert (
        [visit["file"] for visit in visits]
        == [row["file"] for row in started]
        == ["a.png", "b.jpg", "c.webp"]
    )
    assert all(row["gender"] == "female" or row["looks"] > 0 for row in started)


def test_pictures_with_a_rate_are_a_film(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(10):
        cv2.imwrite(str(folder / f"{i}.png"), portrait(400, 300, shift=i))

    run("-s", folder, "-o", tmp_path / "e.jsonl", "--set", "capture.rate=10")

    assert len(_of(_rows(tmp_path / "e.jsonl"), "track_started")) == 1


def test_a_folder_of_films_is_read_in_turn_a_source_each(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    folder.mkdir()
    for name in ("one", "two"):
        write_film(folder / f"{name}.mp4", every(10, 1))

    done = run("-s", folder, "-o", tmp_path / "e.jsonl", "-o", tmp_path / "{source}.mp4")

    assert done.returncode == 0, done.stderr
    sources = [row["source"] for row in _rows(tmp_path / "e.jsonl")]
    assert sources == sorted(sources)
    assert set(sources) == {"one", "two"}
    assert (tmp_path / "one.mp4").exists()


def test_the_summary_leads_from_each_name_to_its_file(tmp_path: Path) -> None:
    folders = [tmp_path / "monday", tmp_path / "tuesday"]
    for folder in folders:
        folder.mkdir()
        write_film(folder / "clip.mp4", every(10, 0.5))

    run("-s", folders[0], "-s", folders[1], "-o", tmp_path / "s.json")

    found = {s["name"]: s["address"] for s in json.loads((tmp_path / "s.json").read_text())["sources"]}
    assert found == {"clip": str(folders[0] / "clip.mp4"), "clip_2": str(folders[1] / "clip.mp4")}


def test_looking_at_every_fifth_frame_keeps_the_person(film: Path, tmp_path: Path) -> None:
    run("-s", film, "-o", tmp_path / "e.jsonl", "-o", tmp_path / "m.txt", "--set", "detector.interval=0.2")

    rows = _rows(tmp_path / "e.jsonl")
    ended = _of(rows, "track_ended")
    assert len(ended) == 1
    assert ended[0]["frames_seen"] < 20
    frames = np.loadtxt(tmp_path / "m.txt", delimiter=",", ndmin=2)[:, 0]
    assert len(frames) > 65  # predicted between the looks


def test_blur_hides_every_face_in_the_video(film: Path, tmp_path: Path) -> None:
    plain, hidden = tmp_path / "plain.mp4", tmp_path / "hidden.mp4"

    run("-s", film, "-o", plain, "--max-seconds", "1")
    run("-s", film, "-o", hidden, "--max-seconds", "1", "--set", "privacy.blur=true")

    assert _found(plain, tmp_path) > 0
    assert _found(hidden, tmp_path) == 0


def test_blur_hides_also_the_faces_in_areas_that_are_ignored(film: Path, tmp_path: Path) -> None:
    settings, hidden = tmp_path / "window.yaml", tmp_path / "hidden.mp4"
    settings.write_text(f"sources: [{{address: '{film}', ignore: [[[0, 0], [1, 0], [1, 1], [0, 1]]]}}]")
    outputs = ("-o", hidden, "-o", tmp_path / "e.jsonl")

    run("--config", settings, *outputs, "--max-seconds", "1", "--set", "privacy.blur=true")

    assert _of(_rows(tmp_path / "e.jsonl"), "track_started") == []
    assert _found(hidden, tmp_path) == 0


def _found(video: Path, folder: Path) -> int:
    events = folder / f"{video.stem}.jsonl"
    done = run("-s", video, "-o", events)
    assert done.returncode == 0, done.stderr
    return len(_of(_rows(events), "track_started"))


def test_every_look_stands_beside_the_belief(film: Path, tmp_path: Path) -> None:
    run("-s", film, "-o", tmp_path / "s.json", "--every-look", tmp_path / "looks.csv")

    with (tmp_path / "looks.csv").open(encoding="utf-8", newline="") as file:
        looks = list(csv.DictReader(file))
    assert len(looks) == json.loads((tmp_path / "s.json").read_text())["looks_run"]
    assert {look["id"] for look in looks} == {"1"}
    assert all(0 <= float(look["female"]) <= 1 for look in looks)


def test_check_says_that_all_is_well_and_what_the_camera_sees(film: Path, tmp_path: Path) -> None:
    made = tmp_path / "{source}" / "o.mp4"  # its folder comes with the run

    done = run("-s", film, "-o", tmp_path / "o.mp4", "-o", made, "--check")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 face, " in done.stdout
    assert "BSD-3-Clause" in done.stdout
    assert done.stdout.count("GB free") == 2
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert not list(tmp_path.rglob("o.mp4"))


def test_check_puts_a_remedy_beside_each_fault(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "far.png"), cv2.resize(portrait(), (64, 48), interpolation=cv2.INTER_AREA))

    missing = run("-s", tmp_path / "no.mp4", "-o", tmp_path / "nowhere" / "o.csv", "--check")
    far = run("-s", tmp_path / "far.png", "--check")

    assert missing.returncode == 4
    assert "no such file" in missing.stdout
    assert "mkdir -p" in missing.stdout
    assert "output    output" not in missing.stdout
    assert missing.stderr.splitlines()[-1] == "error: mend what is marked FAULT, 2 in all."
    assert "age needs" in far.stdout


def test_an_emotion_that_is_switched_off_is_never_estimated(film: Path, tmp_path: Path) -> None:
    done = run(
        "-s", film, "-o", tmp_path / "e.jsonl", "--set", "estimators.emotion=none", "--max-seconds", "1"
    )

    rows = _of(_rows(tmp_path / "e.jsonl"), "track_ended")
    assert rows[0]["emotion"] is None
    assert rows[0]["p_happy"] is None
    assert rows[0]["age"] is not None
    assert "AI Act" not in done.stderr
