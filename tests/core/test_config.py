from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from core.config import load_settings
from core.errors import ConfigError
from core.settings import CaptureConfig, Settings, SourceConfig

ROOT = Path(__file__).parents[2]


def test_config_yaml_says_every_setting_with_its_default() -> None:
    said = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))

    assert said == Settings().model_dump(mode="json", by_alias=True)


def test_every_line_of_config_yaml_that_sets_a_value_has_a_remark() -> None:
    lines = (ROOT / "config.yaml").read_text(encoding="utf-8").splitlines()
    obvious = {"name: sort", "age: auto", "gender: auto", "emotion: auto"}

    bare = [line for line in lines if ": " in line and "#" not in line and line.strip() not in obvious]

    assert bare == []


def test_a_file_and_a_word_lie_over_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("tracker: {max_gap: 2.0}\nrender:\n", encoding="utf-8")

    settings = load_settings([ROOT / "config.yaml", file], ["tracker.birth_score=0.3", "capture.from=4"])

    assert (settings.tracker.max_gap, settings.tracker.birth_score) == (2.0, 0.3)
    assert settings.capture.begin == 4.0
    assert settings.render.delay == 0.5


def test_all_faults_are_told_at_once_with_file_line_key_and_what_is_right(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("detector:\n  thresold: 0.5\n  size: 3\ntracker: {max_gap: soon}\n", encoding="utf-8")

    with pytest.raises(ConfigError) as caught:
        load_settings([file], ["privacy.blur=maybe"])

    words = str(caught.value)
    assert f"{file}:2: detector.thresold: no such setting. Did you mean 'threshold'?" in words
    assert f"{file}:3: detector.size: 3 is not right; expected greater than or equal to 64." in words
    assert f"{file}:4: tracker.max_gap: 'soon' is not right" in words
    assert "--set: privacy.blur: 'maybe' is not right" in words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [1", "is no valid YAML"),
        ("- 1\n- 2", "expected sections"),
        ("render: {delay: 1}\nrender: {delay: 2}", "bad.yaml:2: 'render' is written twice"),
        ("nonsense: 1", "no such setting"),
        ("sources: [{name: door}]", "sources.0.address: is missing"),
        ("capture: {rate: .nan}", "capture.rate"),
        (
            "capture: {certificates: trustd}",
            "'trustd' is not right; expected any, trusted, or a file that exists",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_explained(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match=expected):
        load_settings([file])


@pytest.mark.parametrize("word", ["novalue", "=3", "a..b=1", "a.b=[1"])
def test_a_word_that_sets_nothing_is_explained(word: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        load_settings([], [word])


def test_a_secret_comes_from_the_environment_and_is_masked_in_errors(tmp_path: Path) -> None:
    file = tmp_path / "cameras.yaml"
    file.write_text('sources: [{address: "rtsp://me:${PASSWORD}@door/main"}]', encoding="utf-8")

    settings = load_settings([file], environment={"PASSWORD": "s3cr@t"})
    with pytest.raises(ConfigError, match=r"\$\{PASSWORD\} is not set") as missing:
        load_settings([file], environment={})
    with pytest.raises(ConfigError) as wrong:
        load_settings([file], ["sources=[{address: 'rtsp://me:s3cret@door/main', nme: x}]"], environment={})

    assert settings.sources[0].address == "rtsp://me:s3cr@t@door/main"
    assert "s3cr" not in str(missing.value) + str(wrong.value)


def test_a_wrong_key_among_the_settings_of_one_source_is_answered_with_the_right_one(tmp_path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("sources:\n  - {name: door, address: rtsp://10.0.0.7/main, capture: {siz: [640, 480]}}\n")

    with pytest.raises(ConfigError, match=r"sources\.0\.capture\.siz: no such setting\. Did you mean 'size'"):
        load_settings([file])


def test_a_source_is_read_by_the_common_settings_and_over_them_its_own() -> None:
    common = CaptureConfig(stall_timeout=3.0, size=(1920, 1080))
    source = SourceConfig(address=0, capture={"size": [640, 480], "from": 2.0})

    read = source.reading(common)

    assert (read.stall_timeout, read.size, read.begin) == (3.0, (640, 480), 2.0)
