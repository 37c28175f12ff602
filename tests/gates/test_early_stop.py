"""Runs that end once their claims are decided: the same verdict however they are worked on."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from small_tasks import Many, Word, cells, plan_of, run, scripted

import suite
from suite.comparisons.comparability import differences, match_cells
from suite.errors import CallFailed, ConfigError, NotFound
from suite.gates.early_stop import DecidedClaims, stop_rule
from suite.gates.policy import Policy
from suite.journal.run import Run
from suite.journal.shards import Shard
from suite.report.html import html_report
from suite.report.markdown import markdown_report
from suite.report.run_list import ListedRun, list_runs
from suite.run.lease_folder import LeaseFolder
from suite.run.merging import merge_shards
from suite.run.plan import Plan
from suite.run.request import AskedRun
from suite.run.run_folder import RunFolder

CANDIDATE = "scripted/constant?text=none"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))


def right(word: str, salt: str, share: float) -> bool:
    """Whether somebody says a word right: always the same, in so many of all words."""
    digest = hashlib.sha256(f"{salt} {word}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32


def speaker(share: float, salt: str = "", fails_after: int = 10**9) -> Callable[..., Any]:
    """A model that says this share of words right, these slower than others; after some calls it fails."""
    asked = 0

    async def say(request: Any, asking: Any) -> str:
        nonlocal asked
        asked += 1
        if asked > fails_after:
            raise CallFailed("bad-shape", "no more", retryable=False)
        said = right(asking.sample, salt, share)
        await asyncio.sleep(0.002 if said else 0)
        return "yes" if said else "no"

    return say


class Clustered(Many):
    """Two groups share a cluster each time."""

    words = 60

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Word]]:
        for index in range(self.words):
            yield suite.Sample(f"w{index}", Word(word=f"word{index}"), cluster=f"c{index % 30}")


class Costly(Many):
    """Metrics of every kind that can be followed, and that cannot."""

    info = suite.TaskInfo(
        "words/costly", 1, "Many words", {"candidate": suite.Role(needs={"chat"})}, headline="said"
    )
    metrics = (  # type: ignore[assignment]
        suite.Rate("said"), suite.Mean("length", direction="lower", range=(0, 10)),
        suite.Mean("length", name="free"), suite.Ratio("length", "length", name="ratio"),
        suite.Mean("length", range=(0, 10), by="half", average="macro", name="halves"),
    )  # fmt: skip
    words = 200


async def made(
    folder: Path, share: float, salt: str = "", rule: DecidedClaims | None = None, **more: Any
) -> tuple[Plan, Any]:
    """A run of a speaker. more: the task, and what the speaker or the plan takes."""
    plan = plan_of(
        {"candidate": CANDIDATE}, cells(more.pop("task", Many)), concurrency=8, **more.pop("asked", {})
    )
    scripted(speaker(share, salt, **more), plan)
    return plan, await run(plan, folder, until=rule)


async def baseline(tmp_path: Path, share: float = 0.5, **more: Any) -> str:
    await made(tmp_path / "base", share, salt="other", **more)
    return str(tmp_path / "base")


def rule_of(
    place: str, task: type[Many] = Many, *claims: Mapping[str, object], **asked: Any
) -> DecidedClaims:
    """The rule of some claims, or that a run is better than the one at a place."""
    plan = plan_of({"candidate": CANDIDATE}, cells(task), **asked)
    named = [{"task": task.info.name, **one} for one in claims]
    if not claims:
        return stop_rule(plan, AskedRun(until_better_than=place))
    return DecidedClaims(
        plan, Policy.model_validate({"claims": named}), [place] * bool(place), "--until p.yaml"
    )


async def test_a_run_stops_once_its_claim_is_decided_and_says_why(tmp_path: Path) -> None:
    base = await baseline(tmp_path)
    _, outcome = await made(tmp_path / "run", 0.8, rule=rule_of(base))
    done = sum(1 for _ in Run(tmp_path / "run").outputs())
    found = outcome.decision
    assert (outcome.exit_code, found.verdict, outcome.pending) == (0, "pass", 400 - done)
    assert found.groups.taken <= done < 200
    low = found.claims[0].value[1]
    assert low > 0
    assert [*outcome.lines()] == [
        f"decided after {found.groups.taken} of 400 groups (--until-better-than base): words/many said is "
        "better than base ({:.3f}, anytime-valid [{:.3f}, {:.3f}])".format(*found.claims[0].value),
        f"{outcome.pending} samples were left out; without --until the same command takes them up",
    ]


@pytest.mark.parametrize("share", [0.8, 0.25], ids=["better", "worse"])
async def test_a_whole_run_gives_the_same_decision(tmp_path: Path, share: float) -> None:
    base = await baseline(tmp_path)
    _, early = await made(tmp_path / "early", share, rule=rule_of(base))
    await made(tmp_path / "whole", share)
    rule = rule_of(base)
    rule.look([tmp_path / "whole"])
    assert early.decision == rule.decision()
    assert early.decision.verdict == ("pass" if share > 0.5 else "fail")


async def test_a_resumed_run_gives_the_same_decision(tmp_path: Path) -> None:
    base = await baseline(tmp_path)
    _, first = await made(tmp_path / "run", 0.7, fails_after=30)  # in the plan's own order
    _, second = await made(tmp_path / "run", 0.7, rule=rule_of(base), fails_after=40)
    assert first.exit_code == second.exit_code == 2  # the endpoint is broken
    _, third = await made(tmp_path / "run", 0.7, rule=rule_of(base))
    _, whole = await made(tmp_path / "other", 0.7, rule=rule_of(base))
    assert (third.exit_code, third.decision) == (0, whole.decision)


async def test_a_decided_run_is_finished_until_it_goes_on_without_the_rule(tmp_path: Path) -> None:
    base = await baseline(tmp_path)
    _, first = await made(tmp_path / "run", 0.8, rule=rule_of(base))
    _, again = await made(tmp_path / "run", 0.8, rule=rule_of(base), fails_after=0)
    assert (again.exit_code, again.decision, again.pending) == (0, first.decision, first.pending)
    _, whole = await made(tmp_path / "run", 0.8)
    assert (whole.exit_code, whole.pending) == (0, 0)
    assert Run(tmp_path / "run").decision == first.decision
    assert "All of the plan was run nevertheless" in "".join(markdown_report(tmp_path / "run"))


async def test_shards_find_what_one_process_finds(tmp_path: Path) -> None:
    base = await baseline(tmp_path)
    _, whole = await made(tmp_path / "whole", 0.65, rule=rule_of(base))
    codes = []
    for which in range(2):
        plan = plan_of({"candidate": CANDIDATE}, cells(Many), concurrency=8)
        lease = LeaseFolder(plan, tmp_path / "run", Shard(which, 2), ("solve", "score"))
        scripted(speaker(0.65), lease.plan)
        outcome = await run(lease.plan, lease, until=rule_of(base))
        codes.append((outcome.exit_code, outcome.decision and outcome.decision.verdict))
    assert codes == [(0, None), (0, "pass")]  # the first knows no group of the second
    merge_shards(tmp_path / "run", cells(Many))
    assert Run(tmp_path / "run").decision == whole.decision
    again = rule_of(base)
    again.look(RunFolder(plan, tmp_path / "run", plan.scoring_id).watched())
    assert again.decision() == whole.decision


async def test_reports_show_why_it_stopped_and_no_interval_of_a_fixed_size(tmp_path: Path) -> None:
    base = await baseline(tmp_path)
    _, outcome = await made(tmp_path / "run", 0.8, rule=rule_of(base))
    value, low, high = outcome.decision.claims[0].own
    fixed = Run(tmp_path / "run").results.cells[0].headline_row
    assert fixed is not None
    for text in ("".join(markdown_report(tmp_path / "run")), "".join(html_report(tmp_path / "run"))):
        assert outcome.decision.when in text
        assert f"{low:.3f}, {high:.3f}" in text
        assert f"{fixed.low:.3f}, {fixed.high:.3f}" not in text
    (listed,) = (one for one in list_runs(tmp_path) if isinstance(one, ListedRun) and one.run == "run")
    assert (listed.state, listed.note) == ("finished", outcome.decision.when)
    assert (listed.headlines[0]["value"], listed.headlines[0]["low"]) == (value, low)


async def test_a_comparison_warns_of_a_run_that_stopped_early(tmp_path: Path) -> None:
    base = await baseline(tmp_path)
    await made(tmp_path / "run", 0.8, rule=rule_of(base))
    runs = Run(tmp_path / "run"), Run(Path(base))
    told = [one for one in differences(*runs, match_cells(*runs)[0]) if "early stop" in one.what]
    assert [one.weight for one in told] == ["warn"]


def test_groups_that_share_a_cluster_are_looked_at_together() -> None:
    plan = plan_of({"candidate": CANDIDATE}, cells(Clustered))
    rule = DecidedClaims(
        plan, Policy.model_validate({"claims": [{"task": "words/many", "at-least": 0.5}]}), [], ""
    )
    order = [int(one.name[1:]) % 30 for one in rule.ordered(plan.groups())]
    assert order[::2] == order[1::2]
    assert order != sorted(order)


def test_the_order_of_looks_follows_from_the_seed() -> None:
    orders = []
    for seed in (0, 0, 1):
        plan = plan_of({"candidate": CANDIDATE}, cells(Many), seed=seed)
        rule = rule_of("", Many, {"at-least": 0.5}, seed=seed)
        orders.append([one.name for one in rule.ordered(plan.groups())])
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize(
    ("claims", "verdict"),
    [
        ([{"at-least": 0.6}], "pass"),
        ([{"metric": "length", "at-least": 5}], "pass"),  # lower is better: at most
        ([{"metric": "length", "at-least": 1}], "fail"),
        ([{"metric": "length", "no-worse-than": {"margin": 2}}], "pass"),
        ([{"metric": "length", "better": {}}], "fail"),  # who is right more often says more
        ([{"at-least": 0.6}, {"metric": "length", "at-least": 1}], "fail"),
        ([{"at-least": 0.8}], "undecided"),
    ],
)
async def test_each_kind_of_claim_has_its_side(
    tmp_path: Path, claims: list[dict[str, Any]], verdict: str
) -> None:
    paired = any("at-least" not in one for one in claims)
    base = await baseline(tmp_path, 0.3, task=Costly) if paired else ""
    await made(tmp_path / "run", 0.8, task=Costly)
    rule = rule_of(base, Costly, *claims)
    rule.look([tmp_path / "run"])
    assert rule.decision().verdict == verdict


@pytest.mark.parametrize(
    ("claim", "error", "told"),
    [
        ({"metric": "saidd", "better": {}}, NotFound, "said"),
        ({"metric": "free", "better": {}}, ConfigError, "never be shown"),
        ({"metric": "ratio", "better": {}}, ConfigError, "no mean over samples"),
        ({"metric": "halves", "better": {}}, ConfigError, "no mean over samples"),
        ({"better": {"margin": 1}}, ConfigError, "never be shown"),
        ({"better": {}, "cell": {"turns": 3}}, ConfigError, "no cell of words/costly"),
        ({"at-least": 0.5}, ConfigError, "need a run, and others none"),
    ],
)
async def test_what_cannot_be_followed_is_refused(
    tmp_path: Path, claim: dict[str, Any], error: type[Exception], told: str
) -> None:
    base = await baseline(tmp_path, task=Costly)
    with pytest.raises(error, match=told):
        rule_of(base, Costly, claim)


async def test_a_baseline_without_some_samples_is_refused(tmp_path: Path) -> None:
    base = await baseline(tmp_path, asked={"limit": 100})
    with pytest.raises(ConfigError, match="no score of 300 samples"):
        rule_of(base)


async def test_a_baseline_of_another_task_version_is_refused(tmp_path: Path) -> None:
    class Newer(Many):
        info = suite.TaskInfo(
            "words/many", 2, "Many words", {"candidate": suite.Role(needs={"chat"})}, headline="said"
        )

    base = await baseline(tmp_path)
    with pytest.raises(ConfigError, match="task version"):
        rule_of(base, Newer)


def test_a_claim_about_a_baseline_needs_one() -> None:
    with pytest.raises(ConfigError, match="need a run, and others none"):
        rule_of("", Many, {"better": {}})
