"""The embedder `embedded/minilm-l6-v2`: all-MiniLM-L6-v2 as int8 ONNX on onnxruntime.

Texts are cut at 256 tokens, as the model was trained; mean over real tokens, unit length, cosine.
A text's vector does not depend on the texts beside it (tested), so vectors are kept and reused.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from suite.chat import Json
from suite.models.engine import Surroundings, installed
from suite.models.options import EngineOptions
from suite.models.rankings import Ranker
from suite.models.spec import ModelSpec
from suite.models.tables import registry_file
from suite.models.weights import fetch, weights_of

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
        self._session = onnxruntime.InferenceSession(
            str(weights), settings, providers=["CPUExecutionProvider"]
        )
        words = tokenizers.models.WordPiece.read_file(str(vocabulary))
        self._tokenizer = tokenizers.BertWordPieceTokenizer(words, lowercase=True)
        self._tokenizer.enable_truncation(WINDOW)
        self._batch = options.batch
        self._kept: OrderedDict[str, tuple[Vector, int]] = OrderedDict()

    def embed(self, texts: Sequence[str]) -> tuple[Vector, int]:
        """(vectors of shape (n, 384) and length 1, tokens of the distinct texts after the cut)."""
        found = {text: self._kept[text] for text in texts if text in self._kept}
        for text in found:
            self._kept.move_to_end(text)
        new = [text for text in dict.fromkeys(texts) if text not in found]
        encoded = [self._tokenizer.encode(text).ids for text in new]
        order = sorted(range(len(new)), key=lambda i: len(encoded[i]))
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            for i, vector in zip(chosen, self._run([encoded[i] for i in chosen]), strict=True):
                found[new[i]] = self._kept[new[i]] = (vector, len(encoded[i]))
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
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
        """The weights by hash."""
        return {
            "provider": "embedded",
            "name": MINILM,
            "revision": self._weights.sha256,
            "engine": "onnxruntime",
            "engine_version": installed("onnxruntime"),
            "deterministic": True,
        }

    def limits(self) -> Mapping[str, int]:
        """One request at a time."""
        return {"concurrency": 1, "window": WINDOW}

    async def start(self, surroundings: Surroundings) -> None:
        """Fetch the weights if need be and load them. Raises EngineError or DataError."""
        self.check()
        path = await asyncio.to_thread(fetch, self._entry, self._weights, surroundings)
        self._model = await asyncio.to_thread(MiniLM, path, registry_file(_VOCABULARY), self._options)

    async def scored(self, query: str, texts: tuple[str, ...]) -> tuple[list[float], int]:
        """By one thread at a time."""
        model = self._started(self._model)
        async with self._turn:
            vectors, tokens = await asyncio.to_thread(model.embed, [query, *texts])
        return [float(score) for score in vectors[1:] @ vectors[0]], tokens

    async def close(self) -> None:
        """Let the model go."""
        self._model = None
