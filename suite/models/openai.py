"""Any OpenAI-compatible endpoint: hosted, a gateway, or a server somebody else runs.

The endpoint is checked once at the start (reachable, key accepted, model known where it lists models),
so that a wrong setting costs nothing. What it can do is declared, since no endpoint tells.
"""

import asyncio
import os
from collections.abc import Mapping
from functools import partial
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

import msgspec
from pydantic import Field

from suite.chat import Json, Reply, Request
from suite.errors import CallFailed, ConfigError, EngineError, unknown, worded
from suite.models.classifier import Head
from suite.models.client import UNEXPLAINED, OpenAIClient
from suite.models.credentials import azure_authorization, read_headers, read_key, split_addresses, split_url
from suite.models.endpoint import OWN_SERVERS, identified, window_told
from suite.models.engine import Asking, Engine, KnownBy, Surroundings, present
from suite.models.options import EngineProvider, ServerOptions, check_needs, split_names
from suite.models.replicas import replicated
from suite.models.settings import SENT, effective, llamacpp_settings, template_settings
from suite.models.spec import ModelSpec
from suite.models.thinking import THINKING_FIELDS, server_kind, server_kinds, why_not
from suite.models.wire import DIALECTS

_SHAPING = ("extra_body", "label", "weights", "per_token", "system", "structured")
# Fields of a request that a task, a role or an option of its own decides
ASKED = frozenset((
    "model", "messages", "prompt", "n", "stream", "seed", "temperature", "top_p", "stop", "max_tokens",
    "max_completion_tokens", "response_format", "tools", "tool_choice", "logprobs", "top_logprobs",
))  # fmt: skip
LEAVES_OUT = "-o temperature=null, -o max_tokens=null; -o max_tokens_field=max_completion_tokens renames one"
_AZURE_VERSIONS = ("OPENAI_API_VERSION", "AZURE_OPENAI_API_VERSION")  # both are in use for the same
_USUAL = frozenset({"chat", "complete", "logprobs", "seed", "json_schema"})


class OpenAIOptions(ServerOptions):
    """Options of one endpoint."""

    base_url: str = Field("", min_length=1)
    """URL, with /v1 or ?api-version=…; several by commas (default: OPENAI_BASE_URL)"""
    api_key_env: str = Field("OPENAI_API_KEY", description="environment variable that holds the key")
    headers_env: dict[str, str] = Field(default_factory=dict)
    """header -> environment variable that holds its value"""
    dialect: str = Field("openai", description=f"what lies beyond the standard: {', '.join(DIALECTS)}")
    capabilities: str | list[str] = ""
    """what it can do: a list, or changes such as +rank,-tools"""
    max_tokens_field: str = Field("", description="max_tokens or max_completion_tokens")
    extra_body: dict[str, Json] = Field(default_factory=dict, description="fields added to every request")
    send_seed: bool = Field(True, description="whether the seed of a call is sent")
    system: Literal["send", "fold"] = "send"
    """fold: system messages go at the beginning of the user's"""
    structured: Literal["", "strict", "plain", "off"] = ""
    """JSON Schemas: by the rules of strict modes, as they are, or not sent"""
    stream: bool = Field(False, description="ask for streams, for endpoints that answer in no other way")
    per_token: bool = Field(False, description="rate: the last token's value, by /pooling")
    generation_config: Literal["vllm", "auto"] = "vllm"
    """to vLLM, SGLang, llama.cpp: send neutral values for what is left open, or none (auto)"""
    window: int | None = Field(None, ge=1, description="context window, if the endpoint does not say")
    proxy_env: bool = Field(False, description="honour HTTPS_PROXY and NO_PROXY")
    check: bool = Field(True, description="ask the endpoint for its models at the start")


def capabilities_of(given: str | list[str], usual: frozenset[str]) -> frozenset[str]:
    """A declared list, or the usual set changed by +name and -name. Raises NotFound."""
    names = [name for name in (given.split(",") if isinstance(given, str) else given) if name]
    plain = split_names([name.lstrip("+-") for name in names])
    if not any(name[0] in "+-" for name in names):
        return plain or usual
    return (usual | plain) - {name[1:] for name in names if name[0] == "-"}


