"""The knobs of both tasks, and which combinations make sense.

Turns are counted twice: `inter_turns` (N) is the number of unrelated exchanges between preference and
question, `paper_turns` is N + 2, as the paper, its leaderboard and file names count. Give one of them.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

import suite
from suite_prefeval import profiles

Form = Literal["explicit", "implicit-choice", "implicit-persona"]
Method = Literal["zero-shot", "remind", "cot", "selfcritic", "rag"]
Protocol = Literal["paper", "plain"]
Answering = Literal["generate", "letter-likelihood", "option-likelihood"]

DEFAULT_INTER_TURNS = 8
DEFAULT_RAG_K = 5
# fewest messages in which a preference is told: preference and reply; two exchanges; three exchanges
FEWEST_MESSAGES = {"explicit": 2, "implicit-choice": 4, "implicit-persona": 6}


class Shared(suite.Parameters):
    """What generation and classification have in common.

    `rag_k` is None for all methods but `rag`, so that their cells stay one.
    """

    form: Form = Field(default="explicit", description="how the preference is told: stated, or only implied")
    method: Method = Field(
        default="zero-shot",
        description="how the question is asked: plainly, with a reminder, reasoning first (cot), "
        "criticised and revised (selfcritic), or with messages quoted (rag)",
    )
    inter_turns: int = Field(
        default=DEFAULT_INTER_TURNS, ge=0, description="unrelated exchanges between preference and question"
    )
    paper_turns: int = Field(
        default=DEFAULT_INTER_TURNS + 2,
        ge=2,
        description="the same as the paper counts: inter_turns + 2; give one of the two",
    )
    topics: tuple[str, ...] = Field(default=(), description="only these topics; empty: all")
    rag_k: int | None = Field(
        default=None,
        ge=1,
        description=f"method=rag: messages quoted ({DEFAULT_RAG_K} if not said)",
    )
    protocol: Protocol = Field(
        default="paper",
        description="paper: conversations and limits as upstream's code builds them, quirks included; "
        "plain: without the quirks",
    )
    profile: profiles.Profile = Field(
        default="chat",
        description="the family of models whose form upstream's code uses: chat (as for Claude), "
        "raw strings of llama or mistral, gpt, gemini",
    )

    @classmethod
    def over(cls, preset: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Turns given in one way of counting replace those of the other; a profile decides on its prefill."""
        decided = {"inter_turns", "paper_turns"} if {"inter_turns", "paper_turns"} & given.keys() else set()
        likelihood = given.get("answering", "generate") != "generate"
        decided |= {"prefill"} if likelihood or given.get("profile") in profiles.RAW else set()
        return {**{name: value for name, value in preset.items() if name not in decided}, **given}

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        filled = {**values, **_turns(values)}
        if filled.get("method") != "rag":
            filled["rag_k"] = None
        elif filled.get("rag_k") is None:
            filled["rag_k"] = DEFAULT_RAG_K
        if isinstance(topics := filled.get("topics"), list | tuple):
            filled["topics"] = tuple(sorted(set(topics)))
        return filled

    @model_validator(mode="after")
    def _possible(self) -> "Shared":
        choice = isinstance(self, ClassificationParameters)
        explicit = self.form == "explicit"
        if reason := profiles.problem(self.profile, explicit=explicit, method=self.method, choice=choice):
            raise suite.SkipCell(reason)
        if self.rag_k is None:
            return self
        candidates = FEWEST_MESSAGES[self.form] + 2 * self.inter_turns
        if candidates < self.rag_k:
            raise suite.SkipCell(
                f"rag quotes {self.rag_k} messages, but {self.form} with {self.inter_turns} inter turns "
                f"has only {candidates}"
            )
        return self


def _turns(values: dict[str, Any]) -> dict[str, Any]:
    """Both counts of turns from whichever was given; what is no number is left to the field's own check."""
    inter, paper = _whole(values.get("inter_turns")), _whole(values.get("paper_turns"))
    if inter is not None and paper is not None and paper != inter + 2:
        raise ValueError(
            f"inter_turns={inter} and paper_turns={paper} disagree (paper turns = inter turns + 2): "
            "give one of them"
        )
    if inter is None and paper is not None:
        return {"inter_turns": max(paper - 2, 0)}
    if inter is not None and paper is None:
        return {"paper_turns": max(inter, 0) + 2}
    return {}


def _whole(value: object) -> int | None:
    try:
        return int(value) if isinstance(value, int | str) else None
    except ValueError:
        return None


class GenerationParameters(Shared):
    """Parameters of `prefeval/generation`."""

    max_tokens: int = Field(
        default=300,
        ge=1,
        description="most new tokens of an answer; under protocol=paper also the words asked for",
    )


class ClassificationParameters(suite.ShotParameters, Shared):
    """Parameters of `prefeval/classification`.

    Raw profiles prefill as upstream does for theirs: Mistral yes, Llama no.
    """

    answering: Answering = suite.added(
        "generate",
        description="generate: the model writes its choice; letter-likelihood: the likeliest tagged letter "
        "counts; option-likelihood: no options are shown, and the likeliest of their texts counts",
    )

    max_tokens: int = Field(
        default=5, ge=1, description="most new tokens of a choice; models that reason need more than these 5"
    )
    prefill: bool = Field(
        default=False,
        description="begin the model's turn with the opening choice tag, as upstream does for Claude",
    )

    @model_validator(mode="before")
    @classmethod
    def _prefilled(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("profile") not in profiles.RAW:
            return values
        right = values["profile"] == "mistral"
        if str(values.get("prefill", right)).lower() != str(right).lower():
            raise ValueError(
                f"prefill is {str(right).lower()} with profile={values['profile']}: leave it out"
            )
        return {**values, "prefill": right}

    @model_validator(mode="after")
    def _asked_so(self) -> "ClassificationParameters":
        if self.shots and self.profile != "chat":
            raise suite.SkipCell(f"shots are turns of a chat, and profile={self.profile} is none")
        if self.answering == "generate":
            return self
        if self.profile != "chat" or self.method == "selfcritic" or self.prefill:
            raise suite.SkipCell(f"{self.answering} asks once, with profile=chat and without prefill")
        return self
