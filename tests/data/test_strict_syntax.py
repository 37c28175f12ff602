"""JSON and YAML that mean one thing only."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.data import strict_syntax

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
    assert strict_syntax.read_json(content) == value


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
        strict_syntax.read_json(text)


def test_a_byte_order_mark_and_a_whole_pair_are_no_harm() -> None:
    assert strict_syntax.read_json(b'\xef\xbb\xbf["\\ud83d\\ude00"]') == ["\U0001f600"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", r"key 'c' is given twice \(line 4\)"),
        ("a: [1\n", r"not YAML: .*\(line 2\)"),
        ("!!python/object/apply:os.system [ls]", "tags are not allowed"),
    ],
)
def test_yaml_of_two_meanings_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        strict_syntax.read_yaml(text)


@given(st.text())
def test_any_text_is_yaml_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        strict_syntax.read_yaml(text)


def test_the_line_of_a_field_is_found() -> None:
    text = "id: x\nfiles:\n  - {path: a}\n  - path: b\n    bytes: no\n"
    assert strict_syntax.yaml_line(text, ["files", 1, "bytes"]) == 5
    assert strict_syntax.yaml_line(text, ["files", 0, "missing"]) == 3
    assert strict_syntax.yaml_line(text, ["nothing"]) == 1


def test_finite_numbers_keep_their_value() -> None:
    assert strict_syntax.read_json(b"1e308") == pytest.approx(1e308)


BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 8)}]\n" for i in range(12)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "too large with its aliases"),
        ("a: &a [*a]", "refers to nothing before it"),
        ("[" * 100_000 + "]" * 100_000, "nest"),
        ("{a: " * 60 + "}" * 60, "nested too deeply"),
        ("[a, b]: 1", "a key must be a text"),
        ("{a: 1}: 1", "a key must be a text"),
        ("&a x: 1\n*a : 2", "a key must be a text"),
        ("a: &x {b: 1}\nc:\n  <<: *x", "'<<' is not text"),
        ("true: 1", "'true' is not text"),
        ("a: !!timestamp 2024-01-01", "tags are not allowed"),
        ("a: !!binary aGk=", "tags are not allowed"),
        ("a: 1\n---\na: 2", "another document"),
        ("a: " + "9" * 5000, "limit"),
    ],
    ids=lambda text: str(text)[:20],
)
def test_yaml_that_is_a_trap_is_refused_at_once(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        strict_syntax.read_yaml(text)


def test_yaml_has_texts_and_numbers_and_nothing_in_between() -> None:
    text = "a: &x [yes, no, 012, 1:30, 2024-01-01, 0x1F, 1_000, 1e5]\nb: *x\nc: [1, -2, 1.5, true, ~]"
    words = ["yes", "no", "012", "1:30", "2024-01-01", "0x1F", "1_000", "1e5"]
    assert strict_syntax.read_yaml(text) == {"a": words, "b": words, "c": [1, -2, 1.5, True, None]}


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(st.characters(codec="utf-8", exclude_categories=["C"])),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
        max_leaves=6,
    )
)
@settings(max_examples=60)
def test_what_is_dumped_is_read_again(value: Any) -> None:
    assert strict_syntax.read_yaml(strict_syntax.dump_yaml([value, value]).decode()) == [value, value]


def test_a_byte_order_mark_is_no_part_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert strict_syntax.read_yaml(strict_syntax.read_text(tmp_path / "a.yaml")) == {"a": 1}