class OpenAIEngine(Engine):
    """One model at one endpoint. Raises ConfigError for a bad URL, option or name."""

    def __init__(self, spec: ModelSpec, options: OpenAIOptions) -> None:
        super().__init__(spec)
        if not spec.name.strip():
            raise ConfigError("an endpoint needs the name of a model", fix="write openai/MODEL")
        if options.dialect not in DIALECTS:
            raise unknown("dialect", options.dialect, DIALECTS)
        if asked := sorted(ASKED & options.extra_body.keys()):
            raise ConfigError.of("models.openai.extra-body", field=asked[0], spec=spec)
        self.url, basic, secrets = split_url(options.base_url or usual_url(spec), query="api-version")
        hosted = urlsplit(self.url).hostname == "api.openai.com"
        self._azure = "azure" in (spec.provider, server_kind("openai", self.url)) or "?" in self.url
        if self._azure:  # or a gateway in front of it, which wants a version, too
            self.url = deployment_url(self.url, spec.name)
        self._server, chosen = server_kinds()[spec.provider].server, "api_key_env" in options.model_fields_set
        azures = server_kinds()["azure"].server["key_env"] if self._azure else ""
        usual_key = azures if os.environ.get(azures) else self._server["key_env"]
        self._key_env = options.api_key_env if chosen else usual_key
        headers = read_headers(options.headers_env)
        if not {name.lower() for name in headers} & {"authorization", "api-key"}:
            if basic:
                headers["Authorization"] = basic
            elif self._azure:
                headers |= azure_authorization(self._key_env)
            elif key := read_key(self._key_env, required=False):
                headers["Authorization"] = f"Bearer {key}"
                secrets = [*secrets, key]
        self._headers = headers
        self._sends_key = any(name.lower() in ("authorization", "api-key") for name in headers)
        self._lacks_key = not self._sends_key and (hosted or chosen or spec.provider == "azure")
        self._options = options
        can = server_kinds()[options.dialect].can
        self._capabilities = capabilities_of(options.capabilities, _USUAL | can)
        field = options.max_tokens_field or ("max_completion_tokens" if hosted else "")
        dialect = DIALECTS[options.dialect]
        own = SENT.get(options.dialect, {}) if options.generation_config == "vllm" else {}
        self._dialect = msgspec.structs.replace(
            dialect, thinks=server_kind(options.dialect, self.url), neutral=dict(own),
            max_tokens=field or dialect.max_tokens, seed=options.send_seed, system=options.system,
            schema=options.structured or dialect.schema, stream=options.stream,
        )  # fmt: skip
        self._client = OpenAIClient(
            self.url, spec.name, dialect=self._dialect, headers=headers,
            secrets=[*secrets, *headers.values()], options=options, extra=options.extra_body,
            head=Head(options.per_token, options.label, options.weights), proxy_env=options.proxy_env,
        )  # fmt: skip
        self._client.window = options.window
        self._version = ""
        self._told: dict[str, Json] = {}
        self._settings: dict[str, Json] = {}
        self._hosted = False  # known once started

    def check(self) -> None:
        if self._lacks_key:
            read_key(self._key_env, required=True)

    def capabilities(self) -> frozenset[str]:
        """The dialect's usual ones, unless declared."""
        return self._capabilities

    def identity(self) -> Mapping[str, Json]:
        options = self._options
        shaping = options.model_dump(mode="json", include=set(_SHAPING), exclude_defaults=True)
        if options.dialect in SENT:
            shaping["generation_config"] = options.generation_config
        return present(
            provider=self.spec.provider, name=self.spec.name, url=self.url, deterministic=False,
            engine_version=self._version or None, vouched=options.identity or None, told=self._told or None,
            sent="neutral" if self._dialect.neutral else None, options=shaping or None,
        )  # fmt: skip

    def known_by(self) -> KnownBy:
        """By what it tells, if it is a hosted service's or the user vouches for it."""
        own = self._told.get("owned_by") in OWN_SERVERS
        return "told" if self._options.identity or (self._hosted and not own) else "nothing"

    def thinks(self, thinking: str | int) -> str:
        why = why_not(self._dialect.thinks, thinking)
        twice = self._options.extra_body.keys() & THINKING_FIELDS
        return f"extra_body says it, too: {', '.join(sorted(twice))}" if twice and not why else why

    def settings(self) -> Mapping[str, Json]:
        """What is sent, and what the endpoint tells: of a hosted one next to nothing."""
        sent = {"sampling": effective(self._options.extra_body)} if self._dialect.neutral else {}
        told = {"context_length": self._client.window, "engine_version": self._version or None}
        return {**told, **self._settings, **sent}

    def limits(self) -> Mapping[str, int]:
        return present(concurrency=self._options.concurrency, window=self._client.window)

    async def start(self, surroundings: Surroundings) -> None:
        """Open the pool and check the endpoint. Raises EngineError if it cannot work."""
        self.check()
        surroundings.say(f"{self.spec.text} at {self.url}")
        self._client.note = surroundings.note
        self._client.send_once(surroundings.once)
        self._hosted = await asyncio.to_thread(identified, self.url)
        if self._options.check:
            try:
                await self._look()
            except BaseException:
                await self.close()
                raise

    async def _look(self) -> None:
        client = self._client
        try:
            cards = await client.cards()
        except CallFailed as failed:
            if failed.kind in ("connect", "tls", "status-401", "status-403"):
                told = self._explained(failed)
                if failed.kind == "connect" and "start" in (own := self._server):
                    raise EngineError.of("models.openai.silent", url=self.url, told=told, **own) from failed
                raise EngineError.of("models.openai.refused", engine=self, told=told) from failed
            return  # it lists no models, or is busy: the calls will tell
        free = self._azure or (self._options.dialect == "llamacpp" and len(cards) == 1)
        if cards and self.spec.name not in cards and not free:  # Azure lists models, not deployments
            error = unknown("model", self.spec.name, cards, f"at {self.url}")
            get = self._server.get("get", "").replace("MODEL", self.spec.name)
            fix = f"{get} {error.fix} (-o check=false asks for it all the same)".strip()
            raise EngineError(error.what, error.where, fix)
        card = cards.get(self.spec.name) or (next(iter(cards.values())) if len(cards) == 1 else None)
        self._told = card or {}
        owner = self._told.get("owned_by")
        if owner in SENT and self._options.generation_config == "vllm":
            self._dialect = msgspec.structs.replace(self._dialect, neutral=dict(SENT[owner]))
            client.speak(self._dialect)
        client.window = client.window or window_told(self._told)
        if self._options.dialect == "vllm":
            self._version = str((await client.document("/version")).get("version", ""))
        chats = "chat" in self._capabilities and not {"rate", "rank"} & self._capabilities
        if chats and self._options.dialect in ("vllm", "llamacpp"):
            self._settings = await template_settings(client.rendered)
        if self._options.dialect == "llamacpp":
            self._settings |= llamacpp_settings(await client.document("/props"))

    async def call(self, request: Request, asking: Asking) -> Reply:
        check_needs(request, self._capabilities, self.spec.text)
        try:
            return await self._client.call(request, asking.seed if "seed" in self._capabilities else None)
        except CallFailed as failed:
            explained = self._explained(failed, request.kind)
            raise explained from (failed if explained is not failed else failed.__cause__)

    def _explained(self, failed: CallFailed, kind: str = "") -> CallFailed:
        """The failure with what a user can check, where it is one of settings."""
        sent = "the key comes from {}" if self._sends_key else "no key was sent: {} is not set"
        asked = worded("models.openai.not-there", url=self.url)
        if kind == "complete":
            asked = worded("models.openai.no-completions", url=self.url)
        told = dict.fromkeys(("status-401", "status-403"), sent.format(self._key_env))
        told |= {"status-404": asked, "tls": worded("models.openai.certificate")}
        helps = told.get(failed.kind)
        if failed.kind in UNEXPLAINED and not self._client.answered and kind in ("chat", "complete"):
            helps = f"if it does not know a field, these leave some out: {LEAVES_OUT}"
        if helps is None:
            return failed
        return CallFailed(failed.kind, f"{failed.message} ({helps})", retryable=False)

    async def close(self) -> None:
        await self._client.close()


