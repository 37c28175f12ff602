"""Hostile text made showable: nothing in it can move a cursor, break a page or reorder its surroundings.

What cannot be shown is replaced by something visible, never dropped: control characters by their Unicode
pictures (ESC becomes ␛), direction overrides by their code point, surrogates and noncharacters by U+FFFD.
Not here: escaping for HTML or Markdown.
"""

import re

_NONCHARACTERS = "".join(chr(plane << 16 | low) for plane in range(1, 17) for low in (0xFFFE, 0xFFFF))
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + _NONCHARACTERS
    + "]"
)
_BREAKS = re.compile("[\t\n\u2028\u2029 ]+")


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0x202A <= code <= 0x2069:
        return f"⟨U+{code:04X}⟩"
    return "\ufffd"


def clean(text: str) -> str:
    """The text with everything unsafe made visible; tabs and line feeds stay, CR LF becomes LF."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    return _UNSAFE.sub(_picture, text)


def cut(text: str, most: int) -> tuple[str, int]:
    """At most `most` characters of a text, and how many were left out."""
    return (text, 0) if len(text) <= most else (text[:most], len(text) - most)


def one_line(text: str, most: int = 200) -> str:
    """The text on one line, cleaned, cut with an ellipsis."""
    short, left = cut(text, most)
    return _BREAKS.sub(" ", clean(short)).strip() + ("…" if left else "")
