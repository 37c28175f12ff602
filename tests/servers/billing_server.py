"""A real endpoint on loopback that bills: tokens of many accounts, with all that goes wrong on the way.

The bill of an account is what its owner would pay, whatever the replies tell. A message begins with the name
of its account and a bar.
What is billed is never more than what may be: a byte of the messages is at most a token, new tokens are at
most max_tokens.
"""

import asyncio
import json
import random
from collections import defaultdict
from types import TracebackType
from typing import Any, Self

from suite.models.prices import Rates

# fault -> whether what it answers is billed
FAULTS = {
    "ok": True, "silence": True, "500": True, "503": True, "429": False, "401": False, "reset": True,
    "half": True, "bad-json": True, "empty-choices": True, "no-usage": True, "no-completion": True,
    "usage-too-large": True, "usage-no-number": True, "prompt-too-large": True, "400": True,
    "error-200": True, "all-hidden": True,
}  # fmt: skip
_WEIGHTS = [30 if name == "ok" else 1 for name in FAULTS]


class BillingServer:
    """The server. rates, bills: by account."""

    def __init__(self) -> None:
        self.rates: dict[str, Rates] = {}
        self.bills: defaultdict[str, int] = defaultdict(int)
        self.requests: defaultdict[str, int] = defaultdict(int)
        self.random = random.Random(0)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Account(self), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    def answer(self, asked: dict[str, Any]) -> tuple[str, bytes]:
        """(fault, body) for a request; it is billed first."""
        draw, name = self.random, asked["messages"][0]["content"].partition("|")[0]
        fault = draw.choices(list(FAULTS), _WEIGHTS)[0]
        size = sum(len(one["content"].encode()) for one in asked["messages"])
        prompt, new = draw.randint(size // 4, size), draw.randint(0, asked["max_tokens"])
        cached = draw.choice([0, prompt // 2])
        self.requests[name] += 1
        if FAULTS[fault]:
            self.bills[name] += self.rates[name].cost(_usage(prompt, new, cached))
        told: dict[str, Any] = {
            "prompt_tokens": prompt,
            "completion_tokens": new,
            "prompt_tokens_details": {"cached_tokens": cached},
        }
        match fault:
            case "no-usage":
                told = {}
            case "no-completion":
                told["completion_tokens"] = 0
            case "usage-too-large":
                told["completion_tokens"] = 10 * asked["max_tokens"]
            case "prompt-too-large":
                told["prompt_tokens"] = 10 * prompt
            case "usage-no-number":
                told["prompt_tokens"] = "many"
            case "all-hidden":  # reasoning that stands in the total alone
                told |= {"completion_tokens": 0, "total_tokens": prompt + new}
        choice = {"message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}
        choices = [] if fault == "empty-choices" else [choice]
        return fault, json.dumps({"choices": choices, "usage": told, "model": name}).encode()


def _usage(prompt: int, new: int, cached: int) -> Any:
    from suite.chat import Usage

    return Usage(prompt, new, cached)


class _Account(asyncio.Protocol):
    def __init__(self, server: BillingServer) -> None:
        self._server = server
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        if not found or len(body) < length:
            return
        self._data = b""
        fault, answer = self._server.answer(json.loads(body))
        status = int(fault) if fault.isdecimal() else 200
        if fault == "silence":
            return
        if fault == "reset":
            self._transport.abort()
            return
        if fault in ("400", "401", "429", "500", "503", "error-200"):
            answer = b'{"error": {"message": "not now"}}'
        if fault == "bad-json":
            answer = b"<html>"
        sent = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
            status,
            len(answer),
        )
        self._transport.write(sent + (answer[:20] if fault == "half" else answer))
        if fault == "half":
            self._transport.close()
