"""Log-probability of given answers over HTTP: /tokenize, then /completions with prompt log-probabilities.

The answer's span is what follows the longest common prefix of the conversation with and without it, up
to and with the end-of-turn token; template tokens after that are left out. Token ids are sent, so no
second beginning-of-text token can arise. Source: vLLM's server; spans as RewardBench counts them.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from os.path import commonprefix  # of any sequences

import msgspec

from suite.chat import Reply, Request, assistant, user
from suite.errors import CallFailed
from suite.models.classifier import Rated, rating_reply
from suite.models.engine import together
from suite.models.peer import Peer, tokenized
from suite.models.peer_json import decoded
from suite.secrets import Scrubber

PROBES = ("Yes", "No")  # two answers that share no last token


def template_tail(prompt: list[int], one: list[int], two: list[int]) -> int:
    """Tokens the template puts after an answer. one, two: with short ones; prompt: without, one opened."""
    shared = len(commonprefix([one[::-1], two[::-1]]))
    return max(0, min(shared, len(one) - len(prompt) - 1))


def answer_span(prompt: list[int], full: list[int], tail: int) -> tuple[int, int] | None:
    """[start, end) of the answer's tokens in `full`, its end-of-turn token included.

    tail: tokens that the template puts after an answer, the end of turn first.
    None if the conversation is not a prefix of itself with the answer, to within one token.
    """
    start = len(commonprefix([prompt, full]))
    end = len(full) - max(0, tail - 1)
    if start < len(prompt) - 1 or end <= start:
        return None
    return max(start, 1), end


def text_span(tokens: list[str], text: str, tail: int) -> tuple[int, int] | None:
    """The same by characters: the tokens that hold `text` where it stands last, and the end of turn."""
    wanted = text.strip()
    place = "".join(tokens).rfind(wanted) if wanted else -1
    if place < 0:
        return None
    ends = list(accumulate(map(len, tokens)))
    start, end = bisect_right(ends, place), bisect_left(ends, place + len(wanted)) + 1
    return max(start, 1), min(len(tokens), end + (1 if tail else 0))


def likelihood_of(numbers: Sequence[float], read: int, normalise: str | None) -> Rated:
    """The sum over an answer's tokens, or the mean. read: tokens of the whole conversation."""
    if not numbers or not all(math.isfinite(number) for number in numbers):
        return Rated(None, "not-finite", read)
    total = math.fsum(numbers)
    return Rated(total / len(numbers) if normalise == "mean" else total, "", len(numbers), read)


async def likelihoods(request: Request, peer: Peer) -> Reply:
    """Log-probability of each text, in nats, summed or meaned over its tokens. Raises CallFailed."""
    prompt = await _tokens(request, peer)
    if request.messages and peer.tail is None:
        peer.tail = await _template_tail(request, peer)
    if isinstance(prompt, str):
        return rating_reply([Rated(None, prompt, 0) for _ in request.texts], peer.model)
    rated = await together([_likelihood(request, peer, prompt, text) for text in request.texts])
    return rating_reply(rated, peer.model)


async def _template_tail(request: Request, peer: Peer) -> int:
    greeting = msgspec.structs.replace(request, messages=(user("Hi"),))
    prompt, one, two = [await _tokens(greeting, peer, answer) for answer in (None, *PROBES)]
    if isinstance(prompt, str) or isinstance(one, str) or isinstance(two, str):
        return 0
    return template_tail(prompt, one, two)


async def _likelihood(request: Request, peer: Peer, prompt: list[int], text: str) -> Rated:
    tail = (peer.tail or 0) if request.messages else 0
    full = await _tokens(request, peer, text)
    if isinstance(full, str):
        return Rated(None, full, 0)
    answer = await peer.ask("/v1/completions", prompt=full, max_tokens=1, temperature=0.0, prompt_logprobs=0)
    if answer.status != 200:
        return Rated(None, peer.refused(answer).finish, len(full))
    rows = prompt_rows(answer.body, full)
    span = answer_span(prompt, full, tail) or text_span([token for token, _ in rows], text, tail)
    if span is None:
        return Rated(None, "no-span", len(full))
    numbers = [number for _, number in rows[span[0] : span[1]]]
    return likelihood_of(numbers, len(full), request.options.normalise)


async def _tokens(request: Request, peer: Peer, answer: str | None = None) -> list[int] | str:
    """Of the conversation or raw prompt with an answer; without one, up to where it begins."""
    if not request.messages:
        return await tokenized(peer, prompt=request.prompt + (answer or ""))
    template = request.options.template
    messages = request.messages if answer is None else (*request.messages, assistant(answer))
    asked = {"add_generation_prompt": answer is None, "chat_template_kwargs": template or None}
    found = await tokenized(peer, messages=messages, **asked)
    return found if isinstance(found, str) else await peer.missing_beginning(template) + found


class _Row(msgspec.Struct):
    logprob: float
    decoded_token: str | None = None


class _PromptChoice(msgspec.Struct):
    prompt_logprobs: list[dict[str, _Row] | None] | None = None


class _PromptCompletion(msgspec.Struct):
    choices: list[_PromptChoice]


def prompt_rows(body: bytes, ids: list[int]) -> list[tuple[str, float]]:
    """(text, log-probability) of each prompt token, 0.0 of the first. Raises CallFailed if any lacks."""
    choices = decoded(body, _PromptCompletion, Scrubber()).choices
    found = choices[0].prompt_logprobs if choices else None
    if found is None:
        why = "the server gives no log-probabilities of a prompt"
        raise CallFailed("no-prompt-logprobs", why, retryable=False)
    if len(found) != len(ids):
        raise CallFailed("bad-shape", f"{len(found)} entries for {len(ids)} tokens", retryable=True)
    rows: list[tuple[str, float]] = []
    for token, entry in zip(ids, found, strict=True):
        row = (entry or {}).get(str(token))
        if row is None and rows:
            raise CallFailed("bad-shape", "a prompt token has no log-probability", retryable=True)
        rows.append((row.decoded_token or "", row.logprob) if row else ("", 0.0))
    return rows
