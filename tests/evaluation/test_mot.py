import tarfile
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigError, SourceError
from evaluation.mot import read_mot
from evaluation.sequence import BOX, FRAME, drop, thin
from tests.mots import walk, write_sequence

INFO = "[Sequence]\nframeRate={}\nseqLength=2\nimWidth=640\nimHeight=480\n"


def test_a_sequence_is_read_as_it_was_written(tmp_path):
    write_sequence(tmp_path / "SET" / "one", walk(1, 3, speed=1), fps=10, cuts=(3,))

    (one,) = read_mot(tmp_path)

    assert (one.group, one.name, one.fps, one.size) == ("SET", "one", 10, (640, 480))
    assert one.times.tolist() == [0, 0.1, 0.2]
    assert one.cuts == {2}
    assert one.detections[2].boxes.tolist() == [[13, 20, 43, 60]]
    assert one.truth[2, BOX].tolist() == [13, 20, 43, 60]


def test_a_sequence_a_set_a_folder_of_sets_and_an_archive_are_read_alike(tmp_path):
    place = tmp_path / "data" / "SET" / "one"
    write_sequence(place, walk(1, 2, speed=1))
    packed = tmp_path / "packed" / "sets.tar.xz"
    packed.parent.mkdir()
    with tarfile.open(packed, "w:xz") as archive:
        archive.add(tmp_path / "data" / "SET", "SET")

    read = [read_mot(where) for where in (place, place.parent, place.parent.parent, packed, packed.parent)]

    assert [[(one.group, one.name, len(one.truth)) for one in found] for found in read] == [
        [("SET", "one", 2)]
    ] * 5


def test_sequences_can_be_chosen(tmp_path):
    for name in ("A/a1", "A/a2", "A/a3", "B/b1"):
        write_sequence(tmp_path / name, walk(1, 2, speed=1))

    def names(wanted):
        return [one.name for one in read_mot(tmp_path, wanted)]

    assert names("A:2,B") == ["a1", "a2", "b1"]
    assert names("A/a3") == ["a3"]
    assert names("A:1,A/a1, A:2,B") == ["a1", "a2", "b1"]  # each once
    with pytest.raises(ConfigError, match="Did you mean 'A/a3'"):
        names("A/aa3")
    with pytest.raises(ConfigError, match="A:6"):
        names("A:none")


def _set(place):
    """The set and the name of the one sequence there."""
    (one,) = read_mot(place)
    return one.group, one.name


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("MOT17/MOT17-09", "MOT17"),
        ("train/MOT17-09-FRCNN", "MOT17"),
        ("train/dancetrack0004", "DanceTrack"),
        ("mixed/tara-a", "TARA"),
        ("mixed/asw-1", "ASW"),
        ("ASW25/asw-1", "ASW25"),
        ("MOT15/train/Venice-2", "MOT15"),
        ("2DMOT2015/train/Venice-2", "2DMOT2015"),
        ("train/Venice-2", "train"),
        ("mixed/tarantula", "mixed"),
        ("MOT15/mixed/tara-a", "TARA"),
        ("tara/films/one", "films"),  # somebody's home
    ],
)
def test_the_set_is_known_by_the_folder_the_name_or_a_folder_further_up(tmp_path, path, group):
    place = write_sequence(tmp_path / "data" / path, walk(1, 2))

    assert _set(place) == _set(place.parent) == (group, place.name)


def test_a_link_and_a_folder_that_is_named_in_a_roundabout_way_are_in_the_set_of_their_names(
    tmp_path, monkeypatch
):
    place = write_sequence(tmp_path / "store" / "clip", walk(1, 2))
    (tmp_path / "MOT17").mkdir()
    (tmp_path / "MOT17" / "MOT17-09").symlink_to(place)
    (tmp_path / "data").symlink_to(tmp_path / "MOT17")

    assert _set(tmp_path / "MOT17" / "MOT17-09") == ("MOT17", "MOT17-09")
    assert _set(tmp_path / "store" / ".." / "MOT17" / "MOT17-09") == ("MOT17", "MOT17-09")
    monkeypatch.chdir(place)
    assert read_mot(Path())[0].group == "store"
    monkeypatch.chdir(place.parent)
    assert _set(Path("clip")) == ("store", "clip")


def test_a_link_whose_own_name_says_nothing_is_in_the_set_that_it_leads_to(tmp_path):
    write_sequence(tmp_path / "MOT15" / "Venice-2", walk(1, 2))
    (tmp_path / "data").symlink_to(tmp_path / "MOT15")

    assert _set(tmp_path / "data") == ("MOT15", "Venice-2")


def test_two_sequences_of_one_name_and_set_are_an_error(tmp_path):
    for part in ("train", "test"):
        write_sequence(tmp_path / "MOT15" / part / "Venice-2", walk(1, 2))

    with pytest.raises(ConfigError, match="are both MOT15/Venice-2; rename one"):
        read_mot(tmp_path / "MOT15")


