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


def _unnamed(*addresses: str) -> Settings:
    return Settings.model_validate({"sources": [{"address": address} for address in addresses]})


def test_cameras_of_one_recorder_keep_their_names_when_one_of_them_goes() -> None:
    roster = Roster(_unnamed("rtsp://a/1", "rtsp://a/2", "rtsp://a/3"))
    names = {info.address: name for name, info in roster.infos.items()}

    coming, leaving = roster.change(lambda: _unnamed("rtsp://a/3", "rtsp://a/2"))
    more, _ = roster.change(lambda: _unnamed("rtsp://a/3", "rtsp://a/2", "rtsp://a/4"))

    assert (coming, leaving) == ([], {names["rtsp://a/1"]: "removed"})
    ((new,),) = more
    assert new.name not in (names["rtsp://a/2"], names["rtsp://a/3"])


def test_a_setting_that_needs_another_start_is_said_to_and_one_of_a_source_is_not(caplog) -> None:
    roster = Roster(_unnamed("rtsp://a/1"))

    roster.change(lambda: _unnamed("rtsp://a/2"))
    quiet = caplog.text
    roster.change(lambda: Settings.model_validate({"privacy": {"blur": True}}))

    assert quiet == ""
    assert "for the rest, start it again" in caplog.text


def test_a_change_that_names_a_film_that_is_not_there_changes_nothing(caplog) -> None:
    roster = Roster(_unnamed("rtsp://a/1"))

    assert roster.change(lambda: _unnamed("rtsp://a/2", "nowhere.mp4")) == ([], {})
    assert "nowhere.mp4: there is no such file" in caplog.text
