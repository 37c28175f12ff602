"""Datasets into items: queries, contexts, responses, judgements, attributes, in one fixed order.

A dataset is a registry entry, a JSON Lines file or the run of the stage before. Runs record outputs in
the order they ended, so their rows are put back into the queries' order (`index`); files are streamed. Of
several trials the first is read. Everything is joined by `example_id`, never by row number or text.
"""

import ast
import hashlib
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import suite
from suite_contexteval import wrapping
from suite_contexteval.rows import (
    QA,
    Attribute,
    Contextual,
    FilteredQuery,
    Generated,
    Judgement,
    Query,
    Response,
    Row,
    Selected,
)

QUERIES = "contexteval"
GENERATED = "contexteval-generated"
VALIDATED = "contexteval-validated"
CONTEXTS = "contexteval-contexts"
RESPONSES = "contexteval-responses"
BASELINE_RESPONSES = "contexteval-baseline-responses"
JUDGEMENTS = "contexteval-judgements"
ATTRIBUTES = "contexteval-attributes"
SELECTED = "contexteval-selected"
MINI = "contexteval-mini"
FILTER_SEED = 423
ATTRIBUTES_FILE = "contexteval/data/contextual_attributes_qas.txt"

RowT = TypeVar("RowT", bound=Row)
QueryT = TypeVar("QueryT", bound=Query)


class Item(suite.Payload):
    """A query ready to be answered and judged. draw: which side upstream shows first, 1 or 2."""

    example_id: str
    query: str
    source: str = ""
    index: int = 0
    qas: tuple[QA, ...] = ()
    context: str = ""
    draw: int = 1

    def data(self) -> dict[str, object]:
        """The keys that every stage's output carries on."""
        kept = self.model_dump(mode="json", include={"example_id", "query", "source", "index"})
        qas = [one.model_dump(mode="json") for one in self.qas]
        return {**kept, "qas": qas} if qas else {**kept, "context": self.context}


def sample(item: Item) -> suite.Sample[Item]:
    """The sample of an item."""
    return suite.Sample(item.example_id, item, tags=tags(item.source))


def tags(source: str) -> dict[str, str]:
    """The tag that slices by source, where it is known."""
    return {"source": source} if source else {}


def first_trial(data: suite.Data, name: str, row: type[RowT], part: str) -> Iterator[RowT]:
    """Rows of a dataset, of the first trial."""
    return (one for one in data.rows(name, row, part) if one.trial == 0)


def in_order(rows: Iterable[QueryT]) -> Iterator[QueryT]:
    """Rows of a file as they come; those of a run in the queries' order, once all are read."""
    unordered = []
    for row in rows:
        if row.sample_id:
            unordered.append(row)
        else:
            yield row
    yield from sorted(unordered, key=lambda one: (one.index is None, one.index or 0))


def queries(data: suite.Data, name: str = QUERIES) -> Iterator[Item]:
    """Queries, streamed; outputs of `contexteval/filter` are cut to its targets first, in upstream's order.

    Raises DataError for an id that occurs twice.
    """
    filtered: list[FilteredQuery] = []
    seen: set[str] = set()
    for place, row in enumerate(in_order(first_trial(data, name, FilteredQuery, "queries"))):
        _once(row.example_id, seen, name)
        if row.keep is None:
            yield _item(row, place)
        else:
            filtered.append(row)
    for place, row in enumerate(targeted(filtered)):
        yield _item(row, place)


def targeted(rows: Sequence[FilteredQuery]) -> list[FilteredQuery]:
    """The well-formed queries; of sources with a target the first so many of upstream's walk, in its order.

    Upstream shuffles each source, source by source with one seed, and walks it until it has enough. Sources
    that it does not know stay whole, after those that it does.
    """
    by_source: dict[str, list[FilteredQuery]] = {}
    for row in rows:
        by_source.setdefault(row.source if row.target is not None else "", []).append(row)
    rest = [row for row in by_source.pop("", []) if row.keep]
    chance = random.Random(FILTER_SEED)
    kept: list[FilteredQuery] = []
    for walk in by_source.values():
        chance.shuffle(walk)
        kept += [row for row in walk if row.keep][: walk[0].target]
    return kept + rest


def generated(data: suite.Data, name: str, part: str) -> list[Generated]:
    """Queries that need context, with their follow-up questions."""
    rows = list(in_order(first_trial(data, name, Generated, part)))
    seen: set[str] = set()
    for row in rows:
        _once(row.example_id, seen, name)
    return [row for row in rows if row.needed and row.pairs]


class _Contextual(Contextual):
    example_id: str = ""
    context: str | None = ""  # type: ignore[assignment]


