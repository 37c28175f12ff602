"""A real OpenAI-compatible server on loopback, for tests and benchmarks: deterministic, with faults.

    async with OpenAIServer(faults=["429", "ok"]) as server:
        server.url            # http://127.0.0.1:PORT/v1
        server.requests       # how many came in
    python tests/servers/openai_server.py --port-file F [--constant TEXT] [--script RULES.json] ...

Answers come from the hash of the request (without its seed where the temperature is 0 or unset), from
`answer(body)`, or from a JSON list of {"contains": ..., "text" or "texts": ...}. Faults come in turn
from `faults` ("ok" is none, the last one does not repeat), for every n-th request (`fault_every`), or
from a mark in the last message: [[fault:429]] always, [[fault:429*2]] for the first two times.
Routes: /health /v1/models /v1/chat/completions /v1/completions /v1/embeddings /classify /pooling
/tokenize /metrics /stats. Shapes of the last six follow vLLM.
"""

import argparse
import asyncio
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import web
from openai_faults import chat_fault, fixed_fault
from openai_shapes import (
    BOS,
    Answer,
    Body,
    arguments,
    completion,
    embeddings,
    error_response,
    hash_reward,
    hash_text,
    json_response,
    last_text,
    listed,
    metrics,
    new_logprobs,
    prompt_logprobs,
    render_ids,
    script_answer,
    token_ids,
    tokenized,
    too_long_error,
)

Reward = Callable[[list[Body]], "float | list[float]"]

_decode = msgspec.json.Decoder().decode
_MARK = re.compile(r"\[\[fault:([a-z0-9-]+)(?:\*(\d+))?\]\]")


