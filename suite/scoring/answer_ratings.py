"""Which of n answers a model prefers, whatever kind of reward model it is.

A classifier scores answers; a chat model compares two in both orders, ranks more in an order that a hash
draws, or grades each alone; a policy prefers what it finds likelier. All yield `Ratings`: raw scores where
there are any, the preferred answer, or the reason why there is none. Credit for ties and failures is the
task's. `rate_answers` is the one door: a runner's `Model.rate_answers` calls it with itself, and with the
model of the role `reference` where somebody fills it. Source: arXiv 2412.13746, section 4; the verdict
strings "Choose 1" and "Choose 2" are RAG-RewardBench's, all other wording is ours.
"""

import hashlib
import math
from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import parse_qsl

import msgspec

from suite.chat import Json, Message, Reply, Request, system, user
from suite.errors import ConfigError, unknown
from suite.models.engine import together
from suite.roles import Model, Ratings
from suite.scoring.judges import JudgeOptions, Verdict, grade, judge, numbered
from suite.scoring.pair_verdicts import compare_pair
from suite.scoring.wording import PROMPTS

MAX_TOKENS = 2048  # room for a model that reasons before its verdict
RETRIES = 1
LOW, HIGH = 1, 10


class How(msgspec.Struct, frozen=True):
    """How a chat model is asked.

    max_tokens: room for its reply. guided: hold engines that can follow a JSON Schema to one; a model that
    reasons in its reply cannot do so then. order: of "rank", "hash" (drawn) or "given" (as passed).
    """

    max_tokens: Annotated[int, msgspec.Meta(ge=1)] = MAX_TOKENS
    guided: bool = False
    order: Literal["hash", "given"] = "hash"


def conversation_text(messages: Sequence[Message]) -> str:
    """A conversation as one text: the only message's content, else turns with their speakers."""
    if len(messages) == 1:
        return messages[0].content
    return "\n\n".join(f"[{one.role}]\n{one.content}" for one in messages)


def comparison(request: str, answers: Sequence[str]) -> list[Message]:
    """The request to compare answers, numbered from 1 as given."""
    shown = "\n\n".join(PROMPTS.answer(number=i, text=text) for i, text in enumerate(answers, 1))
    verdicts = [f'"Choose {i}"' for i in range(1, len(answers) + 1)]
    offered = f"{', '.join(verdicts[:-1])} or {verdicts[-1]}"
    asked = PROMPTS.compare(request=request, answers=shown, verdicts=offered)
    return [system(PROMPTS.compare_system()), user(asked)]


def _asking_of(how: How, key: str) -> JudgeOptions:
    return {"retries": RETRIES, "max_tokens": how.max_tokens, "key": key}


async def _pairwise(model: Model, request: str, answers: Sequence[str], key: str, how: How) -> Ratings:
    """Judged in both orders."""
    if len(answers) != 2:
        raise ConfigError(f"pairwise rating takes two answers, got {len(answers)}")
    pair = await compare_pair(
        model, lambda one, two: comparison(request, [one, two]), *answers, parse=numbered(2),
        schema=_verdict_schema(2) if how.guided else None, **_asking_of(how, key),
    )  # fmt: skip
    asked = [
        _asking(one.verdict, None if one.score is None else int(one.score < 0.5), order=one.order)
        for one in pair.asked
    ]
    diagnostics: dict[str, Json] = {"askings": asked, "consistent": pair.consistent, "flip": pair.flip}
    if not isinstance(pair.score, float):
        return Ratings((None, None), None, "pairwise", pair.score.reason, diagnostics)
    prefers = None if pair.score == 0.5 else int(pair.score < 0.5)
    return Ratings((None, None), prefers, "pairwise", "", diagnostics)


async def _rank(model: Model, request: str, answers: Sequence[str], key: str, how: How) -> Ratings:
    order = shown_order(request, answers, key) if how.order == "hash" else list(range(len(answers)))
    verdict: Verdict[int] = await judge(
        model,
        comparison(request, [answers[i] for i in order]),
        parse=numbered(len(answers)),
        schema=_verdict_schema(len(answers)) if how.guided else None,
        **_asking_of(how, key),
    )
    prefers = None if verdict.value is None else order[verdict.value - 1]
    diagnostics: dict[str, Json] = {"askings": [_asking(verdict, prefers)], "order": order}
    failure = "" if verdict.valid else verdict.state
    return Ratings((None,) * len(answers), prefers, "rank", failure, diagnostics)


