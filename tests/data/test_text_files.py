"""One way to read the text files that people give."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.data.text_files import Once, csv_rows, json_document, json_lines, json_rows, row_at
from suite.errors import DataError

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\u2028\u2029\x85\x0b\x0c\x1c"))
ROWS = st.lists(st.fixed_dictionaries({"id": TEXTS, "n": st.integers()}, optional={"x": st.none() | TEXTS}))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("text") / "rows.jsonl"


@settings(max_examples=60)
@given(ROWS, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), st.booleans())
def test_lines_end_at_lf_only(
    path: Path, rows: list[dict[str, Any]], end: str, mark: bool, ascii_only: bool, blanks: bool
) -> None:
    text = "".join(json.dumps(row, ensure_ascii=ascii_only) + end + blanks * f" {end}" for row in rows)
    path.write_bytes((("\ufeff" if mark else "") + text).encode())
    found = list(json_lines(path))
    assert [row.value for row in found] == rows
    assert [row.line for row in found] == [1 + i * (2 if blanks else 1) for i in range(len(rows))]
    assert [row_at(path, row.offset) for row in found] == rows
    assert [row.value for row in json_rows(path)] == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1}\n{"a": 1,}\n', r"rows\.jsonl line 2: not JSON: .*\(column 9\)|line 2: not JSON"),
        (b'{"a": 1},\n', r"line 1: not JSON(.|\n)*leave out the comma at the end"),
        (b'[{"a": 1},\n {"a": 2}]', r"line 1(.|\n)*one JSON array(.|\n)*jq -c '\.\[\]' rows\.jsonl"),
        (b'\n\n{"a": 1, "a": 2}', "line 3: key 'a' is given twice"),
        (b'{"a": NaN}', "line 1: NaN is not a JSON number"),
        (b'{"a": "\\ud800"}', "line 1: holds half of a character"),
        (b'{"a": 1}\n{"a": "\xff"}', "line 2: not UTF-8 at byte 7"),
        (b'{"a": "\xed\xa0\x80"}', "line 1: not UTF-8"),
        (b"7\n", "line 1: no object but a number"),
        (b'{"a": 1} {"a": 2}\n', "line 1: not JSON: Extra data"),
        (b'{"a": 1}\r{"a": 2}\r', "line 1: not JSON: Extra data"),
        (b"\x1f\x8b\x08\x00", r"is compressed \(gzip\)(.|\n)*gunzip rows\.jsonl"),
        ("{}".encode("utf-16"), "is UTF-16"),
        ("{}".encode("utf-16-le"), "is UTF-16 or no text"),
        ("{}".encode("utf-16-be"), "is UTF-16 or no text"),
        ("{}".encode("utf-32"), "is UTF-16"),
        (b"PAR1....", "is a Parquet file"),
    ],
)
def test_what_is_no_json_lines_is_refused_with_file_line_and_fix(
    path: Path, content: bytes, message: str
) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        list(json_lines(path))
    assert caught.value.fix


def test_numbers_as_python_writes_them_are_taken_on_demand(path: Path) -> None:
    path.write_text('{"a": [NaN, -Infinity]}\n')
    (found,) = json_lines(path, nan=True)
    assert str(found.value["a"]) == "[nan, -inf]"


def test_one_array_or_lines_are_told_apart(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbf\r\n [{"a": 1},\r\n{"a": 2}]')
    assert [row.value for row in json_rows(path)] == [{"a": 1}, {"a": 2}]
    path.write_text('[{"a": 1}, 2]')
    with pytest.raises(DataError, match="element 2 is a number, no object"):
        list(json_rows(path))


def test_a_document_is_strict_and_may_have_a_mark(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert json_document(path) == {"a": 1}
    path.write_bytes(b'{"a": 1, "a": 2}')
    with pytest.raises(DataError, match=r"rows\.jsonl: key 'a' is given twice"):
        json_document(path)
    with pytest.raises(DataError, match="cannot read none: No such file"):
        json_document(path.with_name("none"))


def test_csv_is_read_with_the_lines_where_rows_begin(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbfa , b\r\n"1\n2",3\r\n\r\n4,\xe2\x80\xa8\r\n')
    header, rows = csv_rows(path)
    assert header == ["a", "b"]
    assert [(row.line, row.value) for row in rows] == [
        (2, {"a": "1\n2", "b": "3"}),
        (5, {"a": "4", "b": "\u2028"}),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b,a\n", "line 1: two columns are called 'a'"),
        (b"a,b\n1,2\n3\n", "line 3: 1 fields, the header has 2"),
        (b"a,b\n1,2,3\n", "line 2: 3 fields, the header has 2"),
        (b'a,b\n"1,2\n', "line 2: unexpected end of data"),
        (b"a,b\n1,\xff\n", "line 2: not UTF-8"),
        (b"\x1f\x8b", "gzip"),
    ],
)
def test_a_csv_file_that_readers_would_read_differently_is_refused(
    path: Path, content: bytes, message: str
) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(csv_rows(path)[1])


def test_what_is_given_twice_is_named_with_both_places() -> None:
    once = Once("sample")
    once.add(("a", 1), "a.jsonl line 1")
    once.add("a", "a.jsonl line 2")
    with pytest.raises(DataError, match=r"sample 'a 1' is given twice\n  in a\.jsonl line 1 and in b line 9"):
        once.add(("a", 1), "b line 9")
