"""Which of n answers a model prefers, whatever kind of reward model it is.

A classifier scores answers; a chat model compares two in both orders, ranks more in an order that a hash
draws, or grades each alone; a policy prefers what it finds likelier. All yield `Ratings`: raw scores where
there are any, the preferred answer, or the reason why there is none. Credit for ties and failures is the
task's. `rate_answers` is the one door: a runner's `Model.rate_answers` calls it with itself, and with the
model of the role `reference` where somebody fills it. Source: arXiv 2412.13746, section 4.
"""

import math
from collections.abc import Sequence
from urllib.parse import parse_qsl

import msgspec

from suite.chat import Json, Message, Reply, Request
from suite.errors import ConfigError, unknown
from suite.models.batches import together
from suite.roles import Model, Ratings
from suite.scoring.chat_ratings import How, highest, rate_by_chat

CLASSIFIER = "classifier"
CHAT_KINDS = ("pairwise", "rank", "rating")
LIKELIHOOD_KINDS = ("logp_sum", "logp_mean", "logp_reference")
KINDS = (CLASSIFIER, *CHAT_KINDS, *LIKELIHOOD_KINDS)


def kind_for(model: Model, answers: int) -> str:
    """The kind that fits what the plan chose this model for (else what it can do)."""
    can = model.chosen or model.capabilities
    if "rate" in can:
        return CLASSIFIER
    if "prompt_logprobs" in can:
        return "logp_mean"
    if "chat" in can:
        return "pairwise" if answers == 2 else "rank"
    raise ConfigError(f"{model.name} cannot rate: it has none of rate, chat, prompt_logprobs")


async def rate_answers(
    model: Model,
    messages: Sequence[Message],
    answers: Sequence[str],
    kind: str = "",
    key: str = "",
    reference: Model | None = None,
) -> Ratings:
    """Rate n answers to one conversation: what every `Model.rate_answers` should call.

    kind: see `Ratings`; "" lets the capabilities that the plan chose decide. Chat models take options of
    `generative.How` behind it: "pairwise?max_tokens=16&guided=true", "rank?order=given", or "?guided=true"
    alone; other kinds ignore them. reference: the reference policy of "logp_reference".
    Raises NotFound for an unknown kind or option, ConfigError for what it cannot do, CallFailed.
    """
    if len(answers) < 2:
        raise ConfigError(f"rating needs at least two answers, got {len(answers)}")
    kind, how = read_kind(kind)
    kind = kind or kind_for(model, len(answers))
    if kind == CLASSIFIER:
        reply = await model.ask(Request("rate", tuple(messages), texts=tuple(answers)), key)
        return by_score(_scores(reply, len(answers)), kind, _diagnostics(reply))
    if kind in CHAT_KINDS:
        return await rate_by_chat(model, messages, answers, key, kind, how)
    if kind in LIKELIHOOD_KINDS:
        return await rate_by_logprobs(model, messages, answers, key, kind, reference)
    raise unknown("kind of rating", kind, KINDS)


def read_kind(text: str) -> tuple[str, How]:
    """A kind and how a chat model is asked, from "KIND?option=value&…". Raises NotFound, ConfigError."""
    kind, _, query = text.partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    how = How()
    for name, value in given.items():
        if name not in How.__struct_fields__:
            raise unknown("option of a rating", name, How.__struct_fields__)
        try:
            how = msgspec.convert({**msgspec.structs.asdict(how), name: value}, How, strict=False)
        except msgspec.ValidationError as error:
            raise ConfigError(f"bad value {value!r} for the option {name!r} of a rating") from error
    return kind, how


async def rate_by_logprobs(
    model: Model,
    messages: Sequence[Message],
    answers: Sequence[str],
    key: str,
    kind: str,
    reference: Model | None,
) -> Ratings:
    """Log-probability of each answer, nats: summed, per token, or summed minus the reference's.

    Both policies must share their tokens: where their counts of an answer's tokens differ, it has no score.
    """
    if kind == "logp_reference" and reference is None:
        raise ConfigError("logp_reference needs a reference model", fix="name one: --role reference=SPEC")
    normalise = "mean" if kind == "logp_mean" else "sum"
    policies = [model, reference] if kind == "logp_reference" and reference else [model]
    replies = await together(
        [one.logprobs(messages, answers, normalise=normalise, key=key) for one in policies]
    )
    scores = _scores(replies[0], len(answers))
    diagnostics = _diagnostics(replies[0])
    if len(replies) == 2:
        other = _scores(replies[1], len(answers))
        scores = tuple(None if a is None or b is None else a - b for a, b in zip(scores, other, strict=True))
        diagnostics |= {f"reference_{name}": value for name, value in _diagnostics(replies[1]).items()}
        tokens, others = diagnostics.get("tokens"), diagnostics.get("reference_tokens")
        if tokens is not None and others is not None and tokens != others:
            diagnostics["reasons"] = ["other-tokens"] * len(answers)
            scores = (None,) * len(answers)
    return by_score(scores, kind, diagnostics)


def by_score(scores: Sequence[float | None], kind: str, diagnostics: dict[str, Json]) -> Ratings:
    """Ratings from scores: the strictly highest is preferred; a missing score leaves no verdict."""
    found = tuple(scores)
    if any(one is None for one in found):
        told = diagnostics.get("reasons")
        reasons = [reason for reason in told if reason] if isinstance(told, list | tuple) else []
        return Ratings(found, None, kind, str(reasons[0]) if reasons else "no-score", diagnostics)
    return Ratings(found, highest(found), kind, "", diagnostics)


def _scores(reply: Reply, count: int) -> tuple[float | None, ...]:
    """The reply's scores, finite ones only; all None where the engine gave another number of them."""
    if len(reply.scores) != count:
        return (None,) * count
    return tuple(one if one is not None and math.isfinite(one) else None for one in reply.scores)


def _diagnostics(reply: Reply) -> dict[str, Json]:
    found = dict(reply.details) if isinstance(reply.details, dict) else {}
    if reply.finish != "stop":
        found["finish"] = reply.finish
        found.setdefault("reasons", [reply.finish])
    return found
