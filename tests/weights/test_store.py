import errno
import os

import pytest

from core.errors import WeightsError
from weights import store
from weights.fetch import write
from weights.manifest import cards

HASH_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def at(tmp_path, monkeypatch):
    """A place for weights that no other test knows."""
    path = tmp_path / "net.onnx"
    monkeypatch.setattr(store, "place", lambda card: path)
    return path


@pytest.fixture
def pinned():
    return cards()["yunet"].model_copy(update={"sha256": HASH_OF_ABC})


def test_a_file_with_the_right_hash_is_found(at, pinned):
    at.write_bytes(b"abc")

    assert store.locate(pinned) == at


def test_an_altered_file_is_refused_with_the_remedy(at, pinned):
    at.write_bytes(b"abd")

    with pytest.raises(WeightsError, match=r"altered or broken off.*python -m weights get yunet"):
        store.locate(pinned)


def test_a_missing_file_is_refused_with_the_remedy(at, pinned):
    with pytest.raises(WeightsError, match=r"not here\. Bring it with: python -m weights get yunet"):
        store.locate(pinned)


def test_a_converted_file_is_held_to_the_hash_noted_at_its_conversion(at):
    card = cards()["retinaface"]
    at.write_bytes(b"abc")
    with pytest.raises(WeightsError, match="no record of its hash"):
        store.locate(card)

    store.record(at).write_text(HASH_OF_ABC)
    assert store.locate(card) == at

    at.write_bytes(b"ab")
    with pytest.raises(WeightsError, match="altered or broken off"):
        store.locate(card)


def test_a_file_of_the_user_s_own_stands_in(tmp_path):
    own = tmp_path / "own.onnx"
    with pytest.raises(WeightsError, match="there is no such file"):
        store.locate(cards()["scrfd"], path=own)

    own.write_bytes(b"anything")
    assert store.locate(cards()["scrfd"], path=own) == own


def test_a_network_that_the_user_must_bring_says_where_to_name_it():
    with pytest.raises(WeightsError, match=r"set detector\.weights to its path"):
        store.locate(cards()["scrfd"])


def test_a_full_disk_leaves_the_old_file_and_no_half_one(tmp_path, monkeypatch):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WeightsError, match=r"No space left on device\. Free some space"):
        write(path, b"new")

    assert [p.name for p in tmp_path.iterdir()] == ["net.onnx"]
    assert path.read_bytes() == b"old"