async def _grade(model: Model, request: str, answers: Sequence[str], key: str, how: How) -> Ratings:
    async def one(text: str) -> Verdict[float]:
        asked = PROMPTS.rate(request=request, text=text, low=LOW, high=HIGH)
        return await judge(
            model,
            [system(PROMPTS.rate_system()), user(asked)],
            parse=grade(LOW, HIGH),
            schema=_GRADE_SCHEMA if how.guided else None,
            **_asking_of(how, key),
        )

    verdicts = await together([one(text) for text in answers])
    scores = tuple(verdict.value for verdict in verdicts)
    diagnostics: dict[str, Json] = {"askings": [_asking(verdict, None) for verdict in verdicts]}
    lost = next((verdict.state for verdict in verdicts if not verdict.valid), "")
    return Ratings(scores, highest(scores), "rating", lost, diagnostics)


def highest(scores: Sequence[float | None]) -> int | None:
    """Where the strictly highest score stands; None where there is none or one is missing."""
    known = [score for score in scores if score is not None]
    alone = len(known) == len(scores) and known.count(max(known)) == 1
    return known.index(max(known)) if alone else None


def _verdict_schema(count: int) -> Json:
    """An object, since some endpoints accept no other root."""
    return _object_schema("verdict", {"type": "string", "enum": [f"Choose {i}" for i in range(1, count + 1)]})


def _object_schema(name: str, value: Json) -> dict[str, Json]:
    return {"type": "object", "properties": {name: value}, "required": [name], "additionalProperties": False}


_GRADE_SCHEMA = _object_schema("grade", {"type": "integer", "minimum": LOW, "maximum": HIGH})


def _asking(verdict: Verdict[int] | Verdict[float], choice: int | None, **more: Json) -> dict[str, Json]:
    """One asking as JSON. choice: index of the answer that won it."""
    found: dict[str, Json] = {"state": verdict.state, "attempts": verdict.attempts, "choice": choice, **more}
    return found if verdict.valid else {**found, "reason": verdict.reason}


def shown_order(request: str, answers: Sequence[str], key: str = "") -> list[int]:
    """The order to show n answers in: by hash of request and answer, so that a slot tells nothing about
    an answer and the order they were given in does not matter."""
    digests = [hashlib.sha256(f"{key}\x1f{request}\x1f{answer}".encode()).digest() for answer in answers]
    return sorted(range(len(answers)), key=lambda i: (digests[i], i))


CLASSIFIER = "classifier"
CHAT_KINDS = {"pairwise": _pairwise, "rank": _rank, "rating": _grade}
LIKELIHOOD_KINDS = ("logp_sum", "logp_mean", "logp_reference")


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
    A chat model's diagnostics have for each asking its state, attempts and choice, for partial credit.
    Raises NotFound for an unknown kind or option, ConfigError for what it cannot do, CallFailed.
    """
    if len(answers) < 2:
        raise ConfigError(f"rating needs at least two answers, got {len(answers)}")
    kind, how = read_kind(kind)
    kind = kind or kind_for(model, len(answers))
    if kind == CLASSIFIER:
        reply = await model.ask(Request("rate", tuple(messages), texts=tuple(answers)), key)
        return by_score(finite_scores(reply, len(answers)), kind, _diagnostics(reply))
    if kind in CHAT_KINDS:
        return await CHAT_KINDS[kind](model, conversation_text(messages), answers, key, how)
    if kind in LIKELIHOOD_KINDS:
        return await rate_by_logprobs(model, messages, answers, key, kind, reference)
    raise unknown("kind of rating", kind, (CLASSIFIER, *CHAT_KINDS, *LIKELIHOOD_KINDS))


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
    asked = [one.logprobs(messages, answers, normalise=normalise, key=key) for one in policies]
    (scores, diagnostics), *others = (
        (finite_scores(reply, len(answers)), _diagnostics(reply)) for reply in await together(asked)
    )
    for theirs, told in others:  # of the reference
        scores = tuple(None if a is None or b is None else a - b for a, b in zip(scores, theirs, strict=True))
        diagnostics |= {f"reference_{name}": value for name, value in told.items()}
        counts = diagnostics.get("tokens"), diagnostics.get("reference_tokens")
        if None not in counts and counts[0] != counts[1]:
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


def finite_scores(reply: Reply, count: int) -> tuple[float | None, ...]:
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
