"""vLLM as a server of our own (`vllm/ORG/NAME`), or one that runs already (`-o url=…`).

What a model can do is read from its config before anything starts: a reward model is served by the
pooling runner without a flag. Any option we do not know is vLLM's: `-o max_model_len=8192`.
"""

import asyncio
import os
import re
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path

import msgspec

from suite.chat import Json, Reply, Request
from suite.errors import CallFailed, CapabilityError, EngineError
from suite.models import checkpoints, devices, settings, vllm_command
from suite.models.classifier import Head
from suite.models.client import OpenAIClient
from suite.models.credentials import read_key, split_addresses, split_url
from suite.models.endpoint import window_told
from suite.models.engine import Asking, Engine, KnownBy, Provider, Surroundings, present
from suite.models.extras import EXTRAS, need_gpu
from suite.models.options import PROMPTED, check_needs, describe, read_options
from suite.models.replicas import replicated
from suite.models.server import Launch, ManagedServer
from suite.models.spec import ModelSpec
from suite.models.thinking import template_lacks
from suite.models.vllm_command import VLLMOptions
from suite.models.wire import DIALECTS

_COUNTER = re.compile(r"(?m)^vllm:(prefix_cache_(?:queries|hits))(?:_total)?(?:\{[^}]*\})? ([0-9.eE+-]+)$")
_GENERATES = PROMPTED | {"logprobs", "prompt_logprobs", "seed", "json_schema"}


