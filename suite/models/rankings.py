"""Rankings: an order of texts by score, ties by index; and closeness by /embeddings over HTTP."""

import math
from collections.abc import Sequence

import msgspec

from suite.chat import Json, Reply, Request, Usage
from suite.errors import CallFailed
from suite.models.batches import together
from suite.models.classifier import who
from suite.models.credentials import Scrubber
from suite.models.faults import read_refusal, refused
from suite.models.peer_json import decoded
from suite.models.reply import prompt_tokens
from suite.models.tokens import Post
from suite.models.wire import encode

_BATCH = 64


def ranked(scores: Sequence[float], top: int | None) -> tuple[tuple[int, float], ...]:
    """(index, score), best first; equal scores in index order, so that a ranking is deterministic."""
    order = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    return tuple((i, float(scores[i])) for i in order[:top])


class _Embedding(msgspec.Struct):
    embedding: list[float]
    index: int = 0


class _Embeddings(msgspec.Struct):
    data: list[_Embedding]
    usage: Json = None
    model: Json = None


async def rank(request: Request, post: Post, model: str, scrub: Scrubber) -> Reply:
    """Order texts by the cosine of their embedding with the prompt's. Raises CallFailed."""
    texts = [request.prompt, *request.texts]
    batches = [texts[i : i + _BATCH] for i in range(0, len(texts), _BATCH)]
    answers = await together([_embed(batch, post, model, scrub) for batch in batches])
    vectors = [one.embedding for answer in answers for one in sorted(answer.data, key=lambda one: one.index)]
    if len(vectors) != len(texts):
        raise CallFailed("bad-shape", f"{len(vectors)} embeddings for {len(texts)} texts", retryable=True)
    query = _unit(vectors[0])
    scores = [_dot(query, _unit(one)) for one in vectors[1:]]
    tokens = sum(prompt_tokens(answer.usage) for answer in answers)
    return Reply(
        usage=Usage(prompt=tokens),
        ranking=ranked(scores, request.options.top),
        model=who([str(answer.model or "") for answer in answers], model),
    )


async def _embed(texts: list[str], post: Post, model: str, scrub: Scrubber) -> _Embeddings:
    answer = await post("/v1/embeddings", encode({"model": model, "input": texts}))
    if answer.status != 200:
        reply = refused(answer.status, answer.headers, read_refusal(answer.body, scrub))
        raise CallFailed(reply.finish, "a text could not be embedded", retryable=False)
    return decoded(answer.body, _Embeddings, scrub)


def _unit(vector: list[float]) -> list[float]:
    length = math.sqrt(math.fsum(x * x for x in vector))
    return [x / length for x in vector] if length else vector


def _dot(one: list[float], two: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, two, strict=True))
