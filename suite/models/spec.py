"""Model specs: `provider/name` plus engine options, as a person writes them.

`vllm/Qwen/Qwen3-8B`, `openai/gpt-x`, `embedded/smollm2-135m`, `replay/RUN?role=judge`, `scripted/FILE`.
Options come from `-o key=value` (the candidate's) or `-o ROLE.key=value`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from suite.errors import ConfigError

# Options that shape an answer or how it is read, whoever gives it; all others are the engine's own.
SAMPLING = ("temperature", "top_p", "max_tokens", "stop", "template", "reasoning_tags")


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """How a role is filled. `options` are the engine's, `sampling` overrides the task's request options
    (and says by `reasoning_tags` what in a reply is reasoning)."""

    provider: str
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)

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
    sampling = {key: values.pop(key) for key in SAMPLING if key in values}
    return ModelSpec(provider, name, values, sampling)


def parse_value(text: str) -> Any:
    """A JSON value if the text is one, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