class VLLMEngine(Engine):
    """One model behind one vLLM server. n: which of the replicas that the options ask for, from 0."""

    def __init__(self, spec: ModelSpec, options: VLLMOptions, passed: Mapping[str, Json], n: int = 0) -> None:
        super().__init__(spec)
        self._options, self._which = options, n
        self._passed = {name.replace("-", "_"): value for name, value in passed.items()}
        chosen = self._passed.get("reasoning_parser")
        self._parser = chosen if isinstance(chosen, str) and chosen != "none" else ""
        names = ("reasoning_parser", "reasoning-parser")
        self._flags = vllm_command.flags({key: value for key, value in passed.items() if key not in names})
        if options.url:
            self._attached = split_url(options.url)
        # what is sent to a server that may apply a configuration of its own
        neutral = options.url and options.generation_config == "vllm"
        self._neutral: dict[str, Json] = dict(settings.NEUTRAL) if neutral else {}
        self._server: ManagedServer | None = None
        self._client: OpenAIClient | None = None
        self._version = ""
        self._window: int | None = None
        self._root = ""
        self._key = ""
        self._told: dict[str, Json] = {}
        self._settings: dict[str, Json] | None = None
        self._before: dict[str, float] = {}
        self._now: dict[str, float] = {}  # counters of the server, last read

    @cached_property
    def _checkpoint(self) -> checkpoints.Checkpoint | None:
        revision = self._passed.get("revision")
        return checkpoints.read_checkpoint(self.spec.name, None if revision is None else str(revision))

    @cached_property
    def _family(self) -> checkpoints.Family | None:
        if self._checkpoint is None:
            return None
        overrides = self._passed.get("hf_overrides")
        given = overrides.get("architectures") if isinstance(overrides, dict) else None
        return checkpoints.family_of(given or self._checkpoint.architectures, self.spec.name)

    def check(self) -> None:
        """Look for folder, vLLM and devices, unless a server runs. Raises NotFound, EngineError."""
        if not self._options.url:
            checkpoints.check_folder(self.spec.name)
            vllm = vllm_command.find_vllm(self._options.python)
            if vllm.version and not vllm.cpu and "device" not in self._passed:
                attach = "or attach to a server on another machine with -o url=…"
                fix = f"for the CPU: {EXTRAS['vllm'].cpu}; {attach}"
                need_gpu(f"vLLM {vllm.version} of {vllm.python}", fix)
            vllm_command.place(vllm, self.spec.text, self._options, self._passed, self._which)

    def devices(self) -> int:
        """Those of its tensor, pipeline and data parallel sizes; of a build that is not here, as on a GPU."""
        with suppress(EngineError):
            if self._options.url or vllm_command.find_vllm(self._options.python).cpu:
                return 0
        return devices.of_server(self._passed) or 0

    def capabilities(self) -> frozenset[str]:
        """Read from the model's config; the runner option decides where it is given.

        Raises CapabilityError for a reward model that vLLM cannot serve as published, or with several
        labels and no choice among them.
        """
        runner = self._passed.get("runner", "auto")
        architectures = self._checkpoint.architectures if self._checkpoint else ()
        embeds = bool(architectures) and all(name.endswith("Model") for name in architectures)
        if self._family is not None and self._checkpoint is not None and runner != "generate":
            labels, text = self._checkpoint.labels, self.spec.text
            checkpoints.check_reward(self._family, labels, self._head(), "vllm", text)
            return frozenset({"rate"})
        if runner == "pooling":
            if any(name.endswith("CausalLM") for name in architectures) and "convert" not in self._passed:
                about = {"spec": self.spec, "architecture": architectures[0]}
                raise CapabilityError.of("models.vllm.no-reward", **about)
            return frozenset({"rank"} if embeds else {"rate"})
        if embeds:
            return frozenset({"rank"})
        return _GENERATES | {"tools"} if "tool_call_parser" in self._passed else _GENERATES

    def _head(self) -> Head:
        options, family = self._options, self._family
        usual = family is not None and family.head == "token"
        per_token = usual if options.per_token is None else options.per_token
        return checkpoints.head_of(family, per_token, options.label, options.weights)

    @property
    def _served(self) -> str:
        return self._checkpoint.name if self._checkpoint and self._checkpoint.folder else self.spec.name

    def identity(self) -> Mapping[str, Json]:
        options, attached = self._options, bool(self._options.url)
        shaping = {
            **self._passed,
            **options.model_dump(include={"label", "weights", "per_token"}, exclude_defaults=True),
            **({"generation_config": options.generation_config} if self._generates else {}),
            **({"reproducible": True} if options.reproducible else {}),
        }
        without_paths = {
            name: Path(value).name if isinstance(value, str) and value.startswith(("/", "~")) else value
            for name, value in shaping.items()
        }
        invariant = {**os.environ, **options.env}.get("VLLM_BATCH_INVARIANT") == "1"
        return present(
            provider="vllm", name=self._served, engine="vllm",
            revision=self._checkpoint.revision if self._checkpoint else None,
            engine_version=self._version or None, reasoning_parser=self._parser or None,
            url=self._attached[0] if attached else None,
            vouched=(options.identity or None) if attached else None,
            told=(self._told or None) if attached else None, options=without_paths or None,
            deterministic=(options.reproducible or invariant) and not attached,
        )  # fmt: skip

    def known_by(self) -> KnownBy:
        """By its commit or fingerprint, if the server is ours; else by what it tells, if the user vouches."""
        if not self._options.url:
            return "content" if self._checkpoint and self._checkpoint.revision else "nothing"
        return "told" if self._options.identity else "nothing"

    @property
    def _generates(self) -> bool:
        return not {"rate", "rank"} & self.capabilities()

    def thinks(self, thinking: str | int) -> str:
        """By the switches of the chat template, where its files can be read; a budget needs a parser."""
        if self._options.url:
            return ""  # seen when it is asked to render
        usual = "" if "reasoning_parser" in self._passed else vllm_command.parser_of(self._served, "")
        if isinstance(thinking, int) and not (self._parser or usual):
            return "a number of tokens needs a reasoning parser: -o reasoning_parser=NAME"
        template = checkpoints.chat_template(self._checkpoint, self._passed.get("chat_template"))
        return template_lacks(template, thinking) if template else ""

    def settings(self) -> Mapping[str, Json] | None:
        """Of a server of ours by its log and the model's files, of another by its routes."""
        return self._settings

    def limits(self) -> Mapping[str, int]:
        return present(concurrency=self._options.concurrency, window=self._window)

    async def start(self, surroundings: Surroundings) -> None:
        await asyncio.to_thread(lambda: self._family)
        try:
            if self._options.url:
                url, basic, secrets = self._attached
                variable = self._options.api_key_env
                self._key = read_key(variable, required=True) if variable else ""
                headers = {"Authorization": basic or f"Bearer {self._key}"} if basic or self._key else {}
                self._connect(url if url.endswith("/v1") else f"{url}/v1", headers, [*secrets, self._key])
            else:
                await self._launch(surroundings)
            self._started(self._client).note = surroundings.note
            await self._greet()
            await self._settle(surroundings)
            self._before = await asyncio.to_thread(read_counters, self._root, self._key)
        except BaseException:
            await self.close()
            raise

    async def _launch(self, surroundings: Surroundings) -> None:
        options = self._options
        vllm = await asyncio.to_thread(vllm_command.find_vllm, options.python)
        local = self._checkpoint.folder if self._checkpoint else None
        model = str(local) if local else self.spec.name
        pooling = not self._generates
        if not pooling and "reasoning_parser" not in self._passed:
            self._parser = vllm_command.parser_of(self._served, vllm.version)
        needed, invariant = (
            vllm_command.reproducible(vllm, self._passed) if options.reproducible else ({}, {})
        )
        usual = {"hf_overrides": (self._family.overrides if self._family else None) or None, **needed}
        more: dict[str, object] = {
            **{name: value for name, value in usual.items() if name not in self._passed},
            "generation_config": None if pooling else options.generation_config,
            "reasoning_parser": self._parser or None,
        }
        given = [*self._flags, *vllm_command.flags(more)]
        place = vllm_command.place(vllm, self.spec.text, options, self._passed, self._which)
        if cut := devices.hidden({**os.environ, **options.env}):
            surroundings.say(cut)
        env = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
        if local:
            env["HF_HUB_OFFLINE"] = "1"
        name = f"vllm-{re.sub(r'[^A-Za-z0-9.-]+', '-', self._served)}.log"
        launch = Launch(
            self.spec.text if not local else f"vllm/{self._served}",
            lambda port: vllm_command.command(vllm, model, self._served, port, given, pooling=pooling),
            surroundings.logs / name if surroundings.logs else None,
            env={**env, **invariant, **options.env, **place}, key_variable="VLLM_API_KEY",
            timeout_s=options.startup_s,
        )  # fmt: skip
        self._server = ManagedServer(launch)
        await self._server.start(surroundings.say)
        self._version = vllm.version
        self._key = self._server.key
        self._connect(f"{self._server.url}/v1", {"Authorization": f"Bearer {self._key}"}, [self._key])

    def _connect(self, url: str, headers: dict[str, str], secrets: list[str]) -> None:
        self._root = url.removesuffix("/v1")
        self._client = OpenAIClient(
            url, self._served, dialect=msgspec.structs.replace(DIALECTS["vllm"], neutral=self._neutral),
            headers=headers, secrets=secrets, options=self._options, head=self._head(),
        )  # fmt: skip

    async def _greet(self) -> None:
        """Ask the server who it is."""
        client = self._started(self._client)
        try:
            cards = await client.cards()
            self._version = str((await client.document("/version")).get("version", self._version))
        except CallFailed as failed:
            raise EngineError.of("models.vllm.silent", engine=self, said=failed, at=self._root) from failed
        if self._served not in cards:
            names = ", ".join(sorted(cards)) or "nothing"
            about = {"root": self._root, "names": names, "served": self._served}
            raise EngineError.of("models.vllm.other-name", **about)
        self._told = cards[self._served]
        self._window = client.window = window_told(self._told)

    async def _settle(self, surroundings: Surroundings) -> None:
        """Learn what shapes the answers of a model that generates."""
        if not self._generates:
            return
        client, thinking = self._started(self._client), self.spec.sampling.get("thinking")
        if isinstance(thinking, str | int) and await settings.follows(client.rendered, thinking) is False:
            raise EngineError.of("models.vllm.no-switch", spec=self.spec, thinking=thinking)
        found: dict[str, Json] = {"engine_version": self._version or None, "context_length": self._window}
        found.update(await settings.template_settings(client.rendered))
        if self._options.url:
            found["sampling"] = self._neutral or None
        else:
            found.update(await asyncio.to_thread(self._own_settings, surroundings))
        self._settings = found

    def _own_settings(self, surroundings: Surroundings) -> dict[str, Json]:
        """What is known of a server of ours. Says what its model's own configuration would have set."""
        chosen, over = self._options.generation_config, self._passed.get("override_generation_config")
        own = checkpoints.generation_config(self._checkpoint)
        if chosen == "vllm" and own is not None:
            surroundings.say(f"vllm/{self._served}: {settings.left_out(settings.own_values(own))}")
        used = {"vllm": {}, "auto": own}.get(chosen)
        changed = over if isinstance(over, dict) else {}
        template = checkpoints.chat_template(self._checkpoint, self._passed.get("chat_template"))
        return {
            **(settings.logged(self._server.log) if self._server else {}),
            "sampling": None if used is None else settings.effective(used, changed),
            "model_sampling": None if own is None else settings.own_values(own),
            "chat_template_sha256": settings.sha256_text(template) if template else None,
            "reasoning_parser": self._parser or "none",
            "tool_parser": self._passed.get("tool_call_parser", "none"),
        }

    async def call(self, request: Request, asking: Asking) -> Reply:
        """Answer one request. Raises CallFailed, or EngineError if our server died."""
        client = self._started(self._client)
        check_needs(request, self.capabilities(), self.spec.text)
        try:
            return await client.call(request, asking.seed)
        except CallFailed as failed:
            if self._server is not None:
                await self._server.explain(failed)
            raise

    def counters(self) -> Mapping[str, float]:
        """Prefix cache queries and hits, in tokens, since the start. Asks the server, within two seconds."""
        if self._client is not None:
            self._now = read_counters(self._root, self._key) or self._before
        return {name: value - self._before.get(name, 0.0) for name, value in self._now.items()}

    async def close(self) -> None:
        """Stop our server; leave one that we only attached to."""
        if self._client is not None:
            await asyncio.to_thread(self.counters)
            client, self._client = self._client, None
            await client.close()
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop()


