"""Does the model prefer the longer answer? And what would rules without any model have scored?"""

import re
from collections.abc import Callable

import suite

_FOOTNOTE = re.compile(r"\\footnote\s*\{")
_BRACKET = re.compile(r"\[\d+\]")


def longer(good: str, bad: str) -> str:
    """Which answer has more characters: better, worse or equal. A tag."""
    return "equal" if len(good) == len(bad) else "better" if len(good) > len(bad) else "worse"


def citations(text: str) -> int:
    """Citation marks: footnotes, else bracketed numbers."""
    return len(_FOOTNOTE.findall(text)) or len(_BRACKET.findall(text))


def length(good: str, bad: str, prefers: int | None) -> dict[str, suite.Value]:
    """longer_is_better: of the data. prefers_longer: of the model. None where nothing tells."""
    which = longer(good, bad)
    better = None if which == "equal" else which == "better"
    preferred = None if better is None or prefers is None else (prefers == 0) == better
    return {"longer_is_better": better, "prefers_longer": preferred}


def baselines(good: str, bad: str) -> dict[str, suite.Value]:
    """What rules without a model score: longer wins, shorter wins, more citation marks win; ties 0.5."""
    rules: dict[str, Callable[[str], int]] = {
        "baseline_longer": len,
        "baseline_shorter": lambda text: -len(text),
        "baseline_citations": citations,
    }
    return {
        name: 0.5 if rule(good) == rule(bad) else float(rule(good) > rule(bad))
        for name, rule in rules.items()
    }
