"""JSON Schemas (2020-12) made from the structs of documents, as `registry/schemas` keeps them.

Objects are closed: they have the fields of their struct and no others. Fields with defaults may be missing.
"""

import inspect
from collections.abc import Mapping, Sequence

import msgspec

from suite.chat import Json

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
# errors are told in this order
_ORDER = ("$ref", "title", "description", "type", "anyOf", "maxProperties", "propertyNames",
          "additionalProperties", "required", "properties", "minLength", "maxLength", "pattern")  # fmt: skip


def document_schema(kind: type[msgspec.Struct], name: str, title: str) -> dict[str, Json]:
    """The schema of a document. name: of its file, without `.json`. title: what the document is."""
    made = msgspec.json.schema(kind)
    parts = {part: _closed(one) for part, one in made["$defs"].items()}
    return {"$schema": _DIALECT, "$id": f"suite:{name}", "title": title, "$ref": made["$ref"], "$defs": parts}


def _closed(value: Json) -> Json:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_closed(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    found = {key: one if key in ("enum", "const") else _closed(one) for key, one in value.items()}
    found.pop("default", None)
    if isinstance(found.get("description"), str):
        found["description"] = inspect.cleandoc(found["description"])
    if "properties" in found:
        found["additionalProperties"] = False
    if found.get("type") == "string" and ("enum" in found or "const" in found):
        del found["type"]  # so that another kind of value is one mistake
    kinds = found.get("anyOf", ())
    if kinds and all(set(one) == {"type"} for one in kinds):
        found["type"] = [one["type"] for one in found.pop("anyOf")]
    known = [key for key in _ORDER if key in found]
    return {key: found[key] for key in (*known, *(key for key in found if key not in known))}
