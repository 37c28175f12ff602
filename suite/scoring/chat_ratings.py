"""Chat models as raters: pairs in both orders, a ranking of more, or a grade for each.

Own wording; the verdict strings "Choose 1" and "Choose 2" are RAG-RewardBench's. Not here: the choice of
a kind, classifiers and likelihoods (`answer_ratings`).
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from suite.chat import Json, Message, system, user
from suite.errors import ConfigError, unknown
from suite.models.batches import together
from suite.roles import Model, Ratings
from suite.scoring.judges import judge
from suite.scoring.pair_verdicts import PairResult, compare_pair
from suite.scoring.parsers import number_on_last_line, numbered
from suite.scoring.verdicts import Verdict
from suite.scoring.wording import PROMPTS

MAX_TOKENS = 2048  # room for a model that reasons before its verdict
RETRIES = 1
LOW, HIGH = 1, 10


@dataclass(frozen=True, slots=True)
class How:
    """How a chat model is asked.

    max_tokens: room for its reply. guided: hold engines that can follow a JSON Schema to one; a model that
    reasons in its reply cannot do so then. order: of "rank", "hash" (drawn) or "given" (as passed).
    """

    max_tokens: int = MAX_TOKENS
    guided: bool = False
    order: Literal["hash", "given"] = "hash"


async def rate_by_chat(
    model: Model,
    messages: Sequence[Message],
    answers: Sequence[str],
    key: str = "",
    kind: str = "",
    how: How | None = None,
) -> Ratings:
    """Preference of a chat model. kind: "pairwise" (two answers), "rank" (n), "rating" (each alone, 1 to
    10); "" takes pairwise for two and rank for more.

    prefers: None for a tie (orders that disagree, equal grades) and for a failure, which `failure` names.
    diagnostics: for each asking its state, attempts and choice, so that a task can give partial credit.
    Raises ConfigError for pairwise with other than two answers.
    """
    kind = kind or ("pairwise" if len(answers) == 2 else "rank")
    request = conversation_text(messages)
    how = how or How()
    if kind == "pairwise":
        return await _pairwise(model, request, answers, key, how)
    if kind == "rank":
        return await _rank(model, request, answers, key, how)
    if kind == "rating":
        return await _grade(model, request, answers, key, how)
    raise unknown("kind of rating", kind, ("pairwise", "rank", "rating"))


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


async def _pairwise(model: Model, request: str, answers: Sequence[str], key: str, how: How) -> Ratings:
    if len(answers) != 2:
        raise ConfigError(f"pairwise rating takes two answers, got {len(answers)}")
    pair = await compare_pair(
        model,
        lambda one, two: comparison(request, [one, two]),
        *answers,
        parse=numbered(2),
        schema=_verdict_schema(2) if how.guided else None,
        retries=RETRIES,
        max_tokens=how.max_tokens,
        key=key,
    )
    return pair_ratings(pair)


def pair_ratings(pair: PairResult) -> Ratings:
    """Ratings of two answers from a pair judged in one or both orders."""
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
        retries=RETRIES,
        max_tokens=how.max_tokens,
        key=key,
    )
    prefers = None if verdict.value is None else order[verdict.value - 1]
    diagnostics: dict[str, Json] = {"askings": [_asking(verdict, prefers)], "order": order}
    failure = "" if verdict.valid else verdict.state
    return Ratings((None,) * len(answers), prefers, "rank", failure, diagnostics)


async def _grade(model: Model, request: str, answers: Sequence[str], key: str, how: How) -> Ratings:
    parse = _unwrapped(number_on_last_line(LOW, HIGH, whole=True))

    async def one(text: str) -> Verdict[float]:
        asked = PROMPTS.rate(request=request, text=text, low=LOW, high=HIGH)
        return await judge(
            model,
            [system(PROMPTS.rate_system()), user(asked)],
            parse=parse,
            schema=_GRADE_SCHEMA if how.guided else None,
            retries=RETRIES,
            max_tokens=how.max_tokens,
            key=key,
        )

    verdicts = await together([one(text) for text in answers])
    scores = tuple(verdict.value for verdict in verdicts)
    diagnostics: dict[str, Json] = {"askings": [_asking(verdict, None) for verdict in verdicts]}
    lost = next((verdict.state for verdict in verdicts if not verdict.valid), "")
    best = max((score for score in scores if score is not None), default=None)
    winners = [i for i, score in enumerate(scores) if score is not None and score == best]
    prefers = winners[0] if not lost and len(winners) == 1 else None
    return Ratings(scores, prefers, "rating", lost, diagnostics)


def _verdict_schema(count: int) -> Json:
    """An object, since some endpoints accept no other root."""
    return _object_schema("verdict", {"type": "string", "enum": [f"Choose {i}" for i in range(1, count + 1)]})


def _object_schema(name: str, value: Json) -> dict[str, Json]:
    return {"type": "object", "properties": {name: value}, "required": [name], "additionalProperties": False}


_GRADE_SCHEMA = _object_schema("grade", {"type": "integer", "minimum": LOW, "maximum": HIGH})


def _unwrapped(parse: Callable[[str], float]) -> Callable[[str], float]:
    """The same reader, which also reads the object of `_GRADE_SCHEMA`."""
    form = re.compile(r"""\{\s*"grade"\s*:\s*(-?\d{1,6})\s*\}""")

    def read(text: str) -> float:
        found = form.fullmatch(text.strip())
        return parse(found[1] if found else text)

    return read


def _asking(verdict: Verdict[int] | Verdict[float], choice: int | None, **more: Json) -> dict[str, Json]:
    """One asking as JSON. choice: index of the answer that won it."""
    found: dict[str, Json] = {"state": verdict.state, "attempts": verdict.attempts, "choice": choice, **more}
    return found if verdict.valid else {**found, "reason": verdict.reason}


def shown_order(request: str, answers: Sequence[str], key: str = "") -> list[int]:
    """The order to show n answers in: by hash of request and answer, so that a slot tells nothing about
    an answer and the order they were given in does not matter."""
    digests = [hashlib.sha256(f"{key}\x1f{request}\x1f{answer}".encode()).digest() for answer in answers]
    return sorted(range(len(answers)), key=lambda i: (digests[i], i))
