"""Putting answers to a reward model: which kind of rating, and what the answer looks like as an Output.

Not here: what a preference is worth (`credit`).
"""

from collections.abc import Sequence
from typing import Any

import suite
from suite_rag_rewardbench.parameters import AskingParameters, Kind, PairParameters

ANY_KIND = ({"rate"}, {"chat"}, {"prompt_logprobs"})
_REFUSED_BY: dict[str, suite.Finish] = {"overflow": "overflow", "refused": "refused"}


def roles(kind: Kind) -> dict[str, suite.Role]:
    """Who is needed for a kind of rating: a model's own way, or the one asked for."""
    if kind == "":
        needs: Any = list(ANY_KIND)
    elif kind == "classifier":
        needs = {"rate"}
    elif kind.startswith("logp"):
        needs = {"prompt_logprobs"}
    else:
        needs = {"chat"}
    found = {"candidate": suite.Role(needs=needs)}
    if kind == "logp_reference":
        found["reference"] = suite.Role(needs={"prompt_logprobs"})
    return found


def by_chat(model: suite.Model, kind: Kind) -> bool:
    """Whether a chat model's words decide."""
    if kind:
        return kind in ("pairwise", "rank", "rating")
    can = model.chosen or model.capabilities
    return "rate" not in can and "chat" in can


def pair_kind(model: suite.Model, parameters: PairParameters) -> str:
    """The kind to ask a pair by, with its options."""
    if not by_chat(model, parameters.kind):
        return parameters.kind
    kind = parameters.kind or "pairwise"
    if kind == "rating":
        return f"rating?{parameters.options()}"
    if kind == "pairwise" and parameters.order == "both":
        return f"pairwise?{parameters.options()}"
    return f"rank?{parameters.options('given' if parameters.order == 'fixed' else 'hash')}"


def many_kind(model: suite.Model, parameters: AskingParameters, *, grades: bool) -> str:
    """The kind to ask more answers by; grades: each needs a number of its own."""
    if not by_chat(model, parameters.kind):
        return parameters.kind
    kind = "rating" if grades or parameters.kind == "rating" else "rank"
    return f"{kind}?{parameters.options()}"


async def ask(
    model: suite.Model, messages: Sequence[suite.Message], answers: Sequence[str], kind: str, key: str = ""
) -> suite.Output:
    """One rating as an output: `data` has scores, prefers, kind, failure and the kind's diagnostics."""
    ratings = await model.rate(messages, answers, kind=kind, key=key)
    return output_of(ratings)


def output_of(ratings: suite.Ratings) -> suite.Output:
    """Ratings as an output. A failure is kept as it is: what it is worth is for `score` to say."""
    data: dict[str, Any] = {
        "kind": ratings.kind,
        "scores": list(ratings.scores),
        "prefers": ratings.prefers,
        "failure": ratings.failure,
        **(ratings.diagnostics or {}),
    }
    data.pop("finish", None)
    finish: suite.Finish = _REFUSED_BY.get(ratings.failure, "invalid") if ratings.failure else "stop"
    return suite.Output(data=data, finish=finish)


def unfit(problem: str) -> suite.Output:
    """The output of an item that is never put to a model, with what is wrong with it."""
    return suite.Output(data={"problem": problem}, finish="invalid")
