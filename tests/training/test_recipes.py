from __future__ import annotations

import pytest

from core.errors import ConfigError
from training.__main__ import main
from training.curves import append, drawn, read, trimmed
from training.recipes import RECIPES, chosen


def test_a_change_is_read_as_the_fields_own_kind() -> None:
    recipe = chosen("people", ["rate=0.001", "shape=[3, 4, 6, 3]", "start=null"])

    assert (recipe.rate, recipe.shape, recipe.start) == (0.001, (3, 4, 6, 3), None)
    assert chosen("people") == RECIPES["people"]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("persons", "rate=1", "no 'persons'"),
        ("people", "rates=1", "Did you mean 'rate'"),
        ("people", "epochs=many", r"'people': epochs: .* not 'many'"),
        ("people", "epochs=0", "'people': epochs: .* not 0"),
        ("people", "size=0", "'people': size: .* not 0"),
        ("people", "size=-1", "'people': size: .* not -1"),
        ("people", "batch=0", "'people': batch: .* not 0"),
        ("people", "rate=.nan", "'people': rate: .* not nan"),
        ("people", "dropout=2", "'people': dropout: .* not 2"),
        ("people", "heads=[]", "'people': heads: "),
        ("people", "heads=[age, nose]", "'people': heads.1: .* not 'nose'"),
        ("people", "heads=[quality]", "name one beside it"),
        ("people", "heads=[age, age]", "named twice"),
        ("people", "size={", "--set: size cannot be read"),
        ("people", "rate", "'rate' has no value. .* such as rate=0.001"),
    ],
)
def test_a_wrong_name_or_value_is_answered_with_the_right_ones(name: str, change: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        chosen(name, [change])


def test_what_cannot_be_done_is_one_sentence(tmp_path, capsys) -> None:
    code = main(["cache", "--data", str(tmp_path / "nowhere"), "--out", str(tmp_path)])

    assert code == 4
    assert capsys.readouterr().err.startswith("error: ")


def test_curves_of_an_epoch_without_a_checkpoint_are_taken_out(tmp_path) -> None:
    path = tmp_path / "curves.csv"
    for epoch in (1, 2, 3):
        append(path, {"epoch": epoch, "loss": 1 / epoch, "drawn_mae": 9.0, "drawn_gender": 0.5})

    trimmed(path, 2)

    assert read(path)["epoch"] == [1, 2]
    assert set(drawn(read(path))) == {"loss", "years", "share"}
    assert all(svg.startswith("<svg") for svg in drawn(read(path)).values())
