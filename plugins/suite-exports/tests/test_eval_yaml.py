"""`--to eval-yaml`: every task has a candidate that fits the schema, and says what the Hub will do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from small_registry import SCHEMA as ROWS
from small_registry import Place
from suite_exports.eval_yaml import eval_yaml, rendered

import suite

SCHEMA = json.loads((Path(__file__).parents[3] / "registry/schemas/eval-yaml.json").read_text("utf-8"))
INSPECT: dict[str, Any] = {
    "field_spec": {"input": "question", "target": "answer", "choices": "options"},
    "solvers": [{"name": "multiple_choice"}],
    "scorers": [{"name": "choice"}],
}


def problems(content: Any) -> list[str]:
    Draft202012Validator.check_schema(SCHEMA)
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(content)]


def test_every_task_of_a_run_has_a_candidate_that_fits_the_schema(
    mini_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", "export", str(mini_run), "--to", "eval-yaml", "-O", str(tmp_path / "out")]
    assert suite.run_command(*words) == 0
    paths = [Path(line.removeprefix("wrote ")) for line in capsys.readouterr().out.splitlines()]
    assert [one.parent.name for one in paths] == ["prefeval_generation", "prefeval_classification"]
    for text in (one.read_text("utf-8") for one in paths):
        assert problems(yaml.safe_load(text)) == []
        assert yaml.safe_load(text)["evaluation_framework"] == "suite"
        assert "The Hub refuses files that name a framework it does not know" in text


@pytest.fixture
def entry(tmp_path: Path) -> Callable[..., Any]:
    place = Place(tmp_path / "registry", tmp_path / "cache")
    (place.folder / "datasets").mkdir(parents=True)
    place.schema("question.json", ROWS)

    def make(**hub: Any) -> Any:
        told = {"dataset": "ours/questions", "task_id": "questions_easy", "scale": "percent", **hub}
        place.entry(
            "questions", source={"kind": "bundled"}, parts={}, files=[], hub={"small/questions": told}
        )
        return place.registry.dataset("questions")

    return make


def test_what_the_entry_states_is_used(entry: Callable[..., Any]) -> None:
    content, remarks = eval_yaml("small/questions", "T", "About", [entry(config="easy", split="dev")])
    assert content["tasks"] == [{"id": "questions_easy", "config": "easy", "split": "dev"}]
    assert problems(content) == []
    assert any("ours/questions" in line for line in remarks)


def test_a_task_that_inspect_can_say_is_written_in_its_words(entry: Callable[..., Any]) -> None:
    content, remarks = eval_yaml("small/questions", "T", "About", [entry(inspect=INSPECT)])
    assert content["evaluation_framework"] == "inspect-ai"
    assert content["tasks"] == [{"id": "questions_easy", **INSPECT}]
    assert problems(content) == []
    assert not any("refuses" in line for line in remarks)
    assert yaml.safe_load(rendered(content, remarks)) == content


@pytest.mark.parametrize(
    "changed",
    [{"solvers": [{"name": "think"}]}, {"scorers": []}, {"field_spec": {"input": "q"}}, {"scores": []}],
)
def test_an_entry_with_names_that_inspect_does_not_know_is_refused(
    entry: Callable[..., Any], changed: dict[str, Any]
) -> None:
    with pytest.raises(suite.DataError):
        entry(inspect={**INSPECT, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"evaluation_framework": "lighteval"},
        {"evaluation_framework": "inspect-ai"},  # without field_spec, solvers, scorers
        {"tasks": []},
        {"tasks": [{"id": "a b"}]},
        {"tasks": [{"id": "a", "scores": []}]},
        {"version": 1},
    ],
)
def test_the_schema_refuses_what_the_hub_would(changed: dict[str, Any]) -> None:
    good = {"name": "N", "description": "D", "evaluation_framework": "suite", "tasks": [{"id": "a"}]}
    assert problems(good) == []
    assert problems({**good, **changed})
