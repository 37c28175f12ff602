"""The checks of providers: ours and the one of the page pass them, and whoever is wrong is named."""

import asyncio
import importlib
import json
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

import suite
from suite.cli.plugin import check
from suite.models.openai import provider as openai
from suite.testing import ProviderCase, conformance
from suite.testing.conformance import provider_checks
from suite.testing.openai_protocol import OPENAI_CASE

PAGE = (Path(__file__).resolve().parents[2] / "docs/plugin-kit.md").read_text("utf-8")
Call = Callable[[suite.Request, suite.Asking], Awaitable[suite.Reply]]
changed = msgspec.structs.replace


@pytest.mark.parametrize("name", provider_checks())
def test_the_openai_provider_passes(name: str) -> None:
    conformance.check(OPENAI_CASE, [name]).require()


def parrot(folder: Path, monkeypatch: pytest.MonkeyPatch, old: str = "", new: str = "") -> ProviderCase:
    """The case of the page, with something in its provider changed."""
    for name in ("suite_parrot.py", "suite_parrot_case.py"):
        code = PAGE.partition(f'```python title="{name}"\n')[2].partition("```")[0]
        (folder / name).write_text(code.replace(old, new) if old else code, "utf-8")
        monkeypatch.delitem(sys.modules, name.removesuffix(".py"), raising=False)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr("suite.testing.provider_checks.CLOSING_S", 0.5)
    provider = importlib.import_module("suite_parrot").provider
    case: ProviderCase = importlib.import_module("suite_parrot_case").CASE
    return replace(case, provider=provider)


def test_the_provider_of_the_page_passes_and_what_does_not_apply_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = parrot(tmp_path, monkeypatch)
    assert case.provider and case.provider.case == "suite_parrot_case:CASE"
    report = conformance.check(case)
    report.require()
    told = {one.check: one for one in report.results}
    assert [name for name, one in told.items() if one.status != "passed"] == ["reasoning"]
    assert "skipped" in told["reasoning"].line() and "not applicable" in told["reasoning"].line()
    assert told["answers"].left_out == ("a conversation",)
    assert "(not applicable: two calls at once)" in told["tools"].line()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a session that is not closed
@pytest.mark.parametrize(
    ("check", "old", "new", "said"),
    [
        ("answers", "[one.role, one.content]", '["user", one.content]', "a plain conversation: messages is"),
        ("answers", '"heat": asked.temperature', '"heat": None', "a plain conversation: options is"),
        ("answers", '"until": asked.stop', '"until": []', "a plain conversation: options is"),
        ("answers", 'Reply(told["said"]', 'Reply(told["said"].strip()', "a plain conversation: text is"),
        ("answers", "or reply.finish not in ENDS", "or True", "a plain conversation: the case's"),
        ("engine", "await self.session.close()", "pass", "close() leaves a connection open"),
        ("engine", "self.spec.name, \"deter", "f'{id(self)}', \"deter", "second start: name is"),
    ],
)  # fmt: skip
def test_a_parrot_that_is_wrong_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: str, old: str, new: str, said: str
) -> None:
    (result,) = conformance.check(parrot(tmp_path, monkeypatch, old, new), [check]).results
    assert said in "\n".join(result.problems)


def test_each_check_is_on_the_page() -> None:
    table = PAGE.partition("| check of a provider |")[2].partition("\n\n")[0]
    first = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert set(re.findall(r"`([a-z-]+)`", " ".join(first))) == set(provider_checks())


class Spoilt(suite.Provider):
    """Our provider with calls, or an identity, that go another way."""

    def __init__(self, call: Callable[[Call, suite.Request], Awaitable[suite.Reply]] | None = None) -> None:
        self._call = call

    def engine(self, spec: suite.ModelSpec) -> suite.Engine:
        made = openai.engine(spec)
        sound, told = made.call, made.identity

        async def call(request: suite.Request, asking: suite.Asking) -> suite.Reply:
            assert self._call is not None
            return await self._call(sound, request)

        def identity() -> Mapping[str, suite.Json]:
            return {**told(), "headers": repr(made.__dict__["_headers"])}

        if self._call is None:
            made.identity = identity  # type: ignore[method-assign]
        else:
            made.call = call  # type: ignore[method-assign]
        return made


