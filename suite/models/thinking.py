"""How much a model is to think before it answers: one option, in the fields of each kind of server.

`thinking` is on, off, low, medium, high, or a number of tokens. It is part of a request, so of its hash. What
a server has no field for is refused when planning; what a model does not take, by the server's own words.
"""

import re
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

from suite.chat import Json
from suite.errors import ConfigError

LEVELS = ("on", "off", "low", "medium", "high")
_EFFORTS = ("low", "medium", "high")
# Tokens for a word, where a server takes tokens only: those of Google's page on OpenAI compatibility.
_TOKENS = {"low": 1024, "medium": 8192, "on": 8192, "high": 24576}
_SWITCHES = ("enable_thinking", "thinking")  # what chat templates call it
_LEAST_ANTHROPIC = 1024
_BUDGETS = {"vllm": "thinking_token_budget", "llamacpp": "thinking_budget_tokens"}
THINKING_FIELDS = ("reasoning_effort", "reasoning", "thinking", *_BUDGETS.values())
_HOSTS = {"anthropic.com": "anthropic", "googleapis.com": "gemini", "openrouter.ai": "openrouter"}


def read_thinking(value: object) -> str | int:
    """A value of the option. Raises ConfigError."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int) and 0 < value < 2**31:
        return value
    text = str(value).strip().lower()
    if text in LEVELS:
        return text
    raise ConfigError(
        f"thinking={value!r} is no way to think",
        fix=f"{', '.join(LEVELS)}, or the most tokens of thinking, such as 4096",
    )


def check_template(template: object, thinking: str | int) -> None:
    """Raises ConfigError if switches of the template say how to think, too."""
    for name in (*_SWITCHES, "reasoning_effort"):
        if isinstance(template, dict) and name in template:
            same = f"thinking={thinking} and {name} of the template say the same"
            raise ConfigError(same, fix="leave one of them out")


def server_kind(dialect: str, url: str) -> str:
    """The row of the table for an endpoint: its dialect, or a service known by its host."""
    host = urlsplit(url).hostname or ""
    known = (kind for end, kind in _HOSTS.items() if host == end or host.endswith(f".{end}"))
    return next(known, dialect) if dialect == "openai" else dialect


def thinking_fields(kind: str, thinking: str | int) -> dict[str, Json]:
    """What is added to the body of a chat. Raises ConfigError for what such a server has no field for."""
    match kind:
        case "vllm" | "sglang" | "llamacpp":
            found = _by_template(kind, thinking)
        case "anthropic":
            found = _anthropic(thinking)
        case "openrouter" if isinstance(thinking, int):
            found = {"reasoning": {"max_tokens": thinking}}
        case "openrouter":
            by_word = {"effort": thinking} if thinking in _EFFORTS else {"enabled": thinking == "on"}
            found = {"reasoning": by_word}
        case "gemini" if isinstance(thinking, int):
            found = {"extra_body": {"google": {"thinking_config": {"thinking_budget": thinking}}}}
        case "litellm" if isinstance(thinking, int):
            found = _anthropic(thinking)
        case "openai" | "azure" | "gemini" | "litellm" | "ollama" if isinstance(thinking, str):
            found = {"reasoning_effort": {"off": "none", "on": "medium"}.get(thinking, thinking)}
        case _:
            found = {}
    if not found:
        raise ConfigError(
            f"a server of the kind {kind} has no field for thinking={thinking}",
            fix="see the table of docs/models.md; fields of a server's own go into -o extra_body='{…}'",
        )
    return found


def why_not(kind: str, thinking: str | int) -> str:
    """Why a kind of server cannot be told so, "" if it can."""
    try:
        thinking_fields(kind, thinking)
    except ConfigError as error:
        return error.what
    return ""


def _by_template(kind: str, thinking: str | int) -> dict[str, Json]:
    """Switches of chat templates go by two names; what a template does not know does nothing."""
    switches: dict[str, Json] = {**dict.fromkeys(_SWITCHES, thinking != "off")}
    found: dict[str, Json] = {"chat_template_kwargs": switches}
    if isinstance(thinking, int):
        return {**found, _BUDGETS[kind]: thinking} if kind in _BUDGETS else {}
    if thinking in _EFFORTS:
        (switches if kind == "llamacpp" else found)["reasoning_effort"] = thinking
    return found


def template_switches(thinking: str | int | None, template: Json) -> dict[str, Json]:
    """The switches for a chat template that is rendered in this process. template: an object, or none."""
    given = cast("Mapping[str, Json]", template or {})  # nothing else is taken when the option is read
    if thinking is None:
        return dict(given)
    effort = {"reasoning_effort": thinking} if thinking in _EFFORTS else {}
    return {**given, **dict.fromkeys(_SWITCHES, thinking != "off"), **effort}


def _anthropic(thinking: str | int) -> dict[str, Json]:
    if thinking == "off":
        return {"thinking": {"type": "disabled"}}
    tokens = thinking if isinstance(thinking, int) else _TOKENS[thinking]
    if tokens < _LEAST_ANTHROPIC:
        raise ConfigError(f"thinking={tokens}: a server of this kind takes {_LEAST_ANTHROPIC} tokens or more")
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}


def template_lacks(template: str, thinking: str | int) -> str:
    """Why a chat template cannot follow the option, "" if it can."""
    names = ("reasoning_effort",) if thinking in _EFFORTS else _SWITCHES
    if any(re.search(rf"\b{name}\b", template) for name in names):
        return ""
    return f"its chat template has no {' and no '.join(names)}"


def merged(fields: Mapping[str, Json], body: dict[str, object]) -> None:
    """Put the fields into a body; switches of the template over those that it has."""
    for name, value in fields.items():
        have = body.get(name)
        body[name] = {**have, **value} if isinstance(value, dict) and isinstance(have, dict) else value
