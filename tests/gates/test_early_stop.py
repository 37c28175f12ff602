"""Runs that end once their claims are decided: the same verdict however they are worked on."""

import asyncio
import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from small_tasks import Many, Word, cells, plan_of, run, scripted

import suite
from suite.api.preparation import PreparedRun
from suite.cli.main import run_command
from suite.comparisons.comparability import differences, match_cells
from suite.errors import CallFailed, ConfigError, NotFound, SuiteError
from suite.gates.early_stop import DecidedClaims, stop_rule
from suite.gates.policy import Policy
from suite.journal.run import Run
from suite.journal.shards import Shard
from suite.report.html import html_report
from suite.report.markdown import markdown_report
from suite.report.run_list import ListedRun, list_runs
from suite.run.executor import Executor
from suite.run.lease_folder import LeaseFolder
from suite.run.merging import merge_shards
from suite.run.outcome import RunSettings
from suite.run.plan import Plan
from suite.run.request import AskedRun
from suite.run.run_folder import RunFolder

CANDIDATE = "scripted/constant?text=none"

TASK = """
import asyncio, suite, zlib

class Row(suite.Payload):
    n: int

class Numbered(suite.Task[Row, suite.Parameters]):
    info = suite.TaskInfo("numbered", 1, "Numbers", {"candidate": suite.Role()}, headline="right")
    metrics = (suite.Rate("right"),)
    def samples(self, data):
        return (suite.Sample(f"s{n}", Row(n=n)) for n in range(1000))
    async def solve(self, sample, models):
        return (await models.candidate.chat([suite.user(sample.id)], max_tokens=5)).output()
    async def score(self, sample, output, models):
        return suite.Score({"right": output.text == "yes"})

async def better(request, asking):
    await asyncio.sleep(0.02)
    return "yes" if zlib.crc32(asking.sample.encode()) % 10 < 8 else "no"

async def worse(request, asking):
    return "yes" if zlib.crc32(asking.sample.encode()) % 20 < 11 else "no"
"""


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
        await asyncio.sleep(0.002 if said and not salt else 0)
        return "yes" if said else "no"

    return say


class Fewer(Many):
    """Enough words to be decided about."""

    words = 160


class Silent(Fewer):
    """Of some answers nobody can say whether they are right."""

    async def score(
        self, sample: suite.Sample[Word], output: suite.Output, models: suite.Models
    ) -> suite.Score:
        if right(sample.id, "silent", 0.1):
            return suite.Score({"said": suite.Unscored("unparsed", output.text)})
        return await super().score(sample, output, models)


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
    words = 160


async def made(
    folder: Path, share: float, salt: str = "", rule: DecidedClaims | None = None, **more: Any
) -> tuple[Plan, Any]:
    """A run of a speaker. more: the task, and what the speaker or the plan takes."""
    plan = plan_of(
        {"candidate": CANDIDATE}, cells(more.pop("task", Fewer)), concurrency=8, **more.pop("asked", {})
    )
    scripted(speaker(share, salt, **more), plan)
    return plan, await run(plan, folder, until=rule)


async def baseline(tmp_path: Path, share: float = 0.5, **more: Any) -> str:
    await made(tmp_path / "base", share, salt="other", **more)
    return str(tmp_path / "base")


