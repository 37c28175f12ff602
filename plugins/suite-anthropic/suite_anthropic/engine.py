"""anthropic/MODEL: Claude by Anthropic's library. Its retries are off, since the run tries again."""

import importlib.metadata
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import msgspec
from pydantic import Field

import suite
from suite_anthropic.replies import STATUSES, read_answer
from suite_anthropic.requests import WRAPPED, Block, Body, body_of, traits_of, why_not

if TYPE_CHECKING:
    from anthropic import APIStatusError, AsyncAnthropic

OLDEST = 2  # major version of the library
INSTALL = f"pip install 'anthropic>={OLDEST}'"
URL = "https://api.anthropic.com"
STREAMED = (
    8192  # tokens of an answer from which on it is streamed: it takes minutes, and idle connections end
)
USUAL_MOST = 4096  # tokens of an answer where nobody says, and the API does not tell the model's most


class AnthropicOptions(suite.EngineOptions):
    """Options of one model."""

    base_url: str = ""
    """address of the API or of a gateway that speaks it (default: ANTHROPIC_BASE_URL, else Anthropic's)"""
    api_key_env: str = "ANTHROPIC_API_KEY"
    """environment variable that holds the key"""
    cache: bool = True
    """mark the part of a prompt that calls share for the prompt cache"""
    prefill: bool | None = None
    """whether it continues a turn that is begun (default: by its name)"""
    stream: bool | None = None
    """ask for streams (default: for answers of more than 8,192 tokens)"""
    concurrency: int | None = Field(None, ge=1)
    """most requests in flight (default: adapts)"""
    timeout_s: float = Field(600.0, gt=0)
    """seconds until a call is given up"""


class _Thoughts(msgspec.Struct):
    """Thinking that led to tool calls. call: id of the first."""

    call: str
    blocks: list[Block]


class _Card(msgspec.Struct):
    """What the API tells of a model."""

    max_input_tokens: int | None = None
    max_tokens: int | None = None
    retires_at: str | None = None


