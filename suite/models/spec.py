"""Model specs: `provider/name` plus engine options, as a person writes them.

`vllm/Qwen/Qwen3-8B`, `openai/gpt-x`, `embedded/smollm2-135m`, `replay/RUN?role=judge`, `scripted/FILE`.
Options come from `-o key=value` (the candidate's) or `-o ROLE.key=value`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from suite.chat import Json
from suite.errors import ConfigError
from suite.models.thinking import check_template, read_thinking
from suite.secrets import secret_in_url, secret_place

_LOGIN = re.compile(r"(?<=://)[^/?#]*@")
# Options that shape an answer or how it is read, whoever gives it; all others are the engine's own.
SAMPLING = ("temperature", "top_p", "max_tokens", "stop", "template", "thinking", "reasoning_tags")
_RANGES: dict[str, tuple[tuple[type[float], ...], float, float, str]] = {
    "temperature": ((int, float), 0, 100, "number from 0 to 100"),
    "top_p": ((int, float), 0, 1, "number from 0 to 1"),
    "max_tokens": ((int,), 1, 2**31, "whole number from 1"),
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
    """Parse `provider/name`; option values are JSON where they parse as JSON, else text.

    Raises ConfigError if the text has no provider or no name.
    """
    provider, slash, name = text.partition("/")
    if not slash or not provider or not name:
        raise ConfigError(
            f"{text!r} is not a model spec",
            fix="write provider/name, for example embedded/smollm2-135m, vllm/Qwen/Qwen3-8B, openai/gpt-x",
        )
    values = {key: parse_value(value) for key, value in options}
    _refuse_secrets(name, values)
    sampling = {key: values.pop(key) for key in SAMPLING if key in values}
    if "thinking" in sampling:
        thinking = sampling["thinking"] = read_thinking(sampling["thinking"])
        check_template(sampling.get("template"), thinking)
    _check_sampling(sampling)
    return ModelSpec(provider, name, values, sampling)


def _check_sampling(sampling: Mapping[str, Json]) -> None:
    """Raises ConfigError for a value that no request could hold. NaN is in no range; null leaves it open."""
    for name, value in sampling.items():
        if name == "stop":
            texts = value if isinstance(value, list) else [value]
            fits, kind = all(isinstance(one, str) for one in texts), "text, or list of texts"
        elif name == "template":
            fits, kind = isinstance(value, dict), "object of switches"
        elif name in _RANGES:
            types, low, high, kind = _RANGES[name]
            fits = isinstance(value, types) and not isinstance(value, bool) and low <= value <= high
        else:
            continue
        if value is not None and not fits:
            raise ConfigError(f"{name}={value!r} is no {kind}", fix=f"{name}=null leaves it to the server")


def _refuse_secrets(name: str, options: Mapping[str, Json]) -> None:
    """Raises ConfigError for what says that it is secret: options are recorded and shown."""
    found = [secret_place(dict(parse_qsl(name.partition("?")[2]))), secret_in_url(name)]
    for key, value in options.items():
        if key in ("base_url", "url"):  # a login is taken out of these and never recorded
            found.append(secret_in_url(_LOGIN.sub("", str(value))))
        else:
            found.append(secret_place(value, key))
    if told := next(filter(None, found), None):
        raise ConfigError(
            f"{told} looks like a secret, and options are recorded",
            fix="name an environment variable that holds it: -o api_key_env=NAME, "
            'or -o headers_env={"HEADER": "NAME"}',
        )


def parse_value(text: str) -> Json:
    """A JSON value if the text is one, else the text itself."""
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value
