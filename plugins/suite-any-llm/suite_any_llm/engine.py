"""any-llm/SERVICE/MODEL: a model of a service that the library any-llm knows, over that service's own client.

The library puts a request into the service's form and its answer into OpenAI's, which the suite reads. The
clients' retries are off, since the run tries again; what a service does not take is an error that names it.
What the library would leave out without a word is known by `services.toml`, and refused here.
"""

import asyncio
import difflib
import importlib.metadata
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import Field

import suite
from suite_any_llm.failures import failed

if TYPE_CHECKING:
    from any_llm import AnyLLM
    from any_llm.types.completion import ChatCompletionMessage, ReasoningEffort

LEAST, BELOW = (1, 40), 2  # versions of the library: what is used of it was looked at in these
EFFORTS: dict[str | int, "ReasoningEffort"] = {
    "off": "none", "on": "medium", "low": "low", "medium": "medium", "high": "high",
}  # fmt: skip


class AnyLLMOptions(suite.EngineOptions):
    """What `-o key=value` can say."""

    base_url: str = Field("", description="another address of the service (default: the library's)")
    capabilities: list[str] | str = Field("", description="what the model can do, a list")
    client: dict[str, suite.Json] = Field(
        default_factory=dict, description="arguments of the service's client, such as region_name, project"
    )
    concurrency: int | None = Field(None, ge=1, description="most requests in flight (default: adapts)")
    timeout_s: float = Field(600.0, gt=0, description="seconds until a call is given up")


@cache
def services() -> dict[str, dict[str, suite.Json]]:
    """The table of `services.toml`."""
    return tomllib.loads((files(__package__) / "services.toml").read_text("utf-8"))


def library_version() -> str:
    """The version of the library. Raises ConfigError where it is not installed, too old or too new."""
    try:
        version = importlib.metadata.version("any-llm-sdk")
    except importlib.metadata.PackageNotFoundError:
        raise suite.ConfigError(
            "any-llm/… needs the library any-llm-sdk",
            fix="pip install 'suite-any-llm[gemini]', or of another service",
        ) from None
    numbers = tuple(int(one) for one in version.split(".")[:2])
    if not LEAST <= numbers < (BELOW, 0):
        wanted = f"any-llm-sdk>={LEAST[0]}.{LEAST[1]},<{BELOW}"
        raise suite.ConfigError(
            f"any-llm-sdk {version} is not a version that is supported", fix=f"pip install '{wanted}'"
        )
    return version


