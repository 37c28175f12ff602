"""The suite's conformance checks for both tasks, over cells that between them use every form and method."""

from pathlib import Path

import pytest
from suite_prefeval.generation import Generation
from suite_prefeval.plugin import suite_register

import suite
from suite.testing import Bench, Subject, conformance

TASKS = [entry.name for entry in suite_register() if entry.kind == "task"]


@pytest.mark.parametrize("task", TASKS)
def test_the_contract_is_kept(task: str) -> None:
    conformance.check(Subject(task, groups=2, cells=2), conformance.WITHOUT_MODEL).require()


@pytest.mark.parametrize(
    ("task", "cell"),
    [
        ("prefeval/generation", {"form": "implicit-choice", "method": "selfcritic", "inter_turns": "1"}),
        ("prefeval/generation", {"form": "explicit", "method": "rag", "inter_turns": "3"}),
        ("prefeval/classification", {"form": "implicit-persona", "method": "cot", "inter_turns": "0"}),
        ("prefeval/classification", {"form": "explicit", "method": "selfcritic", "protocol": "plain"}),
        ("prefeval/classification", {"answering": "letter-likelihood", "shots": "2", "inter_turns": "1"}),
    ],
)
def test_other_cells_keep_it_too(task: str, cell: dict[str, str]) -> None:
    subject = Subject(task, tuple(("", name, value) for name, value in cell.items()), groups=2)
    checks = ("solves", "order", "replay", "candidate-failure", "judge-failure")
    conformance.check(subject, checks).require()


def test_cells_of_one_pair_share_the_acknowledgement(tmp_path: Path) -> None:
    parameters = (("", "method", "zero-shot,remind"), ("", "inter_turns", "0,3"))
    ran = Bench(Subject("prefeval/generation", parameters, groups=3), tmp_path).base
    asked = [call for call in ran.calls.values() if call.role == "candidate"]
    cells, groups = 3, 3  # the subject takes the first three of the four cells
    assert len(asked) == groups * (1 + cells)


def test_a_run_reports_macro_micro_topics_gold_and_the_official_reading(tmp_path: Path) -> None:
    ran = Bench(Subject("prefeval/classification", groups=6, cells=1), tmp_path).base
    assert ran.outcome.results is not None
    metrics = ran.outcome.results.cells[0].metrics
    names = {(one.name, *one.slice) for one in metrics}
    assert {("correct", "topic"), ("correct_micro",), ("correct_by_gold", "gold")} <= names
    assert {("correct_official",), ("unparsed",), ("unparsed_official",)} <= names
    assert [one.name for one in metrics if one.headline] == ["correct"]


def test_every_metric_reads_a_value_of_the_scores() -> None:
    task = Generation(Generation.parameters_type()())  # type: ignore[arg-type]
    assert [metric.name for metric in task.metrics][:2] == ["kept", "kept_official"]
    assert all(isinstance(metric, suite.Rate | suite.Agreement) for metric in task.metrics)
