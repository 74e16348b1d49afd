from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from core.settings import Settings, SinkConfig, SourceConfig
from pipeline.run import Plan, run
from tests.portraits import every, write_film
from weights.manifest import cards


@pytest.mark.slow
def test_a_licence_that_forbids_commercial_use_is_said_at_the_start_and_in_the_summary(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    film = write_film(tmp_path / "film.mp4", every(10, 1))
    settings = Settings(
        sources=(SourceConfig(address=str(film)),), sinks=(SinkConfig(path=str(tmp_path / "s.json")),)
    )

    with caplog.at_level(logging.WARNING):
        run(Plan(settings), lambda _loop: None)

    for name in ("people", "moods"):
        terms = cards()[name].terms
        said = f"{name}: not for commercial use (estimators.profile=permissive is). {terms}"
        assert caplog.text.count(said) == 1
    models = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))["models"]
    assert {m["id"]: m["commercial"] for m in models} == {"yunet": True, "people": False, "moods": False}


@pytest.mark.slow
def test_who_named_such_a_network_reads_which_settings_would_leave_it_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Beside a network that was named, the profile alone changes nothing: it may be set already."""
    film = write_film(tmp_path / "film.mp4", every(10, 1))
    settings = Settings.model_validate(
        {"sources": [{"address": str(film)}], "estimators": {"profile": "permissive", "age": "people"}}
    )

    with caplog.at_level(logging.WARNING):
        run(Plan(settings), lambda _loop: None)

    assert (
        "people: not for commercial use (estimators.profile=permissive with estimators.age=auto is)."
        in caplog.text
    )


@pytest.mark.slow
def test_blur_on_a_live_source_says_what_it_cannot_hide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from capture import address

    film = write_film(tmp_path / "film.mp4", every(10, 1))
    monkeypatch.setattr(address, "_film", _live_film(address._film))
    settings = Settings.model_validate(
        {"privacy": {"blur": True}, "sources": [{"address": str(film)}], "estimators": {"emotion": "none"}}
    )

    with caplog.at_level(logging.WARNING):
        run(Plan(settings), lambda _loop: None)

    assert "privacy.blur on a live source" in caplog.text


def _live_film(make):
    """A film that counts as a camera."""
    from dataclasses import replace

    return lambda *words: replace(make(*words), live=True)
