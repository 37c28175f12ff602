"""How much a model is to think before it answers: one option, in the fields of each kind of server.

`thinking` is on, off, low, medium, high, or a number of tokens. It is part of a request, so of its hash. What
a server has no field for is refused when planning; what a model does not take, by the server's own words.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import cast
from urllib.parse import urlsplit

from pydantic import Field

from suite.chat import Json
from suite.data.entry import Strict
from suite.errors import ConfigError
from suite.models.tables import read_rows

LEVELS = ("on", "off", "low", "medium", "high")
_EFFORTS = ("low", "medium", "high")
_SWITCHES = ("enable_thinking", "thinking")  # what chat templates call it
THINKING_FIELDS = frozenset(
    {"reasoning_effort", "reasoning", "thinking", "thinking_token_budget", "thinking_budget_tokens"}
)


class ServerKind(Strict):
    """A kind of server. hosts: of a service that is known by its address. dialect: fields of `wire.Dialect`.

    can: capabilities of its endpoints beyond those that all have, unless they are said to do otherwise.
    neutral: values sent to it where a request leaves them open.
    thinking: fields of a chat by how much to think; N stands for the number of tokens. least: the fewest.
    server: where it is and how it is run. tells: what routes beside /v1 tell, as Jinja expressions.
    """

    name: str
    can: frozenset[str]
    neutral: dict[str, float | int] = Field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    dialect: dict[str, Json] = Field(default_factory=dict)
    thinking: dict[str, dict[str, Json]]
    least: int = 1
    server: dict[str, str] = Field(default_factory=dict)
    tells: dict[str, dict[str, str]] = Field(default_factory=dict)


@lru_cache(maxsize=1)
def server_kinds() -> dict[str, ServerKind]:
    """The table by name. No plugin adds to it, since each dialect is spoken by code here."""
    return {kind.name: kind for _, kind in read_rows(ServerKind, "server_kinds.yaml", "server kinds")}


def read_thinking(value: object) -> str | int:
    """A value of the option. Raises ConfigError."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int) and 0 < value < 2**31:
        return value
    text = str(value).strip().lower()
    if text in LEVELS:
        return text
    raise ConfigError.of("models.thinking.level", value=value, levels=", ".join(LEVELS))


def check_template(template: object, thinking: str | int) -> None:
    """Raises ConfigError if switches of the template say how to think, too."""
    for name in (*_SWITCHES, "reasoning_effort"):
        if isinstance(template, dict) and name in template:
            same = f"thinking={thinking} and {name} of the template say the same"
            raise ConfigError(same, fix="leave one of them out")


def server_kind(dialect: str, url: str) -> str:
    """The row of the table for an endpoint: its dialect, or a service known by its host."""
    host = f".{urlsplit(url).hostname or ''}"
    known = (
        name for name, kind in server_kinds().items() if any(host.endswith(f".{one}") for one in kind.hosts)
    )
    return next(known, dialect) if dialect == "openai" else dialect


def thinking_fields(kind: str, thinking: str | int) -> dict[str, Json]:
    """What is added to the body of a chat. Raises ConfigError for what such a server has no field for."""
    row = server_kinds().get(kind)
    found = row.thinking.get("N" if isinstance(thinking, int) else thinking) if row else None
    if row is None or found is None:
        raise ConfigError.of("models.thinking.no-field", kind=kind, thinking=thinking)
    if isinstance(thinking, int) and thinking < row.least:
        raise ConfigError(f"thinking={thinking}: a server of this kind takes {row.least} tokens or more")
    return {name: _with_tokens(value, thinking) for name, value in found.items()}


def _with_tokens(value: Json, tokens: str | int) -> Json:
    """A value of the table with the number of tokens in the place of N."""
    if isinstance(value, dict):
        return {name: _with_tokens(one, tokens) for name, one in value.items()}
    return tokens if value == "N" else value


def why_not(kind: str, thinking: str | int) -> str:
    """Why a kind of server cannot be told so, "" if it can."""
    try:
        thinking_fields(kind, thinking)
    except ConfigError as error:
        return error.what
    return ""


def template_switches(thinking: str | int | None, template: Json) -> dict[str, Json]:
    """The switches for a chat template that is rendered in this process. template: an object, or none."""
    given = cast("Mapping[str, Json]", template or {})  # nothing else is taken when the option is read
    if thinking is None:
        return dict(given)
    effort = {"reasoning_effort": thinking} if thinking in _EFFORTS else {}
    return {**given, **dict.fromkeys(_SWITCHES, thinking != "off"), **effort}


def template_lacks(template: str, thinking: str | int) -> str:
    """Why a chat template cannot follow the option, "" if it can."""
    names = ("reasoning_effort",) if thinking in _EFFORTS else _SWITCHES
    if any(re.search(rf"\b{name}\b", template) for name in names):
        return ""
    return f"its chat template has no {' and no '.join(names)}"
