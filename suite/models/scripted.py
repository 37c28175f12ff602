"""Answers by a function, a file of rules or a built-in behaviour: for tests and conformance.

`ScriptedEngine(function)` is a real engine: what the function returns is a reply like any other, what
it raises as CallFailed is a failed call. Deterministic by construction; nothing here is a double.
Not here: the behaviours (`behaviours`), recorded answers of real models (`replay`).
"""

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib import import_module
from operator import attrgetter
from pathlib import Path

from pydantic import Field

from suite.chat import Json, Reply, Request, Usage
from suite.data.cache import sha256_of
from suite.errors import CallFailed, ConfigError, unknown
from suite.models.behaviours import BEHAVIOURS, Knobs, estimated_tokens, read_rules
from suite.models.engine import Asking, Engine, present
from suite.models.options import CAPABILITIES, EngineProvider, check_needs, split_names
from suite.models.spec import ModelSpec

Answer = Reply | str
Function = Callable[[Request, Asking], Answer | Awaitable[Answer]]


class ScriptedOptions(Knobs):
    """Options of scripted engines."""

    capabilities: str | list[str] | None = Field(None, description="what it claims to do (default: all)")
    delay_s: float = Field(0.0, ge=0, description="seconds to wait before each answer")
    window: int | None = Field(None, ge=1, description="context window in estimated tokens (4 characters)")
    concurrency: int | None = Field(None, ge=1, description="most requests in flight")


class ScriptedEngine(Engine):
    """An engine whose answers a function gives; the function may be async and may raise CallFailed."""

    def __init__(
        self,
        function: Function,
        *,
        capabilities: frozenset[str] | set[str] = frozenset(CAPABILITIES),
        spec: ModelSpec | None = None,
        delay_s: float = 0.0,
        window: int | None = None,
        concurrency: int | None = None,
        identity: Mapping[str, Json] | None = None,
    ) -> None:
        name = getattr(function, "__name__", type(function).__name__)
        super().__init__(spec or ModelSpec("scripted", name))
        self._function = function
        self._capabilities = frozenset(capabilities)
        self._delay_s = delay_s
        self._limits = present(window=window, concurrency=concurrency)
        self._identity = dict(identity or {})
        self.calls = 0  # answered or failed, for tests that count

    def capabilities(self) -> frozenset[str]:
        return self._capabilities

    def identity(self) -> Mapping[str, Json]:
        """The spec's name; scripted engines are deterministic unless their function is not."""
        spec = self.spec
        return {"provider": spec.provider, "name": spec.name, "deterministic": True, **self._identity}

    def thinks(self, thinking: str | int) -> str:  # noqa: ARG002
        """The function sees the request: how it answers is its own business."""
        return ""

    def limits(self) -> Mapping[str, int]:
        return self._limits

    async def call(self, request: Request, asking: Asking) -> Reply:
        """What the function says; too long a prompt for a declared window is an overflow."""
        self.calls += 1
        check_needs(request, self._capabilities, self.spec.text)
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        prompt = estimated_tokens(request.text)
        if prompt > self._limits.get("window", sys.maxsize):
            return Reply(finish="overflow", usage=Usage(prompt=prompt))
        answer = self._function(request, asking)
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, Reply):
            return answer
        if not isinstance(answer, str):
            raise CallFailed(
                "scripted", f"{self.spec.text} returned {type(answer).__name__}, not text", retryable=False
            )
        usage = Usage(prompt=prompt, completion=estimated_tokens(answer))
        return Reply(answer, finish="stop" if answer.strip() else "empty", usage=usage)


def _scripted(spec: ModelSpec, options: ScriptedOptions) -> Engine:
    """Of scripted/BEHAVIOUR?option=value, module:function or FILE.jsonl. Raises NotFound, ConfigError."""
    name = spec.name.partition("?")[0]
    identity: dict[str, Json] = {}
    function: Function
    if name in BEHAVIOURS:
        function = partial(BEHAVIOURS[name], options)
    elif name.endswith((".jsonl", ".json")):
        function = read_rules(Path(name))
        identity = {"name": Path(name).name, "sha256": sha256_of(Path(name))}
    elif ":" in name:
        function = _import(name)
    else:
        raise unknown("scripted behaviour", name, BEHAVIOURS)
    given = CAPABILITIES if options.capabilities is None else options.capabilities
    limits = options.model_dump(include={"delay_s", "window", "concurrency"})
    return ScriptedEngine(function, capabilities=split_names(given), spec=spec, identity=identity, **limits)


def _import(target: str) -> Function:
    module, _, name = target.partition(":")
    try:  # not pkgutil's: a module may have a name that is no identifier
        found: object = attrgetter(name)(import_module(module))
    except Exception as error:  # third-party code: anything may come out
        why = f"{type(error).__name__}: {error}"
        raise ConfigError.of("models.scripted.function", target=target, why=why) from error
    if not callable(found):
        raise ConfigError(f"{target!r} is not a function")
    return found


provider = EngineProvider(ScriptedOptions, _scripted, query=True)