class AnthropicEngine(suite.Engine):
    """One model. Raises ConfigError for a bad address."""

    def __init__(self, spec: suite.ModelSpec, options: AnthropicOptions) -> None:
        super().__init__(spec)
        self._options = options
        self._traits = traits_of(spec.name)
        url = options.base_url or os.environ.get("ANTHROPIC_BASE_URL", "") or URL
        self._url = url.rstrip("/").removesuffix("/v1")
        parts = urlsplit(self._url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query:
            raise suite.ConfigError("base_url is no plain http or https URL", fix=f"for example {URL}")
        self._hosted = parts.hostname == urlsplit(URL).hostname
        self._client: AsyncAnthropic | None = None
        self._card = _Card()
        self._thoughts: dict[str, list[Block]] = {}
        self._kept: Path | None = None  # where thoughts are kept, since a run may go on after an interruption

    def check(self) -> None:
        try:
            version = importlib.metadata.version("anthropic")
        except importlib.metadata.PackageNotFoundError:
            raise suite.ConfigError("the library anthropic is not installed", fix=INSTALL) from None
        if int(version.partition(".")[0]) < OLDEST:
            raise suite.ConfigError(f"the library anthropic {version} is too old", fix=INSTALL)
        suite.read_key(self._options.api_key_env, required=True)

    def capabilities(self) -> frozenset[str]:
        prefills = self._traits.prefill if self._options.prefill is None else self._options.prefill
        return frozenset({"chat", "tools", "json_schema"} | ({"continue_final"} if prefills else set()))

    def identity(self) -> Mapping[str, suite.Json]:
        return {
            "provider": self.spec.provider, "name": self.spec.name, "url": self._url, "deterministic": False,
        }  # fmt: skip

    def known_by(self) -> Literal["content", "told", "nothing"]:
        """By its name, at Anthropic; behind a gateway anything may have it."""
        return "told" if self._hosted else "nothing"

    def thinks(self, thinking: str | int) -> str:
        return why_not(self._traits, thinking)

    def settings(self) -> Mapping[str, suite.Json]:
        return {"context_length": self._card.max_input_tokens}

    def limits(self) -> Mapping[str, int]:
        found = {"concurrency": self._options.concurrency, "window": self._card.max_input_tokens}
        return {name: value for name, value in found.items() if value}

    async def start(self, surroundings: suite.Surroundings) -> None:
        """Make the client, and ask once for the model: is it there, its window, its longest answer."""
        self.check()
        from anthropic import APIConnectionError, APIStatusError, AsyncAnthropic

        surroundings.say(f"{self.spec.text} at {self._url}")
        if surroundings.logs is not None:
            self._kept = surroundings.logs / f"anthropic-thinking-{self.spec.name.replace('/', '-')}.jsonl"
            lines = self._kept.read_bytes().splitlines() if self._kept.is_file() else []
            kept = [msgspec.json.decode(line, type=_Thoughts) for line in lines]
            self._thoughts = {one.call: one.blocks for one in kept}
        # the library's own, which would stand in the middle of the progress; the API tells of them, too
        warnings.filterwarnings("ignore", message="The model '.*' is deprecated|Using Claude with")
        key = suite.read_key(self._options.api_key_env, required=True)
        self._client = AsyncAnthropic(
            api_key=key, base_url=self._url, timeout=self._options.timeout_s, max_retries=0
        )
        try:
            told = await self._client.models.with_raw_response.retrieve(self.spec.name)
            self._card = msgspec.json.decode(told.http_response.content, type=_Card)
            if self._card.retires_at:
                surroundings.note("deprecated", f"{self.spec.name} retires at {self._card.retires_at}")
        except APIStatusError as error:
            wrong = {401: "key", 403: "key", **({404: "model"} if self._hosted else {})}.get(
                error.status_code
            )
            if wrong:
                await self.close()
                fix = f"the key comes from {self._options.api_key_env}" if wrong == "key" else ""
                raise suite.SuiteError(
                    f"{self.spec.text}: the {wrong} is refused: {error}", fix=fix
                ) from error
        except APIConnectionError as error:
            await self.close()
            why = f"{self._url} cannot be reached: {error.__cause__ or error}"
            raise suite.SuiteError(f"{self.spec.text}: {why}") from error
        except msgspec.DecodeError:
            pass  # a gateway that knows no models

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def call(self, request: suite.Request, asking: suite.Asking) -> suite.Reply:  # noqa: ARG002
        suite.check_needs(request, self.capabilities(), self.spec.text)
        schema, wrapped = _schema(request.options.json_schema)
        body, beyond = body_of(request, self._traits, self._thoughts, schema, marks=self._options.cache)
        most = request.options.max_tokens or self._card.max_tokens or USUAL_MOST
        found = await self._sent({**body, "model": self.spec.name, "max_tokens": most}, beyond)
        if isinstance(found, suite.Reply):
            return found
        answered = read_answer(found, wrapped=wrapped)
        if answered.thoughts and answered.reply.tool_calls:
            self._keep(_Thoughts(answered.reply.tool_calls[0].id, answered.thoughts))
        return answered.reply

    async def _sent(self, body: Body, beyond: Body) -> bytes | suite.Reply:
        """The message that comes back, or the reply that an error is. Raises CallFailed."""
        client = self._started(self._client)
        from anthropic import APIConnectionError, APIStatusError, APITimeoutError
        from httpx2 import HTTPError

        most = body["max_tokens"]
        streams = (
            most > STREAMED
            if self._options.stream is None and isinstance(most, int)
            else self._options.stream
        )
        try:
            if not streams:
                raw = await client.messages.with_raw_response.create(**body, extra_body=beyond)
                return bytes(raw.http_response.content)
            async with client.messages.stream(**body, extra_body=beyond) as stream:
                return bytes((await stream.get_final_message()).to_json(indent=None).encode())
        except APITimeoutError as error:
            after = f"no full reply within {self._options.timeout_s:g} s"
            raise suite.CallFailed("timeout", after, retryable=True) from error
        except (APIConnectionError, HTTPError) as error:
            raise suite.CallFailed("connect", str(error.__cause__ or error), retryable=True) from error
        except APIStatusError as error:
            return _refused(error, most if isinstance(most, int) else None)
        except (
            AssertionError,
            ValueError,
            LookupError,
            TypeError,
        ) as error:  # the library, of a broken stream
            raise suite.CallFailed("bad-shape", f"unreadable: {error!r}", retryable=True) from error

    def _keep(self, thoughts: _Thoughts) -> None:
        """Thinking has to go back with the results of its tools, also after an interruption."""
        self._thoughts[thoughts.call] = thoughts.blocks
        if self._kept is not None:
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            with self._kept.open("ab") as file:
                file.write(msgspec.json.encode(thoughts) + b"\n")


def _refused(error: "APIStatusError", most: int | None) -> suite.Reply:
    """The reply where the candidate failed. Raises CallFailed for everything else."""
    status = error.status_code
    if status == 200:  # in the middle of a stream
        status = STATUSES.get(str(error.type), 500)
    body = error.body.encode() if isinstance(error.body, str) else msgspec.json.encode(error.body)
    return suite.refused_reply(status, error.response.headers, body, asked=most)


def _schema(schema: suite.Json) -> tuple[Body | None, bool]:
    """(a JSON Schema as the API takes it, whether the answer is put into an object of ours: it wants one)."""
    if not isinstance(schema, dict) or _open(schema):
        return None, False
    from anthropic import transform_schema

    wrapped = schema.get("type") != "object"
    whole = {"type": "object", "properties": {WRAPPED: schema}, "required": [WRAPPED]} if wrapped else schema
    return transform_schema(whole), wrapped


def _open(schema: suite.Json) -> bool:
    """Whether an object of any keys is in a schema: the API knows none, so the reply is read as it comes."""
    if isinstance(schema, dict):
        any_keys = schema.get("type") == "object" and not schema.get("properties")
        return any_keys or any(map(_open, schema.values()))
    return isinstance(schema, list) and any(map(_open, schema))


provider = suite.EngineProvider(AnthropicOptions, AnthropicEngine)
provider.case = "suite_anthropic.case:CASE"
