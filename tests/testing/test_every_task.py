"""Every task that this tree brings is held to the contract by a test that CI runs."""

import re
from pathlib import Path

import pytest

from suite.plugins import catalogue
from suite.testing.declared import advice

ROOT = Path(__file__).resolve().parents[2]
UNSOLVED = ("suite-imports",)  # its tasks hold what other tools found, and refuse to be solved
PLUGINS = sorted(
    path.parents[1]
    for path in ROOT.glob("plugins/*/*/plugin.py")
    if '"task"' in path.read_text() and path.parents[1].name not in UNSOLVED
)


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_each_plugin_checks_all_tasks_that_it_announces(plugin: Path) -> None:
    """By a test over `suite_register`, so that a new task is checked unnamed; and one that is not slow."""
    texts = [path.read_text("utf-8") for path in plugin.glob("tests/test_*.py")]
    whole = re.compile(
        r'^TASKS = \[entry\.name for entry in suite_register\(\) if entry\.kind == "task"\]$.*'
        r'^@pytest\.mark\.parametrize\("(\w+)", TASKS\)\ndef test_the_contract_is_kept'
        r"\(\1: str(, tmp_path: Path)?\) -> None:\n(    [a-z].*\n)*"
        r"    conformance\.check\(Subject\(\1, (data=data, )?groups=2, cells=2\), "
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
