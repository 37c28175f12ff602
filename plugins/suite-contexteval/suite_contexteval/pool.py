"""The pool of queries out of the five sources that the paper draws from.

Each source's rows come in the order of its splits, as JSON Lines. Kept is one record per distinct query
within a source (an empty one is none), of 4 to 59 words; duplicates across sources stay. Source: upstream's
code.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import suite

SHORTEST, LONGEST = 4, 59  # words

Row = Mapping[str, Any]


class Source(NamedTuple):
    """How to read a source. counted: ids count the kept rows, not all rows."""

    prefix: str
    query: Callable[[Row], str]
    wanted: Callable[[Row], bool]
    counted: bool


def _first_message(row: Row) -> str:
    return str(row["conversation_a"][0]["content"])


def _first_turn(row: Row) -> bool:
    return bool(row["turn"] == 1)


def _every(row: Row) -> bool:  # noqa: ARG001
    return True


SOURCES: Mapping[str, Source] = {
    "lmsys/chatbot_arena_conversations": Source(
        "chatbot_arena_conversations", _first_message, _first_turn, False
    ),
    "lmsys/mt_bench_human_judgments": Source("mt_bench_human_judgments", _first_message, _first_turn, False),
    "fangyuan/kiwi": Source("kiwi", lambda row: str(row["original_question"]), _every, False),
    "cmalaviya/expertqa": Source("expertqa", lambda row: str(row["question"]), _every, True),
    "tatsu-lab/alpaca_eval": Source("alpaca", lambda row: str(row["instruction"]), _every, True),
}


def pool(name: str, rows: Iterable[Row]) -> Iterator[dict[str, str]]:
    """Records {query, source, example_id} of one source.

    Raises NotFound for another source, DataError for a row that is not of its form.
    """
    if name not in SOURCES:
        raise suite.NotFound(f"no source is called {name!r}", fix=f"there are: {', '.join(SOURCES)}")
    source = SOURCES[name]
    seen: set[str] = set()
    for number, row in enumerate(rows):
        try:
            if not source.wanted(row):
                continue
            query = source.query(row).strip()
        except (KeyError, IndexError, TypeError) as error:
            raise suite.DataError(
                f"row {number} of {name} has another form: {type(error).__name__}: {error}",
                where=f"its columns: {', '.join(map(str, row))}",
            ) from error
        if not query or query in seen:
            continue
        place = len(seen) if source.counted else number
        seen.add(query)
        if SHORTEST <= len(query.split()) <= LONGEST:
            yield {"query": query, "source": name, "example_id": f"{source.prefix}_{place}"}