@pytest.mark.parametrize("packed", [False, True])
def test_files_may_begin_with_a_byte_order_mark(tmp_path, packed):
    place = write_sequence(tmp_path / "SET" / "one", walk(1, 2), cuts=(2,))
    for name in ("seqinfo.ini", "gt/gt.txt", "det/det.txt"):
        (place / name).write_text((place / name).read_text(), encoding="utf-8-sig")
    if packed:
        with tarfile.open(tmp_path / "sets.tar.xz", "w:xz") as archive:
            archive.add(tmp_path / "SET", "SET")

    (one,) = read_mot(tmp_path / "sets.tar.xz" if packed else tmp_path)

    assert (len(one), len(one.truth), len(one.detections[0])) == (2, 2, 1)


def test_dropping_frames_numbers_the_others_anew_and_moves_cuts_to_the_next(tmp_path):
    write_sequence(tmp_path / "SET" / "one", walk(1, 8, speed=1), fps=10, cuts=(2, 4, 8))
    (whole,) = read_mot(tmp_path)

    kept = drop(whole, 3)

    assert kept.group == "SET@3"
    assert kept.times.tolist() == pytest.approx([0, 0.3, 0.6])
    assert [faces.boxes[0, 0] for faces in kept.detections] == [11, 14, 17]
    assert kept.truth[:, FRAME].tolist() == [0, 1, 2]
    assert kept.truth[:, 2].tolist() == [11, 14, 17]
    assert kept.cuts == {1}  # frames 2 and 4; nothing is left after 8


def test_irregular_frames_are_a_third_at_their_own_times(tmp_path):
    write_sequence(tmp_path / "SET" / "one", walk(1, 300, speed=1), fps=10)
    (whole,) = read_mot(tmp_path)

    thinned = thin(whole, seed=1)

    assert len(thinned) == pytest.approx(100, abs=25)
    frames = [faces.boxes[0, 0] - 10 for faces in thinned.detections]
    assert thinned.times.tolist() == pytest.approx([(frame - 1) / 10 for frame in frames])
    assert len(set(np.diff(thinned.times).round(3))) > 2
    assert np.array_equal(thin(whole, seed=1).times, thinned.times)


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("seqinfo.ini", "[Sequence]\nframeRate=25\n", r"SET/one/seqinfo.ini: not understood \('seqLength'\)"),
        ("seqinfo.ini", "no section", "seqinfo.ini: not understood"),
        ("seqinfo.ini", INFO.format("1e-320"), "expected a frameRate of 0.001 to 10000"),
        ("seqinfo.ini", INFO.format("inf"), "expected a frameRate of 0.001 to 10000"),
        ("seqinfo.ini", INFO.format("25").replace("=2", "=" + "9" * 12), "seqLength of 1 to 10000000"),
        (
            "det/det.txt",
            "1,-1,1,2,3,4,0.9\n1,-1,1,2,x,4,0.9\n",
            "det.txt, line 2: expected 7 or more numbers",
        ),
        ("det/det.txt", "1,-1,1,2,3,4\n", "det.txt, line 1: expected 7"),
        ("det/det.txt", "9,-1,1,2,3,4,0.9\n", "det.txt, line 1: expected a frame from 1 to 2"),
        ("gt/gt.txt", "nan,1,1,2,3,4,1,1,1\n", "gt.txt, line 1: expected a frame"),
        ("gt/gt.txt", "1,-1,1,2,3,4,1,1,1\n", "gt.txt: expected ids from 0 to 10000000, got -1"),
        ("gt/gt.txt", "1,1e20,1,2,3,4,1,1,1\n", "gt.txt: expected ids from 0 to 10000000, got 1e"),
        ("gt/gt.txt", "1,1.5,1,2,3,4,1,1,1\n", "gt.txt: expected ids from 0 to 10000000, got 1.5"),
        ("gt/gt.txt", "1,nan,1,2,3,4,1,1,1\n", "gt.txt: expected ids from 0 to 10000000, got nan"),
        ("gt/gt.txt", "1,7,1,nan,3,4,1,1,1\n", "gt.txt, frame 1, id 7: holds what is no number"),
        ("gt/gt.txt", "1,7,1,2,3,4,1,1,1\n" * 2, "gt.txt: frame 1 has the id 7 twice"),
    ],
)
def test_a_file_that_is_not_understood_is_named(tmp_path, file, text, sentence):
    write_sequence(tmp_path / "SET" / "one", walk(1, 2, speed=1))
    (tmp_path / "SET" / "one" / file).write_text(text)

    with pytest.raises(ConfigError, match=sentence):
        read_mot(tmp_path)


def test_a_place_without_sequences_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="there is no such folder"):
        read_mot(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"expected seqinfo\.ini"):
        read_mot(tmp_path)
    (tmp_path / "broken.tar.xz").write_bytes(b"no archive")
    with pytest.raises(SourceError, match="cannot be read as an archive"):
        read_mot(tmp_path)


def test_a_sequence_without_detections_has_frames_without_faces(tmp_path):
    write_sequence(tmp_path / "SET" / "one", walk(1, 2, speed=1))
    (tmp_path / "SET" / "one" / "det" / "det.txt").write_text("")

    (one,) = read_mot(tmp_path)

    assert [len(faces) for faces in one.detections] == [0, 0]
