"""Board definitions: read strictly, with defaults, told apart by content, turned into the cells of runs."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from suite.board.define.board import Board, boards, find_board, load_board
from suite.data.registry import registry_folder
from suite.errors import ConfigError, NotFound, SuiteError
from suite.plugins import catalogue
from suite.run.cells import expand
from suite.run.request import EvalRequest

SMALL = """\
format: suite-board/1
id: small
version: 1.0.0
title: A small board
tasks:
  - task: prefeval/classification
    version: 2
    parameters:
      max_tokens: 3
    sweep: {inter_turns: [0, 2]}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "board.yaml"
    path.write_text(text, "utf-8")
    return path


def schema() -> Any:
    return json.loads((registry_folder() / "schemas" / "board.v1.json").read_text())


def test_the_schema_takes_every_board_of_the_registry() -> None:
    found, problems = boards()
    assert not problems
    assert {"mini", "rag-rewardbench"} <= {board.id for board in found}
    for board in found:
        assert board.path is not None
        jsonschema.validate(yaml.safe_load(board.path.read_text()), schema())
        jsonschema.validate(board.filled, schema())


def test_the_schema_is_as_closed_as_the_model(tmp_path: Path) -> None:
    value = yaml.safe_load(SMALL)
    value["tasks"][0]["roles"] = {"judge": {"spec": "a/b", "colour": "red"}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, schema())


def test_comments_and_order_do_not_change_the_hash_and_defaults_are_filled_in(tmp_path: Path) -> None:
    first = load_board(written(tmp_path, SMALL))
    turned = "# a comment\n" + "".join(f"{json.dumps(k)}: {json.dumps(v)}\n" for k, v in reversed(
        list(yaml.safe_load(SMALL).items())))  # fmt: skip
    assert load_board(written(tmp_path, turned)).sha256 == first.sha256
    assert load_board(written(tmp_path, SMALL + "hosts: []\n")).sha256 == first.sha256
    assert load_board(written(tmp_path, SMALL + "hosts: [example.org]\n")).sha256 != first.sha256
    filled: Any = first.filled
    assert filled["tasks"][0]["trials"] == 1
    assert Board.model_validate(filled).sha256 == first.sha256


def test_a_laxer_old_version_has_another_hash(tmp_path: Path) -> None:
    strictly = load_board(written(tmp_path, SMALL))
    laxly = load_board(written(tmp_path, SMALL.replace("max_tokens: 3", "max_tokens: 300")))
    assert strictly.sha256 != laxly.sha256


@pytest.mark.parametrize(
    ("change", "says", "line"),
    [
        (("title: A small board", "title: A small board\ncolour: red"), "no field `colour`", 5),
        (("version: 1.0.0", "version: 1.0"), "valid string", 3),
        (("version: 2\n", "version: 0\n"), "greater than or equal to 1", 7),
        (("id: small", "id: ../up"), "match pattern", 2),
        (("title: A small board", 'title: "A \\u202e board"'), "match pattern", 4),
        (("title: A small board", "title: a\ntitle: b"), "given twice", 5),
        (("    sweep: {inter_turns: [0, 2]}", "    sweep: {inter_turns: []}"), "at least one value", 10),
        (("    sweep: {inter_turns: [0, 2]}", "    sweep: {max_tokens: [0, 2]}"), "not both", 6),
        (("    sweep", "    weight: 0.4\n    sweep"), "sum to 0.4", 5),
        (("    sweep", "    normalise: {low: 1, high: 1}\n    sweep"), "must be below", 10),
        (("    sweep", "    headline: .nan\n    sweep"), "finite", None),
        (("    sweep", "    weight: .inf\n    sweep"), "finite", None),
        (("version: 2\n", "version: true\n"), "valid integer", 7),
        (("version: 2\n", "version: yes\n"), "valid integer", 7),
        (("    sweep", "    weight: '1'\n    sweep"), "valid number", 10),
        (("title: A small board", "1: x"), "not text", None),
        (("    version: 2\n", "    version: 2\n    limit: 5\n"), "needs a `seed`", None),
        ((SMALL[SMALL.index("tasks:") :], "tasks: []\n"), "at least 1 item", 5),
    ],
)
def test_mistakes_are_named_with_file_line_and_field(
    tmp_path: Path, change: tuple[str, str], says: str, line: int | None
) -> None:
    text = SMALL.replace(*change, 1)
    assert text != SMALL
    with pytest.raises(ConfigError) as caught:
        load_board(written(tmp_path, text))
    assert says in str(caught.value)
    assert "board.yaml" in str(caught.value)
    if line is not None:
        assert f"line {line}" in str(caught.value)


