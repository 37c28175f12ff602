"""What is told of a sample, in words: values, parts, replies, plain data. Not here: how it is drawn."""

from collections.abc import Sequence

import msgspec

from suite.chat import Reply
from suite.report.hostile_text import clean, cut
from suite.report.markdown import cell_text
from suite.report.matrix import Grid
from suite.report.numbers import plain
from suite.task import Part, Unscored, Value

MOST_PARTS = 60


def value_text(value: Value) -> str:
    """A score's value: a number, a label, a reason."""
    if isinstance(value, Unscored):
        return f"unscored: {value.reason}" + (f" ({value.detail})" if value.detail else "")
    return "not applicable" if value is None else cell_text(value)


def pretty(value: object, most: int = 20_000) -> str:
    """JSON to read, cut if it is long."""
    shown, left = cut(msgspec.json.format(msgspec.json.encode(value), indent=2).decode(), most)
    return clean(shown) + (f"\n… {left:,} characters more" if left else "")


def parts_grid(parts: Sequence[Part]) -> Grid:
    """The parts of a score: tags, then values."""
    values = list(dict.fromkeys(name for part in parts for name in part.values))
    tags = list(dict.fromkeys(name for part in parts for name in part.tags))
    rows = [
        [
            part.id,
            *(part.tags.get(name, "") for name in tags),
            *(value_text(part.values[name]) if name in part.values else "" for name in values),
        ]
        for part in parts[:MOST_PARTS]
    ]
    return Grid("", ["part", *tags, *values], rows, left=1 + len(tags) + len(values))


def reply_facts(reply: Reply) -> list[tuple[str, str]]:
    """What a reply holds beside its text."""
    found = []
    if reply.scores:
        shown = ("none" if one is None else f"{one:.5g}" for one in reply.scores[:50])
        found.append(("scores", ", ".join(shown)))
    if reply.ranking:
        found.append(("ranking", ", ".join(f"{index} ({score:.4g})" for index, score in reply.ranking[:50])))
    return found if reply.details is None else [*found, ("details", plain(reply.details))]
