"""docs/one-file.md shows the tasks of docs/one-file/ as they are, and they work."""

import asyncio
import re
from pathlib import Path

import pytest

import suite
from suite.plugins import catalogue
from suite.task_files import task_file
from suite.testing import ScriptedModel, conformance, metrics_of, solve_all, task_data
from suite.testing.bench import Subject

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "one-file.md").read_text("utf-8")
CHECKED = ("metadata", "parameters", "samples", "lazy", "solves", "candidate-failure", "judge-failure")
TASKS = sorted(path.name for path in (DOCS / "one-file").glob("*.py"))


def test_the_page_shows_the_files() -> None:
    shown = dict(re.findall(r'```python title="([a-z.]+)"\n(.*?)```', PAGE, re.DOTALL))
    assert shown == {name: (DOCS / "one-file" / name).read_text("utf-8") for name in TASKS}
    rows = PAGE.partition('title="units.jsonl"\n')[2].partition("```")[0]
    assert (DOCS / "one-file/units.jsonl").read_text("utf-8").startswith(rows)


def test_the_shortest_has_25_lines() -> None:
    assert min(len((DOCS / "one-file" / name).read_text("utf-8").splitlines()) for name in TASKS) <= 25


@pytest.mark.parametrize("name", TASKS)
def test_it_keeps_the_contract(name: str) -> None:
    path = str(DOCS / "one-file" / name)
    subject = Subject(path, plugins=catalogue().with_files([path]))
    report = conformance.check(subject, CHECKED)
    report.require()
    assert {one.check for one in report.results if one.status == "skipped"} <= {"judge-failure"}


def answered(name: str, **models: ScriptedModel) -> dict[str, float | None]:
    kind = task_file(str(DOCS / "one-file" / name)).kind
    task = kind(kind.parameters_type()())
    return dict(metrics_of(task, asyncio.run(solve_all(task, task_data(task), **models))))


def test_the_classification_reads_the_one_word_that_is_named() -> None:
    assert answered("units.py", candidate=ScriptedModel("It is Metric.\n"))["correct"] == 0.5
    assert answered("units.py", candidate=ScriptedModel("metric or imperial"))["correct"] == 0.0


def test_the_judge_decides_and_no_answer_is_not_faithful() -> None:
    candidate = ScriptedModel(["Put your bin out before 7.", *[""] * 9])
    found = answered("plain.py", candidate=candidate, judge=ScriptedModel("Yes.", "judge"))
    assert found == {"faithful": 0.1, "words": 6.0}


def test_an_episode_ends_where_the_hour_is_found() -> None:
    def halves(request: suite.Request) -> str:
        low, high, hour = 8, 18, 13
        for message in request.messages[1:]:
            if message.role == "assistant":
                hour = int(message.content)
            else:
                low, high = (low, hour - 1) if message.content.startswith("Earlier") else (hour + 1, high)
        return str((low + high) // 2)

    found = answered("meeting.py", candidate=ScriptedModel(halves))
    assert found["found"] == 1.0
    assert answered("meeting.py", candidate=ScriptedModel("No idea."))["found"] == 0.0
