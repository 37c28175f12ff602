"""Multiple choice by log-likelihood: which of given answers does a model find the likeliest?

The answers are never generated: the model tells their log-probabilities, in nats, summed over the answer's
tokens. As a message of the assistant's that includes the token that ends the turn; as the continuation of a
raw prompt it does not. A space before a continuation belongs to it (" A"). Four ways to compare, all from
one asking: the sum, per token, per byte of UTF-8, and less the log-probability without the question
(pointwise mutual information). An answer is picked where it is the strictly highest: of equals none is.
Source: lm-evaluation-harness (acc, acc_norm, acc_mutual_info); Holtzman et al. 2021, arXiv 2104.08315.
Not here: where an answer's tokens begin (`suite.models.likelihood`).
"""

from collections.abc import Sequence
from typing import get_args

import msgspec

from suite.chat import Finish, Message, Output, Reply
from suite.errors import ConfigError
from suite.models.engine import together
from suite.roles import Model
from suite.scores import Unscored, Value
from suite.scoring.answer_ratings import finite_scores, highest

_FINISHES: tuple[Finish, ...] = get_args(Finish)
Logprobs = tuple[float | None, ...]


class Likelihoods(msgspec.Struct, frozen=True, omit_defaults=True):
    """Log-probabilities of n answers, as `Output.data` of `choose` holds them.

    logprobs: in nats, None where there is none. tokens: of each answer, () if unknown; bytes: of its UTF-8.
    unconditional: of the answers without the question, () if that was not asked. reason: why one is missing.
    """

    logprobs: Logprobs
    tokens: tuple[int, ...]
    bytes: tuple[int, ...]
    unconditional: Logprobs = ()
    reason: str = ""

    def by_token(self) -> Logprobs:
        """Nats a token; None of all where the engine does not count them."""
        counts = self.tokens or (0,) * len(self.logprobs)
        pairs = zip(self.logprobs, counts, strict=True)
        return tuple(one / n if one is not None and n else None for one, n in pairs)

    def by_byte(self) -> Logprobs:
        """Nats a byte."""
        pairs = zip(self.logprobs, self.bytes, strict=True)
        return tuple(None if one is None else one / n for one, n in pairs)

    def gained(self) -> Logprobs:
        """Nats that the question adds; () if it was not asked without."""
        pairs = zip(self.logprobs, self.unconditional, strict=True) if self.unconditional else ()
        return tuple(None if one is None or two is None else one - two for one, two in pairs)


async def choose(
    model: Model,
    messages: Sequence[Message] | str,
    answers: Sequence[str],
    *,
    raw: bool = False,
    unconditional: Sequence[Message] | str = (),
    key: str = "",
) -> Output:
    """Ask a model with `prompt_logprobs` which of n answers to a conversation is the likeliest.

    raw: `messages` is a prompt that the answers continue, without the chat template. unconditional: the
    same without the question ("Answer:"), for a fourth comparison. The output's text is the answer with the
    highest sum ("" of equals), its data are `Likelihoods`; finish is the candidate's where it could not
    read them all.
    Raises ConfigError for fewer than two answers, an empty one or the same twice, CallFailed.
    """
    if len(answers) < 2 or not all(answers):
        raise ConfigError(f"a choice needs two answers or more, none empty, got {list(answers)!r}")
    if twice := [one for n, one in enumerate(answers) if one in answers[:n]]:
        raise ConfigError(f"a choice has the answer {twice[0]!r} twice", fix="give each answer once")
    prompts = [messages, unconditional] if unconditional else [messages]
    replies = await together([model.logprobs(one, answers, raw=raw, key=key) for one in prompts])
    found = [finite_scores(one, len(answers)) for one in replies]
    without = found[1] if unconditional else ()
    missing = [one for one, sums in zip(replies, found, strict=True) if None in sums]
    sizes, counts = tuple(len(one.encode()) for one in answers), _tokens(replies[0], len(answers))
    data = Likelihoods(found[0], counts, sizes, without, _reason(missing))
    best = highest(data.logprobs)
    finish: Finish = next((one for one in _FINISHES if one == data.reason), "stop")
    return Output("" if best is None else answers[best], msgspec.to_builtins(data), finish)


def choice_values(output: Output, right: int, name: str = "correct") -> dict[str, Value]:
    """NAME, NAME_per_token, NAME_per_byte, and NAME_pmi where it was asked for: whether the answer at `right`
    is the strictly likeliest by that measure.

    What the candidate could not read (too long, refused) is wrong. An answer without a finite number, or
    whose tokens cannot be told from the conversation's, leaves all of them unscored. Per token is None where
    the engine counts no tokens.
    """
    names = (name, f"{name}_per_token", f"{name}_per_byte", f"{name}_pmi")
    if output.finish != "stop" or output.data is None:
        asked = isinstance(output.data, dict) and output.data.get("unconditional")
        return dict.fromkeys(names if asked else names[:3], False)
    data = msgspec.convert(output.data, Likelihoods)
    measures = [data.logprobs, data.by_token(), data.by_byte()]
    measures += [data.gained()] if data.unconditional else []
    return {each: _value(one, right, data.reason) for each, one in zip(names, measures, strict=False)}


def _value(measure: Logprobs, right: int, reason: str) -> bool | Unscored | None:
    if reason:
        return Unscored(reason)
    return None if None in measure else highest(measure) == right


def _tokens(reply: Reply, count: int) -> tuple[int, ...]:
    """Of each answer; () where the engine does not tell."""
    told = reply.details.get("tokens") if isinstance(reply.details, dict) else None
    listed = told if isinstance(told, list | tuple) else ()
    found = [one for one in listed if isinstance(one, int) and one > 0]
    return tuple(found) if len(found) == count else ()


def _reason(replies: Sequence[Reply]) -> str:
    """Why these lack a number: what the candidate did comes before what could not be measured."""
    told: list[str] = []
    for one in replies:
        reasons = one.details.get("reasons") if isinstance(one.details, dict) else None
        told += [str(each) for each in reasons if each] if isinstance(reasons, list | tuple) else [one.finish]
    told = [one for one in told if one != "stop"] or (["no-score"] if replies else [])
    return next((one for one in told if one in _FINISHES), told[0] if told else "")
