from __future__ import annotations

import errno

import numpy as np
import pytest

from core.errors import ConfigError, SinkError, SourceError
from core.types import Crop, Faces
from estimators.align import cut
from tests.training.drawn import SIDE, cached, face, faces
from training.augment import bare, taken, upright, view_of
from training.cache import build, read

CROP = Crop("aligned", 48, 1.1, -0.16, "bgr")


def test_a_cache_holds_the_faces_and_labels_in_their_order(tmp_path) -> None:
    cached(tmp_path, 12)

    pixels, labels = read("drawn", tmp_path)

    samples = [sample for sample, _ in faces(12)]
    assert pixels.shape == (12, SIDE, SIDE, 3)
    assert labels.name.tolist() == [sample.name for sample in samples]
    assert labels.key.tolist() == [sample.key for sample in samples]
    assert labels.part.tolist() == [sample.part for sample in samples]
    np.testing.assert_array_equal(labels.age, np.float32([sample.age for sample in samples]))
    assert labels.mood.tolist() == [sample.mood for sample in samples]
    assert labels.found.all()


def test_a_cache_of_nobody_is_refused_and_a_broken_off_one_leaves_the_old_one(tmp_path) -> None:
    cached(tmp_path, 5)

    with pytest.raises(ConfigError, match="no labelled face"):
        build("drawn", iter(()), tmp_path, SIDE)

    assert len(read("drawn", tmp_path)[1]) == 5


def test_a_disk_that_is_full_when_the_labels_come_leaves_the_set_as_it_was(tmp_path, monkeypatch) -> None:
    cached(tmp_path, 3)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_args, **_columns) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(SinkError, match=r"cannot be written \(No space left on device\)"):
        cached(tmp_path, 5)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_source_that_cannot_be_read_is_not_blamed_on_the_cache(tmp_path) -> None:
    def breaking():
        yield face(1)
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(SourceError, match=r"^drawn: reading it broke off \(Input/output error\)\.$"):
        build("drawn", breaking(), tmp_path, SIDE)

    assert not list(tmp_path.iterdir())


def test_faces_beside_labels_of_others_are_refused(tmp_path) -> None:
    cached(tmp_path / "old", 3)
    cached(tmp_path / "new", 5)
    (tmp_path / "old" / "drawn.npy").replace(tmp_path / "new" / "drawn.npy")

    with pytest.raises(ConfigError, match=r"3 faces of drawn, and labels of 5\..*python -m training cache"):
        read("drawn", tmp_path / "new")


def test_a_set_that_is_not_there_is_answered_with_the_command_that_makes_it(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"no faces of utkface.*python -m training cache"):
        read("utkface", tmp_path)


def test_a_missed_face_is_taken_to_fill_its_picture(tmp_path) -> None:
    sample, _ = face(1)

    labels = build("missed", [(sample, Faces.none())], tmp_path, SIDE)

    pixels, _ = read("missed", tmp_path)
    assert not labels.found[0]
    assert abs(int(pixels[0, SIDE // 2, SIDE // 2, 1]) - int(sample.image[40, 40, 1])) < 12


@pytest.mark.parametrize("nth", range(6))
def test_the_upright_view_is_what_the_stream_cuts(tmp_path, nth: int) -> None:
    sample, found = face(nth, size=120)
    build("one", [(sample, found)], tmp_path, 176)
    pixels, _ = read("one", tmp_path)

    ours = taken(pixels[0], upright(CROP, 176), CROP.size)

    streams = cut(sample.image, found, CROP)[0]
    assert np.abs(ours.astype(int) - streams.astype(int)).mean() < 2.5


def test_the_bare_view_is_the_whole_picture(tmp_path) -> None:
    sample, found = face(3, size=96)
    labels = build("one", [(sample, found)], tmp_path, 176)
    pixels, _ = read("one", tmp_path)

    ours = taken(pixels[0], bare(labels.bare[0], CROP), CROP.size)

    inside = slice(8, 40)  # the picture's edge may lie outside of the cached cut
    whole = sample.image.reshape(48, 2, 48, 2, 3).mean(axis=(1, 3))
    assert np.abs(ours[inside, inside] - whole[inside, inside]).mean() < 3


def test_a_spoilt_view_has_the_crops_shape_and_is_the_same_for_the_same_seed(tmp_path) -> None:
    cached(tmp_path, 3)
    pixels, labels = read("drawn", tmp_path)

    views = [
        [view_of(pixels[1], labels.bare[1], CROP, np.random.default_rng([seed, nth])) for nth in range(40)]
        for seed in (1, 1, 2)
    ]

    assert all(view.shape == (48, 48, 3) and view.dtype == np.uint8 for view in views[0])
    assert np.array_equal(views[0], views[1])
    assert not np.array_equal(views[0], views[2])


def test_as_many_views_are_spoilt_as_are_asked_for(tmp_path) -> None:
    cached(tmp_path, 1)
    plain = np.full((176, 176, 3), 100, np.uint8)  # stays plain wherever it is cut, unless it is spoilt
    corner = read("drawn", tmp_path)[1].bare[0]

    def spoilt(share: float) -> float:
        rngs = (np.random.default_rng(n) for n in range(200))
        views = (view_of(plain, corner, CROP, rng, 0.0, spoilt=share) for rng in rngs)
        return float(np.mean([not (view[12:36, 12:36] == 100).all() for view in views]))

    assert spoilt(0) == 0
    assert spoilt(1) > 0.6
    assert abs(spoilt(0.5) / spoilt(1) - 0.5) < 0.15


@pytest.mark.parametrize(("end", "size"), [(".npy", 1000), (".npy", 0), (".labels.npz", 1000)])
def test_a_cache_that_was_cut_off_is_one_sentence(tmp_path, end: str, size: int) -> None:
    path = cached(tmp_path, 4) / f"drawn{end}"
    path.write_bytes(path.read_bytes()[:size])

    with pytest.raises(ConfigError, match=r"faces of drawn cannot be read\. Cut them out"):
        read("drawn", tmp_path)
