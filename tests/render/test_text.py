import numpy as np
import pytest
from fontTools.ttLib import TTFont
from PIL import features

from render.fontfile import BUNDLED, FONTS, read, system_fonts
from render.text import Lettering


def lettering(size: int = 24) -> Lettering:
    return Lettering(size, others=lambda: ())


def box_of(letters: Lettering):
    return letters.mask("□")


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.name)
def test_the_characters_read_from_a_font_are_those_fonttools_reads(path):
    characters = set(TTFont(path).getBestCmap())

    font = read(path)

    assert {code for code in range(0x20000) if chr(code) in font} == characters


@pytest.mark.parametrize(
    "text",
    ["Grüße", "Łódź", "Ελλάδα", "Привет", "서울 매장", "カタカナ", "34 ± 6 · happy", "뷁똠", "İstanbul", "…"],
)
def test_each_script_we_promise_is_set_from_our_own_fonts_and_not_as_boxes(text):
    letters = lettering()

    glyphs = [letters.mask(character) for character in text.replace(" ", "")]

    assert all(glyph.max() > 100 for glyph in glyphs)
    assert not any(np.array_equal(glyph, box_of(letters)) for glyph in glyphs)


def test_a_character_that_no_font_has_is_a_visible_box():
    letters = lettering()

    assert np.array_equal(letters.mask("\U000f0001"), box_of(letters))
    assert box_of(letters).max() > 100


def test_a_character_beyond_our_fonts_is_taken_from_another():
    asked = []
    other = read(BUNDLED[1])
    letters = Lettering(24, others=lambda: asked.append(1) or [other])

    letters.mask("あ")
    assert not asked

    letters.mask("\U000f0001" * 3)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "text", ["", " ", "a\nb\tc\x00", "\udc80", "e\u0301\u0301\u0301", "مرحبا بالعالم", "x" * 3000]
)
def test_any_string_is_set_without_an_error(text):
    letters = lettering()

    mask = letters.mask(text)

    assert mask.shape == (letters.height, letters.width(text))


@pytest.mark.parametrize("text", ["שלום עולם", "כניסה-ראשית", "דלת 2 חצר"])
def test_words_from_right_to_left_begin_at_the_right(text):
    hebrew = next((file for file in system_fonts() if all(c in file for c in text)), None)
    if hebrew is None or not features.check("fribidi"):
        pytest.skip("needs a font with Hebrew, and FriBidi")
    letters = Lettering(24, others=lambda: [hebrew])
    words = text.replace("-", " ").split()
    first, last = words[0], words[-1]

    def differs(word):
        """How unlike the word the right end of the whole is."""
        whole, alone = letters.mask(text).astype(int), letters.mask(word).astype(int)
        width = min(letters.width(first), letters.width(last))
        return np.abs(whole[:, -width:] - alone[:, -width:]).mean()

    assert differs(first) < 0.5 * differs(last)


def test_a_decomposed_hangul_syllable_looks_like_the_composed_one():
    letters = lettering()

    assert np.array_equal(letters.mask("\u1112\u1161\u11ab"), letters.mask("한"))


def test_equal_texts_of_digits_are_equally_wide_so_that_numbers_do_not_dance():
    letters = lettering()

    assert len({letters.width(f"{digit}{digit}") for digit in range(10)}) == 1


def test_a_text_too_wide_is_cut_with_an_ellipsis_and_fits():
    letters = lettering()
    text = "입구 카메라 · 29.7 fps · 41 ms · 0 dropped"

    for width in range(0, letters.width(text), 7):
        cut = letters.fit(text, width)
        assert cut == "" or (cut.endswith("…") and letters.width(cut) <= width)
    assert letters.fit(text, letters.width(text)) == text


def test_a_file_that_is_no_font_is_refused_and_passed_over_among_the_fonts_of_a_machine(
    tmp_path, monkeypatch
):
    broken = tmp_path / "Broken.ttf"
    broken.write_bytes(b"\x00\x01\x00\x00nonsense")
    (tmp_path / "NotoSans.ttf").write_bytes(BUNDLED[0].read_bytes())
    monkeypatch.setattr("render.fontfile._folders", lambda: [tmp_path, tmp_path / "absent"])

    assert [font.path.name for font in system_fonts()] == ["NotoSans.ttf"]
    with pytest.raises(ValueError, match=r"Broken\.ttf"):
        read(broken)


def test_the_fonts_carry_their_licence():
    for path in BUNDLED:
        family = path.name.split("-")[0]
        assert "SIL OPEN FONT LICENSE Version 1.1" in (FONTS / f"OFL-{family}.txt").read_text()
