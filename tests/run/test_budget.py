"""Runs under a budget: they stop, go on with a higher one, and are refused where it cannot be kept."""

from pathlib import Path

import pytest
from openai_server import OpenAIServer
from small_tasks import Many, Spell, Word, cells, plan_of, run, scripted

import suite
from suite.chat import Reply, Request, Usage
from suite.cli.main import run as run_command
from suite.errors import CapabilityError, ConfigError
from suite.journal.lines import Lines
from suite.journal.records import CallRecord, SpentRecord
from suite.journal.run import Run
from suite.models.prices import PER_USD, Rates
from suite.report.remarks import how_to_continue
from suite.run.ledger import BudgetSpent, most_tokens

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
