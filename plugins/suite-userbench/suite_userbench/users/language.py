"""Plain text made comparable: words, dates, phrases. Deterministic and quick; no model, no locale."""

import re
import unicodedata
from functools import lru_cache

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_MONTH = {
    **{name: number for number, name in enumerate(MONTHS, 1)},
    **{name[:3]: number for number, name in enumerate(MONTHS, 1)},
    "sept": 9,
}
_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ]
    )
}
_WORD = re.compile(r"[^\W_]+")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
_NAME = "|".join(sorted(_MONTH, key=len, reverse=True))
_MONTH_DAY = re.compile(
    rf"\b({_NAME})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?!\s*:)"
    r"(?:\s*(?:-|–|to|until|till|through|and)\s*(?:the\s+)?(\d{1,2})(?:st|nd|rd|th)?\b(?![:\d]))?"
)
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?({_NAME})\b")
_ISO = re.compile(r"\b\d{4}-(\d{2})-(\d{2})\b")


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """NFKC and casefolded."""
    return unicodedata.normalize("NFKC", text).casefold()


@lru_cache(maxsize=8192)
def _stem(word: str) -> str:
    if word in _NUMBERS:
        return _NUMBERS[word]
    if match := _ORDINAL.fullmatch(word):
        return match[1]
    if len(word) > 3 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def words(text: str) -> list[str]:
    """Folded words, lightly stemmed, number words and ordinals as digits."""
    return [_stem(word) for word in _WORD.findall(fold(text))]


def phrase(text: str) -> str:
    """Words joined by single spaces."""
    return " ".join(words(text))


def contains(haystack: str, needle: str) -> bool:
    """Whether a phrase occurs in another, at word boundaries. Both as `phrase` makes them."""
    return f" {needle} " in f" {haystack} "


def dates(text: str) -> frozenset[tuple[int, int]]:
    """All (month, day) pairs that a text names: "November 10th", "10 Nov", "Nov 10-13", "2025-11-10"."""
    folded = fold(text)
    found: set[tuple[int, int]] = set()
    for month, first, last in _MONTH_DAY.findall(folded):
        number = _MONTH[month]
        found.add((number, int(first)))
        if last:
            found.add((number, int(last)))
    if not found or "of" in folded or re.search(rf"\d\s*(?:st|nd|rd|th)?\s+({_NAME})", folded):
        found |= {
            (_MONTH[month], int(day)) for day, month in _DAY_MONTH.findall(_MONTH_DAY.sub(" ; ", folded))
        }
    found |= {(int(month), int(day)) for month, day in _ISO.findall(folded)}
    return frozenset(pair for pair in found if 1 <= pair[0] <= 12 and 1 <= pair[1] <= 31)