class AnyLLMEngine(suite.Engine):
    """One model of one service. Raises ConfigError for a name without a service, or a capability it lacks."""

    def __init__(self, spec: suite.ModelSpec, options: AnyLLMOptions) -> None:
        super().__init__(spec)
        self._service, slash, self._model = spec.name.partition("/")
        if not slash or not self._model:
            raise suite.ConfigError(f"{spec.text} names no service", fix="write any-llm/gemini/MODEL")
        self._options = options
        self._about = {**services()["default"], **services().get(self._service, {})}
        given = options.capabilities
        asked = [one.strip() for one in given.split(",")] if isinstance(given, str) else given
        self._can = frozenset(filter(None, asked)) or frozenset(self._words("can"))
        if dropped := sorted(self._can & self._words("drops")):
            raise suite.ConfigError(
                f"{spec.text} cannot have {', '.join(dropped)}",
                "the library leaves that out of what it sends to this service, without a word",
                "leave it out of -o capabilities=…",
            )
        self._llm: AnyLLM | None = None

    def _words(self, name: str) -> frozenset[str]:
        return frozenset(cast("list[str]", self._about.get(name, ())))

    def check(self) -> None:
        """Raises ConfigError for what is missing: the library, the service's client, its key."""
        library_version()
        self._made(probe=True)

    def _made(self, *, probe: bool = False) -> "AnyLLM | None":
        """The library's client; None while planning where keys are not to be looked for."""
        from any_llm import AnyLLM, exceptions

        try:
            kind = AnyLLM.get_provider_class(self._service)
            for variable in re.findall(r"[A-Z][A-Z0-9_]{3,}", kind.ENV_API_KEY_NAME):
                suite.read_key(variable, required=False)  # it is known from here on, and shown nowhere
            if kind.MISSING_PACKAGES_ERROR is not None:
                raise kind.MISSING_PACKAGES_ERROR
            return None if probe and self._about.get("ambient") else self._created()
        except ImportError as error:
            needs = f"{self.spec.text} needs the client of {self._service}"
            fix = f"pip install 'any-llm-sdk[{self._service}]'"
            raise suite.ConfigError(needs, str(error), fix) from error
        except exceptions.UnsupportedProviderError as error:
            near = difflib.get_close_matches(self._service, AnyLLM.get_supported_providers(), 3)
            meant = f"did you mean {' or '.join(near)}?" if near else "the library's pages list its services"
            raise suite.NotFound(f"any-llm knows no service {self._service!r}", fix=meant) from error
        except exceptions.MissingApiKeyError as error:
            names = error.env_var_name.replace("/", " or ")
            raise suite.ConfigError(f"{self.spec.text} needs a key", fix=f"export {names}=…") from error
        except (exceptions.AnyLLMError, TypeError, ValueError) as error:
            raise suite.ConfigError(f"{self.spec.text} cannot be asked", str(error)) from error

    def _created(self) -> "AnyLLM":
        """The client with its own retries off, as far as it can be told so."""
        from any_llm import AnyLLM, exceptions

        given: dict[str, Any] = {"api_base": self._options.base_url or None, **self._options.client}
        if self._about.get("retries") == "botocore":
            from botocore.config import Config

            given["config"] = Config(retries={"total_max_attempts": 1, "mode": "standard"})
            return AnyLLM.create(self._service, unified_exceptions=True, **given)
        try:
            return AnyLLM.create(self._service, unified_exceptions=True, max_retries=0, **given)
        except exceptions.UnsupportedParameterError as error:
            if error.parameter_name != "max_retries":
                raise
            return AnyLLM.create(self._service, unified_exceptions=True, **given)

    def capabilities(self) -> frozenset[str]:
        """Those of the service by `services.toml`, unless declared."""
        return self._can

    def identity(self) -> Mapping[str, suite.Json]:
        options = self._options.model_dump(mode="json", include={"client"}, exclude_defaults=True)
        told: dict[str, suite.Json] = {
            "provider": self.spec.provider, "name": self.spec.name, "engine": "any-llm-sdk",
            "engine_version": library_version(), "deterministic": False,
        }  # fmt: skip
        if self._options.base_url:
            told["url"] = self._options.base_url
        return {**told, "options": options} if options else told

    def known_by(self) -> Literal["told", "nothing"]:
        """By what the service tells with each reply; what runs here or at another address by nothing."""
        return "nothing" if self._options.base_url or self._about.get("local") else "told"

    def thinks(self, thinking: str | int) -> str:
        return "" if thinking in EFFORTS else "the library takes words, and no number of tokens"

    def limits(self) -> Mapping[str, int]:
        return {} if self._options.concurrency is None else {"concurrency": self._options.concurrency}

    async def start(self, surroundings: suite.Surroundings) -> None:
        """Make the client. Raises ConfigError."""
        library_version()
        self._llm = self._made()
        known = self._llm is None or self._llm.MAX_RETRIES_SUPPORT != "unsupported"
        if not known and "retries" not in self._about:
            surroundings.note(
                "retries", f"the client of {self._service} may retry by itself: nothing says how often"
            )

    async def call(self, request: suite.Request, asking: suite.Asking) -> suite.Reply:
        """Answer one request. Raises CallFailed."""
        suite.check_needs(request, self._can, self.spec.text)
        llm = self._started(self._llm)
        sent = self._fields(request, asking)
        if llm.TIMEOUT_SUPPORT != "unsupported":
            sent["timeout"] = self._options.timeout_s + 5  # ours is the first to end it
        messages: list[dict[str, Any] | ChatCompletionMessage] = [
            *map(suite.openai_message, request.messages)
        ]
        try:
            async with asyncio.timeout(self._options.timeout_s):
                reply = await llm.acompletion(self._model, messages, stream=None, **sent)
        except TimeoutError as error:
            after = f"no reply within {self._options.timeout_s:g} s"
            raise suite.CallFailed("timeout", after, retryable=True) from error
        except Exception as error:  # a client of a third party's: anything may come out
            return failed(error, request.options.max_tokens)
        if (
            not reply.choices and reply.usage and reply.usage.prompt_tokens
        ):  # so it tells an answer of no parts
            return suite.Reply(
                "", "empty", suite.Usage(reply.usage.prompt_tokens, reply.usage.completion_tokens)
            )
        body = reply.model_dump_json().encode()
        return suite.without_keys(suite.read_reply(body, options=request.options))

    def _fields(self, request: suite.Request, asking: suite.Asking) -> dict[str, Any]:
        """What goes beside the messages, in OpenAI's words."""
        options = request.options
        fields: dict[str, Any] = {  # the library has types for them
            "temperature": options.temperature, "top_p": options.top_p, "max_tokens": options.max_tokens,
            "stop": list(options.stop) or None, "seed": asking.seed if "seed" in self._can else None,
            "tool_choice": options.tool_choice and suite.openai_choice(options.tool_choice),
        }  # fmt: skip
        if options.tool_choice not in (None, "auto", "required") and "tool_choice" in self._words("drops"):
            told = f"tool_choice {options.tool_choice!r} would not be sent to {self._service}"
            raise suite.CallFailed("unsupported", told, retryable=False)
        if options.logprobs is not None:
            fields |= {"logprobs": True, "top_logprobs": options.logprobs}
        if options.json_schema is not None:
            schema = {"name": "answer", "schema": options.json_schema}
            fields["response_format"] = {"type": "json_schema", "json_schema": schema}
        if request.tools:
            fields["tools"] = [suite.openai_tool(one) for one in request.tools]
        if options.thinking is not None:
            fields["reasoning_effort"] = EFFORTS[options.thinking]
        return {name: value for name, value in fields.items() if value is not None}

    async def close(self) -> None:
        llm, self._llm = self._llm, None
        client = getattr(llm, "client", None)
        for holder, name in ((client, "close"), (getattr(client, "aio", None), "aclose")):
            done = getattr(holder, name, None)
            found = done() if callable(done) else None
            if asyncio.iscoroutine(found):
                await found


provider = suite.EngineProvider(AnyLLMOptions, AnyLLMEngine)
provider.case = "suite_any_llm.case:CASE"
