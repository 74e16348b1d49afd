import argparse
import json
import os

import numpy as np
import pytest

from evaluation.__main__ import main
from evaluation.scores import count, figures
from evaluation.sequence import Sequence, bare
from evaluation.simulate import simulate
from evaluation.track import WAYS, arguments
from tests.mots import detections, walk, write_sequence

TWO = walk(1, 20) + walk(1, 20, person=2, x=300)


def _main(*words):
    return main(["track", *map(str, words)])


def _rows(path):
    return np.loadtxt(path, delimiter=",", ndmin=2)


def _summary(folder):
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


# Sequences with truth


def test_perfect_detections_are_tracked_perfectly(tmp_path, capsys):
    # Two looks confirm a track, one look of a high score does, too.
    write_sequence(tmp_path / "SET" / "one", TWO)

    assert _main("--data", tmp_path, "--out", tmp_path / "out") == 0

    summary = _summary(tmp_path / "out")
    assert (summary["task"], summary["n"], summary["missed"]) == ("track", 40, 0)
    values = {name: figure["value"] for name, figure in summary["metrics"].items()}
    assert values["hota"] > 90  # boxes are filtered, so not quite those of the truth
    assert (values["idf1"], values["mota"], values["idsw"]) == (100, 100, 0)
    assert summary["by_group"]["SET/one"]["idf1"] == {"value": 100, "low": None, "high": None}
    taken = {"set": "SET", "preset": "faces", "detector": "face", "benchmark": "plain"}
    assert summary["models"][0] == {"role": "tracker", "id": "sort"} | taken
    assert "HOTA" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    tracks = _rows(tmp_path / "out" / "tracks" / "ours" / "SET" / "one.txt")
    assert tracks[:, 0].tolist() == sorted([*range(1, 21)] * 2)
    assert tracks.shape[1] == 10
    assert all(len(line) <= 80 for line in capsys.readouterr().out.splitlines())


def test_a_terminal_sees_how_far_the_sequences_are(tmp_path, capsys, monkeypatch):
    write_sequence(tmp_path / "SET" / "one", TWO)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)

    assert _main("--data", tmp_path) == 0

    assert "track: " in capsys.readouterr().err


def _scored(truth, tracks, benchmark="plain", frames=4, **more):
    """Figures of tracks against a truth; rows of frame from 0, id, x1."""
    boxes = np.float64([[frame, person, x, 0, x + 10, 10] for frame, person, x in truth])
    marks = np.column_stack(
        [np.ones(len(boxes)), more.get("classes", np.ones(len(boxes))), np.ones(len(boxes))]
    )
    nothing = tuple(bare(np.zeros((0, 4)), np.zeros(0)) for _ in range(frames))
    sequence = Sequence(
        "SET", "one", 10, (640, 480), np.arange(frames) / 10, nothing, frozenset(), np.hstack([boxes, marks])
    )
    rows = np.float64([[frame, person, x, 0, x + 10, 10, 1] for frame, person, x in tracks])
    return {name: figure.value for name, figure in figures([count(sequence, rows, benchmark)]).items()}


PAIR = [(frame, person, 100 * person) for frame in range(4) for person in (1, 2)]


def test_tracks_that_are_the_truth_score_100():
    assert _scored(PAIR, PAIR) == {
        "hota": 100, "deta": 100, "assa": 100, "idf1": 100, "mota": 100, "idsw": 0
    }  # fmt: skip


def test_two_who_swap_ids_half_way_score_as_worked_by_hand():
    swapped = [(frame, person if frame < 2 else 3 - person, x) for frame, person, x in PAIR]

    scored = _scored(PAIR, swapped)

    # Every box is found. Each of two ids switches once: MOTA = 1 - 2 / 8. The best pairing of ids is right
    # for 4 of 8 boxes. Of a box, 2 others share both ids with it, 4 only one: 2 / (2 + 2 + 2) = 1/3.
    assert scored["idsw"] == 2
    assert scored["mota"] == pytest.approx(75)
    assert scored["idf1"] == pytest.approx(50)
    assert scored["assa"] == pytest.approx(100 / 3)
    assert scored["hota"] == pytest.approx(100 / 3**0.5)


