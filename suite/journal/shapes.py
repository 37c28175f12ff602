"""Types of the fields of documents and records, with what a bundle demands of them beyond their type.

The demands are told by the JSON Schemas alone (`.ci/own_schemas.py`) and held by verification; who reads a
run of his own is held to the types.
"""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from suite.chat import Json


def shaped(**schema: Json) -> Meta:
    """A demand in the words of JSON Schema."""
    return Meta(extra_json_schema=schema)


def matching(pattern: str, **more: Json) -> Meta:
    """A text of this form."""
    return shaped(pattern=f"^{pattern}$", **more)


def one_of(*values: str) -> Meta:
    """One of these texts."""
    return shaped(enum=list(values))


Values = Mapping[str, Json]  # parameters, sampling, identities: JSON values by name
Count = Annotated[int, shaped(minimum=0)]
Positive = Annotated[int, shaped(minimum=1)]
Level = Annotated[float, shaped(exclusiveMinimum=0, exclusiveMaximum=1)]
Name = Annotated[str, shaped(minLength=1, maxLength=200)]
Sha256 = Annotated[str, matching("[0-9a-f]{64}")]
CallId = Annotated[str, matching("([0-9a-f]{64}|[A-Za-z0-9+/]{43})")]  # as a line spells it
HashStart = Annotated[str, matching("([0-9a-f]{64}|[A-Za-z0-9+/]{20})")]
HashStartOrNone = Annotated[str, matching("([0-9a-f]{64}|[A-Za-z0-9+/]{20})?")]
Sha256OrNone = Annotated[str, matching("([0-9a-f]{64})?")]
CellId = Annotated[str, matching("[0-9a-f]{12}")]
TaskName = Annotated[str, matching("[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)?", maxLength=120)]
Time = Annotated[str, matching("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})", maxLength=40)]
PromptSet = Annotated[str, one_of("own", "official")]  # "" of an imported run
