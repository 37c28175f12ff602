"""Token ids of a server's /tokenize route, and the beginning-of-text token of a conversation that is rated.

That token stands there exactly once, where the tokenizer has one. Most chat templates write it themselves.
Where one does not although the tokenizer puts it before every text, reward models were trained with it, so
it is added; where both would, it is not doubled.
"""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from suite.chat import Json, assistant, canonical_json, user
from suite.errors import CallFailed
from suite.models.credentials import Scrubber
from suite.models.faults import read_refusal, refused
from suite.models.peer_json import decoded
from suite.models.plain_http import Answer
from suite.models.wire import encode

Post = Callable[[str, bytes], Awaitable[Answer]]
PROBE = (user("Hi"), assistant("Hello"))


class _Tokens(msgspec.Struct):
    tokens: list[int]


async def tokenized(post: Post, body: dict[str, Json], scrub: Scrubber) -> list[int] | str:
    """Token ids, or the reason why this cannot be put to the model. Raises CallFailed."""
    answer = await post("/tokenize", encode(body))
    if answer.status == 200:
        return decoded(answer.body, _Tokens, scrub).tokens
    refusal = read_refusal(answer.body, scrub)
    if answer.status in (400, 422):
        return "overflow" if refusal.overflow else f"template: {refusal.message}"
    if answer.status == 404:
        raise CallFailed("no-tokenize", "this server has no /tokenize", retryable=False)
    return refused(answer.status, answer.headers, refusal).finish


def missing_beginning(plain: Sequence[int], special: Sequence[int]) -> list[int]:
    """The token to put before a conversation: one, or none.

    plain: its token ids as the template renders it; special: with what the tokenizer adds to every text.
    """
    if len(special) != len(plain) + 1 or list(special[1:]) != list(plain) or special[0] in plain[:1]:
        return []
    return [special[0]]


class Beginning:
    """Asks a server's /tokenize route once per set of template switches."""

    def __init__(self, post: Post, model: str, scrub: Scrubber) -> None:
        self._post, self._model, self._scrub = post, model, scrub
        self._found: dict[bytes, list[int]] = {}

    async def missing(self, template: dict[str, Json] | None) -> list[int]:
        """As `missing_beginning`; none where the server does not tokenize conversations."""
        key = canonical_json(template or {})
        if key not in self._found:
            self._found[key] = await self._ask(template)
        return self._found[key]

    async def _ask(self, template: dict[str, Json] | None) -> list[int]:
        body: dict[str, Json] = {"model": self._model, "messages": PROBE, "add_generation_prompt": False}
        if template:
            body["chat_template_kwargs"] = template
        try:
            plain = await tokenized(self._post, {**body, "add_special_tokens": False}, self._scrub)
            special = await tokenized(self._post, {**body, "add_special_tokens": True}, self._scrub)
        except CallFailed as error:
            if error.retryable:
                raise
            return []
        if isinstance(plain, str) or isinstance(special, str):
            return []
        return missing_beginning(plain, special)