def test_a_track_of_a_statue_costs_nothing_by_the_rules_of_mot17_alone():
    statue = [(frame, 3, 300) for frame in range(4)]
    classes = np.array([1] * len(PAIR) + [7] * 4)

    assert _scored(PAIR + statue, PAIR + statue, "MOT17", classes=classes)["mota"] == 100
    assert _scored(PAIR + statue, PAIR, "MOT17", classes=classes)["mota"] == 100
    for other in ("MOT15", "plain"):
        assert _scored(PAIR + statue, PAIR, other, classes=classes)["mota"] == pytest.approx(100 * 8 / 12)


def _models(tmp_path, *words):
    assert _main("--data", tmp_path / "data", *words, "--out", tmp_path / "out") == 0
    own = [model for model in _summary(tmp_path / "out")["models"] if model["role"] == "tracker"]
    return {model["set"]: [model[name] for name in ("preset", "detector", "benchmark")] for model in own}


def test_a_sequence_is_tracked_and_scored_by_its_own_set_wherever_it_lies(tmp_path, capsys):
    for name in ("mixed/MOT17-09", "mixed/dancetrack0004", "mixed/asw-1", "MOT15/Venice-2"):
        write_sequence(tmp_path / "data" / name, TWO)

    models = _models(tmp_path)

    assert models == {
        "ASW": ["faces", "face", "plain"],
        "DanceTrack": ["people", "yolox", "plain"],
        "MOT15": ["people", "frcnn", "MOT15"],
        "MOT17": ["people", "yolox", "MOT17"],
    }
    assert capsys.readouterr().err == ""


def test_what_was_taken_for_a_set_that_is_not_known_is_said_once(tmp_path, caplog):
    for name in ("mine/one", "mine/two", "MOT17/MOT17-09"):
        write_sequence(tmp_path / "data" / name, TWO)

    assert _models(tmp_path, "--peer", "sort-published")["mine"] == ["faces", "face", "plain"]

    (said,) = caplog.messages
    assert "'mine'" in said
    assert "--preset faces --detector face --benchmark plain" in said


def test_a_set_that_is_not_known_can_be_scored_by_the_rules_of_one_that_is(tmp_path, caplog):
    place = write_sequence(tmp_path / "data" / "mine" / "one", TWO + walk(1, 20, person=3, x=500), found=TWO)
    gt = place / "gt" / "gt.txt"
    lines = gt.read_text().splitlines()
    gt.write_text("\n".join(x.replace(",1,1,1", ",1,7,1") if x.split(",")[1] == "3" else x for x in lines))

    def mota(benchmark):
        words = ["--preset", "faces", "--detector", "face", "--benchmark", benchmark]
        assert _models(tmp_path, *words) == {"mine": ["faces", "face", benchmark]}
        return _summary(tmp_path / "out")["metrics"]["mota"]["value"]

    assert mota("MOT17") == 100  # the third is of another class than people
    assert mota("plain") == mota("MOT15") == pytest.approx(100 * 2 / 3)
    assert caplog.messages == []  # nothing was guessed


def test_no_track_at_all_scores_nothing(tmp_path):
    write_sequence(tmp_path / "SET" / "one", TWO, found=[(1, -1, 0, 0, 0, 0)])

    assert _main("--data", tmp_path, "--out", tmp_path / "out") == 0

    summary = _summary(tmp_path / "out")
    assert summary["missed"] == summary["n"] == 40
    assert summary["metrics"]["hota"]["value"] == 0


def test_a_hint_of_a_cut_ends_the_tracks(tmp_path):
    # The second face stands where the first was.
    write_sequence(tmp_path / "SET" / "one", walk(1, 10, speed=0) + walk(11, 20, 2, speed=0), cuts=[11])

    def switches(*words):
        assert _main("--data", tmp_path, *words, "--out", tmp_path / "out") == 0
        return _summary(tmp_path / "out")["metrics"]["idf1"]["value"]

    assert switches() == 100
    assert switches("--no-hints") == pytest.approx(50)


