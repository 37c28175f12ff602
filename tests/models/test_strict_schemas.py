"""Any JSON Schema in the form that strict modes take, and the replies to it back."""

import json
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from suite.models.strict_schemas import plain, strict


def made(schema: Any) -> Any:
    return strict(json.dumps(schema).encode())


def faults(schema: Any, root: bool = True) -> list[str]:
    """What a strict mode would refuse, by the published rules; written apart from the code under test."""
    found = []
    if root and (schema.get("type") != "object" or "anyOf" in schema):
        found.append("the root is no object")
    if not {"type", "anyOf", "$ref"} & schema.keys():
        found.append("no type")
    if "object" in (schema.get("type") or ()):
        if schema.get("additionalProperties") is not False:
            found.append("open")
        if sorted(schema.get("required", ())) != sorted(schema.get("properties", {})):
            found.append("not all required")
    allowed = (
        "type properties required additionalProperties items enum anyOf $ref $defs description pattern format"
    )
    allowed += " multipleOf minimum maximum exclusiveMinimum exclusiveMaximum minItems maxItems"
    found += sorted(schema.keys() - set(allowed.split()))
    below = [
        *schema.get("properties", {}).values(),
        *schema.get("$defs", {}).values(),
        *schema.get("anyOf", ()),
    ]
    for one in below + ([schema["items"]] if "items" in schema else []):
        found += faults(one, root=False)
    return found


class Inner(BaseModel):
    kind: Literal["a", "b"] = "a"
    more: "list[Inner]" = []


class Outer(BaseModel):
    name: str
    inner: Inner | None = None
    numbers: tuple[int, ...] = ()
    either: Inner | int = 3


@pytest.mark.parametrize(
    "schema",
    [
        {"enum": ["Yes", "No"]},
        {"type": "string", "enum": ["Yes", "No"]},
        {"const": 3},
        {"type": ["integer", "null"], "minimum": 1},
        {"type": "array", "items": {"type": "number"}, "uniqueItems": True},
        {"anyOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "null"}]},
        {"type": "object", "properties": {"a": {"enum": [1, "x", None]}, "b": {"maxLength": 5}}},
        {
            "$ref": "#/definitions/x",
            "definitions": {"x": {"type": "object", "properties": {"y": {"$ref": "#"}}}},
        },
        {
            "type": "object",
            "properties": {"a": {"allOf": [{"$ref": "#/$defs/x"}], "default": 1}},
            "$defs": {"x": {"type": "integer"}},
        },
        Inner.model_json_schema(),
        Outer.model_json_schema(),
        {"type": "object", "properties": {}, "additionalProperties": False},
    ],
)  # fmt: skip
def test_a_schema_is_made_strict(schema: Any) -> None:
    assert faults(made(schema)) == []


@pytest.mark.parametrize(
    "schema",
    [
        {},
        True,
        {"type": "object"},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": "array"},
        {"type": "array", "prefixItems": [{"type": "integer"}]},
        {"$ref": "#/$defs/nowhere"},
        {"$ref": "https://example.com/schema"},
        {"allOf": [{"type": "object"}, {"type": "object"}]},
    ],
)
def test_what_says_too_little_has_no_strict_form(schema: Any) -> None:
    assert made(schema) is None


def test_what_is_strict_stays_as_it_is() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string", "description": "x"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    assert made(schema) == schema


OPTIONAL = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": ["string", "null"]}}}


@pytest.mark.parametrize(
    ("schema", "text", "read"),
    [
        ({"enum": ["Yes"]}, '{"answer": "Yes"}', '"Yes"'),
        ({"enum": ["Yes"]}, "Yes", "Yes"),
        ({"enum": ["Yes"]}, '"Yes"', '"Yes"'),
        ({"type": "array", "items": OPTIONAL}, '{"answer": [{"a": null, "b": null}]}', '[{"b":null}]'),
        (OPTIONAL, '{"a": null, "b": "x"}', '{"b":"x"}'),
        (OPTIONAL, '{"a": 1, "b": null}', '{"a": 1, "b": null}'),
        (OPTIONAL, "I think 3", "I think 3"),
        (
            Outer.model_json_schema(),
            '{"name": "n", "inner": {"kind": null, "more": []}}',
            '{"name":"n","inner":{"more":[]}}',
        ),
    ],
)
def test_a_reply_is_read_as_one_to_the_schema_itself(schema: Any, text: str, read: str) -> None:
    assert plain(text, schema) == read


SCHEMAS = st.recursive(
    st.sampled_from(
        [{"type": "string"}, {"type": "integer"}, {"enum": ["x", "y"]}, {"type": ["number", "null"]}]
    ),
    lambda inner: st.one_of(
        st.builds(lambda one: {"type": "array", "items": one, "minItems": 1}, inner),
        st.builds(lambda some: {"anyOf": some}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(
            lambda keys, names: {
                "type": "object",
                "properties": keys,
                "required": [n for n in names if n in keys],
            },
            st.dictionaries(st.sampled_from("abc"), inner, min_size=1),
            st.lists(st.sampled_from("abc"), unique=True),
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(SCHEMAS)
def test_every_schema_of_these_parts_keeps_the_rules(schema: Any) -> None:
    assert faults(made(schema)) == []
