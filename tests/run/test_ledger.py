"""A budget holds: whatever endpoints do, no run spends more; what a try may cost, and what it did."""

import asyncio
import contextlib
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from billing_server import BillingServer
from small_tasks import Spell, Word, cells

import suite
from suite.chat import Reply, Request, Tool, Usage
from suite.errors import CallFailed, ConfigError, SuiteError
from suite.journal.journal_file import JournalFile
from suite.models.engine import Engine, Surroundings
from suite.models.openai import provider
from suite.models.prices import PER_USD, Rates, TokenPrice
from suite.models.spec import parse_spec
from suite.roles import Stage
from suite.run.calls import Desk, Stopped
from suite.run.ledger import Budget, BudgetSpent, Ledger, most_tokens, parse_budget, used_tokens
from suite.run.role_members import Member
from suite.run.seats import EngineQueue, MemberSeat
from suite.run.work import GroupCalls, ModelCall, Work


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("20usd", Budget(20 * PER_USD, "usd")),
        ("20 usd", Budget(20 * PER_USD, "usd")),
        ("$20", Budget(20 * PER_USD, "usd")),
        ("20USD", Budget(20 * PER_USD, "usd")),
        ("$0.5", Budget(PER_USD // 2, "usd")),
        ("2Mtokens", Budget(2_000_000, "tokens")),
        ("500ktokens", Budget(500_000, "tokens")),
        ("2000000tokens", Budget(2_000_000, "tokens")),
        ("1.5M tokens", Budget(1_500_000, "tokens")),
    ],
)
def test_budgets_are_read_as_people_write_them(text: str, budget: Budget) -> None:
    assert parse_budget(text) == budget


@pytest.mark.parametrize(
    "text",
    ["20", "20eur", "2M", "$5tokens", "0usd", "-1usd", "nan usd", "1e3usd", "usd", "", "２０usd", "$20usd"],
)
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--budget"):
        parse_budget(text)


CELL = cells(Spell)[0]
ASKED = Request("chat", (suite.user("ü" * 100),), options=suite.chat.Options(max_tokens=10))


@pytest.mark.parametrize(
    ("request_", "prompt", "new"),
    [
        (ASKED, 200, 10),  # a byte is at most a token
        (Request("chat", ASKED.messages, tools=(Tool("t", "d" * 500),), options=ASKED.options), 700, 10),
        (Request("complete", prompt="x" * 50, options=suite.chat.Options(max_tokens=7)), 50, 7),
        (Request("chat", ASKED.messages, options=suite.chat.Options(max_tokens=10, thinking=90)), 200, 100),
        (Request("rate", ASKED.messages, texts=("a" * 40, "b" * 60)), 500, 0),
        (Request("logprobs", ASKED.messages, texts=("a" * 40, "b" * 60)), 500, 2),
        (Request("rank", prompt="x" * 50, texts=("a" * 40, "b" * 60)), 150, 0),
    ],
)
def test_the_bound_of_a_call_covers_all_that_is_read_and_written(
    request_: Request, prompt: int, new: int
) -> None:
    most = most_tokens(request_)
    assert most is not None
    assert most.prompt >= prompt
    assert most.completion == new


def test_the_bound_counts_every_choice_and_a_request_without_a_limit_has_none() -> None:
    most = most_tokens(ASKED, parse_spec("openai/m", [("extra_body", '{"best_of": 3}')]))
    assert most is not None
    assert most.completion == 30
    assert most_tokens(Request("chat", ASKED.messages)) is None


@pytest.mark.parametrize(
    ("heard", "used"),
    [
        (Reply("yes", usage=Usage(20, 3)), Usage(20, 3)),
        (Reply("yes", usage=Usage(20, 0)), None),  # a text of no tokens
        (Reply("yes"), None),
        (Reply(finish="overflow"), None),  # some providers bill what they refuse
        (CallFailed("status-429", "", retryable=True), Usage()),
        (CallFailed("connect", "", retryable=True), Usage()),
        (CallFailed("status-500", "", retryable=True), None),
        (CallFailed("timeout", "", retryable=True), None),
        (CallFailed("reset", "", retryable=True), None),
        (None, None),  # dropped
    ],
)
def test_a_try_costs_what_it_tells_or_else_its_most(
    heard: Reply | CallFailed | None, used: Usage | None
) -> None:
    assert used_tokens(ASKED, heard) == used


def test_of_several_requests_in_one_call_a_failure_releases_nothing() -> None:
    request = Request("rate", ASKED.messages, texts=("a", "b"))
    assert used_tokens(request, CallFailed("status-429", "", retryable=True)) is None
    assert used_tokens(request, Reply(usage=Usage(9), details={"tokens": [9, 0]})) is None
    assert used_tokens(request, Reply(usage=Usage(9), details={"tokens": [5, 4]})) == Usage(9)


class Written:
    """Takes finished calls."""

    def __init__(self) -> None:
        self.calls: list[ModelCall] = []

    def call(self, call: ModelCall) -> None:
        """Keep it."""
        self.calls.append(call)


