"""Small real models on the CPU: an instruct model by llama.cpp, an embedder by onnxruntime.

They prove the machinery without a GPU, a key or a network after the first use; their scores mean
nothing. The instruct model runs in a process of its own that dies with the run. The embedder is
all-MiniLM-L6-v2 as int8 ONNX: texts are cut at 256 tokens, as the model was trained; mean over real tokens,
unit length, cosine. A text's vector does not depend on the texts beside it (tested), so vectors are kept.
"""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from suite.chat import Json, Reply, Request
from suite.data.cache import Cache
from suite.errors import CallFailed, ConfigError, unknown
from suite.models.client import OpenAIClient
from suite.models.engine import Asking, Engine, Provider, Surroundings, installed, present
from suite.models.options import PROMPTED, EngineOptions, ServerOptions, check_needs, describe, read_options
from suite.models.rankings import Ranker
from suite.models.replicas import replicated
from suite.models.server import Launch, ManagedServer
from suite.models.settings import NEUTRAL, SENT, llamacpp_settings, template_settings
from suite.models.spec import ModelSpec
from suite.models.supervisor import python_command
from suite.models.tables import registry_file
from suite.models.weights import fetch, in_eight_bits, weights_of
from suite.models.wire import DIALECTS

MINILM = "minilm-l6-v2"
WINDOW = 256
_VOCABULARY = "models/minilm-l6-v2.vocab.txt"
_KEPT = 8192  # vectors, 1.5 kB each

Vector = NDArray[np.float32]


class MiniLMOptions(EngineOptions):
    """Options of the embedder."""

    threads: int = Field(1, ge=1, description="threads")
    batch: int = Field(8, ge=1, le=256, description="texts embedded at once")


