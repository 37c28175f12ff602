"""Plans: what is wrong is said before anything starts; the same plan is the same run."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field
from small_tasks import Many, Spell, Word, cells, plan_of, run

import suite
from suite.errors import CapabilityError, ConfigError, NotFound, RunError
from suite.hookspecs import Entry
from suite.journal.documents import ChangedPreset
from suite.plugins import BUILTIN, Catalogue, catalogue_of
from suite.plugins import catalogue as whole_catalogue
from suite.run.cells import expand
from suite.run.plan import changed_presets
from suite.run.request import EvalRequest
from suite.run.run_folder import choose_folder
from suite.run.sources import given_sources


class Knobs(suite.Parameters):
    """One of each kind."""

    count: int = 1
    share: float = 0.5
    name: str = "a"
    flag: bool = False
    names: list[str] = Field(default_factory=list)
    many: tuple[int, ...] = ()
    maybe: int | None = None

    def model_post_init(self, context: Any) -> None:
        if self.count == 13:
            raise suite.SkipCell("13 brings bad luck")


class Knobby(suite.Task[None, Knobs]):
    """A task to expand."""

    info = suite.TaskInfo(
        "knobby", 1, "Knobs", {"candidate": suite.Role()}, headline="x",
        presets={"mini": [{"count": 2}, {"count": 3}], "paper": [{"share": 0.1}]},
    )  # fmt: skip
    metrics = (suite.Rate("x"),)

    def samples(self, data: suite.Data) -> Any:
        yield suite.Sample("s", None)

    async def solve(self, sample: Any, models: suite.Models) -> suite.Output:
        return suite.Output("")

    async def score(self, sample: Any, output: suite.Output, models: suite.Models) -> suite.Score:
        return suite.Score({"x": True})


def catalogue() -> Catalogue:
    return catalogue_of([], [*BUILTIN, Entry("task", "knobby", "Knobs", f"{__name__}:Knobby")])


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    module = types.ModuleType(__name__)
    module.Knobby = Knobby  # type: ignore[attr-defined]
    module.Prefilled = Prefilled  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, __name__, module)


def values(*parameters: str, **request: Any) -> list[dict[str, Any]]:
    parsed = [("", *one.split("=", 1)) for one in parameters]
    made, _ = expand(EvalRequest(("knobby",), parameters=parsed, **request), catalogue())  # type: ignore[arg-type]
    return [cell.plan.parameters for cell in made]


def test_scalars_sweep_by_commas_and_lists_by_repeating() -> None:
    assert [one["count"] for one in values("count=1,2,4")] == [1, 2, 4]
    assert [one["names"] for one in values("names=a,b", "names=c")] == [["a", "b"], ["c"]]
    assert [one["many"] for one in values("many=[1,2]")] == [[1, 2]]
    assert [one["name"] for one in values("name=5,x")] == ["5", "x"]
    assert [one["maybe"] for one in values("maybe=none,3")] == [None, 3]
    assert [one["flag"] for one in values("flag=true,false")] == [True, False]
    assert len(values("count=1,2", "share=0.1,0.2,0.3")) == 6


def test_equal_cells_are_one_and_impossible_ones_are_left_out_with_the_reason() -> None:
    assert len(values("count=1,1,1")) == 1
    made, skipped = expand(EvalRequest(("knobby",), parameters=[("", "count", "1,13")]), catalogue())
    assert len(made) == 1
    assert skipped[0].reason == "13 brings bad luck"
    with pytest.raises(ConfigError, match="left out"):
        values("count=13")


def test_presets_are_crossed_with_parameters_and_mini_takes_its_own() -> None:
    assert [one["count"] for one in values(mini=True)] == [2, 3]
    assert [one["count"] for one in values("count=7", mini=True)] == [7]
    assert [(one["share"], one["name"]) for one in values("name=b", preset="paper")] == [(0.1, "b")]
    assert [(one["count"], one["name"]) for one in values("name=b,c", preset="mini")] == [
        (2, "b"), (2, "c"), (3, "b"), (3, "c")
    ]  # fmt: skip
    assert [one["count"] for one in values("count=3", preset="mini")] == [3]  # equal cells are one


@pytest.mark.parametrize(
    ("given", "preset", "changed"),
    [
        (["count=3"], "mini", ["count=3"]),
        (["count=2,3"], "mini", []),  # the cells are the preset's all the same
        (["name=b", "flag=true"], "mini", ["name=b", "flag=true"]),
        (["name=a"], "mini", []),
        (["name=b"], "", []),
    ],
)
def test_a_preset_that_is_changed_is_recorded_as_changed(
    given: list[str], preset: str, changed: list[str]
) -> None:
    parsed = tuple(("", *one.split("=", 1)) for one in given)
    request = EvalRequest(("knobby",), parameters=parsed, preset=preset)  # type: ignore[arg-type]
    made, _ = expand(request, catalogue())
    found = changed_presets(request, made)
    assert found == ({"knobby": ChangedPreset(preset="mini", given=changed)} if changed else {})


def test_one_of_two_ways_to_count_turns_replaces_the_other_of_a_preset() -> None:
    whole = whole_catalogue()
    for given in ("inter_turns=3", "paper_turns=5"):
        name, value = given.split("=")
        request = EvalRequest(("prefeval/generation",), parameters=[("", name, value)], preset="paper")
        made, _ = expand(request, whole)
        assert {one.task.parameters.inter_turns for one in made} == {3}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (EvalRequest(("knobbly",)), "did you mean 'knobby'"),
        (EvalRequest(("knobby",), parameters=[("", "cuont", "1")]), "did you mean 'count'"),
        (EvalRequest(("knobby",), parameters=[("other", "count", "1")]), "other"),
        (EvalRequest(("knobby",), parameters=[("", "count", "many")]), "cannot be 'many'"),
        (EvalRequest(("knobby",), preset="papre"), "did you mean 'paper'"),
        (EvalRequest(()), "--task"),
    ],
)
def test_names_and_values_that_are_wrong_are_named(request_: EvalRequest, message: str) -> None:
    with pytest.raises(suite.SuiteError, match=message):
        expand(request_, catalogue())


@pytest.mark.parametrize(
    ("models", "request_", "error", "message"),
    [
        ({"candidate": "openia/x"}, {}, NotFound, "did you mean 'openai'"),
        ({"candidate": "scripted/ecoh"}, {}, NotFound, "did you mean 'echo'"),
        ({"candidate": "embedded/smollm"}, {}, NotFound, "smollm2-135m"),
        ({"candidate": "echo"}, {}, ConfigError, "provider/name"),
        ({}, {}, ConfigError, "--model SPEC"),
        ({"candidate": "scripted/echo", "jugde": "scripted/echo"}, {}, NotFound, "did you mean 'judge'"),
        ({"candidate": "scripted/echo?capabilities=rate"}, {}, CapabilityError, "has no chat"),
        ({"candidate": ["scripted/echo", "scripted/words"]}, {}, ConfigError, "takes one model"),
        ({"candidate": "scripted/echo"}, {"options": [("", "wrods", "3")]}, NotFound, "did you mean 'words'"),
        ({"candidate": "scripted/echo"}, {"options": [("juge", "words", "3")]}, NotFound, "judge"),
        (
            {"candidate": "scripted/echo", "judge": ["scripted/words"]},
            {"options": [("judge/2", "words", "3")]},
            NotFound,
            "no member named 'judge/2'",
        ),
        ({"candidate": "scripted/echo"}, {"trials": 0}, ConfigError, "at least 1"),
        ({"candidate": "scripted/echo"}, {"seed": 2**53}, ConfigError, "between"),
        ({"candidate": "scripted/echo"}, {"data": {"nothing": "x.jsonl"}}, suite.SuiteError, "nothing"),
        ({"candidate": "replay/no-such-run"}, {}, NotFound, "no-such-run"),
    ],
)
def test_models_that_do_not_fit_are_said_at_plan_time(
    models: dict[str, Any], request_: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plan_of(models, **request_)


class Panel(Spell):
    """Several judges."""

    info = suite.TaskInfo(
        "words/panel", 1, "A panel", {"candidate": Spell.info.roles["candidate"],
        "judge": suite.Role(needs={"chat"}, stage="score", many=True)}, headline="said",
    )  # fmt: skip


def test_options_of_a_panel_can_differ_by_member() -> None:
    options = [("judge", "words", "3"), ("judge/2", "words", "5"), ("judge/2", "temperature", "0.5")]
    filled = plan_of(
        {"candidate": "scripted/words", "judge": ["scripted/words", "scripted/words"]},
        cells(Panel),
        options=options,
    ).filled
    first, second = filled.of("judge")
    assert (first.spec.options, second.spec.options) == ({"words": 3}, {"words": 5})
    assert (first.spec.sampling, second.spec.sampling) == ({}, {"temperature": 0.5})
    assert first.engine is not second.engine
    assert filled.of("candidate")[0].spec.options == {}


def test_a_plan_knows_its_size_and_the_share_of_a_limited_run() -> None:
    plan = plan_of({"candidate": "scripted/echo"}, cells(Spell, {"turns": 0}, {"turns": 2}), limit=3)
    assert (plan.counts.groups_taken, plan.counts.groups) == (3, 12)
    assert set(plan.counts.samples.values()) == {3}
    assert sum(both[0] for both in plan.counts.tags["half"].values()) == 6
    assert sum(both[1] for both in plan.counts.tags["half"].values()) == 24
    assert len(list(plan.groups())) == 3


class Rare(Spell):
    """A task of two samples beside one of twelve."""

    info = replace(Spell.info, name="words/rare")

    def samples(self, data: suite.Data) -> Any:
        return (suite.Sample(f"rare{index}", Word(word="rare")) for index in range(2))


@pytest.mark.parametrize("limit", [1, 2])
def test_a_limit_leaves_no_task_without_samples_and_that_of_one_task_stays(limit: int) -> None:
    for seed in range(8):
        one, other = cells(Spell, {"turns": 0}), cells(Rare, {"turns": 0})
        plan = plan_of({"candidate": "scripted/echo"}, [*one, *other], limit=limit, seed=seed)
        assert 1 <= min(plan.counts.samples.values()) <= limit
        assert plan.counts.groups_taken == len(list(plan.groups()))
        alone = plan_of({"candidate": "scripted/echo"}, one, limit=limit, seed=seed)
        assert alone.counts.groups_taken == limit


def test_the_same_request_is_the_same_plan_and_any_difference_another() -> None:
    base = plan_of({"candidate": "scripted/echo"})
    assert base.sha256 == plan_of({"candidate": "scripted/echo"}).sha256
    others = [
        plan_of({"candidate": "scripted/longest"}),
        plan_of({"candidate": "scripted/echo"}, seed=1),
        plan_of({"candidate": "scripted/echo"}, trials=2),
        plan_of({"candidate": "scripted/echo"}, limit=5),
        plan_of({"candidate": "scripted/echo"}, cells(Spell, {"turns": 1})),
        plan_of({"candidate": "scripted/echo"}, options=[("", "temperature", "0.5")]),
    ]
    assert len({plan.sha256 for plan in [base, *others]}) == 7
    judged = plan_of({"candidate": "scripted/echo", "judge": "scripted/echo"})
    assert judged.sha256 == base.sha256  # another judge is another scoring of the same run
    assert judged.scoring_id != base.scoring_id
    graceful = plan_of({"candidate": "scripted/echo"}, cells(Spell, {"grace": True}))
    assert graceful.sha256 == base.sha256
    assert graceful.scoring_id != base.scoring_id


async def test_a_folder_with_another_plan_is_refused_and_the_difference_named(tmp_path: Path) -> None:
    await run(plan_of({"candidate": "scripted/echo"}), tmp_path / "run")
    with pytest.raises(RunError, match=r"seed \(0 there, 3 here\)"):
        choose_folder(plan_of({"candidate": "scripted/echo"}, seed=3), tmp_path / "run", False)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(RunError, match="not empty"):
        choose_folder(plan_of({"candidate": "scripted/echo"}), tmp_path / "full", False)


def test_the_default_folder_tells_task_model_and_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plan = plan_of({"candidate": "scripted/constant?text=a b/c"})
    folder = choose_folder(plan, None, False)
    assert folder.parent == Path("runs")
    assert folder.name.startswith("words-spell-scripted-constant-text-a-b-c-")
    assert folder.name.endswith(plan.sha256[:8])
    folder.mkdir(parents=True)
    assert choose_folder(plan, None, True).name == f"{folder.name}-2"


async def test_the_estimate_counts_a_cell_that_few_and_late_groups_have() -> None:
    from suite.run.estimate import estimate
    from suite.run.plan import make_plan

    tasks = ("prefeval/classification", "prefeval/generation")
    models = {"candidate": ["scripted/echo"], "judge": ["scripted/echo"]}
    found = await estimate(make_plan(EvalRequest(tasks, mini=True, models=models)))
    assert found is not None
    assert round(found["candidate"].calls) == 4 * 47 + 47 + 2 * 3
    assert round(found["judge"].calls) == 2 * 4 * 3  # three answers, four checks, none read the first time


async def test_the_estimate_counts_shared_calls_once() -> None:
    from suite.run.estimate import estimate

    sweep = [{"turns": turns, "style": style} for turns in (0, 2) for style in ("plain", "polite")]
    found = await estimate(plan_of({"candidate": "scripted/echo"}, cells(Spell, *sweep)))
    assert found is not None
    assert round(found["candidate"].calls) == 60
    assert found["candidate"].most_new_tokens == pytest.approx(12 * (20 + 4 * 50))


def test_a_dry_run_prints_everything_and_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from suite.cli.flags import say_text
    from suite.cli.plan_text import shown_plan
    from suite.run.estimate import estimate

    monkeypatch.chdir(tmp_path)
    plan = plan_of({"candidate": "scripted/echo"}, cells(Many))
    found = asyncio.run(estimate(plan))
    shown = shown_plan(plan, found)
    say_text("plan", shown, plan)
    text = capsys.readouterr().out
    assert "400 of 400 groups" in text
    assert "detects differences from 0.07" in text
    assert len(shown.cells[0].sample_ids) == 400
    assert not list(tmp_path.glob("runs"))


class Prefilled(Knobby):
    """Needs to continue an answer where `flag` is set."""

    info = suite.TaskInfo(
        "knobby", 1, "Knobs", {"candidate": suite.Role()}, headline="x",
        presets={"mini": [{"flag": True}, {"flag": True, "count": 2}], "mini-plain": [{"count": 5}]},
        instead={"mini": "mini-plain"},
    )  # fmt: skip

    def roles(self) -> Any:
        needs = {"chat", "continue_final"} if self.parameters.flag else {"chat"}
        return {"candidate": suite.Role(needs=needs)}


@pytest.mark.parametrize(("dialect", "counts"), [("vllm", [1, 2]), ("llamacpp", [1, 2]), ("openai", [5])])
def test_a_preset_that_the_model_cannot_do_is_changed_for_its_stand_in(
    dialect: str, counts: list[int]
) -> None:
    from suite.run.role_members import PlannedEngines, able

    plugins = catalogue_of([], [*BUILTIN, Entry("task", "knobby", "Knobs", f"{__name__}:Prefilled")])
    options = [("", "base_url", "http://127.0.0.1:1/v1"), ("", "dialect", dialect)]
    request = EvalRequest(("knobby",), mini=True, models={"candidate": ["openai/m"]}, options=options)
    said: list[str] = []
    found, _ = expand(request, plugins, able(request, PlannedEngines(plugins), (), said.append))
    assert [cell.task.parameters.count for cell in found] == counts
    assert len(said) == (dialect == "openai")


def test_what_a_model_cannot_do_is_said_with_the_switch_and_the_option_that_help() -> None:
    options = [("", "base_url", "http://127.0.0.1:1/v1")]
    with pytest.raises(CapabilityError) as caught:
        plan_of({"candidate": "openai/m"}, cells(Prefilled, {"flag": True}), options=options)
    assert caught.value.what == "openai/m cannot be candidate: it has no continue_final"
    assert caught.value.fix == "take -P flag=false or take -o dialect=vllm for an endpoint of vLLM or SGLang"


async def test_a_run_stops_at_the_first_request_that_its_model_cannot_answer(tmp_path: Path) -> None:
    class Continues(Many):
        async def solve(self, sample: Any, models: suite.Models) -> suite.Output:
            told = [suite.user(sample.payload.word), suite.assistant("So")]
            return suite.Output((await models.candidate.chat(told, continue_final=True)).text)

    plan = plan_of({"candidate": "scripted/echo?capabilities=chat"}, cells(Continues))
    outcome = await run(plan, tmp_path / "run")
    assert (outcome.exit_code, outcome.continues) == (2, False)
    assert "has no continue_final" in str(outcome.error)
    assert outcome.reasons is not None
    assert sum(outcome.reasons.values()) < 20


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (
            "./lables.jsonl",
            "there is no file ./lables.jsonl\n  --data labels=./lables.jsonl\n  in {here}: did you mean",
        ),
        ("lables.jsonl", "in {here}: did you mean 'labels.jsonl' or"),
        ("none/x.jsonl", "there is no folder none\n  --data labels=none/x.jsonl\n"),
        ("./other", "there is no file ./other, and no run in that place\n"),
        ("other", "no run, file or entry named 'other'\n"),
        ("empty.jsonl", "--data labels: empty.jsonl is empty\n"),
    ],
)
def test_a_file_of_data_that_is_not_there_is_a_missing_file(
    place: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.jsonl").write_text("{}\n")
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(suite.SuiteError) as caught:
        given_sources({"labels": place})
    assert told.format(here=tmp_path) in str(caught.value)


async def test_what_a_task_lacks_shows_before_a_model_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lacking(Many):
        async def open(self, data: suite.Data, tools: suite.Tools) -> Any:
            raise suite.SandboxUnavailable("no environment for the tests")

    plan = plan_of({"candidate": "scripted/echo"}, cells(Lacking))
    (engine,) = plan.filled.engines()
    monkeypatch.setattr(engine, "start", lambda _: pytest.fail("a model was started"))
    with pytest.raises(suite.SandboxUnavailable, match="no environment for the tests"):
        await run(plan, tmp_path / "run")
