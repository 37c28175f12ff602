"""docs/plugin-kit.md says what is so: every check, the contract's version, the message about another one."""

import json
import re
import runpy
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import suite.testing
from suite.hookspecs import CONTRACT, KINDS, Entry
from suite.plugins import BUILTIN, Plugin, catalogue_of, contract_note
from suite.testing import conformance
from suite.testing.bench import Subject
from suite.testing.conformance import CHECKS

PAGE = (Path(__file__).resolve().parents[2] / "docs/plugin-kit.md").read_text("utf-8")


def test_every_check_is_listed() -> None:
    table = PAGE.partition("| check |")[2].partition("\n\n")[0]
    first = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert re.findall(r"`([a-z-]+)`", " ".join(first)) == list(CHECKS)


def test_the_task_with_a_judge_keeps_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = PAGE.partition('```python title="suite_tact.py"\n')[2].partition("```")[0]
    (tmp_path / "suite_tact.py").write_text(code, "utf-8")
    rows = [{"id": f"t{n}", "hint": f"thing {n}"} for n in range(12)]
    (tmp_path / "things.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins = catalogue_of([], (*BUILTIN, Entry("task", "tact", "Tactful", "suite_tact:Tact")))
    subject = Subject("tact", plugins=plugins, data={"things": str(tmp_path / "things.jsonl")})
    report = conformance.check(subject, conformance.WITHOUT_MODEL)
    report.require()
    assert {one.check for one in report.results if one.status == "skipped"} == {"light", "data"}


def test_the_task_with_shots_keeps_the_contract_with_and_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = PAGE.partition('```python title="suite_tone.py"\n')[2].partition("```")[0]
    (tmp_path / "suite_tone.py").write_text(code, "utf-8")
    rows = [{"id": f"t{n}", "text": f"text {n}", "tone": "formal"} for n in range(12)]
    (tmp_path / "tones.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))  # both parts
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins = catalogue_of([], (*BUILTIN, Entry("task", "tone", "Tone", "suite_tone:Tone")))
    data = {"tones": str(tmp_path / "tones.jsonl")}
    subject = Subject("tone", (("", "shots", "0,3"),), data, plugins=plugins)
    report = conformance.check(subject, conformance.WITHOUT_MODEL)
    report.require()
    assert {one.check for one in report.results if one.status == "skipped"} == {
        "light",
        "data",
        "judge-failure",
    }


def test_the_test_of_its_scores_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("suite_tact.py", "test_tact.py"):
        code = PAGE.partition(f'```python title="{name}"\n')[2].partition("```")[0]
        (tmp_path / name).write_text(code, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    shown = runpy.run_path(str(tmp_path / "test_tact.py"))
    shown["test_a_judge_that_cannot_be_read_leaves_an_answer_unscored"]()


def test_each_public_name_for_tests_is_explained() -> None:
    table = PAGE.partition("| name | what it is |")[2].partition("\n\n")[0]
    shown = re.findall(r"`([A-Za-z_]+)`", " ".join(line.split("|")[1] for line in table.splitlines()[2:]))
    assert set(suite.testing.__all__) - set(shown) == {"EngineModel", "Ran", "Solved"}  # what those return


def test_the_message_about_another_contract_is_the_one_shown() -> None:
    entry = Entry("task", "quiet/room", "T", "quiet:Room", contract=2)
    assert f"error: {contract_note(entry, Plugin('quiet', 'quiet', '1.0'))}\n" in PAGE
    assert f"this suite speaks {CONTRACT}. What" in PAGE


def test_each_kind_of_entry_is_explained() -> None:
    table = PAGE.partition("| an `Entry` of kind |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(KINDS)


@pytest.mark.parametrize("marked", [True, False])
def test_the_distribution_is_read_and_one_whose_hook_is_not_marked_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marked: bool
) -> None:
    code = PAGE.partition('```python title="suite_parrot_plugin.py"\n')[2].partition("```")[0]
    (tmp_path / "suite_parrot_plugin.py").write_text(code if marked else code.replace("@suite.hookimpl", ""))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "suite_parrot_plugin", raising=False)
    project = tomllib.loads(PAGE.partition('```toml title="pyproject.toml"\n')[2].partition("```")[0])[
        "project"
    ]
    ((name, value),) = project["entry-points"]["suite"].items()
    known = catalogue_of([EntryPoint(name, value, "suite")])
    assert known.names("provider") == (["parrot"] if marked else [])
    assert ("@suite.hookimpl" in known.plugins[0].error) is not marked
