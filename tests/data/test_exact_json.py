"""JSON that every reader understands alike."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suite.data.strict_syntax import NotStrict, deeper_than, read_exact

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_good_json_is_read(value: object) -> None:
    text = json.dumps(value)
    assert json.dumps(read_exact(text.encode())) == text


BAD = {
    "duplicate key": (b'{"a": 1, "a": 2}', "twice"),
    "duplicate key inside": (b'[{"x": {"a": 1, "\\u0061": 2}}]', "twice"),
    "NaN": (b'{"a": NaN}', "NaN"),
    "Infinity": (b"[-Infinity]", "Infinity"),
    "1e999": (b"1e999", "too big for a double"),
    "big integer": (b"9007199254740993", "2\\^53"),
    "negative big integer": (b"[-9007199254740993]", "2\\^53"),
    "huge integer": (b"1" * 100_000, "2\\^53"),
    "lone surrogate": (b'"\\ud800"', "surrogate"),
    "lone surrogate as key": (b'{"\\uDC00": 1}', "surrogate"),
    "byte order mark": (b"\xef\xbb\xbf{}", "byte order mark"),
    "latin 1": (b'"caf\xe9"', "UTF-8"),
    "surrogate as bytes": (b'"\xed\xa0\x80"', "UTF-8"),
    "utf-16": ('{"a": 1}'.encode("utf-16"), "UTF-8"),
    "trailing": (b"{} {}", "not JSON"),
    "comment": (b"{} // x", "not JSON"),
    "single quotes": (b"{'a': 1}", "not JSON"),
    "control character": (b'"a\x01"', "not JSON"),
    "leading zero": (b"01", "not JSON"),
    "nothing": (b"", "not JSON"),
    "deep": (b"[" * 70 + b"]" * 70, "deeper"),
    "deep objects": (b'{"a":' * 70 + b"1" + b"}" * 70, "deeper"),
    "very deep": (b"[" * 10_000 + b"]" * 10_000, "deeper"),
}


@pytest.mark.parametrize("name", BAD)
def test_refused(name: str) -> None:
    data, why = BAD[name]
    with pytest.raises(NotStrict) as refused:
        read_exact(data)
    assert re.search(why, refused.value.unquoted)


def test_depth() -> None:
    assert read_exact(b"[" * 64 + b"]" * 64)
    assert not deeper_than([[1]], 2)
    assert deeper_than([[[1]]], 2)
