"""suite tasks and suite plugin: what they say of good, broken, clashing and out-of-date plugins."""

import json
from typing import Any

import pytest

import suite
from suite.cli.main import run
from suite.cli.tasks import type_of
from suite.hookspecs import Entry
from suite.plugins import catalogue, catalogue_of

TASK = """
from collections.abc import Iterable
from typing import Literal

from pydantic import Field

import suite


class Knobs(suite.Parameters):
    tone: Literal["plain", "warm"] = "plain"
    depth: int | None = Field(None, ge=1, le=9, description="how deep")
    threshold: float = suite.at_score(0.5, ge=0, lt=1)
    names: tuple[str, ...] = ()


class Quiet(suite.Task[suite.Payload, Knobs]):
    info = suite.TaskInfo(
        name="quiet/room", version=3, title="Is it quiet?", paper="arXiv 1234.5678", note="Ours.",
        headline="calm", datasets=("room",), mini={"room": "room-mini"},
        roles={
            "candidate": suite.Role(needs=[{"rate"}, {"chat", "tools"}]),
            "judge": suite.Role(needs={"chat"}, stage="score", many=True, optional=True),
        },
        presets={"paper": [{"tone": "plain"}, {"tone": "warm"}]},
        replay="none", replay_reason="reads a clock",
    )
    metrics = (suite.Rate("calm"), suite.Mean("noise", range=(0, 10), direction="lower", unit="dB"))
    prompts = suite.Prompts(ask="Quiet?")

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[suite.Payload]]:
        return ()

    async def solve(self, sample, models):
        return suite.Output()

    async def score(self, sample, output, models):
        return suite.Score()


nothing = 1
"""
ENTRY = "'task', 'quiet/room', 'Is it quiet?', 'quiet_code:Quiet'"


def test_a_task_is_shown_with_all_it_says_of_itself(installed: Any) -> None:
    installed.plugin("quiet", ENTRY, code=TASK)
    card = json.loads(installed.suite("tasks", "show", "quiet", "--json").out)
    assert card == {
        "name": "quiet/room",
        "version": 3,
        "title": "Is it quiet?",
        "paper": "arXiv 1234.5678",
        "note": "Ours.",
        "plugin": "quiet",
        "headline": "calm",
        "parameters": {
            "tone": {"type": "plain | warm", "default": "plain", "stage": "solve", "description": ""},
            "depth": {
                "type": "integer >= 1 and <= 9 | null",
                "default": None,
                "stage": "solve",
                "description": "how deep",
            },
            "threshold": {"type": "number >= 0 and < 1", "default": 0.5, "stage": "score", "description": ""},
            "names": {"type": "list of (string)", "default": [], "stage": "solve", "description": ""},
        },
        "roles": {
            "candidate": {
                "needs": [["rate"], ["chat", "tools"]],
                "stage": "solve",
                "many": False,
                "optional": False,
            },
            "judge": {"needs": [["chat"]], "stage": "score", "many": True, "optional": True},
        },
        "datasets": ["room"],
        "mini": {"room": "room-mini"},
        "metrics": [
            {
                "name": "calm",
                "kind": "Rate",
                "direction": "higher",
                "range": [0.0, 1.0],
                "average": "micro",
                "rows": ["calm"],
            },
            {
                "name": "noise",
                "kind": "Mean",
                "direction": "lower",
                "unit": "dB",
                "range": [0, 10],
                "average": "micro",
                "rows": ["noise"],
            },
        ],
        "presets": {"paper": [{"tone": "plain"}, {"tone": "warm"}]},
        "replay": "none: reads a clock",
        "official_prompts": "",
        "prompts": {"set": "own", "names": ["ask"]},
    }
    text = installed.suite("tasks", "show", "quiet/room").out
    for line in (
        "  depth = null: integer >= 1 and <= 9 | null  how deep",
        "  threshold = 0.5 (at scoring): number >= 0 and < 1",
        "  candidate: rate or chat+tools (solve)",
        "  judge: chat (score, many, optional)",
        "  calm: Rate in 0 to 1, higher is better, the headline",
        "  paper: 2 cells",
    ):
        assert line in text.splitlines()