def test_the_cells_are_those_of_a_run(tmp_path: Path) -> None:
    board = load_board(written(tmp_path, SMALL))
    cells = board.cells(catalogue())["prefeval/classification"]
    asked = EvalRequest(
        ("prefeval/classification",), parameters=[("", "max_tokens", "3"), ("", "inter_turns", "0,2")]
    )
    assert [one.plan for one in cells] == [one.plan for one in expand(asked, catalogue())[0]]


def test_the_mini_board_asks_for_what_the_mini_presets_give() -> None:
    board = find_board("mini")
    cells = board.cells(catalogue())
    tasks = tuple(dict.fromkeys(item.task for item in board.tasks))
    choices = "prefeval/classification"  # its preset prefills an answer, which many endpoints cannot continue
    preset, _ = expand(EvalRequest(tuple(task for task in tasks if task != choices), mini=True), catalogue())
    asked = {one.id for name, column in cells.items() if name != choices for one in column}
    assert asked == {one.id for one in preset}
    assert not any(cell.plan.parameters["prefill"] for cell in cells[choices])
    families = {item.task.partition("/")[0] for item in board.tasks}
    assert families == {"prefeval", "contexteval", "rag-rewardbench", "userbench", "vibechecker"}
    for item in board.tasks:
        for cell in cells[item.name]:
            needed = cell.task.roles()
            free = {role for role, one in needed.items() if not one.optional} - {"candidate"}
            assert free == set(item.roles)


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        (("prefeval/classification", "prefeval/clasification"), NotFound, "did you mean"),
        (("version: 2\n", "version: 9\n"), ConfigError, "installed is 2"),
        (("max_tokens: 3", "max_token: 3"), NotFound, "did you mean 'max_tokens'"),
        (("max_tokens: 3", "max_tokens: -3"), ConfigError, "parameter max_tokens"),
        (("    sweep", "    headline: korrect\n    sweep"), NotFound, "metric named 'korrect'"),
        (("    sweep", "    roles: {judge: {spec: a/b}}\n    sweep"), NotFound, "role named 'judge'"),
        (("    sweep", "    score_parameters: {method: x}\n    sweep"), NotFound, "at-score"),
    ],
)
def test_what_the_task_does_not_know_is_named_with_its_place(
    tmp_path: Path, change: tuple[str, str], kind: type[SuiteError], says: str
) -> None:
    board = load_board(written(tmp_path, SMALL.replace(*change, 1)))
    with pytest.raises(kind) as caught:
        board.cells(catalogue())
    assert says in str(caught.value)
    assert "line 6" in str(caught.value)


def test_one_cell_cannot_stand_in_two_columns(tmp_path: Path) -> None:
    again = SMALL.partition("tasks:\n")[2].replace("    version", "    key: again\n    version")
    with pytest.raises(ConfigError, match="hold the same cell"):
        load_board(written(tmp_path, SMALL + again)).cells(catalogue())


def test_a_seat_may_be_one_or_a_panel(tmp_path: Path) -> None:
    def roles(value: Any) -> Any:
        whole = yaml.safe_load(SMALL)
        whole["tasks"][0] |= {"task": "prefeval/generation", "roles": {"judge": value}}
        return load_board(written(tmp_path, yaml.safe_dump(whole))).tasks[0].roles["judge"]

    assert [seat.spec for seat in roles({"spec": "a/b"})] == ["a/b"]
    assert [seat.spec for seat in roles([{"spec": "a/b"}, {"spec": "c/d"}])] == ["a/b", "c/d"]


def test_boards_are_found_by_id_file_and_folder(tmp_path: Path) -> None:
    path = written(tmp_path, SMALL)
    assert find_board(str(path)) == find_board(str(tmp_path)) == load_board(path)
    with pytest.raises(NotFound, match="did you mean 'mini'"):
        find_board("minni")
    with pytest.raises(ConfigError, match="no board at"):
        find_board("there/is/none.yaml")


def test_a_threshold_that_there_is_none_of_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'identical_outputs'"):
        load_board(written(tmp_path, f"{SMALL}plausibility: {{identical_output: 0.1}}\n"))


def test_a_ceiling_changes_the_hash_and_none_does_not(tmp_path: Path) -> None:
    plain = load_board(written(tmp_path, SMALL))
    filled: Any = plain.filled
    assert all("ceiling" not in item for item in filled["tasks"])
    value = yaml.safe_load(SMALL)
    value["tasks"][0]["ceiling"] = None
    assert load_board(written(tmp_path, yaml.safe_dump(value))).sha256 == plain.sha256
    value["tasks"][0]["ceiling"] = 0.9
    assert load_board(written(tmp_path, yaml.safe_dump(value))).sha256 != plain.sha256
