"""Chat models as raters: pairs in both orders, a ranking of more, or a grade for each.

Own wording; the verdict strings "Choose 1" and "Choose 2" are RAG-RewardBench's. Not here: the choice of
a kind, classifiers and likelihoods (`answer_ratings`).
"""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from suite.chat import Json, Message, system, user
from suite.errors import ConfigError
from suite.models.batches import together
from suite.roles import Model, Ratings
from suite.scoring.judges import JudgeOptions, judge
from suite.scoring.pair_verdicts import compare_pair
from suite.scoring.verdicts import Verdict, grade, numbered
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


async def rate_by_chat(
    model: Model, messages: Sequence[Message], answers: Sequence[str], key: str, kind: str, how: How
) -> Ratings:
    """Preference of a chat model. kind: "pairwise" (two answers), "rank" (n), "rating" (each alone, 1 to 10).

    prefers: None for a tie (orders that disagree, equal grades) and for a failure, which `failure` names.
    diagnostics: for each asking its state, attempts and choice, so that a task can give partial credit.
    Raises ConfigError for pairwise with other than two answers.
    """
    rate = {"pairwise": _pairwise, "rank": _rank, "rating": _grade}[kind]
    return await rate(model, conversation_text(messages), answers, key, how)


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
    return [
        system(PROMPTS.compare_system()),
        user(PROMPTS.compare(request=request, answers=shown, verdicts=offered)),
    ]


def _asking_of(how: How, key: str) -> JudgeOptions:
    return {"retries": RETRIES, "max_tokens": how.max_tokens, "key": key}


async def _pairwise(model: Model, request: str, answers: Sequence[str], key: str, how: How) -> Ratings:
    """Judged in both orders."""
    if len(answers) != 2:
        raise ConfigError(f"pairwise rating takes two answers, got {len(answers)}")
    pair = await compare_pair(
        model,
        lambda one, two: comparison(request, [one, two]),
        *answers,
        parse=numbered(2),
        schema=_verdict_schema(2) if how.guided else None,
        **_asking_of(how, key),
    )
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