def test_a_list_of_tasks_names_those_of_another_contract(installed: Any) -> None:
    installed.plugin("quiet", ENTRY + ", contract=9", code=TASK)
    said = (
        "task 'quiet/room' of quiet was built for contract 9, this suite speaks 1: "
        "update suite-eval (pip install -U suite-eval), or install an earlier quiet"
    )
    assert said in installed.suite("tasks", "list").out
    rows = {row["name"]: row for row in json.loads(installed.suite("tasks", "list", "--json").out)}
    assert rows["quiet/room"]["problem"] == said
    shown = installed.suite("tasks", "show", "quiet/room")
    assert (shown.code, shown.err) == (2, f"error: {said}\n")
    assert f"wrong: {said}" in installed.suite("plugin", "list").out


@pytest.mark.parametrize(
    ("contract", "advice"),
    [
        (2, "update suite-eval (pip install -U suite-eval), or install an earlier quiet"),
        (0, "update quiet (pip install -U quiet), or ask its author to build it for 1"),
    ],
)
def test_a_plugin_for_another_contract_is_listed_and_never_loaded(
    installed: Any, contract: int, advice: str
) -> None:
    installed.plugin("quiet", f"{ENTRY}, contract={contract}", code="raise SystemExit('it was loaded')")
    said = f"task 'quiet/room' of quiet was built for contract {contract}, this suite speaks 1: {advice}"
    listed = installed.suite("plugin", "list", "--json")
    (plugin,) = [one for one in json.loads(listed.out) if one["name"] == "quiet"]
    assert plugin["error"] == "" and plugin["problems"] == [said]
    assert plugin["entries"][0]["contract"] == contract
    assert said in installed.suite("tasks", "list").out
    ran = installed.suite("eval", "--task", "quiet/room", "--model", "scripted/words", "--mini")
    assert (ran.code, ran.out, ran.err) == (2, "", f"error: {said}\n")
    checked = installed.suite("plugin", "check", "quiet")
    assert (checked.code, checked.err) == (2, f"error: {said}\n")
    others = installed.suite("tasks", "show", "judge-audit/biases")
    assert others.code == 0  # it harms nothing else


def test_an_entry_that_states_no_contract_was_built_for_the_first() -> None:
    assert suite.Entry("task", "quiet/room", "T", "m:X").contract == 1


def test_a_task_that_is_none_is_refused(installed: Any) -> None:
    installed.plugin("quiet", "'task', 'quiet/room', 'Is it quiet?', 'quiet_code:nothing'", code=TASK)
    shown = installed.suite("tasks", "show", "quiet/room")
    assert (shown.code, shown.err) == (
        2,
        "error: task 'quiet/room' is not a suite.Task\n  quiet_code:nothing\n",
    )


def test_a_name_claimed_twice_names_both_distributions(installed: Any) -> None:
    installed.plugin("quiet", ENTRY, code=TASK)
    installed.plugin("silent-room", "'task', 'hush', 'Hush', 'silent_room_code:X', aliases=('quiet/room',)")
    plugins = {one["name"]: one for one in json.loads(installed.suite("plugin", "list", "--json").out)}
    said = ["task 'quiet/room' is claimed by quiet and silent-room"]
    assert plugins["quiet"]["problems"] == plugins["silent_room"]["problems"] == said
    shown = installed.suite("tasks", "show", "quiet/room")
    assert (shown.code, shown.err.splitlines()[0]) == (2, f"error: {said[0]}")


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("'task', 'Quiet', 'T', 'm:X'", "bad name 'Quiet'"),
        ("'task', 'quiet', '', 'm:X'", "'quiet' needs a title of one line"),
        ("'task', 'quiet', 'T', 'm'", "bad target 'm' of 'quiet'"),
        ("'tusk', 'quiet', 'T', 'm:X'", "unknown kind 'tusk'"),
    ],
)
def test_a_bad_entry_is_listed_with_what_is_wrong(installed: Any, entry: str, problem: str) -> None:
    installed.plugin("quiet", entry)
    plugins = {one["name"]: one for one in json.loads(installed.suite("plugin", "list", "--json").out)}
    assert plugins["quiet"]["entries"] == []
    assert [one[: len(problem)] for one in plugins["quiet"]["problems"]] == [problem]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({"type": "integer", "minimum": 0}, "integer >= 0"),
        ({"enum": ["a", 2]}, "a | 2"),
        ({"const": "x"}, "x"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string | null"),
        ({"type": "array", "items": {"type": "number"}}, "list of (number)"),
        ({"$ref": "#/$defs/Tone"}, "low | high"),
        ({}, "anything"),
    ],
)
def test_types_are_said_in_words(field: dict[str, Any], words: str) -> None:
    assert type_of(field, {"Tone": {"enum": ["low", "high"]}}) == words