def usual_url(spec: ModelSpec) -> str:
    """Where a provider's models are if no option says. Raises ConfigError where nothing does."""
    own = server_kinds()[spec.provider].server
    told = [os.environ.get(own[name]) for name in ("url_env", "host_env") if name in own]
    if found := next(filter(None, told), own["address"]):
        return found
    raise ConfigError.of("models.azure.endpoint")


def deployment_url(url: str, model: str) -> str:
    """Where Azure has a model: at its deployment for a version, else in the v1 form, which names it in the
    request. Raises ConfigError. Source: Microsoft's reference of the Azure OpenAI REST API."""
    base, _, version = url.partition("?api-version=")
    path = urlsplit(base).path
    if (asked := unquote(path.partition("/deployments/")[2].partition("/")[0])) not in ("", model):
        raise ConfigError.of("models.azure.other", url=url, asked=asked, model=model)
    if path.endswith("/v1") or (version and path not in ("", "/openai")):  # the latter is a gateway's own
        return url
    version = version or next(filter(None, map(os.environ.get, _AZURE_VERSIONS)), "")
    if "/deployments/" in path:
        if not version:
            raise ConfigError.of("models.azure.version", url=url)
        return f"{base}?api-version={version}"
    base = base.removesuffix("/openai")
    if not version or urlsplit(base).path:  # a project of Foundry knows v1 alone
        return f"{base}/openai/v1"
    return f"{base}/openai/deployments/{quote(model, safe='')}?api-version={version}"


def engines(spec: ModelSpec, options: OpenAIOptions, kind: type[OpenAIEngine] = OpenAIEngine) -> Engine:
    """One endpoint, or several that have the same model."""
    urls = split_addresses(options.base_url or usual_url(spec))
    given = [options.model_copy(update={"base_url": one}) for one in urls]
    return replicated(spec, [partial(kind, spec, one) for one in given])


provider = EngineProvider(OpenAIOptions, engines)
provider.case = "suite.testing.openai_protocol:OPENAI_CASE"
