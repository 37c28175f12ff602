"""The mini problems: complete, free of conflicts, and solved by their reference solutions."""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from suite_vibechecker.augment import conflicts
from suite_vibechecker.rows import BigRow, LiveRow

SOLUTIONS = Path(__file__).parent / "solutions"


def lines(name: str) -> Iterator[str]:
    yield from files("suite_vibechecker").joinpath("mini", name).read_text("utf-8").splitlines()


BIG = [BigRow.model_validate_json(line) for line in lines("big.jsonl")]
LIVE = [LiveRow.model_validate_json(line) for line in lines("live.jsonl")]
ROWS: list[BigRow | LiveRow] = [*BIG, *LIVE]


def run(folder: Path, program: str, stdin: str = "") -> str:
    """The output of one of our own programs, which must end well."""
    path = folder / "program.py"
    path.write_text(program)
    command = [sys.executable, "-I", str(path)]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("row", BIG, ids=lambda row: row.task_id)
def test_a_big_reference_passes_its_tests(row: BigRow, tmp_path: Path) -> None:
    ending = "\nunittest.main(argv=['x'])\n"
    run(tmp_path, f"{row.code_prompt}    pass\n{row.reference}\n{row.test}{ending}")


@pytest.mark.parametrize("row", BIG, ids=lambda row: row.task_id)
def test_a_big_stub_fails_its_tests(row: BigRow, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        run(tmp_path, f"{row.code_prompt}    pass\n{row.test}\nunittest.main(argv=['x'])\n")


@pytest.mark.parametrize("row", LIVE, ids=lambda row: row.question_id)
def test_a_live_reference_passes_its_tests(row: LiveRow, tmp_path: Path) -> None:
    solution = (SOLUTIONS / f"{row.question_id}.py").read_text()
    for case in (*row.public(), *row.private()):
        if row.kind == "stdin":
            assert run(tmp_path, solution, case.input) == case.output
        else:
            arguments = f"map(json.loads, {case.input.splitlines()!r})"
            call = f"\nimport json\nprint(json.dumps(solve(*{arguments})))\n"
            assert json.loads(run(tmp_path, solution + call)) == json.loads(case.output)


def test_there_are_enough_problems_of_every_kind() -> None:
    kinds = [row.kind for row in ROWS]
    assert {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)} == {
        "big": 11,
        "stdin": 6,
        "functional": 5,
    }
    assert len({row.task_id for row in BIG} | {row.question_id for row in LIVE}) == 22


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.instruction_list[0].instruction_idx)
def test_every_problem_has_five_instructions_that_stand_together(row: BigRow | LiveRow) -> None:
    assert (len(row.instruction_list), conflicts(row.instruction_list)) == (5, [])
    for one in row.instruction_list:
        assert one.instruction.repaired(one.parameters) == one.parameters
        assert one.instruction.prompts(one.parameters) == (one.generation_prompt, one.edit_prompt)


def test_nearly_all_instructions_occur() -> None:
    from suite_vibechecker.vericode import instructions

    used = {one.instruction_idx for row in ROWS for one in row.instruction_list}
    assert set(instructions()) - used == {"library_2"}  # it needs pandas
