"""Every task that this tree brings is held to the contract by a test that CI runs."""

import json
import re
from pathlib import Path

import pytest

from suite.plugins import BUILTIN, catalogue
from suite.testing import conformance
from suite.testing.bench import Subject
from suite.testing.declared import advice

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted(
    path.parents[1] for path in ROOT.glob("plugins/*/*/plugin.py") if '"task"' in path.read_text()
)
OWN = [entry.name for entry in BUILTIN if entry.kind == "task"]


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_each_plugin_checks_all_tasks_that_it_announces(plugin: Path) -> None:
    """By a test over `suite_register`, so that a new task is checked unnamed; and one that is not slow."""
    texts = [path.read_text("utf-8") for path in plugin.glob("tests/test_*.py")]
    whole = re.compile(
        r'^TASKS = \[entry\.name for entry in suite_register\(\) if entry\.kind == "task"\]$.*'
        r'^@pytest\.mark\.parametrize\("(\w+)", TASKS\)\ndef test_the_contract_is_kept\(\1: str\) -> None:\n'
        r"    conformance\.check\(Subject\(\1, groups=2, cells=2\), "
        r"conformance\.WITHOUT_MODEL\)\.require\(\)$",
        re.MULTILINE | re.DOTALL,
    )
    found = [match for text in texts if (match := whole.search(text))]
    assert len(found) == 1, f"{plugin.name} has no test_the_contract_is_kept over all its tasks"
    before = found[0].group(0).partition("@pytest.mark.parametrize")[0]
    assert "pytest.mark.slow" not in before.splitlines()[-1]


@pytest.mark.parametrize("name", catalogue().names("task"))
def test_every_parameter_has_help_text(name: str) -> None:
    assert advice(catalogue().load("task", name)) == []


@pytest.mark.parametrize("name", OWN)
def test_the_contract_is_kept(name: str, tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    rows = [
        {
            "id": f"p{n}", "question": f"Question {n}?", "first": f"Answer {n}.", "second": f"Other {n}.",
            "human": ("first", "second", "tie")[n % 3],
        }
        for n in range(12)
    ]  # fmt: skip
    labels.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    data = {"labels": str(labels)} if name == "judge-audit/labels" else {}
    report = conformance.check(Subject(name, data=data, groups=2, cells=2), conformance.WITHOUT_MODEL)
    report.require()
    skipped = {one.check for one in report.results if one.skipped}
    brought = {"light", "data"}  # of a plugin that was installed, or rows that came with one
    assert skipped <= {"lazy", "judge-failure", *brought}, report.results
