import math
from collections import Counter

import pytest

from suite.chat import Options, Request
from suite.errors import NotFound
from suite.models.engine import Asking
from suite.models.lexical import provider
from suite.models.spec import parse_spec

TEXTS = ("red apples grow", "green apples and green pears", "the sea is deep", "red boats sail the red sea")


def bm25(query: list[str], corpus: list[list[str]], k1: float = 1.5, b: float = 0.75) -> list[float]:
    """Lucene's BM25, written out (Kamphuis et al. 2020, table 1)."""
    mean = sum(map(len, corpus)) / len(corpus)
    scores = []
    for words in corpus:
        counts = Counter(words)
        total = 0.0
        for word in query:
            df = sum(word in other for other in corpus)
            idf = math.log(1 + (len(corpus) - df + 0.5) / (df + 0.5))
            tf = counts[word]
            total += idf * tf / (tf + k1 * (1 - b + b * len(words) / mean))
        scores.append(total)
    return scores


async def test_scores_are_lucenes_bm25() -> None:
    engine = provider.engine(parse_spec("lexical/bm25"))
    reply = await engine.call(Request("rank", prompt="red sea", texts=TEXTS), Asking())
    stop = {"and", "the", "is"}
    corpus = [[word for word in text.split() if word not in stop] for text in TEXTS]
    assert dict(reply.ranking) == pytest.approx(dict(enumerate(bm25(["red", "sea"], corpus))), abs=1e-6)


@pytest.mark.parametrize(
    ("query", "order"), [("red sea", [3, 2, 0, 1]), ("nothing shared", [0, 1, 2, 3]), ("", [0, 1, 2, 3])]
)
async def test_ties_stand_in_index_order(query: str, order: list[int]) -> None:
    engine = provider.engine(parse_spec("lexical/bm25"))
    reply = await engine.call(Request("rank", prompt=query, texts=TEXTS), Asking())
    assert sorted(order) == sorted(index for index, _ in reply.ranking)
    if query != "red sea":
        assert [index for index, _ in reply.ranking] == order
    else:
        assert reply.ranking[0][0] == 3


async def test_texts_without_words_and_no_texts() -> None:
    engine = provider.engine(parse_spec("lexical/bm25"))
    assert (await engine.call(Request("rank", prompt="x", texts=("", "the")), Asking())).ranking == (
        (0, 0.0),
        (1, 0.0),
    )
    assert (await engine.call(Request("rank", prompt="x"), Asking())).ranking == ()
    top = Request("rank", prompt="red", texts=TEXTS, options=Options(top=2))
    assert len((await engine.call(top, Asking())).ranking) == 2


def test_another_method_is_named() -> None:
    with pytest.raises(NotFound, match="no lexical method named 'bm52'"):
        provider.engine(parse_spec("lexical/bm52"))
