"""Length and style of answers: what may sway a judge besides what they say.

Counted, never judged. The differences of a pair are values for a style-controlled win rate
(`stats.logistic`, `stats.style_control`).
"""

import re

_PATTERNS = {
    "headings": re.compile(r"^#{1,6} ", re.MULTILINE),
    "list_items": re.compile(r"^\s*(?:[-*+]|\d+[.)]) ", re.MULTILINE),
    "bold": re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__"),
    "code_blocks": re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL),
}


def style(text: str) -> dict[str, int]:
    """Characters, words, headings, list items, bold spans and fenced code blocks of a Markdown text."""
    return {
        "characters": len(text),
        "words": len(text.split()),
        **{name: len(pattern.findall(text)) for name, pattern in _PATTERNS.items()},
    }


def style_difference(first: str, second: str) -> dict[str, float]:
    """First minus second, by feature: {"characters_difference": …}."""
    one, two = style(first), style(second)
    return {f"{name}_difference": float(one[name] - two[name]) for name in one}
