"""`suite data eval-yaml`: every task has a candidate that fits the schema, and says what the Hub will do."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator
from small_registry import Place

from suite.cli.data import data
from suite.data.eval_yaml import eval_yaml, rendered
from suite.data.registry import registry_folder
from suite.errors import DataError, NotFound
from suite.plugins import catalogue

SCHEMA = json.loads((registry_folder() / "schemas" / "eval-yaml.json").read_text("utf-8"))
INSPECT: dict[str, Any] = {
    "field_spec": {"input": "question", "target": "answer", "choices": "options"},
    "solvers": [{"name": "multiple_choice"}],
    "scorers": [{"name": "choice"}],
}


def problems(content: Any) -> list[str]:
    Draft202012Validator.check_schema(SCHEMA)
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(content)]


@pytest.mark.parametrize("task", catalogue().names("task"))
def test_every_task_has_a_candidate_that_fits_the_schema(task: str) -> None:
    done = CliRunner().invoke(data, ["eval-yaml", task], catch_exceptions=False)
    assert done.exit_code == 0
    content = yaml.safe_load(done.output)
    assert problems(content) == []
    assert content["evaluation_framework"] == "suite"
    assert "The Hub refuses files that name a framework it does not know" in done.output


def test_an_unknown_task_is_named() -> None:
    assert isinstance(CliRunner().invoke(data, ["eval-yaml", "nothing"]).exception, NotFound)


@pytest.fixture
def entry(place: Place) -> Callable[..., Any]:
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
    with pytest.raises(DataError):
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
