"""Outputs at the start of a run: what ends it, and what it goes on without."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import ConfigError, SinkError
from core.settings import SinkConfig
from core.status import Status
from core.types import SourceInfo
from pipeline.sinks import check_outputs, keep_earlier, open_outputs, open_sinks
from tests.web.run import Run, serving

DOOR = {"door": SourceInfo("door", "network", "rtsp://door", live=True)}


@pytest.fixture
def taken() -> Iterator[str]:
    """The address of pages that are served already."""
    with serving(Run("door")) as pages:
        yield pages.address


def names(sinks: list[SinkConfig]) -> list[str]:
    return [Path(sink.path).name for sink in sinks]


def sinks(*required: SinkConfig, folder: Path) -> list[SinkConfig]:
    """Those, before one that is sure to be written."""
    return [*required, SinkConfig(path=str(folder / "ok.csv"))]


def test_pages_whose_port_is_taken_are_left_out_unless_they_are_required(
    taken: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        outlets = open_sinks(
            sinks(SinkConfig(path=taken, required=False), folder=tmp_path), None, DOOR, Status
        )
    for outlet in outlets:
        outlet.close()

    assert [Path(outlet.name).name for outlet in outlets] == ["ok.csv"]
    assert (tmp_path / "ok.csv").exists()
    assert "goes on without it" in caplog.text
    assert "is taken by another program" in caplog.text
    with pytest.raises(SinkError, match="is taken"):
        open_sinks(sinks(SinkConfig(path=taken), folder=tmp_path), None, DOOR, Status)


@pytest.mark.parametrize("live", [False, True])
def test_a_start_that_fails_by_a_taken_port_leaves_the_files_of_an_earlier_run_alone(
    taken: str, tmp_path: Path, live: bool
) -> None:
    (tmp_path / "o.csv").write_text("earlier")
    written = [SinkConfig(path=str(tmp_path / "o.csv")), SinkConfig(path=taken)]
    sources = {"door": SourceInfo("door", "network" if live else "video", "door", live=live)}

    with pytest.raises(SinkError, match="is taken"):
        open_outputs(written, None, sources, lambda: True, Status)

    assert [path.read_text() for path in tmp_path.iterdir()] == ["earlier"]


def test_a_file_whose_folder_is_missing_is_left_out_unless_it_is_required(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lost = SinkConfig(path=str(tmp_path / "nowhere" / "o.csv"), required=False)

    with caplog.at_level(logging.WARNING):
        usable = check_outputs(sinks(lost, folder=tmp_path), DOOR)

    assert names(usable) == ["ok.csv"]
    assert "nowhere' does not exist" in caplog.text
    with pytest.raises(SinkError, match="nowhere"):
        check_outputs(sinks(lost.model_copy(update={"required": True}), folder=tmp_path), DOOR)


@pytest.mark.parametrize("path", ["o.doc", "mqtts+x://host", "ok.csv"])
def test_settings_that_are_wrong_end_the_run_whether_required_or_not(path: str, tmp_path: Path) -> None:
    wrong = SinkConfig(path=path if "://" in path else str(tmp_path / path), required=False)
    lost = SinkConfig(path=str(tmp_path / "nowhere" / "o.csv"), required=False)

    with pytest.raises(ConfigError):
        check_outputs(sinks(wrong, lost, folder=tmp_path), DOOR)


def test_pages_with_wrong_settings_end_the_run_though_they_are_not_required(tmp_path: Path) -> None:
    wrong = SinkConfig(path="http://:8080/", user="me", password="word", required=False)

    with pytest.raises(ConfigError, match="know no user"):
        open_sinks([wrong], None, DOOR, Status)


def test_an_output_whose_earlier_rows_cannot_be_kept_is_left_out_unless_it_is_required(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "o.csv").write_text("earlier")
    os.utime(tmp_path / "o.csv", (0, 0))
    (tmp_path / "o-until-1970-01-01T000000.000Z.csv" / "in the way").mkdir(parents=True)
    optional = SinkConfig(path=str(tmp_path / "o.csv"), required=False)

    with caplog.at_level(logging.WARNING):
        left = keep_earlier(sinks(optional, folder=tmp_path), DOOR, lambda: True)

    assert names(left) == ["ok.csv"]
    assert (tmp_path / "o.csv").read_text() == "earlier"
    assert "goes on without it" in caplog.text
    with pytest.raises(SinkError):
        keep_earlier([optional.model_copy(update={"required": True})], DOOR, lambda: True)