def test_several_sets_have_figures_of_their_own_and_their_mean(tmp_path):
    write_sequence(tmp_path / "A" / "a1", TWO)
    write_sequence(tmp_path / "B" / "b1", TWO, found=walk(1, 20))

    assert _main("--data", tmp_path, "--drop", 2, "--out", tmp_path / "out") == 0

    summary = _summary(tmp_path / "out")
    assert [summary["by_group"][name]["mota"]["value"] for name in ("A@2", "B@2")] == [100, 50]
    assert summary["metrics"]["mota"] == {"value": 75, "low": None, "high": None}
    assert (tmp_path / "out" / "tracks" / "ours" / "B@2" / "b1.txt").exists()


def test_made_up_sequences_are_tracked_alone_and_each_once(tmp_path):
    assert _main("--simulate", "--seeds", "0,2-3,3", "--fps", "5,5.0", "--out", tmp_path) == 0

    summary = _summary(tmp_path)
    assert {"SIM5", "SIM5/sim-0", "SIM5/sim-2", "SIM5/sim-3"} == set(summary["by_group"])
    assert summary["n"] == sum(len(simulate(seed, 5).truth) for seed in (0, 2, 3))
    hota = summary["metrics"]["hota"]
    assert 50 < hota["low"] < hota["value"] < hota["high"] < 95


def test_sort_as_published_is_measured_beside_ours(tmp_path, capsys):
    write_sequence(tmp_path / "SET" / "one", TWO)

    assert _main("--data", tmp_path, "--peer", "sort-published", "--out", tmp_path / "out") == 0

    summary = _summary(tmp_path / "out")
    assert summary["metrics"]["sort-published_idf1"]["value"] == 100
    assert "sort-published" in capsys.readouterr().out
    assert (tmp_path / "out" / "tracks" / "sort-published" / "SET" / "one.txt").exists()


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("supervision-bytetrack", "supervision"),
        ("trackers-sort", "trackers"),
        ("trackers-bytetrack", "trackers"),
        ("trackers-ocsort", "trackers"),
        ("trackers-botsort", "trackers"),
        ("trackers-cbiou", "trackers"),
        ("norfair", "norfair"),
        ("motpy", "motpy"),
    ],
)
def test_another_tracker_follows_two_who_walk_and_begins_anew_at_a_cut(name, package, tmp_path):
    pytest.importorskip(package, reason=f"{package} is not installed: requirements/peers.txt")
    write_sequence(tmp_path / "SET" / "one", TWO, cuts=[11])

    assert _main("--data", tmp_path, "--peer", name, "--out", tmp_path / "out") == 0

    tracks = _rows(tmp_path / "out" / "tracks" / name / "SET" / "one.txt")
    before, after = (set(tracks[rows, 1]) for rows in (tracks[:, 0] < 11, tracks[:, 0] >= 11))
    assert len(before) == len(after) == 2
    assert not before & after


# One sequence without


@pytest.fixture
def found(tmp_path):
    path = tmp_path / "det.txt"
    path.write_text(detections(TWO))
    return path


def _file(found, *words, boxes="ltwh", frames=20):
    return _main("--detections", found, "--boxes", boxes, "--size", "640x480", "--frames", frames, *words)


def test_tracks_are_written_as_motchallenge_text(found, tmp_path):
    assert _file(found, "--fps", 10, "--out", tmp_path / "out.txt") == 0

    lines = [line.split(",") for line in (tmp_path / "out.txt").read_text().splitlines()]
    assert {len(line) for line in lines} == {10}
    assert {tuple(line[7:]) for line in lines} == {("-1", "-1", "-1")}
    rows = _rows(tmp_path / "out.txt")
    assert rows[:, 0].tolist() == sorted([*range(1, 21)] * 2)
    assert set(rows[:, 1]) == {1, 2}
    first = rows[rows[:, 1] == 1]
    assert first[-1, 2:6].tolist() == pytest.approx([50, 20, 30, 40], abs=1)
    assert first[:, 6].tolist() == pytest.approx([0.95] * 20)


