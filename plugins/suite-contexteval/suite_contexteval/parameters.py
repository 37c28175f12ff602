"""The knobs of all tasks."""

from typing import Literal

from pydantic import Field, model_validator

import suite
from suite_contexteval.pairs import Orders, Policy, Ties
from suite_contexteval.rows import Setting

ANSWER_TOKENS = 2048
STEP_TOKENS = 512  # upstream's limit of everything that is no answer
CONTEXT_TOKENS = 1024  # ten pairs can be cut at 512


ORDERS = "both: judge each pair both ways; paper: one order, drawn as upstream; per-judge: one for each judge"
POLICY = "how the panel's votes become one: more than half, all of them, or their mean"
MINIMUM = "fewest readable votes for a score; none: more than half of the panel"
TIES = "mean: average the two orders; agree: a winner only where both name it"
SETTING = "who sees the context: nobody, the judge, or the judge and both models"
JUSTIFY = "ask the judge for a reason"
MAY_TIE = "let the judge call a tie"
JUDGES = "temperature of the judges; none: their engines' own"
LONGEST = "most new tokens of a response"
TEMPERATURE = "sampling temperature; none: the engine's own, as in the paper"


class Step(suite.Parameters):
    """A stage that asks for something short."""

    max_tokens: int = Field(default=STEP_TOKENS, ge=1, description="most new tokens of a reply")
    temperature: float | None = Field(default=0.0, ge=0, description=TEMPERATURE)


class FilterParameters(Step):
    """What the first stage keeps."""

    targets: Literal["all", "paper"] = Field(
        default="all",
        description="paper: at most so many queries of each source as upstream; all: every one",
    )


class ContextsParameters(Step):
    """How a reply is cut into pairs, and among which generators one is drawn.

    "sound" reads line by line and draws among those who gave follow-up questions; "paper" cuts and draws
    as upstream (seed 42), where a generator that said no may be drawn and leave the query without a context.
    Another draw, after a reply that cannot be cut, has a seed of its own.
    """

    max_tokens: int = Field(default=CONTEXT_TOKENS, ge=1, description="most new tokens of a reply")
    protocol: Literal["sound", "paper"] = Field(
        default="sound",
        description="sound: read line by line, draw among generators that gave questions; "
        "paper: cut and draw as upstream",
    )


class RespondParameters(suite.Parameters):
    """Of the stage that answers queries."""

    context: bool = Field(default=False, description="show the model the user's context")
    max_tokens: int = Field(default=ANSWER_TOKENS, ge=1, description=LONGEST)
    temperature: float | None = Field(default=0.0, ge=0, description=TEMPERATURE)


class ConstraintsParameters(Step):
    """Whose responses are looked at."""

    context: bool = Field(
        default=True, description="count in the responses made with the context; false: in those without"
    )


class CodesParameters(Step):
    """From whom a pair's reason is drawn.

    "sound" draws from all judges that gave one, "paper" as upstream, with its seed, from those whose raw text
    holds the word "Justification".
    """

    protocol: Literal["sound", "paper"] = Field(
        default="sound",
        description="draw a pair's reason from all judges that gave one (sound), or as upstream (paper)",
    )
    sample: int | None = Field(
        default=None,
        ge=1,
        description="reasons drawn in all (protocol=paper: of each pair of models); "
        "none: one of every pair and setting",
    )


class DefaultParameters(suite.Parameters):
    """Queries are drawn with upstream's seed."""

    attributes: tuple[str, ...] = Field(default=(), description="only these attributes of users; empty: all")
    per_attribute: int = Field(default=1000, ge=1, description="most queries of each attribute")
    max_tokens: int = Field(default=ANSWER_TOKENS, ge=1, description=LONGEST)
    temperature: float | None = Field(default=0.0, ge=0, description=TEMPERATURE)
    rating_tokens: int = suite.at_score(STEP_TOKENS, ge=1, description="most new tokens of a rating")


class AdaptedParameters(DefaultParameters):
    """The same with or without adapting."""

    adapt: bool = Field(
        default=True,
        description="make the response for the user's answer; false: rate the default response for it",
    )


class JudgeParameters(suite.Parameters):
    """Of the stage whose input are two models' responses; verdicts are part of its outputs.

    What is at score can be changed afterwards (`suite score`).
    """

    setting: Setting = Field(default="none", description=SETTING)
    orders: Orders = Field(default="both", description=ORDERS)
    justify: bool = Field(default=True, description=JUSTIFY)
    may_tie: bool = Field(default=True, description=MAY_TIE)
    max_tokens: int = Field(default=STEP_TOKENS, ge=1, description="most new tokens of a verdict")
    temperature: float | None = Field(default=0.0, ge=0, description=JUDGES)
    unmatched: Literal["refuse", "skip"] = Field(
        default="refuse", description="what to do with queries that only one model answered"
    )
    policy: Policy = suite.at_score("majority", description=POLICY)
    minimum: int | None = suite.at_score(None, ge=1, description=MINIMUM)
    ties: Ties = suite.at_score("mean", description=TIES)


class PairwiseParameters(suite.Parameters):
    """Of the task that asks both models and the judges in one run.

    All on judging can be changed afterwards.
    """

    setting: Setting = Field(default="none", description=SETTING)
    sources: tuple[str, ...] = Field(default=(), description="only queries of these sources; empty: all")
    max_tokens: int = Field(default=ANSWER_TOKENS, ge=1, description=LONGEST)
    temperature: float | None = Field(default=0.0, ge=0, description=TEMPERATURE)
    orders: Orders = suite.at_score("both", description=ORDERS)
    justify: bool = suite.at_score(True, description=JUSTIFY)
    may_tie: bool = suite.at_score(True, description=MAY_TIE)
    judge_tokens: int = suite.at_score(STEP_TOKENS, ge=1, description="most new tokens of a verdict")
    judge_temperature: float | None = suite.at_score(0.0, ge=0, description=JUDGES)
    policy: Policy = suite.at_score("majority", description=POLICY)
    minimum: int | None = suite.at_score(None, ge=1, description=MINIMUM)
    ties: Ties = suite.at_score("mean", description=TIES)

    @model_validator(mode="after")
    def _once(self) -> "PairwiseParameters":
        if len(set(self.sources)) < len(self.sources):
            raise ValueError("sources: each may be named once")
        return self
