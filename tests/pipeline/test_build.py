from __future__ import annotations

import pytest

from core.errors import ConfigError, WeightsError
from core.settings import DetectorConfig, EstimatorsConfig, Settings
from pipeline.build import build, chosen
from weights import store
from weights.manifest import cards, place


@pytest.mark.parametrize(
    ("profile", "names"),
    [
        ("research", ["yunet", "people", "people", "moods"]),
        ("permissive", ["yunet", "age_dlib", "gender_dlib", "emotion_fer"]),
    ],
)
def test_a_profile_is_a_pipeline_of_the_networks_of_its_terms(profile: str, names: list[str]) -> None:
    built = build(Settings(estimators=EstimatorsConfig(profile=profile)))

    roles = ["detector", "age", "gender", "emotion"]
    assert [(m.role, m.card.id) for m in built.models] == list(zip(roles, names, strict=True))
    assert [m.card.commercial for m in built.models[1:]] == [profile == "permissive"] * 3


def test_the_default_profile_is_research() -> None:
    assert {m.card.id for m in build(Settings()).models} == {"yunet", "people", "moods"}


def test_a_profile_without_a_network_for_a_role_is_a_fault_of_one_sentence() -> None:
    found = {name: card for name, card in cards().items() if name != "people"}

    with pytest.raises(ConfigError, match=r"estimators\.age: the profile 'research' has no network for it"):
        chosen(Settings(), found)


def test_none_switches_a_role_off() -> None:
    built = build(Settings(estimators=EstimatorsConfig(emotion="none", gender="none")))

    assert [m.role for m in built.models] == ["detector", "age"]


def test_a_network_that_fills_two_roles_is_opened_once() -> None:
    built = build(Settings(estimators=EstimatorsConfig(emotion="none")))

    age, gender = built.models[1:]
    assert (age.role, gender.role) == ("age", "gender")
    assert age.session is gender.session


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            Settings(estimators=EstimatorsConfig(age="gender_dlib")),
            "estimators.age: there is no 'gender_dlib'",
        ),
        (
            Settings(estimators=EstimatorsConfig(embedding="age_dlib")),
            "estimators.embedding: there is no 'age_dlib'. Did you mean 'embed_dlib'\\?",
        ),
        (Settings(estimators=EstimatorsConfig(emotion="off")), "There are: auto, emotion_fer, moods, none"),
        (Settings(detector=DetectorConfig(name="yunett")), "Did you mean 'yunet'"),
    ],
)
def test_a_network_that_does_not_fit_is_answered_with_those_that_do(settings: Settings, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        build(settings)


def test_face_prints_are_off_unless_asked_for() -> None:
    assert build(Settings()).pipeline._embedder is None


def test_the_network_of_face_prints_is_opened_for_the_tracker_and_kept_from_the_panel() -> None:
    try:
        built = build(Settings(estimators=EstimatorsConfig(embedding="embed_dlib")))
    except WeightsError as error:
        pytest.skip(str(error))

    assert (built.models[-1].role, built.models[-1].card.id) == ("embedding", "embed_dlib")
    assert built.pipeline._embedder is not None
    assert "embedding" not in built.pipeline._panel._networks


def test_face_prints_without_their_network_are_an_error_that_says_how_to_bring_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    absent = tmp_path / "absent.onnx"
    monkeypatch.setattr(store, "place", lambda card: absent if card.id == "embed_dlib" else place(card))

    with pytest.raises(WeightsError, match="Bring it with: python -m weights get embed_dlib"):
        build(Settings(estimators=EstimatorsConfig(embedding="embed_dlib")))


def test_a_gpu_that_does_not_start_is_said_and_the_small_detector_taken(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    found = cards()
    large = found["yunet"].model_copy(update={"id": "retinaface"})
    monkeypatch.setattr("pipeline.build.cards", lambda: {**found, "retinaface": large})
    monkeypatch.setattr("pipeline.build.has_gpu", lambda: True)

    built = build(Settings())

    assert built.models[0].card.id == "yunet"
    assert "none starts here" in caplog.text
