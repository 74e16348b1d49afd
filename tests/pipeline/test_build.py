from __future__ import annotations

import pytest

from core.errors import ConfigError, WeightsError
from core.settings import DetectorConfig, EstimatorsConfig, Settings
from pipeline.build import build, chosen
from weights import store
from weights.manifest import cards, place


def test_the_default_is_a_pipeline_of_four_networks_that_may_be_used_commercially() -> None:
    built = build(Settings())

    assert [(m.role, m.card.id) for m in built.models] == [
        ("detector", "yunet"),
        ("age", "age_dlib"),
        ("gender", "gender_dlib"),
        ("emotion", "emotion_fer"),
    ]
    assert all(model.card.commercial for model in built.models)


def test_the_permissive_profile_takes_only_networks_free_for_commercial_use() -> None:
    found = cards()
    tied = found["age_dlib"].model_copy(update={"id": "tied", "commercial": False, "profiles": ("research",)})
    known = {"tied": tied, **found}

    research, permissive = (
        chosen(Settings(estimators=EstimatorsConfig(profile=profile)), known)
        for profile in ("research", "permissive")
    )

    assert research["age"].id == "tied"
    assert permissive["age"].id == "age_dlib"
    assert all(card.commercial for card in permissive.values())


def test_a_profile_without_a_network_for_a_role_is_a_fault_of_one_sentence() -> None:
    found = {name: card for name, card in cards().items() if name != "age_dlib"}

    with pytest.raises(ConfigError, match=r"estimators\.age: the profile 'research' has no network for it"):
        chosen(Settings(), found)


def test_none_switches_a_role_off() -> None:
    built = build(Settings(estimators=EstimatorsConfig(emotion="none", gender="none")))

    assert [m.role for m in built.models] == ["detector", "age"]


def test_a_network_that_fills_two_roles_is_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = cards()
    both = found["gender_dlib"]
    output = found["age_dlib"].outputs[0].model_copy(update={"name": "probabilities", "values": (20.0, 60.0)})
    both = both.model_copy(update={"outputs": (*both.outputs, output)})
    monkeypatch.setattr("pipeline.build.cards", lambda: {**found, "gender_dlib": both})

    built = build(Settings(estimators=EstimatorsConfig(age="gender_dlib", emotion="none")))

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
        (Settings(estimators=EstimatorsConfig(emotion="off")), "There are: auto, emotion_fer, none"),
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
