"""Engine options: one frozen pydantic model a provider, read from a spec before anything starts.

Options come from `-o key=value` and, for providers whose names are not Hub names, from a query at the
end of the name (`replay/RUN?role=judge`). An unknown or malformed option is an error that names it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Generic, TypeVar
from urllib.parse import parse_qsl

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from suite.chat import Json, Request
from suite.errors import CallFailed, ConfigError, unknown
from suite.models.connection import REPLY_MIB
from suite.models.engine import Engine, Provider
from suite.models.spec import ModelSpec, parse_value
from suite.models.tables import Pattern

CAPABILITIES = ("chat", "complete", "logprobs", "prompt_logprobs", "seed", "json_schema", "tools", "rate",
                "rank", "continue_final", "template")  # fmt: skip
LATER = frozenset({"continue_final", "template"})  # what older records do not tell
PROMPTED = LATER | {"chat", "complete"}  # where the chat template is at hand


class EngineOptions(BaseModel):
    """Base of a provider's options: frozen, unknown keys forbidden, every field described."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


def _some_words(pattern: str) -> str:
    if pattern and re.search(pattern, ""):
        raise ValueError(f"{pattern!r} fits every message: name words of the message")
    return pattern


Words = Annotated[Pattern, AfterValidator(_some_words)]


class ServerOptions(EngineOptions):
    """What can be said of every server that is asked over HTTP."""

    concurrency: int | None = Field(None, ge=1, description="most requests in flight (default: adapts)")
    timeout_s: float = Field(600.0, gt=0, description="seconds until a call is given up")
    reply_mib: float = Field(REPLY_MIB, gt=0, description="most MiB of a reply, after decompression")
    label: int | None = Field(None, ge=0, description="rate: which of several labels is the reward")
    weights: tuple[float, ...] = Field((), description="rate: weights of several labels")
    identity: str = Field("", min_length=1)
    """the name of the model there, if you vouch for it: replies are used again"""
    overflow_says: Words = Field("", description="pattern: a refusal in these words is the prompt's overflow")
    refused_says: Words = Field("", description="pattern: a refusal in these words is a filter's")


OptionsT = TypeVar("OptionsT", bound=EngineOptions)


def describe(kind: type[EngineOptions]) -> dict[str, str]:
    """Option name -> its one line of help, as `Provider.options` wants it."""
    return {name: field.description or "" for name, field in kind.model_fields.items()}


def read_options(kind: type[OptionsT], spec: ModelSpec, values: Mapping[str, Json] | None = None) -> OptionsT:
    """The options of a spec, checked. values: in place of its own. Raises NotFound, ConfigError."""
    given = dict(spec.options if values is None else values)
    for name in given:
        if name == "reproducible" and name not in kind.model_fields:
            raise ConfigError.of("models.options.reproducible", spec=spec)
        if name not in kind.model_fields:
            raise unknown("option", name, kind.model_fields, f"of provider {spec.provider!r}")
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "options"
        said = f"option {where!r} of {spec.text}: {first['msg'].removeprefix('Value error, ')}"
        fix = f"{where}: {describe(kind).get(where, 'see the provider page')}"
        raise ConfigError(said, fix=fix) from error


class EngineProvider(Provider, Generic[OptionsT]):
    """Makes engines of a spec and its options. query: a name may end in `?key=value`; given ones win."""

    def __init__(
        self, kind: type[OptionsT], made: Callable[[ModelSpec, OptionsT], Engine], *, query: bool = False
    ) -> None:
        self.options = describe(kind)
        self._kind, self._made, self._query = kind, made, query

    def engine(self, spec: ModelSpec) -> Engine:
        """Raises NotFound or ConfigError for an option, and what the engine has to say of its name."""
        query = spec.name.partition("?")[2] if self._query else ""
        found = {key: parse_value(value) for key, value in parse_qsl(query, keep_blank_values=True)}
        return self._made(spec, read_options(self._kind, spec, {**found, **spec.options}))


def split_names(value: str | Iterable[str]) -> frozenset[str]:
    """Capability names from a list or a comma-separated text. Raises NotFound for an unknown one."""
    names = value.split(",") if isinstance(value, str) else list(value)
    for name in names:
        if name not in CAPABILITIES:
            raise unknown("capability", name, CAPABILITIES)
    return frozenset(names)


def needed(request: Request) -> frozenset[str]:
    """The capabilities that a request makes use of."""
    options = request.options
    used = {
        "prompt_logprobs" if request.kind == "logprobs" else request.kind: True,
        "logprobs": options.logprobs is not None,
        "json_schema": options.json_schema is not None,
        "tools": bool(request.tools),
        "continue_final": options.continue_final,
        "template": bool(options.template) and request.kind == "chat",
    }
    return frozenset(name for name, uses in used.items() if uses)


def recorded_capabilities(names: Iterable[str] | None) -> frozenset[str]:
    """Those of a recorded model: what it was asked for is recorded, whether or not its run could tell."""
    found = frozenset(names or ())
    return found | LATER if "chat" in found else found


def check_needs(request: Request, capabilities: frozenset[str], name: str) -> None:
    """Raises CallFailed (not retryable) if a request asks for what an engine cannot do."""
    missing = needed(request) - capabilities
    if missing:
        raise CallFailed("unsupported", f"{name} has no {', '.join(sorted(missing))}", retryable=False)
