"""The JSON Schema of rows that are there: types, which fields each row has, and that it has no others.

Made of what was seen, so the first row of another kind is noticed. Values that JSON has no word for
(bytes, dates) may be anything.
"""

from collections.abc import Mapping

from suite.chat import Json

_WORDS: dict[type, str] = {
    type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string", list: "array",
    dict: "object",
}  # fmt: skip
_MOST = 200  # keys of an object; with more they are data and not the names of fields


class RowShape:
    """What has been seen at one place of all rows: kinds of values, fields of objects, elements of lists."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._objects = 0
        self._fields: dict[str, tuple[RowShape, list[int]]] = {}
        self._items: RowShape | None = None

    def see(self, value: object) -> None:
        """Note a value and all below it."""
        self._words.add(_WORDS.get(type(value), "any"))
        if isinstance(value, dict):
            self._objects += 1
            for key, below in value.items() if len(self._fields) <= _MOST else ():
                shape, count = self._fields.setdefault(key, (RowShape(), [0]))
                shape.see(below)
                count[0] += 1
        elif isinstance(value, list):
            self._items = self._items or RowShape()
            for one in value:
                self._items.see(one)

    def schema(self) -> dict[str, Json]:
        """What was seen, as a JSON Schema; {} where no value was."""
        words = sorted(self._words - ({"integer"} if "number" in self._words else set()))
        if not words or "any" in words:
            return {}
        told: dict[str, Json] = {"type": words[0] if len(words) == 1 else list[Json](words)}
        if self._items is not None and (items := self._items.schema()):
            told["items"] = items
        if self._objects and len(self._fields) <= _MOST:
            told |= {
                "required": [key for key, (_, count) in self._fields.items() if count[0] == self._objects],
                "additionalProperties": False,
                "properties": {key: shape.schema() for key, (shape, _) in self._fields.items()},
            }
        return told


def row_schema(shape: RowShape, title: str) -> Mapping[str, Json]:
    """The JSON Schema (2020-12) of rows of a shape, as a file of `schemas/` holds it."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **shape.schema()}
