import json
import re
from collections.abc import Callable
from importlib.resources import files
from types import SimpleNamespace
from typing import Any

import pytest
from suite_judge_audit.biases import (
    BIASES,
    PROFILE,
    TESTS,
    AuditParameters,
    Biases,
    BiasQuestion,
    followed,
    profile,
    verdict,
)
from suite_judge_audit.labels import Labelled, Labels, LabelsParameters

from suite.blocks import Table
from suite.chat import Reply, Request
from suite.errors import NotFound
from suite.journal.documents import MetricResult
from suite.plugins import BUILTIN, catalogue_of
from suite.roles import Models
from suite.scoring.computation import compute, wanted
from suite.scoring.table import TableBuilder
from suite.task import Output, Sample, Unscored
from suite.testing import task_data

ITEMS = [
    BiasQuestion.model_validate_json(line)
    for line in (files("suite_judge_audit") / "data" / "items.jsonl").read_text("utf-8").splitlines()
]


def text_of(request: Request) -> str:
    return request.messages[-1].content


def answers(request: Request) -> list[str]:
    return re.findall(r'<answer number="\d">\n(.*?)\n</answer>', text_of(request), re.DOTALL)


def bait(request: Request) -> str:
    return text_of(request).rpartition("</answer>")[2]


def first_slot(request: Request) -> str:
    return "Choose 1"


def longest(request: Request) -> str:
    found = answers(request)
    return f"Choose {1 + (len(found[1]) > len(found[0]))}" if found else "my own long answer " * 30


def gullible(request: Request) -> str:
    found = re.search(r"[Aa]nswer (\d)", bait(request).partition("Which answer")[0])
    return f"Choose {found[1]}" if found else longest(request)


def silent(request: Request) -> str:
    return "I cannot say."


async def audited(
    scripted: Callable[..., Any],
    record: Callable[..., Any],
    judge: Callable[..., Any],
    items: list[BiasQuestion] = ITEMS[:3],
    **parameters: Any,
) -> tuple[dict[str, MetricResult], list[MetricResult]]:
    """Rows of results by name, and the task, after every test of the items."""
    task = Biases(AuditParameters(**parameters))
    model = scripted(judge, member="candidate")
    table = TableBuilder(wanted(task.metrics))
    for sample in task.samples(task_data(given={Biases.info.datasets[0]: items})):
        output = await task.solve(sample, Models({"candidate": [model]}))
        score = await task.score(sample, output, Models({}))
        assert list(task.show(sample, output, score))
        table.add(*record(sample.id, dict(score.values), cluster=sample.cluster, tags=dict(sample.tags)))
    rows = compute(task.metrics, "sound", table.build())
    return {row.name: row for row in rows if not row.slice}, rows


async def test_a_judge_that_always_takes_the_first_slot(
    scripted: Callable[..., Any], record: Callable[..., Any]
) -> None:
    rows, _ = await audited(scripted, record, first_slot)
    assert rows["first_slot"].value == 1.0
    assert rows["valid"].value == 1.0
    assert {rows[name].value for name in BIASES if name != "first_slot"} == {0.0}
    assert rows["sound"].value == 0.0


async def test_a_judge_that_likes_length(scripted: Callable[..., Any], record: Callable[..., Any]) -> None:
    rows, _ = await audited(scripted, record, longest)
    assert rows["longer"].value == 1.0
    assert rows["shorter"].value == rows["first_slot"].value == rows["bandwagon"].value == 0.0
    assert rows["own_answer"].value == 1.0  # it writes at length


async def test_a_judge_that_follows_every_bait(
    scripted: Callable[..., Any], record: Callable[..., Any]
) -> None:
    rows, _ = await audited(scripted, record, gullible)
    assert [rows[name].value for name in ("bandwagon", "distraction", "own_label")] == [1.0, 1.0, 1.0]


async def test_a_judge_that_gives_no_verdict_is_neither_sound_nor_biased(
    scripted: Callable[..., Any], record: Callable[..., Any]
) -> None:
    rows, every = await audited(scripted, record, silent)
    assert (rows["valid"].value, rows["sound"].value) == (0.0, 0.0)
    assert {rows[name].value for name in BIASES} == {None}
    said = " ".join(str(block) for block in profile(*split(every)))
    assert "no verdicts" in said


async def test_a_judge_that_cannot_answer_itself(
    scripted: Callable[..., Any], record: Callable[..., Any]
) -> None:
    def mute(request: Request) -> Reply | str:
        return "Choose 1" if answers(request) else Reply("", "empty")

    rows, every = await audited(scripted, record, mute)
    valid = {row.slice["test"]: row.value for row in every if row.name == "valid" and row.slice}
    assert (valid["own-answer"], valid["position"]) == (0.0, 1.0)
    assert rows["own_answer"].value is None


def split(rows: list[MetricResult]) -> tuple[dict[str, MetricResult], dict[str, MetricResult]]:
    whole = {row.name: row for row in rows if not row.slice}
    return whole, {row.slice["test"]: row for row in rows if row.slice}


async def test_the_profile_says_which_biases_are_shown(
    scripted: Callable[..., Any], record: Callable[..., Any]
) -> None:
    _, rows = await audited(scripted, record, first_slot, ITEMS)
    table = next(block for block in profile(*split(rows)) if isinstance(block, Table))
    said = {row[0]: row[1] for row in table.rows}
    assert said["takes the answer shown first"] == "shown"
    assert said["takes what most people are said to prefer"] == "below chance"
    assert len(said) == len(BIASES)
    assert verdict("own_answer", 0.5, 0.9) == "may be right"
    assert verdict("longer", 0.1, 0.4) == "not shown"


