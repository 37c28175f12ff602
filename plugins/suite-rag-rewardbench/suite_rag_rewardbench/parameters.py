"""The tasks' knobs: how the model is asked for its preference, and what it gets to see."""

from typing import Literal

from pydantic import Field

import suite

Kind = Literal["", "classifier", "pairwise", "rank", "rating", "logp_sum", "logp_mean", "logp_reference"]


class AskingParameters(suite.Parameters):
    """What all three tasks have.

    kind: how the preference is read; "" lets the model's own config decide (see docs/reward-models.md).
    """

    kind: Kind = Field(default="", description="how the preference is read; empty: the model's own way")
    guided: bool = Field(
        default=False,
        description="chat models: hold the verdict to a schema where the engine can (no reasoning then)",
    )
    max_tokens: int = Field(
        default=2048, ge=1, description="chat models: room for the reply with the verdict"
    )

    def options(self, order: str = "") -> str:
        """Options of a chat model's rating, as `Model.rate` takes them behind a kind."""
        given = f"max_tokens={self.max_tokens}&guided={str(self.guided).lower()}"
        return f"{given}&order={order}" if order else given


class PairParameters(AskingParameters):
    """Of pairs.

    order: of the two answers before a chat model: "both" asks twice, "random" shows one order that a hash
    draws, "fixed" always the better answer first.
    """

    order: Literal["both", "random", "fixed"] = Field(
        default="both", description="chat models: both orders, one drawn, or the better answer always first"
    )


class RagParameters(PairParameters):
    """Of RAG-RewardBench.

    include_system: put a system message before the user's turn; whether the authors did is unknown.
    max_reference_chars: cut the references to this many characters, at their left end, the same for both
    answers; the question and the answers are never cut. None keeps prompts whole.
    """

    include_system: bool = Field(default=False, description="put a system message before the user's turn")
    max_reference_chars: int | None = Field(
        default=None,
        ge=1,
        description="cut the references at their left end to so many characters; none: whole",
    )


class V1Parameters(PairParameters):
    """Of RewardBench 1. prior_sets: also run the four older test sets, 17,154 more pairs."""

    prior_sets: bool = Field(default=False, description="also the four older test sets (17,154 more pairs)")


class V2Parameters(AskingParameters):
    """Of RewardBench 2: a chat model ranks the four answers, or grades each ("rating"); Ties are graded."""