async def go_on(
    engine: Engine,
    ledger: Ledger,
    folder: Path,
    questions: list[tuple[str, int]],
    in_flight: int,
    attempts: JournalFile,
) -> SuiteError | None:
    """Ask the questions of one run by the real client and count them; what stopped it."""
    member = Member("candidate", "candidate", engine.spec, engine, "both", frozenset({"chat"}))
    seat = MemberSeat(member, EngineQueue(engine, in_flight), engine.spec.text, engine.capabilities())
    sinks: Any = {Stage.SOLVE: Written()}
    ledger.open({Stage.SOLVE: folder})
    desk = Desk(0, {"candidate": [seat]}, attempts, sinks=sinks, backoff_s=0.0, ledger=ledger)

    async def ask(number: int, text: str, limit: int) -> None:
        work = Work(Stage.SOLVE, CELL, suite.Sample(f"s{number}", Word(word=text)), GroupCalls(number, False))
        request = Request("chat", (suite.user(text),), options=suite.chat.Options(max_tokens=limit))
        with contextlib.suppress(CallFailed, Stopped):
            await desk.ask(ModelCall(seat, work, request, ""))

    await asyncio.gather(*(ask(number, *one) for number, one in enumerate(questions)))
    ledger.close()
    return desk.stopped


async def test_no_run_of_500_ever_spends_more_than_its_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # hundreds of files; no disk fails here
    draw = random.Random(15)
    stops: Counter[str] = Counter()
    async with BillingServer() as server:
        options = [("base_url", server.url), ("check", "false"), ("timeout_s", "0.05")]
        engine = provider.engine(parse_spec("openai/m", options))
        await engine.start(Surroundings(once=True))
        attempts = JournalFile(tmp_path / "attempts.jsonl")

        async def one_run(number: int) -> None:
            name, folder = f"m{number}", tmp_path / str(number)
            folder.mkdir()
            low, high, hit = draw.uniform(0, 20), draw.uniform(0, 90), draw.uniform(0, 5)
            price = TokenPrice(model="m", input=low, output=high, cached=min(low, hit)).rates
            rates = server.rates[name] = draw.choice([price, Rates(1, 1, 1)])
            texts = [f"{name}|{draw.choice(('a', 'ab ü')) * draw.randint(1, 400)}" for _ in range(5)]
            questions = [(text, draw.randint(1, 900)) for text in texts]
            most = 1 + 12 * rates.cost(Usage(900, 450))
            for amount in sorted(draw.randint(1, most) for _ in range(1 + number % 2)):  # then on with more
                ledger = Ledger(Budget(amount, "tokens"), {"candidate": rates})
                stopped = await go_on(engine, ledger, folder, questions, draw.randint(1, 6), attempts)
                assert server.bills[name] <= amount
                assert server.bills[name] <= ledger.spent
                assert ledger.reserved == 0
                stops[type(stopped).__name__] += 1

        numbers = iter(range(500))

        async def some_runs() -> None:
            for number in numbers:
                await one_run(number)

        await asyncio.gather(*(some_runs() for _ in range(25)))
        await engine.close()
        attempts.close()
        assert sum(server.requests.values()) > 1500
    assert stops["BudgetSpent"] > 100
    assert stops["NoneType"] > 100


async def test_whoever_fits_goes_on_when_others_do_not_and_the_last_is_refused(tmp_path: Path) -> None:
    engine = provider.engine(parse_spec("openai/m", [("base_url", "http://127.0.0.1:9/v1")]))
    member = Member("candidate", "candidate", engine.spec, engine, "both", frozenset({"chat"}))
    seat = MemberSeat(member, EngineQueue(engine, 9), engine.spec.text, engine.capabilities())

    def call(key: str, limit: int) -> ModelCall:
        work = Work(Stage.SOLVE, CELL, suite.Sample(key, Word(word=key)), GroupCalls(0, False))
        options = suite.chat.Options(max_tokens=limit)
        return ModelCall(seat, work, Request("chat", ASKED.messages, options=options), key)

    ledger = Ledger(Budget(1000, "tokens"), {"candidate": Rates(0, 0, 1)})
    ledger.open({Stage.SOLVE: tmp_path})
    one, two = await ledger.reserve(call("one", 600)), await ledger.reserve(call("two", 300))
    assert one is not None
    assert two is not None
    waiting = [asyncio.ensure_future(ledger.reserve(call(f"w{most}", most))) for most in (700, 250, 200)]
    await asyncio.sleep(0)
    ledger.settle(one, Reply("yes", usage=Usage(1, 600)))
    await asyncio.sleep(0.01)
    assert ledger.reserved == 300  # 100 left: nobody fits
    ledger.settle(two, Reply("yes", usage=Usage(1, 100)))
    await asyncio.sleep(0.01)
    assert ledger.reserved == 250  # 300 left, of which the second takes 250
    waiting[2].cancel()
    held = await waiting[1]
    assert held is not None
    ledger.settle(held, Reply("yes", usage=Usage(1, 250)))
    with pytest.raises(BudgetSpent, match="up to 700 tokens"):
        await waiting[0]
    ledger.close()
