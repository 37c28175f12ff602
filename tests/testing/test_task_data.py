from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from suite_judge_audit.biases import Biases, BiasQuestion

import suite
from suite.testing import task_data


class Line(suite.Payload):
    text: str


def texts(rows: Iterable[Line]) -> list[str]:
    return [one.text for one in rows]


def test_rows_in_memory_are_a_dataset_whole_or_by_parts() -> None:
    data = task_data(
        given={"whole": [{"text": "a"}, Line(text="b")], "parts": {"x": [Line(text="c")], "y": []}}
    )
    assert texts(data.rows("whole", Line)) == texts(data.rows("whole", Line, part="any")) == ["a", "b"]
    assert texts(data.rows("parts", Line)) == ["c"]
    assert texts(data.rows("parts", Line, part="y")) == []
    assert (data.has("whole", "any"), data.has("parts", "x"), data.has("parts", "z")) == (True, True, False)
    with pytest.raises(suite.DataError, match="rows, row 1 is no Line"):
        texts(task_data(given={"whole": [{"text": "a"}, {"word": "b"}]}).rows("whole", Line))


@pytest.mark.parametrize("row", ["text", [("text", "a")], 3])
def test_what_is_no_row_is_refused(row: Any) -> None:
    with pytest.raises(suite.ConfigError, match=f"a row is a {type(row).__name__}"):
        task_data(given={"whole": [row]})


def test_files_and_folders_are_read_where_they_lie(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "prompt.txt").write_text("Say it.")
    data = task_data(given={"rows": tmp_path / "rows.jsonl", "texts": tmp_path})
    assert texts(data.rows("rows", Line)) == ["a"]
    assert data.file("texts", "prompt.txt").read_text() == "Say it."
    with pytest.raises(suite.DataError, match="has no file"):
        data.file("texts", "other.txt")
    with pytest.raises(suite.DataError, match="no rows"):
        list(data.rows("texts", Line))


def test_bundled_rows_stand_in_unless_rows_are_given_and_can_be_changed() -> None:
    name, *_ = Biases.info.mini
    bundled = list(task_data(Biases).rows(name, BiasQuestion))
    seen: list[str] = []

    def noted(dataset: str, row: dict[str, Any]) -> dict[str, Any]:
        seen.append(dataset)
        return row

    assert list(task_data(Biases, change=noted).rows(name, BiasQuestion)) == bundled
    assert seen == [name] * len(bundled)
    assert list(task_data(Biases, given={name: bundled[:1]}).rows(name, BiasQuestion)) == bundled[:1]


def test_nothing_is_fetched_for_a_dataset_without_bundled_rows() -> None:
    with pytest.raises(suite.NotFound, match="elsewhere"):
        list(task_data(Biases).rows("elsewhere", Line))
