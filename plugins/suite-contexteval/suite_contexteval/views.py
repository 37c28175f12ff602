"""How samples are shown in reports."""

from collections.abc import Iterable

import suite
from suite_contexteval.reading import Item

Block = suite.Text | suite.Facts | suite.Table | suite.Plot | suite.Code | suite.Dialogue
Cell = str | float | int | bool | None


def pair(item: Item, candidate: str, baseline: str, score: suite.Score | None) -> Iterable[Block]:
    """Query, context, both responses and what each judge said in each order."""
    yield suite.Text(item.query, "Query")
    yield from context(item)
    yield suite.Text(candidate, "Candidate")
    yield suite.Text(baseline, "Baseline")
    if score is not None and score.parts:
        rows = [
            (part.tags.get("judge", ""), part.tags.get("order", ""), shown(part.values["win"]))
            for part in score.parts
            if "win" in part.values
        ]
        yield suite.Table(("judge", "order shown", "win of the candidate"), rows, "Verdicts")


def context(item: Item) -> Iterable[Block]:
    """The context, as a table where its parts are known."""
    if item.qas:
        rows = [(one.question, one.answer) for one in item.qas]
        yield suite.Table(("follow-up question", "answer"), rows, "Context")
    elif item.context:
        yield suite.Text(item.context, "Context")


def shown(value: object) -> Cell:
    """A value of a score as a cell."""
    if isinstance(value, suite.Unscored):
        return f"unscored: {value.reason}"
    return value if isinstance(value, str | float | int | bool) or value is None else str(value)
