"""Pages of two entries: which there are, what they are called, and what was different between the two.

A board of many entries would have pages without end: those of the leading `MOST_PAIRS` against each other are
written, 66 at most for each class of entries.
"""

import itertools
from collections.abc import Iterator, Sequence

import msgspec

from suite.board.rank.state import Listed, RankTable
from suite.board.site.entry_samples import EntrySamples
from suite.chat import Json
from suite.report.numbers import number, plain

MOST_PAIRS = 12


def pairs_of(table: RankTable) -> Iterator[tuple[int, int]]:
    """Places of the entries that have a page together, the one that leads first."""
    yield from itertools.combinations(table.first.leading[:MOST_PAIRS], 2)


def pair_page(table: RankTable, one: int, two: int) -> str:
    """The page of two entries, below pairs/; "" where there is none."""
    for pair in ((one, two), (two, one)):
        if pair in set(pairs_of(table)):
            return f"{'--'.join(table.ranked[place].entry.short for place in pair)}.html"
    return ""


def different(pair: Sequence[Listed], samples: Sequence[EntrySamples]) -> list[tuple[str, str, str]]:
    """[(what, of the first, of the second)] of all that was declared or found and differs."""
    mine, other = (dict(_told(one)) | its.sampling for one, its in zip(pair, samples, strict=True))
    both = ((key, mine.get(key, "unknown"), other.get(key, "unknown")) for key in mine | other)
    return [line for line in both if line[1] != line[2]]


def _told(listed: Listed) -> Iterator[tuple[str, str]]:
    """What a submitter declared and verification found, but for the numbers: (name, in words)."""
    submission, checked = listed.entry.submission, listed.entry.verification
    yield from _flat("", msgspec.to_builtins(submission.model))
    yield "made", submission.created[:10]
    yield "accepted", listed.entry.record.accepted.date().isoformat()
    yield from _flat("", msgspec.to_builtins(submission.disclosure))
    yield from _flat("submitter", msgspec.to_builtins(submission.submitter))
    yield from _flat("", msgspec.to_builtins(submission.terms))
    yield from (("class", checked.kind), ("trust", checked.trust), ("verdict", checked.verdict))
    yield "differences from the board", plain(list(checked.differences))
    for result in checked.columns:
        yield from _flat(f"{result.key}:", dict(result.roles))
    yield from _flat("verifier", msgspec.to_builtins(checked.verifier))


def _flat(name: str, value: Json) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _flat(f"{name} {key}".strip(), part)
    else:
        shown = name.replace("_", " ").replace("organization", "organisation")
        yield shown, "unknown" if value is None else number(value) if type(value) is int else plain(value)
