"""The published analysis, recomputed from judgement records: upstream's numbers, and ours beside them.

Records are streamed; kept are two letters a verdict. Upstream aligns judges by row number; here a query is
joined by its text and occurrence, and one that a judge lacks leaves the numbers and is counted.
Source: upstream's code (see `official`). Not here: people's judgements (`people`), printing (`tables`).
"""

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import suite
from suite_contexteval import official, parsers
from suite_contexteval.columns import Judged
from suite_contexteval.rows import SETTINGS, Setting

# judges in upstream's order, which decides between equally common labels
JUDGE_ORDER = {
    ("claude-3.5-sonnet", "meta-llama_Meta-Llama-3.1-405B-Instruct-Turbo"): (
        "gpt-4",
        "gemini-1.5-pro",
        "google_gemma-2-27b-it",
        "jamba-1.5-large",
        "Qwen_Qwen2-72B-Instruct",
    ),
    ("google_gemma-2-27b-it", "jamba-1.5-large"): (
        "claude-3.5-sonnet",
        "meta-llama_Meta-Llama-3.1-405B-Instruct-Turbo",
        "gpt-4",
        "gemini-1.5-pro",
        "Qwen_Qwen2-72B-Instruct",
    ),
    ("gpt-4", "gemini-1.5-flash-exp-0827"): (
        "claude-3.5-sonnet",
        "meta-llama_Meta-Llama-3.1-405B-Instruct-Turbo",
        "google_gemma-2-27b-it",
        "jamba-1.5-large",
        "Qwen_Qwen2-72B-Instruct",
    ),
}
COMPARED: tuple[tuple[Setting, Setting], ...] = (("none", "judge"), ("none", "both"), ("judge", "both"))
_VOTES = {"1": 1.0, "2": 0.0, "T": 0.5}

Pair = tuple[str, str]


def in_order(pair: Pair, met: Iterable[str]) -> tuple[str, ...]:
    """The judges of a pair of models in upstream's order where it is known, else as met."""
    judges = tuple(met)
    slashless = {judge.replace("/", "_"): judge for judge in judges}
    order = JUDGE_ORDER.get((pair[0].replace("/", "_"), pair[1].replace("/", "_")), ())
    return tuple(slashless[judge] for judge in order) if set(order) == set(slashless) else judges


@dataclass
class Cell:
    """The verdicts on one pair of models in one setting.

    votes: query -> judge -> upstream's label and the strict one, as two letters ("1T"; "I" for none).
    longer: query -> whether candidate one's response has more words.
    """

    votes: dict[str, dict[str, str]] = field(default_factory=dict)
    longer: dict[str, bool] = field(default_factory=dict)

    def judges(self, pair: Pair) -> tuple[str, ...]:
        """All judges, in upstream's order where it is known, else as met."""
        return in_order(pair, dict.fromkeys(judge for votes in self.votes.values() for judge in votes))


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class CellNumbers:
    """What a cell comes to. Counts are of queries.

    official: upstream's shares among strict majorities, agreement, non-tie agreement, Randolph's kappa.
    win: our win rate of candidate one, ties half, strict reader, majority of the readable votes.
    """

    pair: Pair
    setting: Setting
    judges: tuple[str, ...]
    queries: int
    incomplete: int
    wins: official.WinRates
    agreement: float | None
    non_tie: float | None
    randolph: float | None
    invalid: Mapping[str, int]
    unreadable: Mapping[str, int]
    longer: float | None
    win: Interval
    unscored: int
    shares: Mapping[str, float]
    non_tie_shares: Sequence[float]
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Change:
    """Two settings of one pair. with_ties, non_tie: upstream's tests. win: our paired change, queries in
    common; p of the paired test corrected by Holm over all changes reported.
    """

    pair: Pair
    before: Setting
    after: Setting
    with_ties: official.TTest | None
    non_tie: official.TTest | None
    win: Interval
    changed: float | None
    p: float | None
    corrected: float | None


@dataclass(frozen=True)
class Analysis:
    """All cells and the changes between them."""

    cells: tuple[CellNumbers, ...]
    changes: tuple[Change, ...]


def gather(records: Iterable[Judged]) -> dict[tuple[Pair, Setting], Cell]:
    """Verdicts by pair and setting. Raises DataError if a judge says two things of one query."""
    cells: dict[tuple[Pair, Setting], Cell] = {}
    for one in records:
        cell = cells.setdefault(((one.one, one.two), one.setting), Cell())
        votes = cell.votes.setdefault(one.key, {})
        if one.judge in votes:
            raise suite.DataError(
                f"{one.judge} judges the query {one.key} twice", where=f"{one.one} vs {one.two}"
            )
        votes[one.judge] = one.label + strict_label(one)
        cell.longer.setdefault(one.key, len(one.response_one.split()) > len(one.response_two.split()))
    return cells


