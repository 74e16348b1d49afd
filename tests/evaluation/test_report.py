from __future__ import annotations

import re

from evaluation.plots import points
from evaluation.report import Figure, Plot, Report, Table


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


def test_the_page_fits_a_phone_and_can_be_heard_and_read_by_keyboard(tmp_path) -> None:
    table = Table("Errors by 'group' & <b>", ("group", "n"), [("women", "1")])
    plot = Plot("Error's age <b>", points(["a"], {"x": [Figure(0.5, 0.4, 0.6)]}, "x", "y"), "note")
    report = Report("age", "faces", 2, 0, {}, {}, [], 1.0, [table], [plot])

    report.write(tmp_path)
    page = (tmp_path / "report.html").read_text()

    assert "<meta name='viewport' content='width=device-width, initial-scale=1'>" in page
    assert page.count("<main>") == page.count("</main>") == 1
    assert re.findall(r"<h(\d)>", page) == ["1", "2", "2"]
    assert "<svg aria-label='Error&#x27;s age &lt;b&gt;'" in page
    assert "<div tabindex='0' role='region' aria-label='Errors by &#x27;group&#x27; &amp; &lt;b&gt;'>" in page
    assert "<th scope='col'>n</th>" in page
    assert "<b>" not in page
