"""What the scripted models of the conformance checks answer: plausible, unreadable, failing, late.

A plausible answer is a pure function of the request: it looks for the form that the request asks for (tags,
double brackets, a list of options, a JSON schema) and fills it by the request's hash. Authors whose judge
wants another form give their own function (`Subject.answers`).
"""

import asyncio
import random
import re

import msgspec

from suite.chat import Finish, Reply, Request, request_sha256
from suite.errors import CallFailed
from suite.models.behaviours import WORDS, options_in, reply_to, smallest
from suite.models.engine import Asking
from suite.models.scripted import Function

_TAG = re.compile(r"<([a-z_]+)>[^<]*</\1>")
_BRACKETS = re.compile(r"\[\[(\w{1,3})\]\]")
_YES_NO = re.compile(r"\byes\b.{0,12}\bno\b", re.IGNORECASE)
UNREADABLE = "hm ~ hm"
TEXTS = ("chat", "complete")  # kinds of request that are answered by a text
LATEST_S = 0.01


def plausible(request: Request, asking: Asking) -> Reply:
    """An answer in the form asked for, chosen by the hash of the request (and the seed, where it is warm)."""
    warm = asking.seed if (request.options.temperature or 0.0) > 0 else ""
    chance = random.Random(f"{request_sha256(request)}\x1f{warm}")
    text = _text(request, chance) if request.kind in TEXTS else ""
    return reply_to(request, text, [round(chance.gauss(0, 2), 6) for _ in request.texts])


def _text(request: Request, chance: random.Random) -> str:
    if request.options.json_schema:
        return msgspec.json.encode(smallest(request.options.json_schema)).decode()
    asked = request.last_text
    word = chance.choice(["Yes", "No"]) if _YES_NO.search(asked) else ""
    pick = word or (chance.choice(labels) if (labels := options_in(asked)) else "")
    if tags := list(dict.fromkeys(_TAG.findall(asked))):
        inside = [pick or _words(chance, 1) if tag == tags[-1] else _words(chance, 4) for tag in tags]
        return "\n".join(f"<{tag}>{text}</{tag}>" for tag, text in zip(tags, inside, strict=True))
    if marks := sorted(set(_BRACKETS.findall(asked))):
        return f"{_words(chance, 5)} [[{chance.choice(marks)}]]"
    return pick or _words(chance, 12)


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(count))


def unreadable(request: Request, asking: Asking) -> Reply:  # noqa: ARG001
    """A reply that holds no verdict, in whatever form it is looked for."""
    return Reply(UNREADABLE) if request.kind in TEXTS else _without_numbers(request, "invalid")


def finishing(finish: Finish) -> Function:
    """A candidate that fails every request in one way: overflow, refused, empty, invalid.

    Like many endpoints it takes no empty turn: what it failed to say is not put back to it as such.
    """

    def answer(request: Request, asking: Asking) -> Reply:  # noqa: ARG001
        if any(not one.content.strip() and not one.tool_calls for one in request.messages):
            raise CallFailed("conformance", "an empty turn is sent: use suite.replied", retryable=False)
        return _without_numbers(request, finish)

    return answer


def _without_numbers(request: Request, finish: Finish) -> Reply:
    scores = (None,) * len(request.texts) if request.kind != "rank" else ()
    return Reply(finish=finish, scores=scores)


def down(request: Request, asking: Asking) -> Reply:  # noqa: ARG001
    """An endpoint that cannot be reached: no reply at all."""
    raise CallFailed("conformance", "scripted to be down", retryable=False)


def sometimes_down(answer: Function) -> Function:
    """Half of all requests find the endpoint down, chosen by the request's hash."""
    return lambda one, asking: (answer if int(request_sha256(one)[:4], 16) % 2 else down)(one, asking)


def never(request: Request, asking: Asking) -> Reply:  # noqa: ARG001
    """Nobody is there: for replays, where every reply must be a recorded one."""
    raise CallFailed("conformance", "a call that the recorded run does not hold", retryable=False)


def late(answer: Function) -> Function:
    """The same answers, each after a wait that depends on its request, so that they overtake each other."""

    async def one(request: Request, asking: Asking) -> object:
        await asyncio.sleep(LATEST_S * int(request_sha256(request)[4:8], 16) / 0xFFFF)
        found = answer(request, asking)
        return await found if asyncio.iscoroutine(found) else found

    return one  # type: ignore[return-value]