def test_what_is_read_is_not_overwritten_by_the_tracks(found, tmp_path, capsys):
    times = tmp_path / "times.txt"
    times.write_text("".join(f"{frame / 10}\n" for frame in range(20)))
    before = found.read_text(), times.read_text()

    for out in (found, times):
        assert _file(found, "--times", times, "--out", out) == 2
        assert capsys.readouterr().err.startswith(f"error: --out {out}: this file is read")

    assert (found.read_text(), times.read_text()) == before


def test_boxes_can_be_two_corners(found, tmp_path):
    corners = tmp_path / "corners.txt"
    corners.write_text(detections([(f, i, x, y, x + w, y + h) for f, i, x, y, w, h in TWO]))

    for name, path in (("ltwh", found), ("xyxy", corners)):
        assert _file(path, "--fps", 10, "--out", tmp_path / f"{name}.out", boxes=name) == 0

    assert (tmp_path / "ltwh.out").read_text() == (tmp_path / "xyxy.out").read_text()


def test_the_tracker_may_see_every_third_frame_only(found, tmp_path):
    assert _file(found, "--fps", 10, "--every", 3, "--out", tmp_path / "out.txt") == 0
    thinned = tmp_path / "thinned.txt"
    thinned.write_text(detections([row for row in TWO if row[0] % 3 == 1]))
    assert _file(thinned, "--fps", 10, "--every", 3, "--out", tmp_path / "same.txt") == 0

    rows = _rows(tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text() == (tmp_path / "same.txt").read_text()
    assert set(range(4, 21)) <= set(rows[:, 0].astype(int))  # predicted between the looks
    assert set(rows[:, 1]) == {1, 2}
    last = rows[(rows[:, 0] == 20) & (rows[:, 1] == 1)][0]
    assert last[2] == pytest.approx(50, abs=3)


def test_times_and_cuts_are_told_to_the_tracker(tmp_path):
    found, times = tmp_path / "det.txt", tmp_path / "times.txt"
    found.write_text(detections(walk(1, 20, speed=0)))
    # Five seconds pass before frame 11.
    times.write_text("".join(f"{frame / 10 + (5 if frame >= 10 else 0)}\n" for frame in range(20)))

    def ids(*words):
        assert _file(found, *words, "--out", tmp_path / "out.txt") == 0
        return sorted(set(_rows(tmp_path / "out.txt")[:, 1]))

    assert ids("--fps", 10) == [1]
    assert ids("--times", times) == [1, 2]
    assert ids("--fps", 10, "--cuts", "6,11") == [1, 2, 3]


def test_sort_as_published_is_written_in_full_and_in_its_own_order(found, tmp_path):
    rules = "max_age=1,min_hits=3,iou=0.3"

    assert _file(found, "--fps", 10, "--compatibility", rules, "--out", tmp_path / "out.txt") == 0

    lines = (tmp_path / "out.txt").read_text().splitlines()
    assert lines[:2] == ["1,302,20,332,60,2", "1,12,20,42,60,1"]  # newest first
    assert len(lines) == 40
    rows = _rows(tmp_path / "out.txt")
    assert all(f"{value:.17g}" in line for line, row in zip(lines, rows, strict=True) for value in row)


def test_rows_that_are_numbers_but_no_boxes_are_passed_over(found, tmp_path):
    assert _file(found, "--fps", 10, "--out", tmp_path / "plain.txt") == 0
    odd = "3,-1,nan,20,30,40,0.9\n3,-1,10,20,inf,40,0.9\n4,-1,10,20,-30,40,0.9\n5,-1,10,20,0,0,0.9\n"
    odd += "6,-1,200,20,30,40,nan\n7,-1,200,20,30,40,inf\n8,-1,1e308,20,1e308,40,0.9\n"
    found.write_text(odd + found.read_text())

    assert _file(found, "--fps", 10, "--out", tmp_path / "odd.txt") == 0

    assert (tmp_path / "odd.txt").read_text() == (tmp_path / "plain.txt").read_text()


def test_a_score_beyond_1_counts_as_1(found, tmp_path):
    for name, score in (("one", 1), ("more", 1e39)):
        found.write_text(detections(TWO, score))
        assert _file(found, "--fps", 10, "--out", tmp_path / name) == 0

    assert _rows(tmp_path / "more")[:, 6].max() == 1
    assert (tmp_path / "one").read_text() == (tmp_path / "more").read_text()


def test_a_file_may_begin_with_a_byte_order_mark(found, tmp_path):
    times = tmp_path / "times.txt"
    times.write_text("".join(f"{frame / 10}\n" for frame in range(20)))
    assert _file(found, "--times", times, "--out", tmp_path / "plain.txt") == 0
    for path in (found, times):
        path.write_text(path.read_text(), encoding="utf-8-sig")

    assert _file(found, "--times", times, "--out", tmp_path / "marked.txt") == 0

    assert (tmp_path / "marked.txt").read_text() == (tmp_path / "plain.txt").read_text()


def test_what_sort_as_published_does_not_know_is_said(found, tmp_path, caplog):
    words = ["--compatibility", "", "--cuts", "11", "--preset", "people", "--detector", "yolox"]

    assert _file(found, "--fps", 10, *words, "--out", tmp_path / "out.txt") == 0

    assert [said.split()[0] for said in caplog.messages] == ["--preset", "--detector", "--cuts"]


# Options

EVERYWHERE = {"preset", "detector", "every", "out"}
WAY = {"data": ["--data", "."], "simulate": ["--simulate"], "detections": ["--detections", "det.txt"]}
GIVEN = {
    "sequences": ["--sequences", ""], "benchmark": ["--benchmark", "plain"], "drop": ["--drop", "1"],
    "irregular": ["--irregular", "0"], "clock": ["--clock", "real"], "hints": ["--no-hints"],
    "peer": ["--peer", "motpy"], "jobs": ["--jobs", "1"], "seeds": ["--seeds", "0-9"], "fps": ["--fps", "5"],
    "boxes": ["--boxes", "ltwh"], "size": ["--size", "640x480"], "frames": ["--frames", "1"],
    "times": ["--times", "t.txt"], "cuts": ["--cuts", ""], "compatibility": ["--compatibility", ""],
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", GIVEN)
def test_an_option_is_used_or_refused(way, name, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("evaluation.track.measure", lambda options: None)
    monkeypatch.setattr("evaluation.track.track_file", lambda options: None)

    code = _main(*WAY[way], *GIVEN[name])

    said = capsys.readouterr().err
    if name in WAYS[way]:
        assert (code, said) == (0, "")
    else:
        assert (code, said) == (2, f"error: track: {GIVEN[name][0]} does not go with --{way}.\n")


def test_each_option_belongs_to_one_way_or_to_all():
    parser = argparse.ArgumentParser(add_help=False)
    arguments(parser)

    names = {action.dest for action in parser._actions}
    assert names == EVERYWHERE | set(WAYS) | set(GIVEN)
    assert {name for own in WAYS.values() for name in own} == set(GIVEN)
    assert all(parser.get_default(name) is None for name in [*WAYS, *GIVEN])


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ([], 2, "give --data, --simulate or --detections, one of them"),
        (["--data", ".", "--simulate"], 2, "one of them"),
        (["--data", "."], 2, "expected seqinfo.ini"),
        (["--data", ".", "--cuts", "3"], 2, "--cuts does not go with --data"),
        (["--data", "nowhere"], 2, "there is no such folder"),
        (["--simulate", "--fps", "25"], 2, "divides 60"),
        (["--simulate", "--fps", "x"], 2, "--fps x"),
        (["--simulate", "--fps", "1e-320"], 2, "divides 60"),
        (["--simulate", "--seeds", "a-b"], 2, "--seeds a-b"),
        (["--simulate", "--seeds", "9-0"], 2, "--seeds 9-0"),
        (["--simulate", "--seeds", ""], 2, "--seeds : expected numbers"),
        (["--simulate", "--peer", "norfar"], 2, "Did you mean 'norfair'"),
        (["--simulate", "--peer", "norfair", "--every", "2"], 2, "leave out --peer or --every"),
        (["--detections", "det.txt"], 2, "give --boxes"),
        (["--detections", "det.txt", "--peer", "motpy"], 2, "--peer does not go with --detections"),
    ],
)
def test_a_wrong_request_is_an_error_of_one_line(words, code, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert _main(*words) == code

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert sentence in line


@pytest.mark.parametrize(
    ("words", "text", "sentence"),
    [
        (["--fps", "10", "--times", "t.txt"], None, "either --fps or --times"),
        (["--fps", "0"], None, "--fps 0: expected frames a second"),
        (["--fps", "1e-320"], None, "--fps 1e-320: expected frames a second, 0.001 to 10000"),
        (["--fps", "10", "--frames", "1" + "0" * 12], None, "--frames 1000000000000: expected 10000000 or"),
        (["--fps", "10", "--size", "9" * 5000 + "x1"], None, "99: expected WIDTHxHEIGHT"),
        (["--fps", "10", "--cuts", "9" * 5000], None, "expected frames from 1 to 20"),
        (["--fps", "10", "--size", "640"], None, "expected WIDTHxHEIGHT"),
        (["--fps", "10", "--cuts", "21"], None, "expected frames from 1 to 20"),
        (["--fps", "10"], "1,-1,a,2,3,4,1\n", "det.txt, line 1: expected 7 or more numbers"),
        (["--fps", "10"], "21,-1,1,2,3,4,1\n", "det.txt, line 1: expected a frame from 1 to 20"),
        (["--times", "t.txt"], None, "t.txt: cannot be read"),
        (["--times", "det.txt"], "0\n1\n0.5\n", "det.txt, line 3: expected seconds, not before the last"),
        (["--times", "det.txt"], "0\n1e300\n", "det.txt, line 2: expected seconds"),
        (["--times", "det.txt"], "0\n1\n", "expected the times of 20 frames, a line each, found 2"),
        (["--fps", "10", "--compatibility", "max_age=x"], None, "got 'max_age=x'"),
        (["--fps", "10", "--compatibility", "age=1"], None, "got 'age=1'"),
        (
            ["--fps", "10", "--compatibility", "max_age=200000"],
            None,
            "less than or equal to 100000, got 'max_age=",
        ),
        (["--fps", "10", "--compatibility", "iou=1.5"], None, "less than or equal to 1, got 'iou=1.5'"),
        (["--fps", "10", "--compatibility", "iou=nan"], None, "got 'iou=nan'"),
        (["--fps", "10", "--compatibility", "iou=0.1,iou=0.2"], None, "got 'iou=0.2'"),
        (["--fps", "10", "--compatibility", "", "--every", "2"], None, "leave out --every"),
    ],
)
def test_a_wrong_file_or_option_is_named(found, words, text, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        found.write_text(text)
    detections = tmp_path / "empty.txt" if "--times" in words else found
    (tmp_path / "empty.txt").write_text("")

    assert _file(detections, "--out", "out.txt", *words) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert sentence in line


@pytest.mark.slow
@pytest.mark.skipif("STREAM_DATA" not in os.environ, reason="STREAM_DATA names no folder of data sets")
def test_public_sequences_are_read_from_their_archives(tmp_path):
    words = ["--sequences", "TARA,MOT17:1,ASW5:3", "--out", tmp_path]

    assert _main("--data", os.environ["STREAM_DATA"], *words) == 0

    groups = _summary(tmp_path)["by_group"]
    assert groups["ASW5"]["hota"]["value"] > 65
    assert groups["MOT17"]["hota"]["value"] > 35
