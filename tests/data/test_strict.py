"""JSON and YAML that mean one thing only."""

import contextlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.data import strict

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(VALUES)
def test_json_that_others_write_is_read_alike(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    try:
        content = text.encode()
    except UnicodeEncodeError:
        return
    assert strict.read_json(content) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"a": 1, "a": 2}', "key 'a' is given twice"),
        (b'[{"b": {"a": 1, "a": 1}}]', "key 'a' is given twice"),
        (b"[NaN]", "NaN is not a JSON number"),
        (b"[-Infinity]", "-Infinity is not a JSON number"),
        (b"[1e999]", "number 1e999 is too big"),
        (b'{"a": 1', r"not JSON: .* \(line 1, column 8\)"),
        (b"", r"not JSON: Expecting value"),
        (b'["\xff"]', "not UTF-8 at byte 2"),
        (b'["\\ud800"]', "half of a character"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_json_of_two_meanings_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        strict.read_json(text)


def test_a_byte_order_mark_and_a_whole_pair_are_no_harm() -> None:
    assert strict.read_json(b'\xef\xbb\xbf["\\ud83d\\ude00"]') == ["\U0001f600"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", r"key 'c' is given twice \(line 4\)"),
        ("a: [1\n", r"not YAML: .*\(line 2\)"),
        ("!!python/object/apply:os.system [ls]", "could not determine a constructor"),
    ],
)
def test_yaml_of_two_meanings_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        strict.read_yaml(text)


@given(st.text())
def test_any_text_is_yaml_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        strict.read_yaml(text)


def test_the_line_of_a_field_is_found() -> None:
    text = "id: x\nfiles:\n  - {path: a}\n  - path: b\n    bytes: no\n"
    assert strict.yaml_line(text, ["files", 1, "bytes"]) == 5
    assert strict.yaml_line(text, ["files", 0, "missing"]) == 3
    assert strict.yaml_line(text, ["nothing"]) == 1


def test_finite_numbers_keep_their_value() -> None:
    assert math.isclose(strict.read_json(b"1e308"), 1e308)
