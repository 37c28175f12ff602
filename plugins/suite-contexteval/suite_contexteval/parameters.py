"""The knobs of all tasks."""

from typing import Literal

from pydantic import Field, model_validator

import suite
from suite_contexteval.pairs import Orders, Policy, Ties
from suite_contexteval.rows import Setting

ANSWER_TOKENS = 2048
STEP_TOKENS = 512  # upstream's limit of everything that is no answer
CONTEXT_TOKENS = 1024  # ten pairs can be cut at 512


class Step(suite.Parameters):
    """A stage that asks for something short.

    max_tokens: longest reply. temperature: None leaves the engine's default, as upstream does.
    """

    max_tokens: int = Field(default=STEP_TOKENS, ge=1)
    temperature: float | None = Field(default=0.0, ge=0)


class FilterParameters(Step):
    """targets: "paper" keeps at most so many queries of each source as upstream does, "all" keeps all."""

    targets: Literal["all", "paper"] = "all"


class ContextsParameters(Step):
    """protocol: how a reply is cut into pairs, and among which generators one is drawn.

    "sound" reads line by line and draws among those who gave follow-up questions; "paper" cuts and draws
    as upstream (seed 42), where a generator that said no may be drawn and leave the query without a context.
    Another draw, after a reply that cannot be cut, has a seed of its own.
    """

    max_tokens: int = Field(default=CONTEXT_TOKENS, ge=1)
    protocol: Literal["sound", "paper"] = "sound"


class RespondParameters(suite.Parameters):
    """context: whether the model is shown the context."""

    context: bool = False
    max_tokens: int = Field(default=ANSWER_TOKENS, ge=1)
    temperature: float | None = Field(default=0.0, ge=0)


class ConstraintsParameters(Step):
    """context: whether the responses made with a context are counted, or those without."""

    context: bool = True


class CodesParameters(Step):
    """protocol: from whom a pair's reason is drawn: "sound" from all judges that gave one, "paper" as
    upstream, with its seed, from those whose raw text holds the word "Justification". sample: how many
    reasons to draw in all, under "paper" of each pair of models; None takes one of every pair and setting.
    """

    protocol: Literal["sound", "paper"] = "sound"
    sample: int | None = Field(default=None, ge=1)


class DefaultParameters(suite.Parameters):
    """attributes: a list of names; empty means all. per_attribute: most queries of each, drawn with
    upstream's seed. max_tokens: longest response. rating_tokens: longest rating.
    """

    attributes: tuple[str, ...] = ()
    per_attribute: int = Field(default=1000, ge=1)
    max_tokens: int = Field(default=ANSWER_TOKENS, ge=1)
    temperature: float | None = Field(default=0.0, ge=0)
    rating_tokens: int = suite.at_score(STEP_TOKENS, ge=1)


class AdaptedParameters(DefaultParameters):
    """adapt: whether the response is made for the answer; else the default response is rated for it."""

    adapt: bool = True


class JudgeParameters(suite.Parameters):
    """Of the stage whose input are two models' responses; verdicts are part of its outputs.

    setting: who sees the context: none; the judge; both. orders: both orders of a pair; "paper": one for
    all judges, by upstream's seed; "per-judge": one drawn for each. justify: whether a reason is asked for.
    may_tie: whether a tie is on offer. unmatched: what to do with queries that only one model answered.
    policy, minimum, ties: how verdicts become a score; can be changed afterwards (`suite score`).
    """

    setting: Setting = "none"
    orders: Orders = "both"
    justify: bool = True
    may_tie: bool = True
    max_tokens: int = Field(default=STEP_TOKENS, ge=1)
    temperature: float | None = Field(default=0.0, ge=0)
    unmatched: Literal["refuse", "skip"] = "refuse"
    policy: Policy = suite.at_score("majority")
    minimum: int | None = suite.at_score(None, ge=1)
    ties: Ties = suite.at_score("mean")


class PairwiseParameters(suite.Parameters):
    """Of the task that asks both models and the judges in one run.

    setting: who sees the context: none; the judge; both. sources: a list; empty means all queries.
    max_tokens, temperature: of the responses. The rest, on judging, can be changed afterwards; see
    `JudgeParameters`.
    """

    setting: Setting = "none"
    sources: tuple[str, ...] = ()
    max_tokens: int = Field(default=ANSWER_TOKENS, ge=1)
    temperature: float | None = Field(default=0.0, ge=0)
    orders: Orders = suite.at_score("both")
    justify: bool = suite.at_score(True)
    may_tie: bool = suite.at_score(True)
    judge_tokens: int = suite.at_score(STEP_TOKENS, ge=1)
    judge_temperature: float | None = suite.at_score(0.0, ge=0)
    policy: Policy = suite.at_score("majority")
    minimum: int | None = suite.at_score(None, ge=1)
    ties: Ties = suite.at_score("mean")

    @model_validator(mode="after")
    def _once(self) -> "PairwiseParameters":
        if len(set(self.sources)) < len(self.sources):
            raise ValueError("sources: each may be named once")
        return self