async def without_system(call: Call, request: suite.Request) -> suite.Reply:
    kept = tuple(one for one in request.messages if one.role != "system")
    return await call(changed(request, messages=kept), suite.Asking())


async def without_cached_tokens(call: Call, request: suite.Request) -> suite.Reply:
    reply = await call(request, suite.Asking())
    return changed(reply, usage=changed(reply.usage, cached=0))


async def with_thoughts(call: Call, request: suite.Request) -> suite.Reply:
    reply = await call(request, suite.Asking())
    return changed(reply, text=reply.reasoning + reply.text, reasoning="")


async def empty_for_failed(call: Call, request: suite.Request) -> suite.Reply:
    try:
        return await call(request, suite.Asking())
    except suite.CallFailed:
        return suite.Reply("", "empty")


async def tried_again(call: Call, request: suite.Request) -> suite.Reply:
    try:
        return await call(request, suite.Asking())
    except suite.CallFailed:
        return await call(request, suite.Asking())


async def failed_for_long(call: Call, request: suite.Request) -> suite.Reply:
    reply = await call(request, suite.Asking())
    if reply.finish == "overflow":
        raise suite.CallFailed("too-long", "it does not fit", retryable=False)
    return reply


async def without_waiting(call: Call, request: suite.Request) -> suite.Reply:
    try:
        return await call(request, suite.Asking())
    except suite.CallFailed as failed:
        raise suite.CallFailed(failed.kind, failed.message, retryable=failed.retryable) from failed


async def left_running(call: Call, request: suite.Request) -> suite.Reply:
    return await asyncio.shield(asyncio.ensure_future(call(request, suite.Asking())))


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("answers", without_system, r"a conversation: messages is"),
        ("answers", without_cached_tokens, r"streamed: usage is .*cached=0.* should be .*cached=32"),
        ("reasoning", with_thoughts, r"separated thoughts: text is 'Amber is a colour.It is amber.'"),
        ("faults", empty_for_failed, r"status 500: gave a reply, should be a failed call"),
        ("faults", tried_again, r"status 500: sent is 2, should be 1"),
        ("limits", without_waiting, r"status 429: retry_after is None, should be 7.0"),
        ("refusals", failed_for_long, r"a prompt beyond the window: gave a failed call, should be a reply"),
        ("keys", None, r"an answer that holds the key: leaks is True"),
    ],
)  # fmt: skip
def test_a_provider_that_is_wrong_is_named(
    name: str, wrong: Callable[[Call, suite.Request], Awaitable[suite.Reply]] | None, said: str
) -> None:
    (result,) = conformance.check(replace(OPENAI_CASE, provider=Spoilt(wrong)), [name]).results
    assert re.search(said, "\n".join(result.problems))


def test_a_call_that_goes_on_when_it_is_cancelled_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("suite.testing.provider_checks.HANGING_S", 0.1)
    case = replace(OPENAI_CASE, provider=Spoilt(left_running))
    (result,) = conformance.check(case, ["cancelling"]).results
    assert any("stays connected" in one for one in result.problems)


def test_the_command_checks_a_provider_and_leaves_out_one_without_a_case() -> None:
    done = CliRunner().invoke(check, ["openai", "--only", "limits", "--json"])
    told = json.loads(done.output)
    assert (done.exit_code, told["tasks"]) == (0, [])
    assert [(one["check"], one["status"]) for one in told["providers"][0]["checks"]] == [("limits", "passed")]
    assert "names no case" in CliRunner().invoke(check, ["lexical"]).output


def test_a_case_whose_engine_cannot_be_made_says_why() -> None:
    case = replace(OPENAI_CASE, options={**OPENAI_CASE.options, "patience": 3})
    (result,) = conformance.check(case, ["limits"]).results
    assert result.problems[0].startswith("no option named 'patience'")