@pytest.mark.parametrize("name", catalogue().names("task"))
def test_every_bundled_task_can_be_shown(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run(["tasks", "show", name, "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["name"] == name
    headlines = {
        row.partition("@")[0] for metric in card["metrics"] for row in (metric["name"], *metric["rows"])
    }
    assert card["headline"].partition("@")[0] in headlines
    assert all(one["type"] for one in card["parameters"].values())
    assert run(["tasks", "show", name]) == 0
    assert capsys.readouterr().out.startswith(f"{name} (version {card['version']})")


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert run(["tasks", "list", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def names_in(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("  and ")]


def test_stages_of_pipelines_are_folded_until_all_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    folded, unfolded = listed(capsys), listed(capsys, "--all")
    entries = {entry.name: entry.stage for entry, _ in catalogue().entries("task")}
    benchmarks = [name for name, stage in entries.items() if not stage]
    assert names_in(folded) == benchmarks
    assert names_in(unfolded) == benchmarks + [name for name, stage in entries.items() if stage]
    assert "  and 10 stages of its pipeline: --all" in folded
    assert "prefeval (suite-prefeval)" in folded


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["PREFERENCE"], ["prefeval/classification", "prefeval/generation"]),
        (["preference", "answers"], ["prefeval/generation"]),
        (["swe-if"], ["vibechecker/big", "vibechecker/live"]),
        (["taken up"], ["contexteval/constraints"]),  # a stage is shown where nothing else is found
    ],
)
def test_a_search_is_by_words_in_name_family_and_description(
    capsys: pytest.CaptureFixture[str], words: list[str], found: list[str]
) -> None:
    assert names_in(listed(capsys, *words)) == found


@pytest.mark.parametrize(
    ("word", "fix"),
    [
        ("prefevl", "nearest: prefeval"),
        ("travler", "nearest: userbench/travel"),
        ("xyzzy", "`suite tasks list` shows them all"),
    ],
)
def test_a_search_without_a_match_names_what_is_nearest(
    capsys: pytest.CaptureFixture[str], word: str, fix: str
) -> None:
    assert run(["tasks", "list", word]) == 2
    said = f"error: no task has {word!r} in its name or description\n  {fix}\n"
    assert capsys.readouterr().err == said


def test_the_json_list_says_family_and_stage_of_every_task(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {row["name"]: row for row in json.loads("\n".join(listed(capsys, "--json")))}
    assert len(rows) == len(catalogue().names("task"))
    assert rows["contexteval/judge"] == {
        "name": "contexteval/judge",
        "title": "ContextEval stage: two models' responses compared by a panel",
        "plugin": "suite-contexteval",
        "version": rows["contexteval/judge"]["version"],
        "contract": 1,
        "aliases": [],
        "problem": "",
        "family": "contexteval",
        "stage": True,
    }
    assert rows["prefeval/generation"]["stage"] is False


def test_a_family_stands_for_its_benchmarks() -> None:
    known = catalogue()
    assert known.tasks("prefeval") == ["prefeval/classification", "prefeval/generation"]
    assert known.tasks("contexteval") == [
        "contexteval/adapted",
        "contexteval/default",
        "contexteval/pairwise",
    ]
    assert known.tasks("swe-if") == ["vibechecker/big", "vibechecker/live"]
    assert known.tasks("reward-bench") == ["reward-bench/v1"]  # an alias comes first
    assert known.tasks("contexteval/judge") == ["contexteval/judge"]
    with pytest.raises(
        suite.NotFound, match="family of 2 tasks\n  name one of them: prefeval/c.*, prefeval/g"
    ):
        known.find("task", "prefeval")


def test_a_family_of_stages_alone_is_no_benchmark() -> None:
    entries = [Entry("task", f"pipe/{name}", "T", "m:X", stage=True) for name in ("one", "two")]
    with pytest.raises(suite.NotFound, match="no benchmark\n  name one of them: pipe/one, pipe/two"):
        catalogue_of([], entries).tasks("pipe")
    assert "only tasks can" in Entry("command", "pipe", "T", "m:X", stage=True).problem()


def test_a_dataset_that_stands_in_for_several_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["tasks", "show", "contexteval/adapted"]) == 0
    (mini,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  mini ")]
    assert mini.split() == ["mini", "contexteval-mini"]