class MiniLM:
    """The model in memory: texts to unit vectors."""

    def __init__(self, weights: Path, vocabulary: Path, options: MiniLMOptions) -> None:
        import onnxruntime
        import tokenizers

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        settings.inter_op_num_threads = 1
        cpu = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(str(weights), settings, providers=cpu)
        words = tokenizers.models.WordPiece.read_file(str(vocabulary))
        self._tokenizer = tokenizers.BertWordPieceTokenizer(words, lowercase=True)
        self._tokenizer.enable_truncation(WINDOW)
        self._batch = options.batch
        self._kept: dict[str, tuple[Vector, int]] = {}  # the oldest first

    def embed(self, texts: Sequence[str]) -> tuple[Vector, int]:
        """(vectors of shape (n, 384) and length 1, tokens of the distinct texts after the cut)."""
        found = {text: self._kept[text] for text in texts if text in self._kept}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        encoded = [self._tokenizer.encode(text).ids for text in new]
        order = sorted(range(len(new)), key=lambda i: len(encoded[i]))
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            for i, vector in zip(chosen, self._run([encoded[i] for i in chosen]), strict=True):
                found[new[i]] = self._kept[new[i]] = (vector, len(encoded[i]))
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return np.stack([found[text][0] for text in texts]), sum(n for _, n in found.values())

    def _run(self, encoded: list[list[int]]) -> Vector:
        ids = np.zeros((len(encoded), max(map(len, encoded))), np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(encoded):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden: Vector = self._session.run(None, inputs)[0]
        weight = mask[..., None].astype(np.float32)
        pooled = (hidden * weight).sum(axis=1) / weight.sum(axis=1)
        unit: Vector = (pooled / np.linalg.norm(pooled, axis=1, keepdims=True)).astype(np.float32)
        return unit


class MiniLMEngine(Ranker):
    """Ranks texts by their closeness to a query."""

    _extra = "embedder"

    def __init__(self, spec: ModelSpec, options: MiniLMOptions) -> None:
        super().__init__(spec)
        self._options = options
        self._entry, self._weights = weights_of(MINILM)
        self._model: MiniLM | None = None
        self._turn = asyncio.Lock()

    def identity(self) -> Mapping[str, Json]:
        return present(
            provider="embedded", name=MINILM, revision=self._weights.sha256, engine="onnxruntime",
            engine_version=installed("onnxruntime"), deterministic=True,
        )  # fmt: skip

    def limits(self) -> Mapping[str, int]:
        return {"concurrency": 1, "window": WINDOW}

    async def start(self, surroundings: Surroundings) -> None:
        """Fetch the weights if need be and load them. Raises EngineError or DataError."""
        self.check()
        path = await asyncio.to_thread(fetch, self._entry, self._weights, surroundings)
        self._model = await asyncio.to_thread(MiniLM, path, registry_file(_VOCABULARY), self._options)

    async def scored(self, query: str, texts: tuple[str, ...]) -> tuple[list[float], int]:
        model = self._started(self._model)
        async with self._turn:
            vectors, tokens = await asyncio.to_thread(model.embed, [query, *texts])
        return [float(score) for score in vectors[1:] @ vectors[0]], tokens

    async def close(self) -> None:
        self._model = None


LLAMAS = {"smollm2-135m": 8192}  # the most tokens that a model was trained for
QUEUE = 3
_fetching = threading.Lock()
_CAPABILITIES = PROMPTED | {"logprobs", "seed", "json_schema"}


class LlamaOptions(EngineOptions):
    """Options of an embedded instruct model."""

    threads: int = Field(1, ge=1, description="threads (more than the idle cores makes it ten times slower)")
    slots: int = Field(1, ge=1, le=64, description="requests answered at once")
    replicas: int = Field(2, ge=1, le=64, description="processes, each with `slots` and `threads`")
    window: int = Field(8192, ge=256, description="context window of each slot, in tokens")
    timeout_s: float = Field(900.0, gt=0, description="seconds until a call is given up")


class LlamaEngine(Engine):
    """An embedded model behind llama.cpp's server: replicas, one for each core, beat threads that spin."""

    _extra = "embedded"

    def __init__(self, spec: ModelSpec, options: LlamaOptions) -> None:
        super().__init__(spec)
        if options.window > (most := LLAMAS[spec.name]):
            raise ConfigError(f"option 'window' of {spec.text} is {options.window}; most: {most}")
        self._entry, self._weights = weights_of(spec.name)
        self._options = options
        self._server: ManagedServer | None = None
        self._client: OpenAIClient | None = None
        self._settings: dict[str, Json] = {}

    def capabilities(self) -> frozenset[str]:
        """No tools (the template has none) and no log-probabilities of a prompt."""
        return _CAPABILITIES

    def identity(self) -> Mapping[str, Json]:
        told = self._options.model_dump(include={"threads", "slots", "window"})
        return present(
            provider="embedded", name=self.spec.name, revision=self._weights.sha256, engine="xllamacpp",
            engine_version=installed("xllamacpp"),
            options={**told, "sampling": "neutral"},  # what a request leaves open
            deterministic=True,
        )  # fmt: skip

    def settings(self) -> Mapping[str, Json]:
        """By the server's routes; the model does not think."""
        return {
            "context_length": self._options.window,
            "engine_version": installed("xllamacpp"),
            "reasoning_parser": "none",
            "tool_parser": "none",
            **self._settings,
            "thinking": "off",
            "sampling": NEUTRAL,
        }

    def thinks(self, thinking: str | int) -> str:
        """These models do not think: to be told not to changes nothing."""
        return "" if thinking == "off" else "it is a model that does not think"

    def limits(self) -> Mapping[str, int]:
        """A few requests for each slot, so that no replica waits while another has a group's queue."""
        waiting = 1 if self._options.replicas == 1 else QUEUE
        return {"concurrency": self._options.slots * waiting, "window": self._options.window}

    def _file(self, surroundings: Surroundings) -> Path:
        """The weights, fetched and written out if need be: by one replica, for all."""
        with _fetching:
            path = fetch(self._entry, self._weights, surroundings)
            return in_eight_bits(path, str(self._weights.sha256), Cache(surroundings.cache))

    async def start(self, surroundings: Surroundings) -> None:
        """Fetch the weights if need be, start the server. Raises EngineError or DataError."""
        self.check()
        path, options = await asyncio.to_thread(self._file, surroundings), self._options

        def command(port: int) -> list[str]:
            numbers = [str(n) for n in (port, options.slots, options.window, options.threads)]
            return [*python_command("suite.models.llama"), str(path), *numbers, self.spec.name]

        log = surroundings.logs / f"embedded-{self.spec.name}.log" if surroundings.logs else None
        server = ManagedServer(Launch(self.spec.text, command, log, timeout_s=300.0, grace_s=2.0))
        self._server = server
        await server.start(surroundings.say)
        client = self._client = OpenAIClient(
            f"{server.url}/v1", self.spec.name, headers={"Authorization": f"Bearer {server.key}"},
            secrets=[server.key], options=ServerOptions(timeout_s=options.timeout_s),
            dialect=msgspec.structs.replace(DIALECTS["llamacpp"], neutral=SENT["llamacpp"]),
        )  # fmt: skip
        told = llamacpp_settings(await client.document("/props"))
        self._settings = {**await template_settings(client.rendered), **told}

    async def call(self, request: Request, asking: Asking) -> Reply:
        """Answer one request. Raises CallFailed, or EngineError if the server died."""
        check_needs(request, _CAPABILITIES, self.spec.text)
        client, server = self._started(self._client), self._started(self._server)
        try:
            return await client.call(request, asking.seed)
        except CallFailed as failed:
            await server.explain(failed)
            raise

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
        if self._server is not None:
            await self._server.stop()


class EmbeddedProvider(Provider):
    """`embedded/smollm2-135m`, `embedded/minilm-l6-v2`."""

    options: Mapping[str, str] = {**describe(LlamaOptions), **describe(MiniLMOptions)}

    def engine(self, spec: ModelSpec) -> Engine:
        """Raises NotFound for another model or an unknown option."""
        if spec.name == MINILM:
            return MiniLMEngine(spec, read_options(MiniLMOptions, spec))
        if spec.name not in LLAMAS:
            raise unknown("embedded model", spec.name, sorted([*LLAMAS, MINILM]))
        options = read_options(LlamaOptions, spec)
        return replicated(spec, [partial(LlamaEngine, spec, options)] * options.replicas, restarts=1)


provider = EmbeddedProvider()