def strict_label(one: Judged) -> str:
    """Our reading of a verdict by candidate: "1", "2", "T" or "I"."""
    try:
        slot = parsers.judgement(one.text)
    except ValueError:
        return "I"
    return "T" if isinstance(slot, suite.Tie) else official.mapped(str(slot), one.rand_choice)


def analyse(records: Iterable[Judged], seed: int = 0) -> Analysis:
    """Recompute everything. Raises DataError for no records at all."""
    cells = gather(records)
    if not cells:
        raise suite.DataError("there is no judgement to analyse")
    order = {pair: place for place, pair in enumerate(dict.fromkeys(pair for pair, _ in cells))}
    keys = sorted(cells, key=lambda one: (order[one[0]], SETTINGS.index(one[1])))
    numbers = {key: _numbers(*key, cells[key], seed) for key in keys}
    changes = [
        _change(numbers[pair, before], numbers[pair, after], seed)
        for pair in order
        for before, after in COMPARED
        if (pair, before) in numbers and (pair, after) in numbers
    ]
    corrected = suite.adjust([one.p for one in changes])
    return Analysis(
        tuple(numbers.values()),
        tuple(_corrected(one, p) for one, p in zip(changes, corrected, strict=True)),
    )


def _corrected(one: Change, p: float | None) -> Change:
    return Change(one.pair, one.before, one.after, one.with_ties, one.non_tie, one.win, one.changed, one.p, p)


def _numbers(pair: Pair, setting: Setting, cell: Cell, seed: int) -> CellNumbers:
    judges = cell.judges(pair)
    whole = {key: votes for key, votes in cell.votes.items() if len(votes) == len(judges)}
    rows = {key: [votes[judge][0] for judge in judges] for key, votes in whole.items()}
    panels = {key: official.panel(row) for key, row in rows.items()}
    non_tie = official.non_tie_agreement(list(panels.values()))
    scores = {key: score for key, votes in whole.items() if (score := _score(votes)) is not None}
    longer = list(cell.longer.values())
    return CellNumbers(
        pair=pair,
        setting=setting,
        judges=judges,
        queries=len(cell.votes),
        incomplete=len(cell.votes) - len(whole),
        wins=official.win_rates(list(panels.values())),
        agreement=_mean([one.share for one in panels.values()]),
        non_tie=_mean(non_tie),
        randolph=official.randolph(list(rows.values())) if rows else None,
        invalid={judge: sum(votes[judge][0] == "I" for votes in whole.values()) for judge in judges},
        unreadable={judge: sum(votes[judge][1] == "I" for votes in whole.values()) for judge in judges},
        longer=_mean([float(one) for one in longer]),
        win=bootstrapped(list(scores.values()), seed, *pair, setting),
        unscored=len(whole) - len(scores),
        shares={key: one.share for key, one in panels.items()},
        non_tie_shares=non_tie,
        scores=scores,
    )


def _score(votes: Mapping[str, str]) -> float | None:
    cast = [_VOTES.get(one[1], suite.Unscored("unparsed")) for one in votes.values()]
    score = suite.panel_score(cast)
    return None if isinstance(score, suite.Unscored) else score


def _change(before: CellNumbers, after: CellNumbers, seed: int) -> Change:
    common = [key for key in before.shares if key in after.shares]
    scored = [key for key in before.scores if key in after.scores]
    differences = [after.scores[key] - before.scores[key] for key in scored]
    ours = official.paired_t([after.scores[key] for key in scored], [before.scores[key] for key in scored])
    return Change(
        pair=before.pair,
        before=before.setting,
        after=after.setting,
        with_ties=official.paired_t(
            [before.shares[key] for key in common], [after.shares[key] for key in common]
        ),
        non_tie=official.independent_t(before.non_tie_shares, after.non_tie_shares),
        win=bootstrapped(differences, seed, *before.pair, before.setting, after.setting),
        changed=_mean([float(one != 0) for one in differences]),
        p=None if ours is None else ours.p,
        corrected=None,
    )


def bootstrapped(values: Sequence[float], seed: int, *names: str) -> Interval:
    """A mean with its bootstrap interval over queries."""
    import numpy as np

    x = np.array(values, dtype=np.float64)
    if not len(x):
        return Interval(None)
    own = zlib.crc32("\x1f".join((str(seed), *names)).encode())
    found = suite.bootstrap(lambda places: float(x[places].mean()), len(x), seed=own)
    return Interval(found.value, found.low, found.high)


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
