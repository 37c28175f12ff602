"""What was run, as every form of a result says it: the recorded command, or one that is called equivalent."""

import itertools
import json
import shlex
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from suite.cli.main import cli
from suite.journal.commands import note_command
from suite.journal.records import CommandRecord
from suite.journal.run import Run
from suite.report.html import html_report
from suite.report.markdown import markdown_report
from suite.report.run_facts import equivalent_command, fact_lines, run_facts
from suite.report.terminal import print_results

Make = Callable[..., Path]
RECORDED = Path(__file__).parents[1] / "recorded" / "runs"


def lines(run: Run) -> dict[str, str]:
    return dict(fact_lines(run_facts(run)))


def test_every_form_starts_with_the_exact_command(
    mini_run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = run_facts(Run(mini_run)).command
    assert command.startswith("suite eval --task prefeval/generation --task prefeval/classification --mini")
    assert "scripted/words --judge" in command
    monkeypatch.setenv("COLUMNS", "60")
    print_results(mini_run)
    assert capsys.readouterr().out.splitlines()[1] == f"  command: {command}"
    assert markdown_report(mini_run).index(command) < 100
    page = "".join(html_report(mini_run))
    assert f'<dt>command</dt><dd dir="auto"><code>{command}</code></dd>' in page
    assert page.index("<dt>command</dt>") < page.index('<ul class="remarks">')


def test_what_differs_from_the_default_is_shown_and_the_rest_is_counted(mini_run: Path) -> None:
    facts = run_facts(Run(mini_run))
    (generation, _) = facts.tasks
    assert generation.changed == {"inter_turns": [0, 1], "paper_turns": [2, 3]}
    assert generation.parameters["method"] == ["zero-shot"]
    told = lines(Run(mini_run))
    assert "inter_turns=0 | 1, paper_turns=2 | 3 (" in told["task"]
    assert told["settings"].startswith("own prompts, seed 0, trials 2, limit 8 groups, level 95 %, suite ")
    assert told["data"].startswith("prefeval-mini (bundled mini data) sha256 ")
    assert told["calls"].endswith(" 0 cached, 0 retried")
    assert told["tokens"].endswith(" out")
    assert told["cost"] == "none: local models"
    assert markdown_report(mini_run).count("<details><summary>All parameters") == 1


def test_a_run_without_a_record_has_an_equivalent_command(mini_run: Path) -> None:
    (mini_run / "commands.jsonl").unlink()
    told = lines(Run(mini_run))
    assert "command" not in told
    words = shlex.split(told["equivalent command"])
    assert words[:6] == [
        "suite",
        "eval",
        "--task",
        "prefeval/generation",
        "-P",
        "prefeval/generation:inter_turns=0,1",
    ]
    assert {"--mini", "--limit", "--trials", "scripted/words"} <= set(words)
    assert "--seed" not in words


@pytest.mark.parametrize("name", ["rewards", "travel"])
def test_an_equivalent_command_asks_for_the_very_same_plan(name: str, tmp_path: Path) -> None:
    with tarfile.open(RECORDED / f"{name}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    run = Run(tmp_path / name)
    words = shlex.split(lines(run)["equivalent command"])[1:]
    planned = CliRunner().invoke(cli, [*words, "--dry-run", "--json"], catch_exceptions=False)
    assert json.loads(planned.output)["plan_sha256"] == run.manifest.plan_sha256


def test_an_equivalent_command_names_data_and_options_of_each_member(make_run: Make) -> None:
    data = {
        "prefs": {"source": "file", "files": {"mine.jsonl": "0" * 64}},
        "turns": {"entry": "turns", "source": "hub"},
        "words": {"entry": "words-demo", "source": "bundled"},
    }
    run = Run(make_run(manifest={"data": data}))
    words = shlex.split(equivalent_command(run, run_facts(run).tasks))
    given = [after for word, after in itertools.pairwise(words) if word == "--data"]
    assert given == ["prefs=mine.jsonl", "words=words-demo"]
    assert words[words.index("--seed") + 1] == "7"
    assert words[words.index("--model") + 1] == "vllm/Example/Model-8B"


def test_a_task_that_is_not_installed_shows_all_its_parameters(make_run: Make) -> None:
    facts = run_facts(Run(make_run()))
    assert facts.tasks[0].changed is None
    told = [text for label, text in fact_lines(facts) if label == "task"]
    assert "protocol=paper" in told[0]
    assert "its defaults are not known" in told[0]


def test_a_model_without_a_price_is_said_to_have_none(make_run: Make) -> None:
    model = {
        "member": "candidate", "spec": "openai/new-model", "stage": "solve", "needs": ["chat"],
        "capabilities": ["chat"], "limits": {}, "sampling": {"temperature": 0.7},
        "identity": {"provider": "openai", "name": "new-model", "revision": "7" * 40},
        "settings": {"engine_version": "9.1", "thinking": "low", "unknown": []},
    }  # fmt: skip
    told = lines(Run(make_run(manifest={"roles": {"candidate": [model]}})))
    assert told["cost"] == "candidate: price unknown"
    asked = "thinking=low, temperature=0.7"
    assert told["candidate"] == f"openai/new-model, revision 777777777777, engine 9.1, {asked}"


def test_another_scoring_is_named_with_its_own_command(make_run: Make) -> None:
    folder = make_run()
    for record in (
        CommandRecord("suite eval --task a --budget 1usd"),
        CommandRecord("suite eval --task a", "--quiet"),
        CommandRecord("suite score run-1", solves=False, scoring="abc12345"),
        CommandRecord("suite score run-1 --judge x", solves=False, scoring="0" * 8),
    ):
        note_command(folder, record)
        note_command(folder, record)  # continued
    told = lines(Run(folder))
    assert told["command"] == "suite eval --task a"
    assert told["from suite.toml or the environment"] == "--quiet"
    assert told["scoring command"] == "suite score run-1"


def test_a_hostile_command_is_harmless(make_run: Make, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_run()
    note_command(folder, CommandRecord("suite eval '\x1b[2J</code><script>x</script>```\n# owned'"))
    print_results(folder)
    assert "\x1b" not in capsys.readouterr().out
    assert "<script>x" not in "".join(html_report(folder))
    assert "\n# owned" not in markdown_report(folder)


def test_what_was_run_is_plain_data(mini_run: Path) -> None:
    found: dict[str, Any] = json.loads(msgspec.json.encode(run_facts(Run(mini_run))))
    assert found["recorded"] is True
    assert [one["member"] for one in found["models"]] == ["candidate", "judge"]
    assert found["mini"] is True
    assert set(found["calls"]) == {"candidate", "judge"}
