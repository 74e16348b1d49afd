from __future__ import annotations

from evaluation.report import Report, Table


def _report(*tables: Table) -> Report:
    return Report("age", "faces", 2, 0, {}, {}, [], 1.0, tables)


def test_a_table_wider_than_the_terminal_goes_on_below_with_the_names_of_its_rows(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    head = ("group", *(f"figure_number_{nth}" for nth in range(12)))
    rows = [(name, *(f"{nth}.0" for nth in range(12))) for name in ("women", "men")]

    lines = _report(Table("Errors", head, rows)).text().splitlines()

    assert max(map(len, lines)) <= 80
    words = " ".join(lines).split()
    assert all(words.count(cell) == 1 for cell in head[1:])
    assert words.count("women") == words.count("men") == words.count("group") > 1
    assert words.count("11.0") == 2


def test_a_table_that_fits_stays_in_one_piece(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    text = _report(Table("Errors", ("group", "n"), [("women", "1")])).text()

    assert text == "Errors\ngroup  n\nwomen  1"
