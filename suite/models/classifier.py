"""Scores of a sequence classifier over HTTP: vLLM's /classify and /pooling routes.

One request an answer, all of a prompt sent together. Raw logits are asked for (`use_activation` false):
above about 17 a sigmoid is exactly 1 in float32 and different answers tie. The server applies its chat
template once, with one beginning-of-text token (`peer`). What cannot be scored is None with a reason,
never a number.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from suite.chat import Finish, Json, Reply, Request, Usage, assistant
from suite.errors import CallFailed
from suite.models.connection import Answer
from suite.models.engine import together
from suite.models.peer import Peer
from suite.models.peer_json import PeerObject
from suite.models.reply import prompt_tokens

_TEMPLATE = re.compile(r"template|roles? (must|not)|system role|jinja|undefined", re.IGNORECASE)


class Head(msgspec.Struct, frozen=True):
    """How a reward model's numbers become one score.

    per_token: one value a token, the last one counts (`*RewardModel` architectures of vLLM).
    label: which of several labels is the reward. weights: or their weighted sum.
    """

    per_token: bool = False
    label: int | None = None
    weights: tuple[float, ...] = ()

    def score(self, values: Sequence[object]) -> tuple[float | None, str]:
        """(score, "") or (None, reason)."""
        if self.per_token and values and isinstance(values[0], list):
            last = values[-1]
            values = last if isinstance(last, list) else []
        if not values:
            return None, "no-score"
        numbers = [one for one in values if isinstance(one, int | float) and math.isfinite(one)]
        if len(numbers) < len(values):
            return None, "not-finite"
        if self.weights:
            if len(self.weights) != len(numbers):
                return None, f"labels-{len(numbers)}"
            return math.fsum(w * v for w, v in zip(self.weights, numbers, strict=True)), ""
        if self.label is not None and self.label < len(numbers):
            return float(numbers[self.label]), ""
        if len(numbers) > 1:
            return None, f"labels-{len(numbers)}"
        return float(numbers[0]), ""


class Rated(NamedTuple):
    """One answer's score, or why there is none; the tokens it stands on, and those read for it."""

    score: float | None
    reason: str
    tokens: int
    read: int = 0
    model: str = ""


async def rate(request: Request, peer: Peer, head: Head) -> Reply:
    """Score each text as an answer to the messages. Raises CallFailed if any answer's request failed."""
    beginning = bool(await peer.missing_beginning(request.options.template))
    rated = await together([_rate(request, text, peer, head, beginning) for text in request.texts])
    return rating_reply(rated, peer.model)


async def _rate(request: Request, text: str, peer: Peer, head: Head, beginning: bool) -> Rated:
    per_token = head.per_token
    answer = await peer.ask(
        "/pooling" if per_token else "/classify", messages=(*request.messages, assistant(text)),
        use_activation=False, add_generation_prompt=False, add_special_tokens=beginning or None,
        chat_template_kwargs=request.options.template or None, task="token_classify" if per_token else None,
    )  # fmt: skip
    if answer.status != 200:
        return _not_rated(answer, peer)
    found = peer.read(answer, PeerObject)  # some write NaN, which is no JSON: it is refused below
    if found.get("error"):
        raise CallFailed("error-in-body", peer.refusal(answer).message, retryable=True)
    tokens = prompt_tokens(found.get("usage"))
    data = found.get("data")
    if not isinstance(data, list) or not data or not isinstance(data[0], dict):
        raise CallFailed("bad-shape", "no data in the reply", retryable=True)
    values = data[0].get("data" if per_token else "probs")
    score, reason = head.score(values if isinstance(values, list) else [])
    return Rated(score, reason, tokens, model=str(found.get("model") or ""))


def rating_reply(rated: list[Rated], model: str) -> Reply:
    """A reply of scores; `details` has tokens and, where a score is missing, reasons."""
    details: dict[str, Json] = {"tokens": [one.tokens for one in rated]}
    if any(one.reason for one in rated):
        details["reasons"] = [one.reason for one in rated]
    reasons = {one.reason for one in rated}
    scores, usage = tuple(one.score for one in rated), Usage(sum(one.read or one.tokens for one in rated))
    failed: Finish = "overflow" if reasons == {"overflow"} else "invalid"
    finish = failed if rated and not any(one is not None for one in scores) else "stop"
    model = who([one.model for one in rated], model)
    return Reply(finish=finish, usage=usage, scores=scores, details=details, model=model)


def who(names: Iterable[str], asked: str) -> str:
    """The model that answered all parts of a request; several are joined, none told is the one asked for."""
    return "+".join(sorted(set(names) - {""})) or asked


def _not_rated(answer: Answer, peer: Peer) -> Rated:
    refusal = peer.refusal(answer)
    if answer.status == 404:
        why = f"the server does not rate: {refusal.message} (vLLM: --runner pooling)"
        raise CallFailed("no-rating", why, retryable=False)
    if answer.status in (400, 422) and not refusal.overflow and _TEMPLATE.search(refusal.message):
        return Rated(None, f"template: {refusal.message}", 0)
    reply = peer.refused(answer)
    return Rated(None, reply.finish, reply.usage.prompt)
