"""A loopback server that says who it is: facts of its list of models, and a model and fingerprint a reply.

models_said: names of the replies in turn. window: prompt tokens it reads, the rest it drops without a word.
new: tokens that it says it wrote.
"""

import itertools
from collections.abc import Sequence
from typing import Any

from aiohttp import web
from openai_server import OpenAIServer
from openai_shapes import Body, completion, json_response


class NamedServer(OpenAIServer):
    """See the module."""

    def __init__(
        self,
        text: str = "amber",
        *,
        card: dict[str, Any] | None = None,
        models_said: Sequence[str] = ("loopback",),
        fingerprint: str = "",
        reads: int = 10**9,
        finish: str = "stop",
        new: int = 2,
        keep_bodies: bool = False,
        port: int = 0,
    ) -> None:
        super().__init__(port=port, keep_bodies=keep_bodies)
        self.text = text
        self.card = {"id": "loopback", "object": "model", **(card or {})}
        self.fingerprint = fingerprint
        self.reads = reads
        self.finish = finish
        self.new = new
        self._said_by = itertools.cycle(models_said)
        self._routes["/v1/chat/completions"] = self._named

    async def _named(self, body: Body) -> web.Response:
        text = " ".join(str(message.get("content")) for message in body["messages"])
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": self.text},
            "finish_reason": self.finish,
        }
        made = completion({}, "chat.completion", choice, min(len(text) // 4, self.reads), self.new)
        made["model"] = next(self._said_by)
        if self.fingerprint:
            made["system_fingerprint"] = self.fingerprint
        return json_response(made)

    def _get(self, path: str, request: web.BaseRequest) -> web.Response:
        if path == "/v1/models":
            return json_response({"object": "list", "data": [self.card]})
        return super()._get(path, request)
