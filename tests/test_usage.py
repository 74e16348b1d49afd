"""A wrong word on the command line is answered by its name, with what would be right, and no secret."""

from __future__ import annotations

import pytest

import stream
from core.errors import ConfigError


def told(*words: str) -> str:
    with pytest.raises(ConfigError) as caught:
        stream.read_settings(stream.parser().parse_args([*words]))
    return str(caught.value)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--max-seconds", "x"], "--max-seconds: 'x': expected seconds, such as 60"),
        (["--max-seconds", "0"], "--max-seconds: '0': expected seconds, more than 0, such as 60"),
        (["--from", "soon"], "--from: 'soon': expected seconds, such as 60"),
        (["--from", "-1"], "--from: -1 is not right; expected greater than or equal to 0"),
        (["--from", "5", "--to", "3"], "--to: 3 is not right; expected more than capture.from (or --from)"),
    ],
)
def test_a_wrong_number_is_answered_by_the_name_of_its_option(words: list[str], expected: str) -> None:
    said = told("-s", "demo", *words)

    assert expected in said
    assert "--set" not in said


def test_an_option_is_not_blamed_for_another_setting_of_its_section() -> None:
    said = told("-s", "demo", "--set", "detector={threshold: high}", "--detector", "yunet")

    assert said.startswith("--set: detector.threshold: 'high' is not right")


def test_an_option_is_taken_as_it_is_typed() -> None:
    words = ["--detector", "7", "--to", "9", "--set", "capture.to=5"]

    settings = stream.read_settings(stream.parser().parse_args(words))

    assert (settings.detector.name, settings.capture.end) == ("7", 9.0)


def test_the_list_of_processes_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("setproctitle.setproctitle", shown.append)
    monkeypatch.setattr(stream, "Stopper", lambda: None)  # signals stay those of the tests
    secrets = [
        "rtsp://me:it's/hunter2@door/main",
        "rtsp://me:two hunter2@door/main",
        "me:hunter2@door/main",
        "rtsp://door/user=me_password=hunter2_channel=1.sdp",
        "sources=[{address: rtsp://door/main, password: hunter2}]",
        "sinks.0.secret=hunter2",
    ]

    assert stream.main(["--nonsense", *secrets]) == 2

    assert len(shown) == 1
    assert "hunter2" not in shown[0]
    assert shown[0].count("door") == 5
