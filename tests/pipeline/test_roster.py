"""Sources that come and go with the settings."""

from __future__ import annotations

from core.settings import Settings
from pipeline.roster import Roster


def _settings(**addresses: str) -> Settings:
    return Settings.model_validate(
        {"sources": [{"name": name, "address": address} for name, address in addresses.items()]}
    )


def test_a_source_that_is_read_otherwise_stops_and_one_that_is_in_the_settings_no_more_is_removed() -> None:
    roster = Roster(_settings(door="rtsp://a/1", till="rtsp://b/1", yard="rtsp://c/1"))

    coming, leaving = roster.change(
        lambda: _settings(door="rtsp://a/1", till="rtsp://b/2", gate="rtsp://d/1")
    )

    assert [info.name for lane in coming for info in lane] == ["till", "gate"]
    assert leaving == {"till": "stopped", "yard": "removed"}