def rule_of(
    place: str, task: type[Many] = Fewer, *claims: Mapping[str, object], **asked: Any
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
    assert (outcome.exit_code, found.verdict, outcome.pending) == (0, "pass", 160 - done)
    assert found.groups.taken <= done < 100
    low = found.claims[0].value[1]
    assert low > 0
    assert [*outcome.lines()] == [
        f"decided after {found.groups.taken} of 160 groups (--until-better-than base): words/many said is "
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
    _, first = await made(tmp_path / "run", 0.7, fails_after=20)  # in the plan's own order
    _, second = await made(tmp_path / "run", 0.7, rule=rule_of(base), fails_after=25)
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
    _, whole = await made(tmp_path / "whole", 0.8, rule=rule_of(base))
    codes = []
    for which in range(2):
        plan = plan_of({"candidate": CANDIDATE}, cells(Fewer), concurrency=8)
        lease = LeaseFolder(plan, tmp_path / "run", Shard(which, 2), ("solve", "score"))
        scripted(speaker(0.8), lease.plan)
        outcome = await run(lease.plan, lease, until=rule_of(base))
        codes.append((outcome.exit_code, outcome.decision and outcome.decision.verdict))
    assert codes == [(0, None), (0, "pass")]  # the first knows no group of the second
    merge_shards(tmp_path / "run", cells(Fewer))
    assert Run(tmp_path / "run").decision == whole.decision
    again = rule_of(base)
    again.look(RunFolder(plan, tmp_path / "run", plan.scoring_id).watched())
    assert again.decision() == whole.decision


async def test_reports_and_comparisons_tell_of_the_stop(tmp_path: Path) -> None:
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
    runs = Run(tmp_path / "run"), Run(Path(base))
    told = [one for one in differences(*runs, match_cells(*runs)[0]) if "early stop" in one.what]
    assert [one.weight for one in told] == ["warn"]


async def test_another_scoring_of_a_run_that_stopped_tells_of_it_without_its_numbers(tmp_path: Path) -> None:
    base = await baseline(tmp_path)
    _, outcome = await made(tmp_path / "run", 0.8, rule=rule_of(base))
    other = tmp_path / "run/scorings/0123456789ab"
    shutil.copytree(tmp_path / "run/scorings" / outcome.scoring, other)
    (other / "decision.json").unlink()
    text = "".join(markdown_report(tmp_path / "run", other.name))
    assert f"{outcome.decision.when} (--until-better-than base, scoring {outcome.scoring})" in text
    assert "anytime-valid" not in text
    runs = Run(tmp_path / "run", other.name), Run(Path(base))
    assert [one for one in differences(*runs, match_cells(*runs)[0]) if "early stop" in one.what]
    (other / "results.json").unlink()  # not finished itself
    assert Run(tmp_path / "run", other.name).stopped is None


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
        ({"better": {}, "task": "words/many"}, NotFound, "words/costly"),
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
    with pytest.raises(ConfigError, match="no score of 60 samples"):
        rule_of(base)


async def test_a_baseline_of_another_task_version_is_refused(tmp_path: Path) -> None:
    class Newer(Fewer):
        info = suite.TaskInfo(
            "words/many", 2, "Many words", {"candidate": suite.Role(needs={"chat"})}, headline="said"
        )

    base = await baseline(tmp_path)
    with pytest.raises(ConfigError, match="task version"):
        rule_of(base, Newer)


@pytest.mark.parametrize(("most", "verdict"), [(0.02, "undecided"), (0.3, "pass")])
async def test_too_many_missing_scores_leave_a_claim_undecided(
    tmp_path: Path, most: float, verdict: str
) -> None:
    plan, _ = await made(tmp_path / "run", 0.9, task=Silent)
    claims = [{"task": "words/many", "at-least": 0.5}]
    policy = Policy.model_validate({"missing": {"unscored": most}, "claims": claims})
    rule = DecidedClaims(plan, policy, [], "")
    rule.look([tmp_path / "run"])
    assert rule.decision().verdict == verdict
    (found,) = rule.decision().claims
    why = f": {found.missing} of 160 have no score, more than the policy's share of 0.02"
    assert found.missing > 0
    assert rule.decision().words.endswith(why) is (verdict == "undecided")


async def test_trials_and_a_limit_change_nothing(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"trials": 2, "limit": 120, "seed": 3}
    base = await baseline(tmp_path, asked=asked)
    _, early = await made(tmp_path / "early", 0.8, rule=rule_of(base, **asked), asked=asked)
    await made(tmp_path / "whole", 0.8, asked=asked)
    rule = rule_of(base, **asked)
    rule.look([tmp_path / "whole"])
    assert early.decision == rule.decision()
    assert (early.decision.verdict, early.decision.groups.all) == ("pass", 120)


def test_the_level_is_divided_over_cells_and_sides() -> None:
    plan = plan_of({"candidate": CANDIDATE}, cells(Fewer, {"turns": 0}, {"turns": 1}))
    claims = [{"task": "words/many", "at-least": 0.5}]
    policy = Policy.model_validate({"alarms": {"per_year": 1, "nights": 100}, "claims": claims})
    found = DecidedClaims(plan, policy, [], "").decision()
    assert [one.told for one in found.claims] == ["words/many (turns=0)", "words/many (turns=1)"]
    assert [one.level for one in found.claims] == pytest.approx([1 - (0.05 + 0.01) / 4] * 2)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"until": "p.yaml"}, "do not go together"),
        ({"margin": 0.1, "until_better_than": None}, "do not go together"),
        ({"against": ["base"]}, "do not go together"),
        ({"solve_only": True}, "leave out --solve-only"),
        ({"one_engine": True}, "leave out --solve-only"),
        ({"until_better_than": None, "until": "none.yaml"}, "none.yaml"),
        ({}, "no run named 'base'"),
    ],
)
def test_flags_that_go_against_each_other_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SuiteError, match=told):
        suite.evaluate(Fewer, model=CANDIDATE, progress=False, **{"until_better_than": "base", **more})
    assert not [*tmp_path.glob("runs/*")]


def test_a_dry_run_checks_the_policy_and_the_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "numbered.py").write_text(TASK)
    command = ("eval", "--task", "./numbered.py", "--model", CANDIDATE, "--dry-run")
    assert run_command(*command, "--until-better-than", "nowhere") == 2
    assert "no run named 'nowhere'" in capsys.readouterr().err


def test_a_cluster_that_is_no_script_is_refused(tmp_path: Path) -> None:
    plan = plan_of({"candidate": CANDIDATE}, cells(Fewer))
    ready = PreparedRun(
        plan, tmp_path, ("solve", "score"), RunSettings(until=rule_of("", Fewer, {"at-least": 0.5}))
    )
    with pytest.raises(ConfigError, match="--on ray does not tell"):
        ready.start(executor=Executor("ray", {})).close()


@pytest.mark.slow
def test_processes_of_shards_stop_where_one_process_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "numbered.py").write_text(TASK)
    command = ["eval", "--task", "./numbered.py", "--no-cache", "--quiet", "--concurrency", "4"]
    assert run_command(*command, "--model", "scripted/numbered:worse", "--output", "base") == 0
    until = [*command, "--model", "scripted/numbered:better", "--until-better-than", "base"]
    assert run_command(*until, "--output", "one") == 0
    assert run_command(*until, "--output", "two", "--shards", "2") == 0
    assert "numbered right is better than base" in capsys.readouterr().err
    one, two = Run(tmp_path / "one"), Run(tmp_path / "two")
    assert one.decision is not None
    assert one.decision == two.decision
    assert 0 < two.results.pending < 1000
    assert run_command(*until, "--output", "two", "--shards", "2") == 0
