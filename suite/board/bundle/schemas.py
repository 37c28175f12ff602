"""Documents held against the JSON Schemas of `registry/schemas`. What is wrong never quotes the document."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from suite.chat import Json
from suite.data.registry import registry_folder
from suite.report.hostile_text import one_line


def _pattern(_: object, pattern: str, value: object, __: object) -> Iterator[ValidationError]:
    """`$` means the end, as elsewhere: in Python it may stand before a last line break."""
    if isinstance(value, str) and not re.search(re.sub(r"\$\Z", r"\\Z", pattern), value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


# A schema's integer may be written 1.0, which a hash or a seed takes for another number than 1.
_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int),
)


@cache
def validator(name: str, part: str = "") -> Draft202012Validator:
    """The schema of that file name in registry/schemas, or one of its definitions, ready to use."""
    schema = json.loads((registry_folder() / "schemas" / name).read_text("utf-8"))
    if part:
        schema = {"$schema": schema["$schema"], "$ref": f"#/$defs/{part}", "$defs": schema["$defs"]}
    found: Draft202012Validator = _Validator(schema)
    return found


def schema_errors(
    name: str, value: Json, most: int = 50, part: str = "", *, own: bool = False
) -> Iterator[tuple[str, str, Json]]:
    """(field, what is wrong, the value there) for what a schema refuses, at most `most`.

    The message names the rule that was broken and never quotes the document. own: the document is the user's
    own, so that its unknown fields may be named as what was found.
    """
    for count, error in enumerate(validator(name, part).iter_errors(value)):
        if count == most:
            return
        field = "/".join(map(str, error.absolute_path))
        found = error.instance
        brief = found[:300] if isinstance(found, str) else type(found).__name__
        if own and error.validator == "additionalProperties":
            known = error.schema.get("properties", {})
            brief = ", ".join(one_line(key, 40) for key in found if key not in known)[:300]
        shown = found if isinstance(found, int | float | None) else brief
        yield field, _rule(error.validator, error.validator_value, error.schema), shown


_WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


def _rule(rule: object, value: Any, schema: Mapping[str, Any]) -> str:
    given = value if isinstance(value, list) else [value]
    names = [one if isinstance(one, str) else json.dumps(one) for one in given]
    return str(_WORDS["rules"].get(rule, "breaks the rule {rule!r}")).format(
        rule=rule,
        value=json.dumps(value),
        listed=", ".join(names),
        kinds=" or ".join(_WORDS["kinds"].get(one, one) for one in names),
        known=", ".join(schema.get("properties", {})),
    )
