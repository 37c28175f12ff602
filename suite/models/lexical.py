"""Lexical retrieval: `lexical/bm25` ranks texts by BM25 over the request's own texts.

bm25s in its Lucene variant (k1 1.5, b 0.75), lower-cased words, English stop words removed, no stemming.
Equal scores stand in index order; a text that shares no word with the query has score 0.
"""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import Field

from suite.chat import Json
from suite.errors import unknown
from suite.models.engine import installed, present
from suite.models.options import EngineOptions, EngineProvider
from suite.models.rankings import Ranker
from suite.models.spec import ModelSpec

if TYPE_CHECKING:
    from bm25s import BM25

_KEPT = 32  # indexes


class BM25Options(EngineOptions):
    """Options of BM25."""

    k1: float = Field(1.5, ge=0, description="how soon a repeated word stops counting")
    b: float = Field(0.75, ge=0, le=1, description="how much longer texts are held back")
    stopwords: str = Field("en", description="language of the stop words, or none")


class BM25Engine(Ranker):
    """Ranks texts by shared words. Raises NotFound for another method."""

    def __init__(self, spec: ModelSpec, options: BM25Options) -> None:
        super().__init__(spec)
        if spec.name != "bm25":
            raise unknown("lexical method", spec.name, ["bm25"])
        self._options = options
        self._index = lru_cache(maxsize=_KEPT)(self._indexed)

    def identity(self) -> Mapping[str, Json]:
        return present(
            provider="lexical", name="bm25", engine="bm25s", engine_version=installed("bm25s"),
            options=self._options.model_dump(mode="json"), deterministic=True,
        )  # fmt: skip

    async def scored(self, query: str, texts: tuple[str, ...]) -> tuple[list[float], int]:
        """In a thread of its own; words are not counted."""
        return await asyncio.to_thread(self._scores, query, texts), 0

    def _scores(self, query: str, texts: tuple[str, ...]) -> list[float]:
        words, index = self._words(query), self._index(texts)
        if not words or index is None:
            return [0.0] * len(texts)
        return [float(score) for score in index.get_scores(words)]

    def _indexed(self, texts: tuple[str, ...]) -> "BM25 | None":
        """The index of a corpus, None if it has no word at all."""
        import bm25s

        made = bm25s.BM25(k1=self._options.k1, b=self._options.b)
        if any(corpus := [self._words(text) for text in texts]):
            made.index(corpus, show_progress=False)
            return made
        return None

    def _words(self, text: str) -> list[str]:
        import bm25s

        stop = [] if self._options.stopwords == "none" else self._options.stopwords
        found: list[list[str]] = bm25s.tokenize([text], stopwords=stop, return_ids=False, show_progress=False)
        return found[0]


provider = EngineProvider(BM25Options, BM25Engine)
