import pytest

from core.types import EMOTIONS, GENDERS
from evaluation.samples import RACES
from weights import store
from weights.__main__ import main
from weights.manifest import HOME, cards
from weights.store import locate

KEPT = [card for card in cards().values() if card.in_repository]


@pytest.mark.parametrize("card", KEPT, ids=lambda card: card.id)
def test_a_kept_network_is_the_one_of_its_card_and_its_licence_lies_beside_it(card):
    assert locate(card) == HOME / card.file
    text = (HOME / "licences" / card.licence_file).read_text(encoding="utf-8")
    assert any(word in text for word in ("Copyright", "public domain", "public\ndomain"))


def test_the_networks_of_both_profiles_are_kept_and_one_profile_is_free_for_commercial_use():
    research, permissive = (
        {card.id for card in KEPT if profile in card.profiles} for profile in ("research", "permissive")
    )

    assert {card.id for card in KEPT} == {"yunet"} | research | permissive
    assert all(cards()[name].commercial for name in permissive)
    assert not any(cards()[name].commercial for name in research)


def test_a_network_of_our_own_is_small_and_tells_its_data_and_where_it_was_trained():
    ours = [card for card in KEPT if card.package is None]

    assert {card.id for card in ours} == {"people", "moods"}
    for card in ours:
        assert locate(card).stat().st_size < 10_000_000
        assert (HOME.parent / card.upstream).is_file()
        assert "pictures" in card.training_data


def test_every_class_is_one_that_the_program_knows():
    for card in cards().values():
        for output in card.outputs:
            known = {"gender": GENDERS, "emotion": EMOTIONS, "race": RACES}.get(output.role, ())
            assert set(output.classes) <= set(known)


def test_the_age_of_the_first_class_is_a_quarter_of_a_year():
    (output,) = cards()["age_dlib"].outputs

    assert output.values == (0.25, *range(1, 81))


def test_the_list_names_each_licence_within_eighty_columns(capsys):
    assert main(["list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    for card in cards().values():
        assert any(line.startswith(card.id) and card.licence in line for line in lines)


@pytest.mark.parametrize(
    ("name", "words"),
    [("yunett", "Did you mean 'yunet'?"), ("scrfd", "a file that you bring (non-commercial research only)")],
)
def test_a_network_that_cannot_be_brought_is_an_error_of_one_line(capsys, name, words):
    assert main(["get", name]) == 3

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert words in line


def test_a_network_of_face_prints_comes_only_to_those_who_ask_for_it(monkeypatch, tmp_path, capsys):
    found = cards()
    monkeypatch.setattr("weights.__main__.cards", lambda: {"embed_dlib": found["embed_dlib"]})
    monkeypatch.setattr("weights.__main__.bring", lambda card: pytest.fail("brought"))
    monkeypatch.setattr(store, "place", lambda card: tmp_path / "absent.onnx")

    assert main([]) == 0
    assert main(["convert"]) == 0

    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("embed_dlib: not here; to have it: ")
    assert line.endswith("python -m weights get embed_dlib")


def test_ctrl_c_ends_a_command_without_a_traceback(monkeypatch, capsys):
    def interrupted(_card):
        raise KeyboardInterrupt

    monkeypatch.setattr("weights.__main__.bring", interrupted)

    assert main(["get", "yunet"]) == 130

    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [["get"], ["list", "yunet"], ["fetch"]])
def test_a_wrong_command_is_a_usage_error(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
