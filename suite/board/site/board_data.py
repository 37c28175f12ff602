"""The board for machines: data.json (schema board-data.v1.json) and entries.csv."""

from typing import Literal

import msgspec

from suite.board.rank.state import Listed, RankTable, State
from suite.board.site.page_words import name
from suite.report.tables import csv_lines


class ColumnData(msgspec.Struct, forbid_unknown_fields=True):
    """An entry in a column. rank: ties share one. rank_low, rank_high: the rank interval."""

    key: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unscored: int
    coverage: float | None
    rank: int | None
    rank_low: int | None
    rank_high: int | None


class EntryData(msgspec.Struct, forbid_unknown_fields=True, rename={"kind": "class"}):
    """An entry. kind: standard or custom; both are ranked, apart. null: unknown, never 0. lacking: how many
    columns add nothing to low and high, since all units are alike there, so that these are too narrow.
    """

    bundle_id: str
    kind: Literal["standard", "custom"]
    status: str
    model: str
    organization: str
    submitter: str
    relationship: str
    trust: str
    verdict: str
    not_ranked: list[str]
    overall: float | None
    low: float | None
    high: float | None
    lacking: int
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    leave_one_out: tuple[int, int] | None
    columns: list[ColumnData]
    others: dict[str, float | None]
    zero_shot: float | None
    exposed: dict[str, str]
    parameters_total: int | None
    parameters_active: int | None
    availability: str
    licence: str | None
    release_date: str | None
    created: str
    accepted: str
    complete_runs: int
    cost: float | None
    cost_per_sample: float | None
    prompt_tokens: int | None
    completion_tokens: int | None
    supersedes: str | None
    tokens_per_sample: float | None
    latency_s_declared: float | None


class ItemData(msgspec.Struct, forbid_unknown_fields=True):
    """A column of the board."""

    key: str
    title: str
    task: str
    version: int
    weight: float
    note: str


class BoardData(msgspec.Struct, forbid_unknown_fields=True):
    """data.json. note: what must be known of the overall intervals and ranks of the standard entries."""

    format: Literal["suite-board-data/1"]
    id: str
    version: str
    title: str
    definition_sha256: str
    level: float
    resamples: int
    method: str
    note: str
    currency: str
    items: list[ItemData]
    entries: list[EntryData]


def board_data(state: State) -> BoardData:
    """Everything that the tables show."""
    board, weights = state.board, state.board.weights
    ranking, rules = state.standard.ranking, board.uncertainty
    items = [
        ItemData(key, name(item.shown), item.task, item.version, weights[key], ranking.columns[key].note)
        for key, item in ((item.name, item) for item in board.tasks)
    ]
    entries = [_entry(state, table, one) for table in state.tables for one in table.rows]
    about = board.id, board.version, name(board.title), board.sha256
    how = rules.level, ranking.resamples, board.overall.method, ranking.overall.note, state.currency
    told = (*about, *how, items, entries)
    return BoardData("suite-board-data/1", *told)


def _entry(state: State, table: RankTable, listed: Listed) -> EntryData:
    entry, submission = listed.entry, listed.entry.submission
    model = submission.model
    place, ranking = table.place.get(entry.id), table.ranking
    others = {} if place is None else {key: one.at(place).value for key, one in ranking.others.items()}
    overall = table.at(entry.id)
    return EntryData(
        bundle_id=entry.id,
        kind=entry.verification.kind,
        status=entry.record.status,
        model=name(model.display_name),
        organization=name(model.organization),
        submitter=name(submission.submitter.name),
        relationship=submission.submitter.relationship,
        trust=entry.verification.trust,
        verdict=entry.verification.verdict,
        not_ranked=list(listed.reasons),
        overall=overall.value,
        low=overall.low,
        high=overall.high,
        lacking=overall.lacking,
        rank=overall.rank,
        rank_low=overall.lowest,
        rank_high=overall.highest,
        leave_one_out=None if place is None else ranking.leave_one_out[place],
        columns=[
            ColumnData(one.key, one.value, one.low, one.high, one.n, one.unscored, one.coverage, *at[3:6])
            for item in state.board.tasks
            if (one := entry.column(item.name)) is not None
            for at in [table.at(entry.id, item.name)]
        ],
        others=others,
        zero_shot=listed.zero_shot,
        exposed=dict(listed.exposed),
        parameters_total=model.parameters_total,
        parameters_active=model.parameters_active,
        availability=model.availability,
        licence=None if model.licence is None else name(model.licence),
        release_date=model.release_date,
        created=submission.created,
        accepted=entry.record.accepted.isoformat(),
        complete_runs=submission.disclosure.selection.complete_runs,
        cost=listed.cost,
        cost_per_sample=listed.cost_per_sample,
        prompt_tokens=listed.tokens[0],
        completion_tokens=listed.tokens[1],
        tokens_per_sample=listed.tokens_per_sample,
        latency_s_declared=listed.latency,
        supersedes=submission.supersedes,
    )


def entries_csv(state: State) -> str:
    """The tables as CSV, with a guard against formulas; an empty cell for what is not known."""
    data = board_data(state)
    plain = [
        f for f in EntryData.__struct_fields__ if f not in ("columns", "others", "exposed", "leave_one_out")
    ]
    keys = [item.key for item in data.items]
    parts = ("value", "low", "high", "n", "unscored", "rank", "rank_low", "rank_high")
    rows = [[*plain, *(f"{key} {part}" for key in keys for part in parts)]]
    for entry in data.entries:
        values = ["; ".join(one) if isinstance(one := getattr(entry, f), list) else one for f in plain]
        by_key = {one.key: one for one in entry.columns}
        values += [getattr(by_key[key], part) if key in by_key else None for key in keys for part in parts]
        rows.append(values)
    return "".join(csv_lines(rows, True))
