"""Official rows on fixtures of the same schema: stored strings, Arrow's key union, hidden tests."""

import base64
import json
import pickle
import zlib
from typing import Any

import pytest
from suite_vibechecker.parameters import Parameters
from suite_vibechecker.rows import BigRow, Case, LiveRow, Requirement, VeriCodeRow, hidden_tests
from suite_vibechecker.task import Big

import suite

UNION = {"line_length": None, "max_branches": 3, "convention": None, "max_locals": None}
BRANCHES = {
    "instruction_idx": "logic_3",
    "generation_prompt": "Few branches.",
    "edit_prompt": "Cut branches.",
    "parameters": UNION,
}
TESTS = [{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}]


def big(**more: Any) -> dict[str, Any]:
    return {
        "task_id": "BigCodeBench/0",
        "complete_prompt": "import os\ndef task_func():\n",
        "instruct_prompt": "Do it.",
        "canonical_solution": "    return 1",
        "code_prompt": "import os\ndef task_func():\n",
        "test": "class TestCases: ...",
        "entry_point": "task_func",
        "doc_struct": "{}",
        "libs": "['os', 'pandas']",
        "instruction_list": [BRANCHES],
        **more,
    }


def live(**more: Any) -> dict[str, Any]:
    return {
        "question_title": "Sum",
        "question_content": "Add.",
        "platform": "atcoder",
        "question_id": "abc300_a",
        "contest_id": "abc300",
        "contest_date": "2024-01-01T00:00:00",
        "starter_code": "",
        "difficulty": "easy",
        "public_test_cases": json.dumps(TESTS),
        "private_test_cases": json.dumps(TESTS),
        "metadata": "{}",
        "instruction_list": [BRANCHES],
        **more,
    }


def packed(value: object, protocol: int | None = None) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value, protocol))).decode()


def test_a_big_row_is_read() -> None:
    row = BigRow.model_validate(big())
    assert (row.kind, row.libraries(), row.reference) == (
        "big",
        ("os", "pandas"),
        "import os\ndef task_func():\n\n    return 1",
    )


def test_keys_of_other_rows_are_dropped() -> None:
    requirement = BigRow.model_validate(big()).instruction_list[0]
    assert requirement.known_parameters() == {"max_branches": 3}


def test_the_union_of_keys_really_comes_out_of_arrow() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    stored = [
        big(instruction_list=[{**BRANCHES, "parameters": {"max_branches": 3}}]),
        big(instruction_list=[{**BRANCHES, "instruction_idx": "style_3", "parameters": {"line_length": 79}}]),
        big(instruction_list=[{**BRANCHES, "instruction_idx": "doc_4", "parameters": None}]),
    ]
    table = pyarrow.Table.from_pylist(stored).to_pylist()
    assert table[0]["instruction_list"][0]["parameters"] == {"max_branches": 3, "line_length": None}
    known = [BigRow.model_validate(row).instruction_list[0].known_parameters() for row in table]
    assert known == [{"max_branches": 3}, {"line_length": 79}, {}]


@pytest.mark.parametrize(
    ("stored", "known"),
    [
        ('{"max_branches": 2}', {"max_branches": 2}),
        ("", {}),
        (None, {}),
        ({"max_branches": 2.0}, {"max_branches": 2}),
        ({"max_branches": 2, "extra": 1}, {"max_branches": 2}),
    ],
)
def test_parameters_come_in_several_forms(stored: Any, known: dict[str, Any]) -> None:
    assert Requirement.model_validate({**BRANCHES, "parameters": stored}).known_parameters() == known


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_hidden_tests_are_read_without_unpickling(protocol: int) -> None:
    row = LiveRow.model_validate(live(private_test_cases=packed(json.dumps(TESTS), protocol)))
    assert (row.kind, row.private()) == ("stdin", (Case("1 2\n", "3\n", "stdin"),))


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("run",))


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        (packed(Evil()), "not one string"),
        (packed(["a"]), "not one string"),
        (packed(3), "not one string"),
        (packed("no json"), "not a list"),
        (packed('{"a": 1}'), "not a list"),
        ("@@@", "can't be unpacked"),
        (base64.b64encode(b"plain").decode(), "can't be unpacked"),
        (base64.b64encode(zlib.compress(b"\x80\x04X\xff")).decode(), "damaged"),
    ],
)
def test_hidden_tests_of_another_kind_are_refused(
    stored: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    row = LiveRow.model_validate(live(private_test_cases=stored))
    with pytest.raises(suite.DataError, match=says):
        row.private()
    assert capsys.readouterr().out == ""


def test_a_bomb_of_hidden_tests_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("suite_vibechecker.rows.LARGEST_TESTS", 1000)
    with pytest.raises(suite.DataError, match="unpack to more"):
        hidden_tests(packed("0" * 100_000), "q")


def test_a_functional_problem_names_its_method() -> None:
    tests = json.dumps([{"input": "[1]\n2", "output": "3", "testtype": "functional"}])
    row = LiveRow.model_validate(live(public_test_cases=tests, metadata='{"func_name": "addUp"}'))
    assert (row.kind, row.function_name()) == ("functional", "addUp")


def test_the_official_wording_is_read() -> None:
    row = VeriCodeRow.model_validate(
        {
            "ID": "style_3",
            "Category": "Coding Style & Conventions",
            "Description": "d",
            "Generation_Prompt": "g {line_length}",
            "Edit_Prompt": "e",
            "Parameters": {"line_length": "79"},
            "Notes": None,
        }
    )
    assert (row.id, row.generation_prompt) == ("style_3", "g {line_length}")


def test_the_reference_solution_is_a_reference_that_no_prompt_shows(big_rows: list[BigRow]) -> None:
    task = Big(Parameters())
    for row in big_rows:
        (reference,) = task.references(suite.Sample(row.task_id, row))
        assert reference == row.canonical_solution
        assert reference.strip()
        assert reference not in row.instruct_prompt
