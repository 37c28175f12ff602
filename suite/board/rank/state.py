"""A board's state: who is ranked and why others are not, marks, and the rankings of both classes.

Standard and custom entries are ranked apart, so that a custom one never holds a standard rank. An entry is
ranked if it is active, verified for this very definition, and eligible by the board's rules.
Two entries of a table are held against each other by the ranking's own test; samples are counted apart.
What tokens cost is told by the board's own price table, never by a submitter. Unknown stays unknown.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
import numpy as np
from pydantic import Field, StringConstraints

from suite.board.define.board import Board
from suite.board.define.parts import TRUST, Closed
from suite.board.entry import AcceptedEntry, read_model
from suite.board.rank.columns import RankedColumn
from suite.board.rank.overall import outcomes
from suite.board.rank.ranking import Position, Ranking, Standing, rank
from suite.board.rank.sample_tables import read_columns
from suite.errors import SuiteError
from suite.plugins import catalogue
from suite.run.cells import load_task

Datasets = Mapping[str, Sequence[str]]  # of each column
EXPOSED = ("train_split", "evaluation_data", "synthetic_from_evaluation_data")


class Price(Closed):
    """Price of a model from a day on, per million tokens. model: the identity's name, exactly."""

    model: str
    since: date
    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)
    source: Annotated[str, StringConstraints(pattern=r"^https://[^\s\"<>]+$")]


class Prices(Closed):
    """prices.yaml."""

    format: Literal["suite-prices/1"] = "suite-prices/1"
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "USD"
    prices: tuple[Price, ...] = ()

    def cost(self, model: str, day: date | None, prompt: int | None, completion: int | None) -> float | None:
        """What these tokens cost on that day; None if anything is unknown."""
        known = [one for one in self.prices if one.model == model and day is not None and one.since <= day]
        if not known or prompt is None or completion is None:
            return None
        price = max(known, key=lambda one: one.since)
        return (prompt * price.prompt + completion * price.completion) / 1e6


def read_prices(path: Path | None) -> Prices:
    """The price table of a board; an empty one if there is no file. Raises DataError."""
    return Prices() if path is None or not path.is_file() else read_model(path, Prices)


@dataclass(frozen=True)
class Listed:
    """An entry with what the board derives from it.

    reasons: why it is not ranked; () if it is. zero_shot: share of columns without declared exposure, None if
    unknown. exposed: column -> what was declared, where that is exposure. cost: whole; cost_per_sample; both
    None if unknown. tokens: (prompt, completion) over all columns. latency: median seconds of a call, by the
    submitter's clock. judges: columns judged by a model of its own family. late: columns whose data is older
    than the model.
    """

    entry: AcceptedEntry
    reasons: tuple[str, ...]
    zero_shot: float | None
    exposed: Mapping[str, str]
    cost: float | None
    cost_per_sample: float | None
    tokens: tuple[int | None, int | None]
    latency: float | None
    samples: int
    judges: tuple[str, ...]
    late: tuple[str, ...]
    run_date: date | None

    @property
    def tokens_per_sample(self) -> float | None:
        """Prompt and reply together, None if unknown."""
        prompt, completion = self.tokens
        if prompt is None or completion is None or not self.samples:
            return None
        return (prompt + completion) / self.samples


@dataclass(frozen=True)
class RankTable:
    """A class of entries in order: ranked ones by rank, then those that are not. Indices of the ranking are
    places in `ranked`.
    """

    kind: str
    ranked: list[Listed]
    unranked: list[Listed]
    ranking: Ranking
    place: Mapping[str, int]
    columns: Mapping[str, RankedColumn]

    def standing(self, column: str = "") -> Standing:
        """Of a column, or by the overall number."""
        return self.ranking.columns[column] if column else self.ranking.overall

    def at(self, entry: str, column: str = "") -> Position:
        """Where an entry, by its id, stands in a column, or by the overall number."""
        return self.standing(column).at(self.place.get(entry))

    @property
    def first(self) -> Standing:
        """What the table is sorted by: the overall number, or the only column."""
        columns = list(self.ranking.columns.values())
        return columns[0] if len(columns) == 1 else self.ranking.overall

    @cached_property
    def rows(self) -> list[Listed]:
        """Ranked entries by overall rank, those without an overall number last, then the unranked."""

        def key(one: Listed) -> tuple[tuple[bool, int, bool], str]:
            return self.at(one.entry.id).precedence, one.entry.submission.model.display_name

        return sorted(self.ranked, key=key) + self.unranked