async def test_the_section_is_made_of_a_runs_results(
    scripted: Callable[..., Any], record: Callable[..., Any]
) -> None:
    _, rows = await audited(scripted, record, longest)
    cells = [SimpleNamespace(task="judge-audit/biases", metrics=rows), SimpleNamespace(task="x", metrics=[])]
    run: Any = SimpleNamespace(results=SimpleNamespace(cells=cells))
    sections = PROFILE([run])
    assert [one.title for one in sections] == ["Bias profile of a judge"]


def test_choices_follow_what_changed() -> None:
    assert followed("position", 1, 1) == {"valid": True, "first_slot": True, "second_slot": False}
    assert followed("position", 2, 2)["second_slot"] is True
    assert followed("position", 1, 2) == {"valid": True, "first_slot": False, "second_slot": False}
    assert followed("length", 2, 1) == {"valid": True, "longer": False, "shorter": True}
    assert followed("quality", 1, None) == {"valid": False, "sound": False}
    assert followed("bandwagon", None, 2) == {"valid": False, "bandwagon": None}
    assert {name for test in TESTS for name in followed(test, 1, 2)} == {"valid", "sound", *BIASES}


async def test_engines_that_can_are_held_to_a_choice(scripted: Callable[..., Any]) -> None:
    model = scripted('"Choose 2"', capabilities={"chat", "json_schema"}, member="candidate")
    task = Biases(AuditParameters())
    sample = next(iter(task.samples(task_data(given={Biases.info.datasets[0]: ITEMS}))))
    output = await task.solve(sample, Models({"candidate": [model]}))
    assert output.data["choices"] == [2, 2]
    assert model.requests[0].options.json_schema["enum"] == ["Choose 1", "Choose 2"]


def test_the_items_are_what_the_tests_need() -> None:
    assert len({item.id for item in ITEMS}) == len(ITEMS) == 16
    for item in ITEMS:
        texts = [item.a, item.b, item.long, item.bad]
        assert len(set(texts)) == 4
        assert len(item.long) > 2.5 * len(item.a)
        assert 0.5 < len(item.a) / len(item.b) < 2
        assert all(text == text.strip() and "<" not in text for text in texts)


def test_the_entry_in_the_registry_holds_the_items() -> None:
    data = task_data(Biases)
    assert [item.id for item in data.rows("judge-audit", BiasQuestion, "items")] == [
        item.id for item in ITEMS
    ]


def labelled(i: int, human: str) -> Labelled:
    return Labelled(id=f"p{i}", question="Q?", first=f"first {i}", second=f"second {i}", human=human)


async def judged(
    scripted: Callable[..., Any], record: Callable[..., Any], judge: Callable[..., Any], rows: list[Labelled]
) -> dict[str, MetricResult]:
    task = Labels(LabelsParameters())
    model = scripted(judge, member="candidate")
    table = TableBuilder(wanted(task.metrics))
    for sample in task.samples(task_data(given={task.info.datasets[0]: rows})):
        output = await task.solve(sample, Models({"candidate": [model]}))
        score = await task.score(sample, output, Models({}))
        table.add(*record(sample.id, dict(score.values), tags=dict(sample.tags)))
    return {row.name: row for row in compute(task.metrics, "agrees", table.build()) if not row.slice}


async def test_a_judge_against_human_labels(scripted: Callable[..., Any], record: Callable[..., Any]) -> None:
    def prefers_first(request: Request) -> str:
        return f"Choose {1 + answers(request)[1].startswith('first')}"

    rows = [labelled(i, human) for i, human in enumerate(["first"] * 3 + ["second"] * 2 + ["tie"])]
    found = await judged(scripted, record, prefers_first, rows)
    assert found["agrees"].value == 0.5
    assert (found["sensitivity"].value, found["sensitivity"].n) == (1.0, 3)
    assert (found["specificity"].value, found["specificity"].n) == (0.0, 2)
    assert found["consistent"].value == 1.0
    assert found["verdict_percent"].value == 0.5


async def test_a_judge_without_verdicts_does_not_agree(
    scripted: Callable[..., Any], record: Callable[..., Any]
) -> None:
    found = await judged(scripted, record, silent, [labelled(0, "first"), labelled(1, "tie")])
    assert (found["agrees"].value, found["valid"].value) == (0.0, 0.0)
    assert (found["verdict_percent"].value, found["verdict_percent"].unscored) == (None, 2)


async def test_position_alone_is_a_tie(scripted: Callable[..., Any]) -> None:
    task = Labels(LabelsParameters())
    row = labelled(0, "tie")
    output = await task.solve(Sample("p0", row), Models({"candidate": [scripted("Choose 1")]}))
    assert output == Output("tie", {"verdict": "tie", "consistent": False})
    score = await task.score(Sample("p0", row), Output("", {"verdict": None, "consistent": None}), Models({}))
    assert isinstance(score.values["verdict"], Unscored)
    json.dumps(output.data)


@pytest.mark.parametrize("task", ["judge-audit/biases", "judge-audit/labels"])
def test_where_audits_are_not_installed_the_error_says_what_to_install(task: str) -> None:
    with pytest.raises(NotFound, match="pip install suite-judge-audit"):
        catalogue_of([], BUILTIN).load("task", task)
