"""What the stages read: queries, follow-up questions, contexts, responses, attributes, verdicts of judges.

Every row may come from a JSON Lines file with these keys, or be an output of the stage before: then the
fields stand in its `data`, and `text`, `finish`, `model` beside them. Not here: reading (`reading`).
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

import suite

Setting = Literal["none", "judge", "both"]
SETTINGS: tuple[Setting, ...] = ("none", "judge", "both")
# who sees the context -> name in the paper, part of the official file names
PAPER_NAMES = {"none": "NoCtxGen-NoCtxEval", "judge": "NoCtxGen-CtxEval", "both": "CtxGen-CtxEval"}


class Row(suite.Payload):
    """Base: an output of a run is flattened, its `data` first. sample_id, trial: of a run's output."""

    sample_id: str = ""
    trial: int = 0

    @model_validator(mode="before")
    @classmethod
    def _flattened(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or "sample_id" not in value:
            return value
        data = value.get("data")
        around = {key: one for key, one in value.items() if key != "data"}
        return {**around, **data} if isinstance(data, Mapping) else around


class Pair(suite.Payload):
    """A follow-up question with the answers a user may give."""

    question: str = Field(min_length=1)
    options: tuple[str, ...] = ()


class QA(Pair):
    """A follow-up question with one user's answer."""

    answer: str = Field(min_length=1)


class Query(Row):
    """A query. index: its place in the original order, where known."""

    example_id: str = Field(min_length=1)
    query: str = Field(min_length=1)
    source: str = ""
    index: int | None = None


class FilteredQuery(Query):
    """An output of `contexteval/filter`, or a plain query (keep: None).

    keep: whether it is well-formed. target: how many to keep of its source (None: all).
    """

    keep: bool | None = None
    target: int | None = None


class Generation(suite.Payload):
    """What one generator wrote about a query. needed: whether it says that context helps."""

    generator: str
    text: str
    needed: bool


class Generated(Query):
    """An output of `contexteval/contexts`: follow-up questions for a query, none if it needs no context."""

    needed: bool = True
    pairs: tuple[Pair, ...] = ()


class Contextual(Query):
    """A query with one user's context, as parts (`qas`) or as text (`context`)."""

    qas: tuple[QA, ...] = ()
    context: str = ""


class Response(Contextual):
    """An output of `contexteval/respond`."""

    with_context: bool
    response: str = ""
    text: str = ""
    finish: str = "stop"
    model: str = ""

    @property
    def answer(self) -> str:
        """The response, whether a file or a run gave it."""
        return self.response or self.text


class Asked(suite.Payload):
    """What a judge said of a pair in one order. value: slot that won, 1 or 2; None for a tie or no verdict.

    swapped: the baseline was shown first. state: of `suite.Verdict`.
    """

    swapped: bool
    state: Literal["valid", "tie", "unparsed", "refused", "truncated"]
    value: int | None = Field(default=None, ge=1, le=2)
    text: str = ""
    reason: str = ""
    attempts: int = 1


class JudgeRecord(suite.Payload):
    """One judge's say on a pair. judge: member of the role. model: what it is."""

    judge: str
    model: str = ""
    orders: tuple[Asked, ...]


class Judgement(Contextual):
    """An output of `contexteval/judge`: a pair of responses and what each judge said."""

    setting: Setting
    candidate: str
    baseline: str
    judges: tuple[JudgeRecord, ...] = ()


class Attribute(suite.Payload):
    """Something a user may differ in, with the question that asks for it and its answers."""

    attribute: str
    question: str
    answers: tuple[str, ...] = Field(min_length=2)

    @property
    def slug(self) -> str:
        """The name for ids: upstream's file name stem in lower case."""
        return self.attribute.replace("/", "_").replace(" ", "_").lower()


class Selected(Query):
    """An output of `contexteval/select`: whether a query suits an attribute."""

    attribute: str
    kept: bool = True
