"""JSON Schemas as strict modes of hosted services take them, and replies back in the form that was asked for.

The rules (OpenAI's, which others copy): the root is an object; every object is closed and requires all its
keys; every subschema has a type; few keywords. A root of another kind is wrapped as {"answer": …}, an
optional key becomes nullable, keywords beyond the rules are dropped: whoever asked checks the reply anyway.
Not here: sending it (`wire`), doing without it (`client`).
"""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from suite.chat import Json
from suite.models.peer_json import lenient

Schema = dict[str, Any]  # an object of a schema: its keywords may hold anything

ROOT = "answer"
_RULES: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_KINDS = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
_DEEPEST = 40


class Open(Exception):
    """A schema that says less than strict modes want: any value, an object of any keys."""


@lru_cache(maxsize=256)
def strict(schema: bytes) -> Json:
    """The strict form of a schema (its JSON), None where it has none: sent as it is, `strict: false`."""
    try:
        return _Strict(msgspec.json.decode(schema)).root()
    except Open:
        return None


def plain(text: str, schema: Json) -> str:
    """A reply to the strict form as one to the schema: unwrapped, without its nulls; no such JSON: as is."""
    try:
        found = value = lenient(text.encode())
    except ValueError:
        return text
    made = _Strict(schema)
    if made.wraps and isinstance(value, dict) and value.keys() == {ROOT}:
        value = value[ROOT]
    value = made.without_nulls(value, schema)
    return text if value == found and not made.wraps else msgspec.json.encode(value).decode()


class _Strict:
    def __init__(self, schema: Json) -> None:
        self._schema = schema
        self._defs: Schema = {}
        if isinstance(schema, dict):
            self._defs = {**schema.get("definitions", {}), **schema.get("$defs", {})}
        top = self._target(schema)
        self.wraps = _types(top) != ["object"] or "anyOf" in top or "oneOf" in top

    def root(self) -> Json:
        """Raises Open."""
        made = self._made(self._target(self._schema), 0)
        if self.wraps:
            made = {"type": "object", "properties": {ROOT: made}, "required": [ROOT]}
            made["additionalProperties"] = False
        if self._defs:
            made["$defs"] = {name: self._made(one, 0) for name, one in self._defs.items()}
        return made

    def _target(self, schema: Json) -> Schema:
        """The schema itself, not a reference to it. Raises Open if there is none."""
        for _ in range(_DEEPEST):
            if not isinstance(schema, dict):
                raise Open
            whole = schema.get("allOf")
            if isinstance(whole, list) and len(whole) == 1 and "properties" not in schema:
                schema = whole[0]
            elif "$ref" in schema:
                schema = self._schema if schema["$ref"] == "#" else self._defs.get(_name(schema["$ref"]))
            else:
                return schema
        raise Open

    def _made(self, schema: Any, depth: int) -> Schema:
        target = self._target(schema)
        if depth > _DEEPEST or len(target.get("allOf", ())) > 1 or "prefixItems" in target:
            raise Open
        if target is not schema and "$ref" in schema:
            whole = f"#/properties/{ROOT}" if self.wraps else "#"
            return {"$ref": whole if schema["$ref"] == "#" else f"#/$defs/{_name(schema['$ref'])}"}
        arms = target.get("anyOf") or target.get("oneOf")
        if arms:
            made: Schema = {"anyOf": [self._made(one, depth + 1) for one in arms]}
            return made | {name: target[name] for name in ("description",) if name in target}
        if "const" in target:
            target = {**target, "enum": [target["const"]]}
        types = _types(target)
        if not types:
            raise Open
        made = {name: value for name, value in target.items() if name in _RULES["keywords"]}
        if "(?" in made.get("pattern", ""):
            del made["pattern"]
        if made.get("format") not in _RULES["formats"]:
            made.pop("format", None)
        made["type"] = types[0] if len(types) == 1 else types
        if "object" in types:
            made |= self._object(target, depth)
        if "array" in types:
            made["items"] = self._made(target.get("items"), depth + 1)
        return made

    def _object(self, target: Schema, depth: int) -> Schema:
        properties = target.get("properties") or {}
        if "patternProperties" in target or not (properties or target.get("additionalProperties") is False):
            raise Open
        required = target.get("required") or ()
        made = {}
        for name, one in properties.items():
            made[name] = self._made(one, depth + 1)
            if name not in required and not self._takes_null(one):
                made[name] = _or_null(made[name])
        return {"properties": made, "required": [*properties], "additionalProperties": False}

    def _takes_null(self, schema: Json, depth: int = 0) -> bool:
        target = self._target(schema)
        arms = target.get("anyOf") or target.get("oneOf") or ()
        if depth < _DEEPEST and any(self._takes_null(one, depth + 1) for one in arms):
            return True
        return "null" in _types(target)

    def without_nulls(self, value: Any, schema: Json, depth: int = 0) -> Any:
        """The value without keys whose null only says that they are left out."""
        try:
            target = self._target(schema)
        except Open:
            return value
        if depth > _DEEPEST or not isinstance(value, dict | list):
            return value
        for arm in target.get("anyOf") or target.get("oneOf") or ():
            value = self.without_nulls(value, arm, depth + 1)
        if isinstance(value, list):
            return [self.without_nulls(one, target.get("items"), depth + 1) for one in value]
        known, required = target.get("properties") or {}, target.get("required") or ()
        if not known or not value.keys() <= known.keys():
            return value
        return {
            name: self.without_nulls(one, known[name], depth + 1)
            for name, one in value.items()
            if one is not None or name in required or self._takes_null(known[name])
        }


def _types(target: Schema) -> list[str]:
    """The types of a schema, as said or as its other keywords show; [] if it may be anything."""
    said = target.get("type")
    if said:
        return list(said) if isinstance(said, list) else [said]
    values = [target["const"]] if "const" in target else target.get("enum")
    if values:
        return list(dict.fromkeys(_KINDS.get(type(one), "null") for one in values))
    return [name for name, keywords in _RULES["hints"].items() if any(one in target for one in keywords)][:1]


def _or_null(made: Schema) -> Schema:
    if "type" not in made:
        return {"anyOf": [*made.get("anyOf", [made]), {"type": "null"}]}
    types = [made["type"]] if isinstance(made["type"], str) else made["type"]
    found = {**made, "type": [*types, "null"]}
    return found | {"enum": [*made["enum"], None]} if "enum" in made else found


def _name(reference: object) -> str:
    """The name of `#/$defs/NAME`; "" for a reference of another kind, which nothing has."""
    head, _, name = str(reference).rpartition("/")
    return name.replace("~1", "/").replace("~0", "~") if head in ("#/$defs", "#/definitions") else ""
