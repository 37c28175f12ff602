"""Rankings: an order of texts by score, ties by index; and closeness by /embeddings over HTTP."""

import math
from abc import abstractmethod
from collections.abc import Sequence

import msgspec

from suite.chat import Json, Reply, Request, Usage
from suite.errors import CallFailed
from suite.models.classifier import who
from suite.models.engine import Asking, Engine, together
from suite.models.options import check_needs
from suite.models.peer import Peer
from suite.models.reply import prompt_tokens

_BATCH = 64


def ranked(scores: Sequence[float], top: int | None) -> tuple[tuple[int, float], ...]:
    """(index, score), best first; equal scores in index order, so that a ranking is deterministic."""
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    return tuple((i, float(scores[i])) for i in order[:top])


class Ranker(Engine):
    """An engine in this process that ranks, and nothing else."""

    def capabilities(self) -> frozenset[str]:
        return frozenset({"rank"})

    async def call(self, request: Request, asking: Asking) -> Reply:  # noqa: ARG002 - nobody's answer differs
        """Rank the texts. Raises CallFailed for another kind of request."""
        check_needs(request, self.capabilities(), self.spec.text)
        if not request.texts:
            return Reply()
        scores, tokens = await self.scored(request.prompt, request.texts)
        return Reply(usage=Usage(prompt=tokens), ranking=ranked(scores, request.options.top))

    @abstractmethod
    async def scored(self, query: str, texts: tuple[str, ...]) -> tuple[list[float], int]:
        """(the score of each text, tokens that were read)."""


class _Embedding(msgspec.Struct):
    embedding: list[float]
    index: int = 0


class _Embeddings(msgspec.Struct):
    data: list[_Embedding]
    usage: Json = None
    model: Json = None


async def rank(request: Request, peer: Peer) -> Reply:
    """Order texts by the cosine of their embedding with the prompt's. Raises CallFailed."""
    texts = [request.prompt, *request.texts]
    batches = [texts[i : i + _BATCH] for i in range(0, len(texts), _BATCH)]
    answers = await together([_embed(batch, peer) for batch in batches])
    vectors = [one.embedding for answer in answers for one in sorted(answer.data, key=lambda one: one.index)]
    if len(vectors) != len(texts):
        raise CallFailed("bad-shape", f"{len(vectors)} embeddings for {len(texts)} texts", retryable=True)
    query = _unit(vectors[0])
    scores = [math.fsum(a * b for a, b in zip(query, _unit(one), strict=True)) for one in vectors[1:]]
    each = [prompt_tokens(answer.usage) for answer in answers]
    tokens = sum(each) if all(each) else 0  # a part would be taken for all
    model = who([str(answer.model or "") for answer in answers], peer.model)
    return Reply(usage=Usage(prompt=tokens), ranking=ranked(scores, request.options.top), model=model)


async def _embed(texts: list[str], peer: Peer) -> _Embeddings:
    answer = await peer.ask("/v1/embeddings", input=texts)
    if answer.status != 200:
        raise CallFailed(peer.refused(answer).finish, "a text could not be embedded", retryable=False)
    return peer.read(answer, _Embeddings)


def _unit(vector: list[float]) -> list[float]:
    length = math.sqrt(math.fsum(x * x for x in vector))
    return [x / length for x in vector] if length else vector