@dataclass(frozen=True)
class State:
    """Everything that the pages of one version of a board show. entries: by bundle id, whatever became of
    them. others: entries of other versions.
    """

    board: Board
    standard: RankTable
    custom: RankTable
    entries: Mapping[str, Listed]
    others: list[AcceptedEntry]
    currency: str

    @property
    def tables(self) -> tuple[RankTable, RankTable]:
        return self.standard, self.custom

    def table_of(self, entry: AcceptedEntry) -> RankTable:
        return self.custom if entry.verification.kind == "custom" else self.standard


def state_of(board: Board, entries: Sequence[AcceptedEntry], prices: Prices) -> State:
    """Rank a board. entries: all of the repository. Raises DataError, ConfigError."""
    datasets = datasets_of(board)
    found = {one.id: listed(board, one, prices, datasets) for one in entries if belongs(board, one)}
    others = [one for one in entries if not belongs(board, one)]
    active = [one for one in found.values() if one.entry.record.status == "active"]
    standard, custom = (
        _table(board, kind, [one for one in active if one.entry.verification.kind == kind])
        for kind in ("standard", "custom")
    )
    return State(board, standard, custom, found, others, prices.currency)


def belongs(board: Board, entry: AcceptedEntry) -> bool:
    """Whether an entry was verified for this very definition: not for an older, laxer one."""
    name = entry.verification.board
    return name is not None and msgspec.structs.asdict(name) == board.exact_name


def staleness(board: Board, entry: AcceptedEntry, installed: Mapping[str, int] | None = None) -> list[str]:
    """What changed since an entry was verified, in words: its tasks' versions, as the board asks for them or
    as they are installed here, or else the board's definition; [] if nothing did.
    """
    was = {cell.task: cell.version for cell in entry.verification.recomputed}
    asked = {item.task: item.version for item in board.tasks}
    found = [
        f"{task} was version {one}, {what} {now[task]}"
        for what, now in (("the board asks for", asked), ("installed is", installed or {}))
        for task, one in was.items()
        if now.get(task, one) != one
    ]
    if found or belongs(board, entry):
        return found
    of = entry.verification.board
    return [f"it was verified for version {'none' if of is None else of.version} of the board"]


def stale_entries(board: Board, entries: Sequence[AcceptedEntry]) -> dict[str, str]:
    """Name of a folder -> what changed and what to do, of the active entries that are stale."""
    installed = {}
    for item in board.tasks:
        with suppress(SuiteError):  # not every machine has every task
            installed[item.task] = load_task(catalogue(), item.task)[0].info.version
    active = [one for one in entries if one.record.status == "active"]
    found = {one.folder.name: "; ".join(staleness(board, one, installed)) for one in active}
    return {place: f"stale: {why} (suite board check --again)" for place, why in found.items() if why}


def _table(board: Board, kind: str, shown: Sequence[Listed]) -> RankTable:
    ranked = [one for one in shown if not one.reasons]
    unranked = [one for one in shown if one.reasons]
    columns = read_columns([item.name for item in board.tasks], [one.entry for one in ranked])
    place = {one.entry.id: index for index, one in enumerate(ranked)}
    by_key = {column.key: column for column in columns}
    return RankTable(kind, ranked, unranked, rank(board, columns), place, by_key)


def listed(board: Board, entry: AcceptedEntry, prices: Prices, datasets: Datasets) -> Listed:
    """What the board derives from one entry. datasets: of each column."""
    model = entry.submission.model
    by_column = exposure(board, datasets, entry.submission.disclosure.contamination)
    exposed = {key: value for key, value in by_column.items() if value in EXPOSED}
    unknown = "unknown" in by_column.values()
    results = [one for item in board.tasks if (one := entry.column(item.name)) is not None]
    day = _day(entry.submission.created)
    prompt = _sum([one.tokens.prompt if one.tokens else None for one in results])
    completion = _sum([one.tokens.completion if one.tokens else None for one in results])
    samples = sum(one.n + one.unscored for one in results)
    cost = prices.cost(model.identity.name, day, prompt, completion)
    released, own = _day(model.release_date), family(model.identity.name)
    judges = [(item.name, seat) for item in board.tasks for seat in item.roles.get("judge", ())]
    published = [(item.name, item.data_published) for item in board.tasks if item.data_published is not None]
    return Listed(
        entry=entry,
        reasons=tuple(_reasons(board, entry, exposed, day)),
        zero_shot=None if unknown else 1 - len(exposed) / len(board.tasks),
        exposed=exposed,
        cost=cost,
        cost_per_sample=cost / samples if cost is not None and samples else None,
        tokens=(prompt, completion),
        latency=None if entry.verification.latency is None else entry.verification.latency.median_s,
        samples=samples,
        judges=tuple(name for name, seat in judges if own and family(seat.spec) == own),
        late=tuple(name for name, since in published if released is not None and released > since),
        run_date=day,
    )