class OpenAIServer:
    """The server. All arguments are optional; counts may be read and reset at any time.

    answer: text or message object for a chat or completion body. reward: of a conversation.
    latency_s: before every answer. slow_s: of the fault "slow". window: prompt tokens, else 400.
    api_key: wanted as bearer token. models: served names ([] serves any).
    """

    def __init__(
        self,
        answer: Answer | None = None,
        *,
        reward: Reward = hash_reward,
        faults: Iterable[str] = (),
        fault_every: tuple[int, str] | None = None,
        latency_s: float = 0.0,
        slow_s: float = 30.0,
        window: int | None = None,
        api_key: str = "",
        models: Iterable[str] = (),
        missing: Iterable[str] = (),
        keep_bodies: bool = False,
        port: int = 0,
    ) -> None:
        self._answer = answer or hash_text
        self._reward = reward
        self._faults = list(faults)
        self._every = fault_every
        self._latency_s = latency_s
        self._slow_s = slow_s
        self._window = window
        self._api_key = api_key
        self._models = list(models)
        self._missing = set(missing)  # routes this server does not have
        self._keep = keep_bodies
        self._port = port
        self._marked: Counter[str] = Counter()
        self._runner: web.ServerRunner | None = None
        self._routes: dict[str, Callable[[Body], Awaitable[web.Response]]] = {
            "/v1/chat/completions": self._chat,
            "/v1/completions": self._complete,
            "/v1/embeddings": self._embed,
            "/classify": self._classify,
            "/pooling": self._pooling,
            "/tokenize": self._tokenize,
        }
        self.port = 0
        self.reset()

    def reset(self) -> None:
        """Forget all counts."""
        self.requests = 0  # posts
        self.faulted = 0
        self.in_flight = 0
        self.max_in_flight = 0
        self.by_path: Counter[str] = Counter()
        self.by_body: Counter[bytes] = Counter()  # digest of each body that got a good answer
        self.bodies: list[Body] = []
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        """The base URL, with /v1."""
        return f"http://127.0.0.1:{self.port}/v1"

    def add_faults(self, faults: Iterable[str]) -> None:
        """Queue more faults."""
        self._faults += faults

    async def start(self) -> None:
        """Listen."""
        self._runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close all connections."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def stats(self) -> Body:
        """Counts, as /stats gives them. `repeated`: good answers to a body that had one before."""
        return {
            "requests": self.requests,
            "faulted": self.faulted,
            "max_in_flight": self.max_in_flight,
            "by_path": dict(self.by_path),
            "distinct": len(self.by_body),
            "repeated": sum(self.by_body.values()) - len(self.by_body),
        }

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if request.method == "GET":
            return self._get(path, request)
        raw = await request.read()
        route = self._routes.get(path)
        if route is None or path in self._missing:
            return error_response(404, "Not Found", kind="NotFoundError")
        self.requests += 1
        self.by_path[path] += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        try:
            return await self._post(request, route, raw)
        finally:
            self.in_flight -= 1

    async def _post(
        self, request: web.BaseRequest, route: Callable[[Body], Awaitable[web.Response]], raw: bytes
    ) -> web.StreamResponse:
        try:
            body = _decode(raw)
        except msgspec.DecodeError as error:
            return error_response(400, f"not JSON: {error}", kind="BadRequestError")
        if self._keep:
            self.bodies.append(body)
            self.headers.append(dict(request.headers))
        if self._api_key and request.headers.get("Authorization") != f"Bearer {self._api_key}":
            given = request.headers.get("Authorization", "")
            return error_response(401, f"Incorrect API key provided: {given}", "invalid_api_key")
        if self._models and body.get("model") not in self._models:
            return error_response(
                404, f"The model `{body.get('model')}` does not exist.", kind="NotFoundError"
            )
        fault = self._next_fault(body)
        if fault:
            self.faulted += 1
            return await self._fault(fault, request, body, route)
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        response = await route(body)
        if response.status == 200:
            self.by_body[hashlib.blake2b(raw, digest_size=8).digest()] += 1
        return response

    def _next_fault(self, body: Body) -> str:
        fault = "ok"
        if self._faults:
            fault = self._faults.pop(0)
        elif self._every and self.requests % self._every[0] == 0:
            fault = self._every[1]
        text = last_text(body)
        mark = _MARK.search(text) if "[[fault:" in text else None
        if mark:
            self._marked[text] += 1
            if mark[2] is None or self._marked[text] <= int(mark[2]):
                fault = mark[1]
        return "" if fault == "ok" else fault

    async def _fault(
        self,
        fault: str,
        request: web.BaseRequest,
        body: Body,
        route: Callable[[Body], Awaitable[web.Response]],
    ) -> web.StreamResponse:
        if fault == "slow":
            await asyncio.sleep(self._slow_s)
            return await route(body)
        if fault == "reset":
            if request.transport:
                request.transport.abort()
            return web.Response()
        if fault == "half-body":
            full = (await route(body)).body
            response = web.StreamResponse(headers={"Content-Type": "application/json"})
            response.content_length = len(full)  # type: ignore[arg-type]
            await response.prepare(request)
            await response.write(full[: len(full) // 2])  # type: ignore[index, arg-type]
            if request.transport:
                request.transport.close()
            return response
        made = fixed_fault(fault)
        return made if made is not None else chat_fault(fault)

    def _get(self, path: str, request: web.BaseRequest) -> web.Response:
        if path in ("/health", "/v1/models", "/models") and path not in self._missing:
            wrong = self._api_key and request.headers.get("Authorization") != f"Bearer {self._api_key}"
            if wrong and path != "/health":
                return error_response(401, "Incorrect API key provided", "invalid_api_key")
            cards = [
                {"id": name, "object": "model", "max_model_len": self._window or 8192}
                for name in self._models or ["loopback"]
            ]
            return json_response({"object": "list", "data": cards} if path != "/health" else {})
        if path == "/version":
            return json_response({"version": "0.0.loopback"})
        if path == "/stats":
            return json_response(self.stats())
        if path == "/metrics":
            return metrics(self.requests)
        return error_response(404, "Not Found")

    async def _said(self, body: Body) -> str | Body:
        said = self._answer(body)
        return said if isinstance(said, str | dict) else await said

    def _too_long(self, tokens: int) -> web.Response | None:
        fits = self._window is None or tokens <= self._window
        return None if fits else too_long_error(tokens, self._window or 0)

    async def _chat(self, body: Body) -> web.Response:
        prompt = sum(len(message.get("content") or "") // 4 + 2 for message in body["messages"])
        if (too_long := self._too_long(prompt)) is not None:
            return too_long
        said = await self._said(body)
        message = (
            {"role": "assistant", "content": said} if isinstance(said, str) else {"role": "assistant", **said}
        )
        choice: Body = {
            "index": 0,
            "message": message,
            "finish_reason": "tool_calls" if message.get("tool_calls") else "stop",
        }
        words = (message.get("content") or "").split(" ")
        most = body.get("max_tokens", body.get("max_completion_tokens"))
        if most is not None and isinstance(said, str) and len(words) > most:
            words = words[:most]
            message["content"] = " ".join(words)
            choice["finish_reason"] = "length"
        if body.get("logprobs"):
            choice["logprobs"] = {"content": new_logprobs(words, body.get("top_logprobs") or 0)}
        return json_response(completion(body, "chat.completion", choice, prompt, len(words)))

    async def _complete(self, body: Body) -> web.Response:
        prompt = body["prompt"]
        ids = prompt if isinstance(prompt, list) else [BOS, *token_ids(prompt)]
        if (too_long := self._too_long(len(ids))) is not None:
            return too_long
        said = await self._said(
            {**body, "prompt": prompt if isinstance(prompt, str) else " ".join(map(str, ids))}
        )
        text = said if isinstance(said, str) else str(said.get("content"))
        words = text.split(" ")[: body.get("max_tokens", 16)]
        choice: Body = {"index": 0, "text": " ".join(words), "finish_reason": "stop"}
        if body.get("prompt_logprobs") is not None:
            choice["prompt_logprobs"] = prompt_logprobs(ids)
        if body.get("logprobs") is not None:
            choice["logprobs"] = {
                "tokens": words,
                "token_logprobs": [-0.5] * len(words),
                "top_logprobs": [{word: -0.5} for word in words],
            }
        return json_response(completion(body, "text_completion", choice, len(ids), len(words)))

    async def _embed(self, body: Body) -> web.Response:
        return embeddings(body)

    def _rewards(self, body: Body) -> tuple[list[list[float]], int, web.Response | None]:
        messages = body.get("messages")
        many = [messages] if messages else [[{"role": "user", "content": t}] for t in listed(body["input"])]
        tokens = sum(len(render_ids(one, False)) for one in many)
        found = [self._reward(one) for one in many]
        return [one if isinstance(one, list) else [one] for one in found], tokens, self._too_long(tokens)

    async def _classify(self, body: Body) -> web.Response:
        rows, tokens, too_long = self._rewards(body)
        if too_long is not None:
            return too_long
        if body.get("use_activation", True):
            rows = [[1 / (1 + 2.718281828459045**-x) for x in row] for row in rows]
        data = [
            {"index": i, "label": "LABEL_0", "probs": row, "num_classes": len(row)}
            for i, row in enumerate(rows)
        ]
        return json_response(
            {"object": "list", "data": data, "model": body.get("model"), "usage": {"prompt_tokens": tokens}}
        )

    async def _pooling(self, body: Body) -> web.Response:
        rows, tokens, too_long = self._rewards(body)
        if too_long is not None:
            return too_long
        by_token = body.get("task") == "token_classify"
        data = [
            {"index": i, "object": "pooling", "data": [[0.0], [0.5], row] if by_token else row}
            for i, row in enumerate(rows)
        ]
        return json_response(
            {"object": "list", "data": data, "model": body.get("model"), "usage": {"prompt_tokens": tokens}}
        )

    async def _tokenize(self, body: Body) -> web.Response:
        return tokenized(body, self._window or 8192)


async def _serve(given: argparse.Namespace) -> None:
    answer: Answer | None = None
    if given.constant is not None:
        answer = lambda body: given.constant  # noqa: E731
    elif given.echo:
        answer = last_text
    elif given.script:
        answer = script_answer(json.loads(given.script.read_text()))
    every, _, fault = given.fault_every.partition(":")
    server = OpenAIServer(
        answer,
        faults=[one for one in given.faults.split(",") if one],
        fault_every=(int(every), fault) if every else None,
        latency_s=given.latency_ms / 1000,
        slow_s=given.slow_s,
        window=given.window,
        api_key=given.api_key,
        models=[one for one in given.models.split(",") if one],
        port=given.port,
    )
    async with server:
        if given.port_file:
            part = given.port_file.with_name(given.port_file.name + ".part")
            part.write_text(str(server.port))
            part.rename(given.port_file)
        print(server.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(_serve(arguments(str(__doc__).partition("\n")[0])))
    except KeyboardInterrupt:
        sys.exit(130)
