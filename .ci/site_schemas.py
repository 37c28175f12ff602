"""The page of the documentation site about the JSON Schemas in `registry/schemas/`: one table of fields each.

Formats of the suite come first, then the rows of datasets (schemas that a dataset's entry names). Not here:
how the page gets into the site (`site_hook.py`).
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from site_cli import escaped

Schema = Mapping[str, Any]

_HEAD = """# JSON Schemas

Files that people write or exchange have a JSON Schema (draft 2020-12) in `registry/schemas/`, and are held to
it when they are read. A field is required where the table says so; `[]` means each element of a list, `*`
each value of an object with free keys.
"""


def page(registry: Path) -> str:
    """The page, as Markdown, from a registry folder."""
    rows = set(_row_schemas(registry))
    files = sorted((registry / "schemas").glob("*.json"))
    lines = [_HEAD]
    for title, found in (
        ("Formats", [path for path in files if path.name not in rows]),
        ("Rows of datasets", [path for path in files if path.name in rows]),
    ):
        if found:
            lines += [f"## {title}", ""]
        for path in found:
            lines += one(path.name, json.loads(path.read_text("utf-8")))
    return "\n".join(lines)


def one(name: str, schema: Schema) -> Iterator[str]:
    """Lines about one schema: what it is, its fields, then the parts it names."""
    anchor = name.removesuffix(".json").replace(".", "-")
    yield from [f"### {name} {{#{anchor}}}", ""]
    told = [schema.get("title", ""), about(schema)[0]]
    yield from [escaped(": ".join(filter(None, told))), ""]
    yield from table(schema, anchor) if _fields(schema) else [kind(schema, anchor), ""]
    for part, inner in schema.get("$defs", {}).items():
        yield from [f"#### {part} {{#{_part(anchor, part)}}}", ""]
        if about(inner)[0]:
            yield from [escaped(about(inner)[0]), ""]
        yield from table(inner, anchor) if _fields(inner) else [kind(inner, anchor), ""]


def about(schema: Schema) -> tuple[str, dict[str, str]]:
    """What an object's description says of the whole, and of its fields (`field: meaning.`)."""
    text = " ".join(str(schema.get("description", "")).split())
    names = "|".join(sorted(map(re.escape, schema.get("properties", {})), key=len, reverse=True)) or "(?!)"
    starts = list(re.finditer(rf"(?:^|(?<=[.;] ))((?:{names})(?:, (?:{names}))*): ", text))
    ends = [*(found.start() for found in starts[1:]), len(text)] if starts else []
    fields = {
        name: text[found.end() : end].strip()
        for found, end in zip(starts, ends, strict=True)
        for name in found[1].split(", ")
    }
    return (text[: starts[0].start()] if starts else text).strip(), fields


def table(schema: Schema, anchor: str) -> Iterator[str]:
    """A table of the fields of an object, nested ones by their path."""
    yield from ["| field | type | required | |", "| --- | --- | --- | --- |"]
    for path, inner, required, told in _walk(schema, ""):
        default = f"Default: `{_json(inner['default'])}`." if "default" in inner else ""
        row = [f"`{path}`", kind(inner, anchor), "yes" if required else "", f"{told} {default}".strip()]
        yield "| " + " | ".join(row) + " |"
    yield ""


def kind(schema: Schema, anchor: str) -> str:
    """A type with its limits, in words; a part that has a name is a link."""
    if "$ref" in schema:
        part = schema["$ref"].rpartition("/")[2]
        return f"[{part}](#{_part(anchor, part)})"
    if "const" in schema:
        return f"`{_json(schema['const'])}`"
    if "enum" in schema:
        words = "one of " if len(schema["enum"]) > 1 else ""
        return words + ", ".join(f"`{_json(one)}`" for one in schema["enum"])
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(kind(one, anchor) for one in schema[choice])
    types = schema.get("type", "any value")
    name = types if isinstance(types, str) else " or ".join(types)
    if "items" in schema and isinstance(schema["items"], Mapping) and schema["items"]:
        name += f" of {kind(schema['items'], anchor)}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        name += f", values: {kind(schema['additionalProperties'], anchor)}"
    return ", ".join([name, *_limits(schema)])


def code(text: str) -> str:
    """Text as code, whatever is in it."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _limits(schema: Schema) -> Iterator[str]:
    words = {
        "minimum": "≥ {}",
        "exclusiveMinimum": "> {}",
        "maximum": "≤ {}",
        "exclusiveMaximum": "< {}",
        "minLength": "at least {} characters",
        "maxLength": "at most {} characters",
        "minItems": "at least {}",
        "maxItems": "at most {}",
        "format": "format {}",
        "pattern": "pattern {}",
    }
    for key, text in words.items():
        if key in schema and (key, schema[key]) not in {("minLength", 1), ("minItems", 0)}:
            yield text.format(code(schema[key]) if isinstance(schema[key], str) else schema[key])
        elif key in schema and key == "minLength":
            yield "not empty"
    if schema.get("uniqueItems"):
        yield "all different"


def _walk(schema: Schema, path: str) -> Iterator[tuple[str, Schema, bool, str]]:
    """Paths of all fields below an object: schema, whether they must be there, what they mean."""
    meanings = about(schema)[1]
    for name, inner in schema.get("properties", {}).items():
        place = f"{path}{name}"
        own = about(inner)[0] if "$ref" not in inner else str(inner.get("description", ""))
        yield place, inner, name in schema.get("required", ()), escaped(meanings.get(name, own))
        for suffix, deeper in _inside(inner):
            yield from _walk(deeper, f"{place}{suffix}.")


def _inside(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The objects inside a value that have fields of their own and no name."""
    if "properties" in schema:
        yield "", schema
    for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _inside(one)
    if isinstance(schema.get("items"), Mapping):
        yield from ((f"[]{suffix}", inner) for suffix, inner in _inside(schema["items"]))
    if isinstance(schema.get("additionalProperties"), Mapping):
        free = schema["additionalProperties"]
        yield from ((f".*{suffix}", inner) for suffix, inner in _inside(free))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _fields(schema: Schema) -> bool:
    return bool(schema.get("properties"))


def _part(anchor: str, part: str) -> str:
    return f"{anchor}-{part}".lower()


def _row_schemas(registry: Path) -> Iterator[str]:
    for path in (registry / "datasets").glob("*.yaml"):
        for part in yaml.safe_load(path.read_text("utf-8")).get("parts", {}).values():
            if part.get("schema"):
                yield part["schema"]