def _reasons(board: Board, entry: AcceptedEntry, exposed: Collection[str], day: date | None) -> list[str]:
    rules, checked = board.eligibility, entry.verification
    reasons = []
    if checked.verdict not in ("verified", "verified_with_warnings"):
        reasons.append(f"verdict: {checked.verdict.replace('_', ' ')}")
    if checked.kind not in rules.types:
        reasons.append(f"{checked.kind} entries are not taken")
    if TRUST.index(checked.trust) < TRUST.index(rules.min_trust):
        reasons.append(f"trust {checked.trust} is below {rules.min_trust}")
    if rules.contamination == "exclude" and exposed:
        reasons.append(f"declared exposure to {', '.join(exposed)}")
    if rules.max_age_days is not None:
        age = None if day is None else (entry.record.accepted.date() - day).days
        if age is None or age > rules.max_age_days:
            reasons.append(f"run more than {rules.max_age_days} days before it was accepted")
        elif age < -1:  # a day apart may be a matter of time zones
            reasons.append(f"declared to be made {-age} days after it was accepted")
    return reasons


def family(name: str) -> str:
    """The family of a model's name, a guess: its last part's first letters ("qwen" of "a/Qwen3-8B")."""
    last = name.rstrip("/").rpartition("/")[2].lower()
    letters = "".join(takewhile(str.isalpha, last))
    return letters if len(letters) > 2 else ""


def _sum(values: Sequence[int | None]) -> int | None:
    """The sum; None where a part is unknown or nothing was counted at all: never 0 for unknown."""
    return None if None in values else sum(one for one in values if one is not None) or None


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else datetime.fromisoformat(text).date()
    except ValueError:
        return None


def datasets_of(board: Board) -> dict[str, tuple[str, ...]]:
    """Column -> the datasets it reads; none where its task is not installed here."""
    try:
        cells = board.cells(catalogue())
    except SuiteError:
        return {}
    found = {}
    for item in board.tasks:
        names = [
            cell.task.info.mini.get(name, name) if item.data == "mini" else name
            for cell in cells[item.name]
            for name in cell.task.datasets()
        ]
        found[item.name] = tuple(dict.fromkeys(names))
    return found


def exposure(board: Board, datasets: Datasets, declared: Mapping[str, str]) -> dict[str, str]:
    """Column -> what was declared: an exposure if there is any, "none_known", or "unknown"."""
    found = {}
    for item in board.tasks:
        by_name = declared.get(item.name, declared.get(item.task))
        told = [declared.get(one, "unknown") for one in datasets.get(item.name, ())]
        told = told if by_name is None else [by_name]
        usual = "none_known" if set(told) == {"none_known"} else "unknown"
        found[item.name] = next((value for value in told if value in EXPOSED), usual)
    return found


class PairStanding(NamedTuple):
    """word: better, worse or tied, of the first against the second; "" where they were not tested.

    difference: by how much the first is better; low, high: its interval; p: corrected for all pairs; None
    where unknown. won, lost, same: samples that both have scored, over all columns for the overall number.
    """

    word: str = ""
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    won: int = 0
    lost: int = 0
    same: int = 0

    @property
    def share(self) -> float | None:
        """Of the samples, those that the first does better."""
        both = self.won + self.lost + self.same
        return self.won / both if both else None


def pair_result(table: RankTable, first: int, second: int, key: str = "") -> PairStanding:
    """Two ranked entries, by their places, in a column or by the overall number (""). All pairs of a table
    were tested at once: difference, interval and p agree with the word and with the ranks.
    """
    columns = [table.columns[key]] if key else list(table.columns.values())
    won, lost, same = np.sum([_counts(column, first, second) for column in columns], axis=0).tolist()
    standing = table.standing(key)
    pairs, members = standing.pairs, list(standing.members)
    if pairs is None or first not in members or second not in members:
        return PairStanding(won=won, lost=lost, same=same)
    at = members.index(first), members.index(second)
    word = "better" if pairs.better[at] else "worse" if pairs.better[at[::-1]] else "tied"
    difference, se = float(pairs.values[at[0]] - pairs.values[at[1]]), float(pairs.se[at])
    half = pairs.critical * se if pairs.critical is not None and 0 < se < np.inf else None
    low, high = (None, None) if half is None else (difference - half, difference + half)
    return PairStanding(word, difference, low, high, pairs.p(*at), won, lost, same)


def _counts(column: RankedColumn, first: int, second: int) -> tuple[int, int, int]:
    """Samples won, lost and the same; none of a column that is not paired."""
    if column.units is None:
        return 0, 0, 0
    one, two = outcomes(column.among(np.array([first, second]))).T
    won, lost, same = one > two, one < two, one == two  # a sample without a value is none of these
    return int(won.sum()), int(lost.sum()), int(same.sum())