def read_counters(root: str, key: str) -> dict[str, float]:
    """The counters of a server, {} if it does not answer within two seconds."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(f"{root}/metrics", headers=headers)
    with suppress(OSError), urllib.request.urlopen(request, timeout=2.0) as reply:
        return read_metrics(reply.read(4_000_000).decode("utf-8", "replace"))
    return {}


def read_metrics(text: str) -> dict[str, float]:
    """The prefix cache counters of vLLM's /metrics, summed over engines."""
    found: dict[str, float] = {}
    for name, value in _COUNTER.findall(text):
        found[name] = found.get(name, 0.0) + float(value)
    return found


class VLLMProvider(Provider):
    """`vllm/ORG/NAME`, `vllm//path/to/folder`, `vllm/NAME -o url=…`, several by `-o replicas=…`."""

    options = describe(VLLMOptions)
    open_options = True

    def engine(self, spec: ModelSpec) -> Engine:
        """Raises ConfigError for a bad option. The model itself is looked at when planning asks."""
        ours = {key: value for key, value in spec.options.items() if key in VLLMOptions.model_fields}
        passed = {key: value for key, value in spec.options.items() if key not in ours}
        options = read_options(VLLMOptions, spec, ours)
        vllm_command.check_options(spec, options, passed)
        if options.url:
            given = [options.model_copy(update={"url": one}) for one in split_addresses(options.url)]
            return replicated(spec, [partial(VLLMEngine, spec, one, passed) for one in given])
        made = [partial(VLLMEngine, spec, options, passed, which) for which in range(options.replicas)]
        return replicated(spec, made, restarts=1)


provider = VLLMProvider()
