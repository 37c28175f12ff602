"""Model specs: `provider/name` plus engine options, as a person writes them.

`vllm/Qwen/Qwen3-8B`, `openai/gpt-x`, `embedded/smollm2-135m`, `replay/RUN?role=judge`, `scripted/FILE`.
Options come from `-o key=value` (the candidate's) or `-o ROLE.key=value`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from suite.chat import Json, text_of
from suite.errors import ConfigError
from suite.models.thinking import check_template, read_thinking
from suite.secrets import looks_secret, secret_in_url, secret_place

_LOGIN = re.compile(r"(?<=://)[^/?#]*@")
# Options that shape an answer or how it is read, whoever gives it; all others are the engine's own.
SAMPLING = ("temperature", "top_p", "max_tokens", "stop", "template", "thinking", "reasoning_tags")
_KINDS: dict[str, tuple[Any, str]] = {  # what a request can hold; null leaves it open
    "temperature": (Annotated[float, Meta(ge=0, le=100)] | None, "number from 0 to 100"),
    "top_p": (Annotated[float, Meta(ge=0, le=1)] | None, "number from 0 to 1"),
    "max_tokens": (Annotated[int, Meta(ge=1, le=2**31)] | None, "whole number from 1"),
    "stop": (str | list[str] | None, "text, or list of texts"),
    "template": (dict[str, Any] | None, "object of switches"),
}


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """How a role is filled. `options` are the engine's, `sampling` overrides the task's request options
    (and says by `reasoning_tags` what in a reply is reasoning)."""

    provider: str
    name: str
    options: Mapping[str, Json] = field(default_factory=dict)
    sampling: Mapping[str, Json] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """`provider/name`, as written."""
        return f"{self.provider}/{self.name}"

    def engine_key(self) -> str:
        """Two specs with this key share one engine: sampling overrides do not need another."""
        return json.dumps([self.provider, self.name, sorted(self.options.items())], default=str)


def parse_spec(text: str, options: Iterable[tuple[str, str]] = ()) -> ModelSpec:
    """Parse `provider/name`; option values are JSON where they parse as it, else text. Raises ConfigError."""
    provider, slash, name = text.partition("/")
    if not slash or not provider or not name:
        raise ConfigError.of("models.spec.shape", text=text)
    values = {key: parse_value(value) for key, value in options}
    _refuse_secrets(name, values)
    sampling = {key: values.pop(key) for key in SAMPLING if key in values}
    if "thinking" in sampling:
        thinking = sampling["thinking"] = read_thinking(sampling["thinking"])
        check_template(sampling.get("template"), thinking)
    for key, (kind, called) in _KINDS.items():
        try:
            msgspec.convert(sampling.get(key), kind)
        except msgspec.ValidationError as error:
            raise ConfigError.of("models.spec.value", key=key, value=sampling[key], called=called) from error
    return ModelSpec(provider, name, values, sampling)


def _refuse_secrets(name: str, options: Mapping[str, Json]) -> None:
    """Raises ConfigError for what says that it is secret: options are recorded and shown."""
    found = [secret_place(dict(parse_qsl(name.partition("?")[2]))), secret_in_url(name)]
    for key, value in options.items():
        text = text_of(value)
        if key in ("base_url", "url"):  # a login is taken out of these and never recorded
            text = _LOGIN.sub("", text)
            found += map(secret_in_url, text.split(","))
        else:
            found.append(secret_place(value, key))
        found.append(key if looks_secret(text) and not key.endswith("_env") else "")  # of those: `read_key`
    if told := next(filter(None, found), None):
        raise ConfigError.of("models.spec.secret", told=told)


def parse_value(text: str) -> Json:
    """A JSON value if the text is one, else the text itself."""
    with suppress(ValueError, RecursionError):
        value: Json = json.loads(text)
        return value
    return text
