"""The checks of a provider: its engine against a server on loopback that speaks its protocol.

Most are rows of `provider_scenarios.yaml`. They hold an engine to what `suite.models.engine` and
`suite.chat.Reply` say.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from importlib.resources import files
from itertools import repeat
from unittest.mock import patch

import msgspec
import yaml

from suite.chat import Json, Options, Reply, Request, Usage, user
from suite.errors import CallFailed, EngineError, SuiteError
from suite.models.engine import Asking, Engine, Surroundings
from suite.testing.bench import Content, Skip, fields_of
from suite.testing.loopback import LoopbackServer, WireReply, WireRequest
from suite.testing.provider_case import Protocol, ProviderCase

KEY = "suite-check-7f3a9b2c4d5e6f708192a3b4"
PATIENCE_S = HANGING_S = 30.0  # until a call that does not end, or does not hang up, is a problem
CLOSING_S = 10.0  # less than pools keep a connection that nobody uses
HELLO = Request("chat", (user("What colour is it?"),), options=Options(max_tokens=16))
SAID = Reply("It is amber.", usage=Usage(prompt=40, completion=6))
_ASKED = ("messages", "tools", "options")
_TOLD = ("text", "finish", "reasoning", "tool_calls", "usage")


class Scenario(msgspec.Struct, forbid_unknown_fields=True):
    """A row of the table, which explains its fields."""

    check: str
    name: str
    request: Request = HELLO
    told: Reply | None = None
    error: tuple[int, str, str] | None = None
    raw: str | None = None
    fault: str = ""
    headers: dict[str, str] = {}
    needs: str = ""
    loose: bool = False
    plain: bool = False
    impatient: bool = False
    wanted: dict[str, Json] = {}

    def wire(self, protocol: Protocol, streams: bool) -> WireReply | None:
        """What the server gives; None if its protocol cannot say so."""
        made = protocol.refusal(*self.error) if self.error else protocol.answer(self.told or SAID, streams)
        body = self.raw.encode() if self.raw is not None else made.body if made else b""
        return made and WireReply(made.status, body, {**made.headers, **self.headers}, self.fault)

    def expected(self, can: frozenset[str]) -> Content:
        """What the outcome is for who can do that."""
        if self.needs and self.needs not in can:
            return {"outcome": "a failed call", "retryable": False, "sent": 0}
        if self.wanted or self.told is None:
            return self.wanted
        asked = {} if self.loose else fields_of(self.request, *_ASKED)
        return {"outcome": "a reply", "sent": 1, **asked, **fields_of(self.told, *_TOLD)}


class _ScenarioTable(msgspec.Struct):
    checks: dict[str, str]
    scenarios: list[Scenario]


@cache
def _table() -> _ScenarioTable:
    text = (files(__package__) / "provider_scenarios.yaml").read_text("utf-8")
    return msgspec.convert(yaml.safe_load(text), _ScenarioTable)


class _Play:
    """An engine at a server that takes its replies from `answer`."""

    engine: Engine

    def __init__(self, case: ProviderCase, answer: Callable[[], WireReply | None]) -> None:
        self._case, self._answer = case, answer
        self._heard: list[Request] = []
        self._keyed = not case.key_env
        self.server = LoopbackServer(self._reply)

    def _reply(self, request: WireRequest) -> WireReply:
        self._keyed |= KEY in str(request.headers)
        asked = self._case.protocol.asked(request) if request.method == "POST" else None
        if asked is None:
            return self._case.protocol.aside(request)
        self._heard.append(asked)
        return self._answer() or WireReply.of({"error": {"message": "the case has no such answer"}}, 400)

    async def outcome(self, request: Request = HELLO) -> Content:
        """How a call ended, and what the server was asked."""
        call = self.engine.call(request, Asking(seed=7))
        try:
            got: Reply | CallFailed = await asyncio.wait_for(call, PATIENCE_S)
            facts = {"outcome": "a reply", **fields_of(got, *_TOLD)}
        except CallFailed as failed:
            got, facts = failed, {"outcome": "a failed call", **failed.__dict__}
        asked = fields_of(self._heard[-1], *_ASKED) if self._heard else {}
        leaks = KEY in repr([got, self.engine.identity(), self.engine.settings()])
        return {**facts, **asked, "sent": len(self._heard), "said": got, "keyed": self._keyed, "leaks": leaks}


@asynccontextmanager
async def _playing(case: ProviderCase, answer: Callable[[], WireReply | None]) -> AsyncIterator[_Play]:
    """Both, started."""
    play = _Play(case, answer)
    with play.server:
        engine = play.engine = case.engine(play.server.url)
        try:
            engine.check()
            await engine.start(Surroundings(once=True))
            yield play
        finally:
            await engine.close()


def _differences(what: str, got: Content, wanted: Content) -> list[str]:
    """Where an outcome is not what it should be; of another kind, that alone. Spaces in JSON are none."""
    if got["outcome"] != wanted.get("outcome", got["outcome"]):
        return [f"{what}: gave {got['outcome']}, should be {wanted['outcome']}: {got['said']}"]
    sides = [[repr(one.get(name)).replace('": ', '":') for one in (got, wanted)] for name in wanted]
    named = zip(wanted, sides, strict=True)
    return [f"{what}: {name} is {mine}, should be {right}" for name, (mine, right) in named if mine != right]


async def _tried(check: str, case: ProviderCase, left: list[str]) -> list[str]:
    """Problems of a check's scenarios, whole and as a stream; what has no answer goes to `left`."""
    found, played = [], 0
    ways = (False, True) if case.streaming is not None else (False,)
    chosen = [one for one in _table().scenarios if one.check == check]
    for scenario, streams in [(one, way) for one in chosen for way in ways if not (way and one.error)]:
        name = f"{scenario.name}{', streamed' if streams else ''}"
        more = {**((streams and case.streaming) or {}), **(case.impatient if scenario.impatient else {})}
        if not (wire := scenario.wire(case.protocol, streams)):
            left.append(name)
            found += [f"{name}: the case's protocol has no such answer"] if scenario.plain else []
            continue
        played += 1
        async with _playing(replace(case, options={**case.options, **more}), repeat(wire).__next__) as play:
            if wanted := scenario.expected(play.engine.capabilities()):
                found += _differences(name, await play.outcome(scenario.request), wanted)
    if not played and not found:
        raise Skip("not applicable: the case's protocol has no such answer")
    return found


