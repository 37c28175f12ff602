"""suite score --outputs: answers made elsewhere, by sample and request."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from suite.cli.score import score

TASK = ("--task", "prefeval/classification", "--mini", "-P", "inter_turns=0", "-P", "method=zero-shot")
PERSONA = (*TASK, "-P", "form=implicit-persona")  # asks once a sample


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SUITE_CACHE", str(tmp_path / "cache"))


def answers(*rows: dict[str, Any], before: str = "") -> None:
    text = "".join(json.dumps({"text": "<choice>C</choice>", **row}) + "\n" for row in rows)
    Path("answers.jsonl").write_text(before + text, "utf-8")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(score, [*arguments, "--quiet", "--no-cache"])


def scored(folder: str) -> dict[str, Any]:
    (path,) = Path(folder).glob("scorings/*/scores.jsonl")
    return {row["sample"]: row["values"]["letter"] for row in map(json.loads, path.read_text().splitlines())}


def test_the_helps_example_works_as_it_is_printed() -> None:
    answers({"sample_id": "books_reading/0"})
    Path("answers.jsonl").rename("a.jsonl")
    assert score.help is not None
    (example,) = re.findall(r"suite score (--outputs .*)", score.help)
    done = call(*shlex.split(example), "--output", "run")
    assert done.exit_code == 1  # the other samples have no text
    assert scored("run") == {"books_reading/0": "C"}
    assert "a.jsonl has no text for sample '" in done.output


def test_several_cells_are_refused_with_their_values() -> None:
    answers({"sample_id": "books_reading/0"})
    done = call("--outputs", "answers.jsonl", "--task", "prefeval/classification", "--mini")
    assert "these parameters make 4 of prefeval/classification" in str(done.exception)
    assert "choose one, such as -P method=zero-shot -P inter_turns=0" in str(done.exception)


def test_a_text_a_request_or_the_only_one_for_the_last() -> None:
    first, second, third = ({"sample_id": f"books_reading/{i}"} for i in range(3))
    only = {**second, "text": "<choice>B</choice>"}
    told = {"text": "ok", "call": 0}
    answers({**first, **told}, {**first, "call": 1}, only, {**third, **told}, {**third, "call": 2})
    done = call("--outputs", "answers.jsonl", *TASK, "--output", "run")
    assert scored("run") == {"books_reading/0": "C", "books_reading/1": "B"}
    assert "request 2 of sample 'books_reading/2'" in done.output or "no text" in done.output


def test_lines_that_no_sample_used_are_counted_and_named() -> None:
    names = ("books_reading/0", "no/such", " books_reading/1", "books_reading/0", "books_reading/1")
    rows: list[dict[str, Any]] = [{"sample_id": name} for name in (*names, names[0])]
    rows[3]["call"] = 1
    rows[5]["trial"] = 1
    answers(*rows, before="\ufeff")
    done = call("--outputs", "answers.jsonl", *PERSONA, "--output", "run")
    assert scored("run") == {"books_reading/0": "C", "books_reading/1": "C"}
    assert (
        "! answers.jsonl: 4 lines were not used (line 2: 'no/such', no such sample in this run; "
        "line 3: ' books_reading/1', no such sample in this run, but 'books_reading/1' is one; "
        "line 4: 'books_reading/0', request 2 was not asked; "
        "line 6: 'books_reading/0', trial 1 was not asked)"
    ) in done.output


def test_a_sample_given_twice_is_named_with_both_lines() -> None:
    answers({"sample_id": "books_reading/0"}, {"sample_id": "books_reading/0", "text": "<choice>B</choice>"})
    done = call("--outputs", "answers.jsonl", *PERSONA)
    assert "sample 'books_reading/0' is given twice" in str(done.exception)
    assert "in answers.jsonl line 1 and in answers.jsonl line 2" in str(done.exception)
