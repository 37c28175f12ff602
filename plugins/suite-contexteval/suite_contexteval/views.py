"""How samples are shown in reports."""

from collections.abc import Iterable

import suite
from suite_contexteval.reading import Item


def pair(item: Item, candidate: str, baseline: str, score: suite.Score | None) -> Iterable[suite.Block]:
    """Query, context, both responses and what each judge said in each order."""
    yield suite.Text(item.query, "Query")
    yield from context(item)
    yield suite.Text(candidate, "Candidate")
    yield suite.Text(baseline, "Baseline")
    if score is not None and score.parts:
        rows = [
            (part.tags.get("judge", ""), part.tags.get("order", ""), suite.shown(part.values["win"]))
            for part in score.parts
            if "win" in part.values
        ]
        yield suite.Table(("judge", "order shown", "win of the candidate"), rows, "Verdicts")


def context(item: Item) -> Iterable[suite.Block]:
    """The context, as a table where its parts are known."""
    if item.qas:
        rows = [(one.question, one.answer) for one in item.qas]
        yield suite.Table(("follow-up question", "answer"), rows, "Context")
    elif item.context:
        yield suite.Text(item.context, "Context")
