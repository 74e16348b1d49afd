"""What is wrong with the settings is said in words that help, and that hold no password."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from core.config import load_settings
from core.errors import ConfigError


def told(tmp_path: Path, text: str = "", *words: str) -> str:
    """What is said of a file of this text and of these words of the command line; FILE is its name."""
    file = tmp_path / "shop.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings([file], words, environment={})
    return str(caught.value).replace(str(file), "FILE")


@pytest.mark.parametrize(
    "text",
    [
        "sources: [{address: rtsp://door/main, password: 48151623}]",
        "sources: [{address: rtsp://door/main, password: [48151623]}]",
        "sources: [{address: rtsp://door/main, password: '48151623', password_file: a.txt}]",
        "sources: {address: rtsp://door/main, password: '48151623'}",
        "sources: ['password:48151623']",
        "sinks: [{path: a.csv, secret: 48151623}]",
        "sinks: [{path: a.csv, secret: {key: 48151623}}]",
        "sinks: {path: mqtt://shop/door, password: '48151623'}",
        "sources:\n  - {address: rtsp://door/main, password: 48151623: }",
        "sources:\n  - {address: rtsp://door/main, password: '48151623}",
        "sources:\n  - {address: rtsp://door/main, password: *a48151623}",
        "sources:\n  - {address: rtsp://door/main, password: @48151623}",
        "sources:\n  - {address: rtsp://door/main, password: !48151623 x}",
        "sources:\n  - {address: rtsp://door/main, password: 48151623]",
        'sources: [{address: rtsp://door/main, password: "\\q48151623"}]',
    ],
)
def test_a_fault_of_a_file_shows_no_password(tmp_path: Path, text: str) -> None:
    words = told(tmp_path, text)

    assert "48151623" not in words
    assert words.startswith("FILE:")


@pytest.mark.parametrize(
    "word",
    [
        "sources.0.password=48151623",
        "sinks.0.secret=48151623",
        "sources=[{address: a, password: 48151623]",
        "sources.0.password:48151623",
        "sources.0. =48151623",
    ],
)
def test_a_fault_of_the_command_line_shows_no_password(tmp_path: Path, word: str) -> None:
    words = told(tmp_path, "", word)

    assert "48151623" not in words
    assert words.startswith("--set")


@pytest.mark.parametrize(
    "key", ["sources: [{address: rtsp://door/main, password", "sinks: [{path: a.csv, secret"]
)
def test_a_password_of_digits_is_to_be_quoted(tmp_path: Path, key: str) -> None:
    assert "put it in quotes" in told(tmp_path, f"{key}: 48151623}}]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("render:\n  delay: 1\n\tscale: 2", "FILE:3: is no valid YAML: .*tab; indent with spaces"),
        ("render:\n  delay: 'x\n  scale: 2\n", "FILE:2: is no valid YAML: a quote is opened and not closed"),
        ("sources:\n  - address: @x", "FILE:2: is no valid YAML: put a value that begins with @"),
        ("sources: [{address: a}\n", "FILE:2: is no valid YAML: a bracket is not closed"),
        ("a: b: c", "FILE:1: is no valid YAML: a second ': ' in one line"),
        ("capture: {from: 2026-13-41}", "FILE:1: is no valid YAML: .*date.*put it in quotes"),
        ("sinks:\n- path: !!timestamp x", "FILE:2: is no valid YAML: .*date.*put it in quotes"),
        ("privacy:\n  blur: !!bool perhaps", "FILE:2: is no valid YAML: .*put it in quotes"),
        ("runtime: {threads: !!int ''}", "FILE:1: is no valid YAML: .*number.*put it in quotes"),
        ("runtime: {threads: " + "9" * 5000 + "}", "FILE:1: is no valid YAML: .*number.*put it in quotes"),
        ('sources: ["\\UFFFFFFFF"]', "FILE: is no valid YAML: .*character that does not exist"),
        ("sources: " + "[" * 5000, "FILE: has brackets within brackets, too deep to read; write less."),
        ('sinks: [{path: "a\\0b.csv"}]', "FILE:1: sinks.0.path: holds a character that no text has"),
        ('sinks: [{path: "\\ud800.csv"}]', "FILE:1: sinks.0.path: holds a character that no text has"),
        ("sources: [a\x00]", "FILE: is no valid YAML: it holds a character"),
        ("just words", "FILE: expected sections such as `detector:`, not a single value"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line_and_what_to_do(tmp_path, text: str, expected: str) -> None:
    assert re.match(expected, told(tmp_path, text))


ALIASES = "&a [x, x, x, x, x, x, x, x, x]"


def test_aliases_of_aliases_cannot_fill_the_memory(tmp_path: Path) -> None:
    nine = [", ".join(f"*{letter}" for _ in range(9)) for letter in "abcdefg"]
    lines = [ALIASES, *(f"&{name} [{more}]" for name, more in zip("bcdefgh", nine, strict=True))]
    file = "sources:\n" + "".join(f"- {line}\n" for line in lines)

    assert "FILE: holds more than 100000 settings" in told(tmp_path, file)
    assert "--set sources: holds more than 100000" in told(tmp_path, "", f"sources=[{', '.join(lines)}]")


def test_a_file_of_nothing_but_mistakes_is_answered_in_seconds(tmp_path: Path) -> None:
    began = time.process_time()

    words = told(tmp_path, "".join(f"tracker{number}: 1\n" for number in range(4000)))

    assert len(words.splitlines()) == 4000
    assert time.process_time() - began < 30


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (
            "sinks=[visits.csv]",
            "sinks.0: 'visits.csv' is not right; expected settings such as {path: visits.csv}.",
        ),
        ("sources=film.mp4", "'film.mp4' is not right; expected a list such as [{address: film.mp4}]."),
        (
            "sources=[film.mp4]",
            "sources.0: 'film.mp4' is not right; expected settings such as {address: film.mp4}.",
        ),
        ("detector=yunet", "expected settings such as {name: auto}."),
        ("tracker.compatibility=1", "expected settings such as {max_age: 1}."),
        ("privacy.blur=maybe", "privacy.blur: 'maybe' is not right; expected true or false."),
        ("capture.cuts=maybe", "--set: capture.cuts: 'maybe' is not right; expected 'auto', true or false."),
        ("capture.size=640", "640 is not right; expected width and height, such as [1280, 720]."),
        ("detector.size=1.5", "1.5 is not right; expected a whole number, such as 640."),
        ("render.delay=soon", "'soon' is not right; expected a number, such as 0.5."),
        ("estimators.age=1", "1 is not right; expected text; put it in quotes."),
        (
            "sources=[{address: a, name: a/b}]",
            "'a/b' is not right; expected a name of at least one character",
        ),
        ("sources=[{address: a, ignore: [[[0, 0], [1, 1]]]}]", "expected at least 3 corners."),
        ("detector.int=3", "--set: detector.int: no such setting."),
        ("1=3", "1: no such setting. There are: runtime"),
        ("detector=&a {name: *a}", "--set detector: holds itself"),
    ],
)
def test_what_is_expected_is_said_with_an_example(tmp_path: Path, word: str, expected: str) -> None:
    words = told(tmp_path, "", word)

    assert expected in words
    assert len(words.splitlines()) == 1


def test_corners_in_percent_are_answered_with_shares_and_nothing_of_their_number(tmp_path: Path) -> None:
    words = told(tmp_path, "sources: [{address: a, ignore: [[[10, 10], [20, 0], [30, 10]]]}]").splitlines()

    assert len(words) == 5  # a line each of those over 1
    assert all("expected a share of the picture from 0 to 1, such as 0.25 for 25 %" in line for line in words)


def test_a_settings_file_that_is_not_there_is_told_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.yaml: there is no such settings file; check the name\.$"):
        load_settings([tmp_path / "no.yaml"])
    with pytest.raises(ConfigError, match="is a folder; name a settings file in it"):
        load_settings([tmp_path])


def test_a_setting_that_an_option_gave_is_told_by_the_name_of_the_option(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("capture: {to: 9}", encoding="utf-8")
    options = [
        ("--from", "capture.from", 5.0),
        ("--to", "capture.to", 3.0),
        ("--detector", "detector.name", 3),
    ]

    with pytest.raises(ConfigError) as caught:
        load_settings([file], ["capture.to=7"], options=options)

    first, second = str(caught.value).splitlines()
    assert first == "--to: 3 is not right; expected more than capture.from (or --from), which is 5."
    assert second.startswith("--detector: 3 is not right")
