"""A budget holds: whatever endpoints do, no run spends more; what is stopped goes on with a higher one."""

import asyncio
import contextlib
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from billing_server import BillingServer
from openai_server import OpenAIServer
from small_tasks import Many, Spell, Word, cells, plan_of, run, scripted

import suite
from suite.chat import Reply, Request, Tool, Usage
from suite.cli.main import run as run_command
from suite.errors import CallFailed, CapabilityError, ConfigError, SuiteError
from suite.journal.journal_file import JournalFile
from suite.journal.lines import Lines
from suite.journal.records import CallRecord, SpentRecord
from suite.journal.run import Run
from suite.models.engine import Engine, Surroundings
from suite.models.openai import provider
from suite.models.prices import PER_USD, Rates, TokenPrice
from suite.models.spec import parse_spec
from suite.report.remarks import how_to_continue
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


PRICES = "[[prices]]\nmodel = 'loop.*'\ninput = 100\noutput = 2000\n"
USUAL = {"candidate": Rates(100_000_000, 100_000_000, 2_000_000_000)}


def told(folder: Path) -> int:
    """What the calls of a run cost by the tokens that the endpoint told."""
    calls = Run(folder).journal.calls
    return sum(USUAL["candidate"].cost(call.reply.usage) for call in calls)


@pytest.fixture
def priced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with prices for the loopback's models."""
    (tmp_path / "suite.toml").write_text(PRICES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def test_a_run_stops_at_its_budget_and_goes_on_with_a_higher_one(priced: Path) -> None:
    async with OpenAIServer(lambda body: "yes, " * 8) as server:
        plan = plan_of({"candidate": "openai/loopback"}, cells(Spell), options=[("", "base_url", server.url)])
        words = {"command": "suite eval -o a=b --budget '$0.40' --new", "command_settings": "--budget 1usd"}
        outcome = await run(plan, priced / "run", budget="$0.40", **words)
        assert outcome.exit_code == 1
        assert isinstance(outcome.error, BudgetSpent)
        assert all(word in str(outcome.error) for word in ("0.40 usd", "spent", "reserved", "left", "higher"))
        assert 0 < outcome.pending < 12
        assert 0 < told(priced / "run") <= PER_USD * 4 // 10
        stopped = Run(priced / "run", outcome.scoring)
        goes_on = f"suite eval -o a=b --budget 'more than $0.40' --output {priced / 'run'}"
        assert how_to_continue(stopped) == goes_on
        asked = server.requests
        again = await run(plan, priced / "run", budget="0.40usd")
        assert again.exit_code == 1
        assert server.requests == asked  # what was spent before counts
        words = {"command": "suite eval -O run", "command_settings": "--judge x --budget 1usd"}
        await run(plan, priced / "run", budget="0.40usd", **words)
        assert how_to_continue(stopped) == "suite eval -O run --budget 'more than 1usd'"
        more = await run(plan, priced / "run", budget="3usd")
        assert more.exit_code == 0
        assert told(priced / "run") <= 3 * PER_USD
        calls = [call.id for call in Run(priced / "run").journal.calls]
        assert len(calls) == len(set(calls)) == 24


async def test_calls_made_before_there_was_a_budget_count(priced: Path) -> None:
    async with OpenAIServer(lambda body: "yes", faults=["ok"] * 12 + ["401"] * 40) as server:
        plan = plan_of({"candidate": "openai/loopback"}, cells(Spell), options=[("", "base_url", server.url)])
        await run(plan, priced / "run")
        spent = told(priced / "run")
        assert spent
        outcome = await run(plan, priced / "run", budget=f"{spent / PER_USD:.4f}usd")
        assert isinstance(outcome.error, BudgetSpent)
        assert f"{spent / PER_USD:.2f} usd spent" in str(outcome.error)


async def test_a_tight_budget_waits_for_what_is_under_way(tmp_path: Path) -> None:
    """One call fits at a time, each uses a part of its most: nearly all of the budget is used."""
    plan = plan_of({"candidate": "scripted/echo"}, cells(Many), concurrency=32)
    engine = scripted(lambda request, asking: "yes", plan)
    most = most_tokens(
        Request("chat", (suite.user("Say word399."),), options=suite.chat.Options(max_tokens=50))
    )
    assert most is not None
    bound = most.prompt + most.completion
    outcome = await run(plan, tmp_path / "run", budget=f"{bound + 500} tokens")
    assert isinstance(outcome.error, BudgetSpent)
    used = sum(
        call.reply.usage.prompt + call.reply.usage.completion for call in Run(tmp_path / "run").journal.calls
    )
    assert 500 <= used <= bound + 500
    assert engine.calls > 50


async def test_an_endpoint_that_reports_more_than_its_bound_is_named(tmp_path: Path) -> None:
    plan = plan_of({"candidate": "scripted/echo"}, cells(Many), concurrency=1)
    scripted(lambda request, asking: Reply("yes", usage=Usage(10**7, 2)), plan)
    outcome = await run(plan, tmp_path / "run", budget="1Mtokens")
    assert isinstance(outcome.error, BudgetSpent)
    assert "candidate reports tokens beyond its bound: 10,000,000 in, 2 out for at most" in str(outcome.error)


async def test_every_role_counts_where_its_calls_are_recorded(tmp_path: Path) -> None:
    plan = plan_of({"candidate": "scripted/echo", "judge": "scripted/words"})
    outcome = await run(plan, tmp_path / "run", budget="1Mtokens")
    assert outcome.exit_code == 0
    for folder, role in (
        (tmp_path / "run", "candidate"),
        (tmp_path / "run/scorings" / outcome.scoring, "judge"),
    ):
        tries = {one.number: one for one in Lines(folder / "spent.jsonl", SpentRecord)}
        usages = {call.id: call.reply.usage for call in Lines(folder / "calls.jsonl", CallRecord)}
        assert {one.role for one in tries.values()} == {role}
        assert {one.call: Usage(one.prompt, one.completion) for one in tries.values()} == usages
        assert all(one.told for one in tries.values())


class NoLimit(Many):
    """Requests that set no limit."""

    async def solve(self, sample: suite.Sample[Word], models: suite.Models) -> suite.Output:
        reply = await models.candidate.chat([suite.user(sample.payload.word)])
        return suite.Output(reply.text)


async def test_a_call_without_a_limit_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    async with OpenAIServer() as server:
        options = [("", "base_url", server.url)]
        plan = plan_of({"candidate": "openai/loopback"}, cells(NoLimit), options=options)
        with pytest.raises(CapabilityError, match="-o max_tokens=N"):
            await run(plan, tmp_path / "run", budget="2Mtokens")
        assert server.requests == 0
        assert not (tmp_path / "run").exists()
        options.append(("", "max_tokens", "20"))
        plan = plan_of({"candidate": "openai/loopback"}, cells(NoLimit), options=options)
        assert (await run(plan, tmp_path / "run", budget="2Mtokens")).exit_code == 0


async def test_money_for_a_model_without_a_price_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    options = [("", "base_url", "http://127.0.0.1:9/v1")]
    plan = plan_of({"candidate": "openai/loopback"}, cells(Many), options=options)
    with pytest.raises(ConfigError, match=r"openai/loopback[\s\S]*--budget 2Mtokens[\s\S]*suite\.toml"):
        await run(plan, tmp_path / "run", budget="20usd")
    assert not (tmp_path / "run").exists()


def test_an_empty_budget_is_a_mistake_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = ["eval", "--task", "prefeval/classification", "--mini", "--model", "scripted/echo", "--quiet"]
    assert run_command([*command, "--budget", ""]) == 2
    monkeypatch.setenv("SUITE_EVAL_BUDGET", "")
    assert run_command(command) == 2
    monkeypatch.delenv("SUITE_EVAL_BUDGET")
    (tmp_path / "suite.toml").write_text("[eval]\nbudget = ''\n")
    assert run_command(command) == 2
    assert capsys.readouterr().err.count("--budget '' is not an amount") == 3
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("price", "budget", "code", "says"),
    [
        ("model = 'other'", "20usd", 2, "no price is known for openai/m (candidate)"),
        ("model = 'm'", "1000usd", 0, "the budget of 1000.00 usd covers this run"),
        ("model = 'm'", "1usd", 0, "the budget of 1.00 usd will stop this run"),
        ("model = 'm'", "1token", 0, "the budget of 1 tokens will stop this run"),
    ],
)
def test_a_dry_run_needs_no_key_and_tells_whether_the_budget_lasts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    price: str,
    budget: str,
    code: int,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "suite.toml").write_text(f"[[prices]]\ninput = 1000\noutput = 1000\n{price}\n")
    command = ["eval", "--task", "prefeval/classification", "--mini", "--limit", "2", "--model", "openai/m"]
    assert run_command([*command, "--dry-run", "--budget", budget]) == code
    told = "".join(capsys.readouterr())
    assert says in told
    assert ("OPENAI_API_KEY is not set" in told) == (code == 0)
    assert run_command(command) == 2  # not planned only: the key is needed