async def engine(case: ProviderCase) -> list[str]:
    """Before it starts it says what it can do and what it lacks; after, who it is."""
    made, found, said = case.engine(), [], ""
    try:
        await made.call(HELLO, Asking())
        found.append("it answers before it is started")
    except (EngineError, CallFailed):
        await made.close()
    async with _playing(case, lambda: case.protocol.answer(SAID, False)) as play:
        told, wanted = play.engine.identity(), fields_of(play.engine.spec, "provider", "name")
        found += _differences("identity", {"outcome": "", **told}, wanted)
        found += [] if "deterministic" in told else ["identity: `deterministic` is not told"]
        found += [] if "chat" in play.engine.capabilities() else ["it has no capability 'chat'"]
        await (second := case.engine(play.server.url)).start(Surroundings(once=True))
        found += _differences("identity at a second start", {"outcome": "", **second.identity()}, {**told})
        await second.close()
        await play.outcome()
        await play.engine.close()  # and once more behind all
        for one in play.server.connections:
            await asyncio.to_thread(one.join, CLOSING_S)
            found += ["close() leaves a connection open"] if one.is_alive() else []
    with patch.dict(os.environ, {case.key_env or "SUITE_CHECK": ""}):
        try:
            case.engine().check()
        except SuiteError as error:
            said = str(error)
    return found if case.key_env in said else [*found, f"check() does not say that {case.key_env} is not set"]


async def cancelling(case: ProviderCase) -> list[str]:
    """A call that is cancelled hangs up, and leaves an engine that answers the next one."""
    replies = iter([WireReply(200, b"", {}, "silent"), case.protocol.answer(SAID, False)])
    async with _playing(case, lambda: next(replies)) as play:
        call = asyncio.ensure_future(play.engine.call(HELLO, Asking()))
        await asyncio.to_thread(play.server.waits.wait, PATIENCE_S)
        call.cancel()
        await asyncio.wait([call], timeout=PATIENCE_S)
        found = [] if call.cancelled() else ["a cancelled call does not end as cancelled"]
        if not await asyncio.to_thread(play.server.left.wait, HANGING_S):
            found.append("a cancelled call stays connected: what it asks for is made, and billed")
        return found + _differences("the next call", await play.outcome(), {"outcome": "a reply"})


_FINDERS = {"engine": engine, "cancelling": cancelling}


@cache
def provider_checks() -> dict[str, str]:
    """Name of a check -> what it proves."""
    return {**_table().checks, **{name: str(one.__doc__) for name, one in _FINDERS.items()}}


def problems_of(check: str, case: ProviderCase, left: list[str]) -> Iterator[str]:
    """What one check finds; `left` gets what of it does not apply. Raises Skip, SuiteError, TimeoutError."""
    tried = _FINDERS[check](case) if check in _FINDERS else _tried(check, case, left)
    with patch.dict(os.environ, {case.key_env or "NO_PROXY": KEY, "NO_PROXY": "*", "no_proxy": "*"}):
        yield from asyncio.run(tried)
