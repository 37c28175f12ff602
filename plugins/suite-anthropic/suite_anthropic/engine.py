"""anthropic/MODEL: Claude by Anthropic's library. Its retries are off, since the run tries again."""

import asyncio
import importlib.metadata
import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import msgspec
from pydantic import Field

import suite
from suite_anthropic.replies import STATUSES, read_answer
from suite_anthropic.requests import Body, body_of, schema_of, traits_of, why_not
from suite_anthropic.thoughts import Thoughts

if TYPE_CHECKING:
    from anthropic import APIStatusError, AsyncAnthropic

OLDEST = 2  # major version of the library
INSTALL = f"pip install 'anthropic>={OLDEST}'"
URL = "https://api.anthropic.com"
STREAMED = 8192  # tokens of an answer beyond which it is streamed: it takes minutes, and idle connections end
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
        self._thoughts = Thoughts()

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
            self._thoughts.keep_in(surroundings.logs / f"thinking-{self.spec.name.replace('/', '-')}.jsonl")
        # the library's own, which would stand in the middle of the progress; the API tells of them, too
        warnings.filterwarnings("ignore", message="The model '.*' is deprecated|Using Claude with")
        key, options = suite.read_key(self._options.api_key_env, required=True), self._options
        self._client = AsyncAnthropic(
            api_key=key, base_url=self._url, timeout=options.timeout_s, max_retries=0
        )
        wrong = fix = ""
        try:
            told = await self._client.models.with_raw_response.retrieve(self.spec.name)
            self._card = msgspec.json.decode(told.http_response.content, type=_Card)
        except APIConnectionError as error:
            wrong = f"{self._url} cannot be reached: {error.__cause__ or error}"
        except APIStatusError as error:  # a gateway may know no models
            if error.status_code in (401, 403) or (error.status_code == 404 and self._hosted):
                wrong, fix = str(error), f"the key comes from {options.api_key_env}"
        except msgspec.DecodeError:
            pass
        if wrong:
            await self.close()
            raise suite.SuiteError(f"{self.spec.text}: {wrong}", fix=fix)
        if self._card.retires_at:
            surroundings.note("deprecated", f"{self.spec.name} retires at {self._card.retires_at}")

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def call(self, request: suite.Request, asking: suite.Asking) -> suite.Reply:  # noqa: ARG002
        suite.check_needs(request, self.capabilities(), self.spec.text)
        schema, wrapped = schema_of(request.options.json_schema)
        body, beyond = body_of(
            request, self._traits, self._thoughts.blocks, schema, marks=self._options.cache
        )
        most = request.options.max_tokens or self._card.max_tokens or USUAL_MOST
        streams = most > STREAMED if self._options.stream is None else self._options.stream
        body |= {"model": self.spec.name, "max_tokens": most, "extra_body": beyond}
        found = await self._sent(body, streams, most)
        if isinstance(found, suite.Reply):
            return found
        reply, thinking = read_answer(found, wrapped=wrapped)
        if request.options.continue_final and request.messages[-1].content[-1:].isspace():
            reply = msgspec.structs.replace(reply, text=reply.text.lstrip())  # it was asked without the space
        if thinking and reply.tool_calls:
            self._thoughts.add(reply.tool_calls[0].id, thinking)
        return reply

    async def _sent(self, body: Body, streams: bool, most: int) -> bytes | suite.Reply:
        """The message that comes back, or the reply that an error is. Raises CallFailed."""
        messages = self._started(self._client).messages
        from anthropic import APIConnectionError, APIStatusError, APITimeoutError
        from httpx2 import HTTPError

        try:
            async with asyncio.timeout(self._options.timeout_s):
                if not streams:
                    return bytes((await messages.with_raw_response.create(**body)).http_response.content)
                async with messages.stream(**body) as stream:
                    return bytes((await stream.get_final_message()).to_json(indent=None).encode())
        except (APITimeoutError, TimeoutError) as error:
            after = f"no full reply within {self._options.timeout_s:g} s"
            raise suite.CallFailed("timeout", after, retryable=True) from error
        except (APIConnectionError, HTTPError) as error:
            raise suite.CallFailed("connect", str(error.__cause__ or error), retryable=True) from error
        except APIStatusError as error:
            return _refused(error, most)
        except (AssertionError, ValueError, LookupError, TypeError) as error:  # of a stream that is broken
            raise suite.CallFailed("bad-shape", f"unreadable: {error!r}", retryable=True) from error


def _refused(error: "APIStatusError", most: int | None) -> suite.Reply:
    """The reply where the candidate failed. Raises CallFailed for everything else."""
    status = error.status_code
    if status == 200:  # in the middle of a stream
        status = STATUSES.get(str(error.type), 500)
    body = error.body.encode() if isinstance(error.body, str) else msgspec.json.encode(error.body)
    return suite.refused_reply(status, error.response.headers, body, asked=most)


provider = suite.EngineProvider(AnthropicOptions, AnthropicEngine)
provider.case = "suite_anthropic.case:CASE"
