"""Nothing that a model may write can move a cursor, break a page or reorder its surroundings."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.report.hostile_text import clean, cut, one_line

ANYTHING = st.text(st.characters(codec=None), max_size=300)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("a\r\nb\rc", "a\nb␍c"),
        ("\0\x07\x7f", "␀␇␡"),
        ("\x9b31m", "\ufffd31m"),  # the one-character form of ESC [
        ("abc\u202edcba", "abc⟨U+202E⟩dcba"),
        ("\u2067x\u2069", "⟨U+2067⟩x⟨U+2069⟩"),
        ("\ud800\ufffe\U0001ffff", "\ufffd\ufffd\ufffd"),
        ("tab\tand\nline, שלום, 😀", "tab\tand\nline, שלום, 😀"),
    ],
)
def test_what_cannot_be_shown_becomes_visible(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(ANYTHING)
def test_no_control_override_or_surrogate_is_left(text: str) -> None:
    shown = clean(text)
    shown.encode("utf-8")
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
    assert not set(shown) & set(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
    assert clean(shown) == shown


@given(ANYTHING, st.integers(0, 50))
def test_one_line_is_one_line_of_bounded_length(text: str, most: int) -> None:
    shown = one_line(text, most)
    assert len(shown.splitlines()) <= 1
    assert len(shown) <= 8 * most + 1  # an override takes eight characters to say


def test_cut_says_how_much_is_missing() -> None:
    assert cut("abcdef", 4) == ("abcd", 2)
    assert cut("abc", 4) == ("abc", 0)
