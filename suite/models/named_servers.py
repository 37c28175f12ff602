"""Servers that people run themselves, asked by name: `ollama/qwen3:4b`, `sglang/…`, `llamacpp/…`.

How they differ is data (`server` in `registry/models/server_kinds.yaml`); they are asked as any endpoint.
Such a server may cut a prompt, or move it out of the window, without a word: each reply is held against that.
"""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import jinja2
import msgspec

from suite.chat import Json, Reply, Request
from suite.models.credentials import split_addresses
from suite.models.endpoint import plain_facts
from suite.models.engine import Asking, Engine
from suite.models.openai import OpenAIEngine, OpenAIOptions, engines, usual_url
from suite.models.options import EngineProvider
from suite.models.sent_prompts import shortened
from suite.models.settings import SETTINGS
from suite.models.spec import ModelSpec
from suite.models.thinking import server_kinds

SERVERS = {name: kind.server for name, kind in server_kinds().items() if "start" in kind.server}
_compiled = jinja2.Environment(undefined=jinja2.ChainableUndefined).compile_expression


class NamedServerEngine(OpenAIEngine):
    """One model of such a server."""

    async def _look(self) -> None:
        """Have the model loaded, read what the server tells of it. Raises EngineError."""
        await super()._look()
        load, facts = self._server.get("load"), await self._facts()
        if load and "context_length" not in facts:
            await self._client.document(load)
            facts = await self._facts()
        self._version, window = str(facts.pop("engine_version", "")), facts.pop("context_length", None)
        if isinstance(window, int) and self._options.window is None:
            self._client.window = window
        self._told = {**self._told, **facts}
        self._settings |= {name: facts[name] for name in SETTINGS if name in facts}

    async def _facts(self) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for route, places in server_kinds()[self.spec.provider].tells.items():
            document = {**await self._client.document(route), "model": self.spec.name}
            told = {name: _compiled(place)(document) for name, place in places.items()}
            found |= plain_facts(told, self._client.scrub)
        return found

    async def call(self, request: Request, asking: Asking) -> Reply:
        """A prompt that was cut is an overflow; an answer that outgrew the window is one that was cut off."""
        reply = await super().call(request, asking)
        read, window = reply.usage.prompt, self._client.window
        if reply.finish not in ("stop", "length", "empty"):
            return reply
        if shortened(request.text, read) or (window and read >= window):
            told = f"{read:,} tokens were read, the rest cut without a word: {self._server['widen']}"
            details: Json = {"refusal": told, "row": "cut-in-silence", "window": window}
            return Reply(finish="overflow", usage=reply.usage, model=reply.model, details=details)
        outgrown = window and read + reply.usage.completion > window
        return msgspec.structs.replace(reply, finish="length") if outgrown else reply


def base_url(address: str, given: str) -> str:
    """What people write (`box`, `0.0.0.0:11434`, `http://box:99/`) as a base URL. address: the usual."""
    usual, bare = urlsplit(address), "://" not in given
    parts = urlsplit(f"http://{given}" if bare else given)
    place = re.sub(r"^(0\.0\.0\.0|\[::\])?(?=:|$)", str(usual.hostname), parts.netloc)
    port = f":{usual.port}" if bare and not re.search(r":\d+$", place) else ""
    return f"{parts.scheme}://{place}{port}{parts.path.rstrip('/') or usual.path}"


def _engine(spec: ModelSpec, options: OpenAIOptions) -> Engine:
    own = SERVERS[spec.provider]
    if "tag" in own and ":" not in spec.name:
        spec = replace(spec, name=f"{spec.name}:{own['tag']}")
    urls = [base_url(own["address"], one) for one in split_addresses(options.base_url or usual_url(spec))]
    dialect = options.dialect if "dialect" in options.model_fields_set else spec.provider
    given = options.model_copy(update={"base_url": ",".join(urls), "dialect": dialect})
    return engines(spec, given, NamedServerEngine)


provider = EngineProvider(OpenAIOptions, _engine)