def contextual(data: suite.Data, name: str = CONTEXTS) -> Iterator[Item]:
    """Queries with one user's context each, in order.

    Published judgement records serve too: of those with a context, each query and context once, under
    an id made of its text, since they carry none. Raises DataError for a row without a context or an id
    that occurs twice.
    """
    seen: set[str] = set()
    rows = _distinct(first_trial(data, name, _Contextual, "contexts"), name)
    for place, row in enumerate(in_order(rows)):
        _once(row.example_id, seen, name)
        if not row.qas and not (row.context or "").strip():
            raise suite.DataError(
                f"{name}: {row.example_id} has no context",
                fix="give each row `qas` (question, options, answer) or `context`",
            )
        yield contextual_item(row, row.index if row.index is not None else place)


def _distinct(rows: Iterable[_Contextual], name: str) -> Iterator[_Contextual]:
    texts: dict[str, int] = {}
    seen: set[bytes] = set()
    for row in rows:
        if row.example_id:
            yield row
            continue
        context = (row.context or "").strip()
        digest = hashlib.sha256(f"{row.query}\x1f{context}".encode()).digest()
        if not context or digest in seen:
            continue
        seen.add(digest)
        texts[row.query] = texts.get(row.query, 0) + 1
        yield row.model_copy(update={"example_id": text_id(row.query, texts[row.query]), "source": name})


def text_id(query: str, occurrence: int = 1) -> str:
    """An id for a query that came without one."""
    base = f"q_{hashlib.sha256(query.encode()).hexdigest()[:12]}"
    return base if occurrence == 1 else f"{base}_{occurrence}"


def contextual_item(row: Contextual, index: int) -> Item:
    """An item from a row; pairs are read out of a context's text where it has their form."""
    qas = row.qas or wrapping.context_pairs(row.context or "")
    return Item(
        example_id=row.example_id,
        query=row.query,
        source=row.source,
        index=index,
        qas=row.qas,
        context=wrapping.context_text(qas) if row.qas else (row.context or "").strip(),
    )


def responses(data: suite.Data, name: str, part: str, *, with_context: bool) -> dict[str, Response]:
    """example_id -> a model's response, in the queries' order.

    Raises DataError if there is none of the kind wanted, or two for one query.
    """
    rows = in_order(first_trial(data, name, Response, part))
    found: dict[str, Response] = {}
    for row in rows:
        if row.with_context is with_context:
            _once(row.example_id, found, name)
            found[row.example_id] = row
    if not found:
        what = "with" if with_context else "without"
        raise suite.DataError(
            f"{name} holds no responses {what} context",
            fix=f"run contexteval/respond -P context={str(with_context).lower()}",
        )
    return found


def judgements(data: suite.Data, name: str = JUDGEMENTS) -> Iterator[Judgement]:
    """Pairs with what each judge said, as `contexteval/judge` leaves them. A file has a query's together."""
    return in_order(first_trial(data, name, Judgement, "judgements"))


def selected(data: suite.Data) -> list[Selected]:
    """(query, attribute) pairs that suit each other."""
    return list(in_order(row for row in first_trial(data, SELECTED, Selected, "selected") if row.kept))


def attributes(data: suite.Data) -> list[Attribute]:
    """The attributes: upstream's text file, or rows of the same content."""
    try:
        path = data.file(ATTRIBUTES, ATTRIBUTES_FILE)
    except suite.SuiteError:  # rows of a mini dataset or of a file that somebody gave
        return list(data.rows(ATTRIBUTES, Attribute, "attributes"))
    return parsed_attributes(path.read_text("utf-8"))


def parsed_attributes(text: str) -> list[Attribute]:
    """Attributes from upstream's file: "* name", then "Q: question A: [answers]".

    Raises DataError naming the attribute that has another form.
    """
    found = []
    for block in re.split(r"^\* ", text, flags=re.MULTILINE)[1:]:
        name, _, rest = block.partition("\n")
        match = re.fullmatch(r"Q: (.+?) A:\s*(\[.*\])", rest.strip())
        try:
            answers = ast.literal_eval(match[2]) if match else None
        except (ValueError, SyntaxError) as error:
            raise suite.DataError(f"attribute {name.strip()!r}: its answers are no list: {error}") from error
        if match is None or not isinstance(answers, list):
            raise suite.DataError(f"attribute {name.strip()!r} is not followed by a question and its answers")
        found.append(Attribute(attribute=name.strip(), question=match[1], answers=tuple(answers)))
    return found


def _item(row: Query, index: int) -> Item:
    return Item(example_id=row.example_id, query=row.query, source=row.source, index=index)


def _once(example_id: str, seen: set[str] | dict[str, Response], name: str) -> None:
    if example_id in seen:
        raise suite.DataError(f"{name}: {example_id!r} occurs twice", fix="ids of queries must be unique")
    if isinstance(seen, set):
        seen.add(example_id)
