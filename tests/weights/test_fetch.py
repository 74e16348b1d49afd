"""pip for real, on a folder of wheels: no network is asked."""

import hashlib
import zipfile

import pytest

from core.cards import Package
from core.errors import WeightsError
from weights.fetch import member

pytestmark = pytest.mark.slow


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Where pip looks for packages."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def package(shelf):
    """A wheel on the shelf, and what a card says of it."""
    wheel = shelf / "tiny_net-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tiny_net/net.bin", b"weights")
        file.writestr(
            "tiny_net-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-net\nVersion: 1.0\n"
        )
        file.writestr("tiny_net-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr("tiny_net-1.0.dist-info/RECORD", "")
    return Package(
        name="tiny-net",
        version="1.0",
        archive_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member="tiny_net/net.bin",
        member_sha256=hashlib.sha256(b"weights").hexdigest(),
    )


def test_a_member_of_a_package_is_brought_once(package, shelf, tmp_path):
    assert member(package, tmp_path / "cache") == b"weights"

    (shelf / "tiny_net-1.0-py3-none-any.whl").unlink()
    assert member(package, tmp_path / "cache") == b"weights"


@pytest.mark.parametrize("key", ["archive_sha256", "member_sha256"])
def test_a_package_with_another_hash_is_refused(package, tmp_path, key):
    other = package.model_copy(update={key: "0" * 64})

    with pytest.raises(
        WeightsError, match=r"not the file that the manifest describes.*expected 000000000000"
    ):
        member(other, tmp_path / "cache")


def test_a_refused_archive_leaves_nothing_behind(package, tmp_path):
    with pytest.raises(WeightsError):
        member(package.model_copy(update={"archive_sha256": "0" * 64}), tmp_path / "cache")

    assert list((tmp_path / "cache").iterdir()) == []


def test_a_broken_download_is_brought_again(package, tmp_path):
    kept = tmp_path / "cache" / "tiny-net-1.0.whl"
    kept.parent.mkdir()
    kept.write_bytes(b"half of")

    assert member(package, tmp_path / "cache") == b"weights"


def test_a_package_that_no_index_has_says_so(package, shelf, tmp_path):
    (shelf / "tiny_net-1.0-py3-none-any.whl").unlink()

    with pytest.raises(WeightsError, match=r"tiny-net 1\.0 could not be brought: .*python -m weights"):
        member(package, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_folder_that_cannot_be_made_says_so(package, tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(WeightsError, match="cannot be written"):
        member(package, tmp_path / "file" / "cache")
