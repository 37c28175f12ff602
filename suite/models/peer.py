"""One model of one server, as it is asked on the routes beside chat and completions, and its token ids.

The beginning-of-text token of a conversation that is rated stands there exactly once, where the tokenizer has
one. Most chat templates write it themselves. Where one does not although the tokenizer puts it before every
text, reward models were trained with it, so it is added; where both would, it is not doubled.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from suite.chat import Json, Reply, assistant, canonical_json, user
from suite.errors import CallFailed
from suite.models.connection import Answer
from suite.models.engine import present
from suite.models.faults import EndpointRefusal, read_refusal, refused
from suite.models.peer_json import decoded
from suite.models.wire import encode
from suite.secrets import Scrubber

T = TypeVar("T")


class Peer:
    """post: sends bytes to a route. scrub: takes keys out of what comes back."""

    def __init__(self, post: Callable[[str, bytes], Awaitable[Answer]], model: str, scrub: Scrubber) -> None:
        self.post, self.model, self.scrub = post, model, scrub
        self.tail: int | None = None  # tokens that the template puts after an answer, once known
        self._beginnings: dict[bytes, list[int]] = {}  # by the switches of the template

    async def ask(self, path: str, **fields: object) -> Answer:
        """The answer to those fields that are not None. Raises CallFailed where there is none."""
        return await self.post(path, encode(present(model=self.model, **fields)))

    def read(self, answer: Answer, kind: type[T]) -> T:
        """What an answer of status 200 holds. Raises CallFailed: bad-json, bad-shape."""
        return decoded(answer.body, kind, self.scrub)

    def refusal(self, answer: Answer) -> EndpointRefusal:
        """What an answer of another status says."""
        return read_refusal(answer.body, self.scrub)

    def refused(self, answer: Answer) -> Reply:
        """The reply where the candidate failed. Raises CallFailed for everything else."""
        return refused(answer.status, answer.headers, self.refusal(answer))

    async def missing_beginning(self, template: Json) -> list[int]:
        """As the function below, asked once per set of switches; none where no conversation is tokenized."""
        key = canonical_json(template or {})
        if key in self._beginnings:
            return self._beginnings[key]
        body = {"messages": PROBE, "add_generation_prompt": False, "chat_template_kwargs": template or None}
        try:
            both = [await tokenized(self, **body, add_special_tokens=adds) for adds in (False, True)]
        except CallFailed as error:
            if error.retryable:
                raise
            both = []
        ids = [one for one in both if not isinstance(one, str)]
        return self._beginnings.setdefault(key, missing_beginning(*ids) if len(ids) == 2 else [])


PROBE = (user("Hi"), assistant("Hello"))


class TemplateRejected(Exception):
    """The chat template refuses a conversation, for example one with a system message."""


class _Tokens(msgspec.Struct):
    tokens: list[int]


async def tokenized(peer: Peer, **body: object) -> list[int] | str:
    """Token ids, or the reason why this cannot be put to the model. Raises CallFailed."""
    answer = await peer.ask("/tokenize", **body)
    if answer.status == 200:
        return peer.read(answer, _Tokens).tokens
    if answer.status in (400, 422):
        refusal = peer.refusal(answer)
        return "overflow" if refusal.overflow else f"template: {refusal.message}"
    if answer.status == 404:
        raise CallFailed("no-tokenize", "this server has no /tokenize", retryable=False)
    return peer.refused(answer).finish


def missing_beginning(plain: Sequence[int], special: Sequence[int]) -> list[int]:
    """The token to put before a conversation: one, or none.

    plain: its token ids as the template renders it; special: with what the tokenizer adds to every text.
    """
    if len(special) != len(plain) + 1 or list(special[1:]) != list(plain) or special[0] in plain[:1]:
        return []
    return [special[0]]