async def test_local_engines_cost_no_money(tmp_path: Path) -> None:
    plan = plan_of({"candidate": "scripted/echo"}, cells(Spell))
    scripted(lambda request, asking: "yes", plan)
    assert (await run(plan, tmp_path / "run", budget="$0.01")).exit_code == 0
    assert not (tmp_path / "run" / "spent.jsonl").exists()


def test_a_budget_is_no_part_of_a_plan() -> None:
    assert "budget" not in plan_of({"candidate": "scripted/echo"}).solve_identity()


async def test_a_damaged_end_of_what_was_spent_is_cut_off(tmp_path: Path) -> None:
    plan = plan_of({"candidate": "scripted/echo"})
    await run(plan, tmp_path / "run", budget="600 tokens")
    spent = tmp_path / "run" / "spent.jsonl"
    whole = spent.read_bytes()
    spent.write_bytes(whole + b"\0" * 40 + b"\n")
    assert (await run(plan, tmp_path / "run", budget="1Mtokens")).exit_code == 0
    assert spent.read_bytes().startswith(whole)


async def test_a_mistake_in_own_prices_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suite.toml").write_text("[[prices]]\nmodel = 'x'\ninput = 1\n")
    with pytest.raises(ConfigError, match="output"):
        await run(plan_of({"candidate": "scripted/echo"}), tmp_path / "run")
    assert not (tmp_path / "run").exists()
