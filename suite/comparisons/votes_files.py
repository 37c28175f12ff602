"""Pairwise votes from files and runs: CSV, JSON, JSON Lines, or runs whose samples say who won.

Columns go by their usual names (`a` or `model_a`, `winner`, `prompt` or `question_id`, `user` or `judge`, …).
A winner may be a side or a model's name; what is neither is an error with its line, never a tie. An empty
winner is unscored: counted, not a vote. Rows are put in order of time where there is one.
"""

import itertools
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from suite.chat import Json
from suite.comparisons.runs import load_tasks, open_runs
from suite.data.text_files import TABLES, Once, TextRow, csv_rows, json_rows
from suite.errors import ConfigError, DataError, unknown
from suite.plugins import Catalogue, catalogue
from suite.scoring.metrics.declared import rows_of
from suite.task import Unscored

_TABLES: Mapping[str, Mapping[str, Sequence[str]]] = tomllib.loads(
    (files("suite.comparisons") / "votes.toml").read_text("utf-8")
)
NAMES = _TABLES["columns"]
SIDE_OF = {spelling: side for side, spellings in _TABLES["winners"].items() for spelling in spellings}


class RawVote(NamedTuple):
    """One vote as read. winner: "a", "b", a kind of draw, or None. prompt, user: None where the row has none.
    styles: by column, what was asked for.
    """

    a: str
    b: str
    winner: str | None
    prompt: str | None = None
    user: str | None = None
    styles: Mapping[str, float | None] = {}


@dataclass(frozen=True)
class RawVotes:
    """Votes as read. ordered: whether they are in order of time, but for the last `undated` ones, which have
    no readable time.
    """

    votes: Sequence[RawVote]
    source: str
    ordered: bool = False
    undated: int = 0


def read_votes(
    places: Sequence[str], styles: Sequence[str] = (), plugins: Catalogue | None = None
) -> RawVotes:
    """The votes of one file, or of runs. styles: columns with a difference a minus b, for style control.

    Raises ConfigError for files and runs mixed, DataError for a file that holds no votes.
    """
    paths = [Path(place) for place in places]
    if len(paths) == 1 and paths[0].is_file():
        return _read_file(paths[0], styles)
    if any(path.is_file() for path in paths):
        raise ConfigError("votes come from one file, or from runs", fix="join the files into one")
    if styles:
        raise ConfigError("runs have no style columns", fix="write their votes to a file with such columns")
    return votes_of_runs(places, plugins)


def _read_file(path: Path, styles: Sequence[str]) -> RawVotes:
    header, rows = _rows_of(path)
    columns = {role: next((name for name in known if name in header), "") for role, known in NAMES.items()}
    for role in ("a", "b", "winner"):
        if not columns[role]:
            what = f"{path.name} has no column for {role!r}: {', '.join(NAMES[role])}"
            raise DataError(what, where=f"its columns: {', '.join(list(header)[:20]) or 'none'}")
    for name in styles:
        if name not in header:
            raise unknown("column", name, header, where=path.name)
    return _collect(path.name, rows, columns, styles)


def _collect(
    name: str, rows: Iterable[TextRow], columns: Mapping[str, str], styles: Sequence[str]
) -> RawVotes:
    """All votes, in order of time, stably. Those without a readable time come last, and are counted."""
    votes: list[RawVote] = []
    moments: list[float | datetime | None] = []
    kinds: dict[type, int] = {}  # of times -> a line
    once = Once("the vote", "leave one of them out: a vote counts once")
    for row, line, *_ in rows:
        value = {role: row.get(column) if column else None for role, column in columns.items()}
        where = f"{name} line {line}"
        a, b, identity = (_text(value[role]) for role in ("a", "b", "id"))
        if not a or not b:
            raise DataError(f"{where}: a vote names no {'a' if not a else 'b'}")
        winner = winner_of(value["winner"], a, b, where)
        if identity:
            once.add(identity, f"line {line}")
        measured = {style: _number(row.get(style), f"{where}, column {style}") for style in styles}
        user = _text(value["user"]) or f"line {line}" if columns["user"] else None
        votes.append(RawVote(a, b, winner, _text(value["prompt"]) or None, user, measured))
        moments.append(_moment(value["time"]))
        kinds[type(moments[-1])] = line
    if not votes:
        raise DataError(f"{name} holds no votes")
    if float in kinds and datetime in kinds:
        raise DataError.of("votes.times", name=name, number=kinds[float], date=kinds[datetime])
    order = sorted(range(len(votes)), key=lambda i: (moments[i] is None, moments[i] or 0))
    undated = moments.count(None)
    ordered = undated < len(votes)
    return RawVotes([votes[i] for i in order], name, ordered, undated if columns["time"] else 0)


def winner_of(value: Json, a: str, b: str, where: str) -> str | None:
    """Who won. Raises DataError for what is neither a side, a draw nor one of the two models, or is a side
    and the name of the model on the other one.
    """
    text = _text(value)
    if not text:
        return None
    side = SIDE_OF.get(" ".join(re.sub(r"[-_()]", " ", text.lower()).split()))
    named = "a" if text == a else "b" if text == b else None
    if named and a != b:
        if side in ("a", "b") and side != named:
            raise DataError.of("votes.side", where=where, text=text, a=a, b=b)
        return named
    if side is None:
        raise DataError.of("votes.winner", where=where, text=text, a=a, b=b)
    return side


def _moment(value: Json) -> float | datetime | None:
    """A finite number, or a date of ISO 8601 (UTC unless it says otherwise); None for anything else."""
    text = _text(value)
    try:
        number = float(text)
    except ValueError:
        try:
            found = datetime.fromisoformat(text.removesuffix(" UTC"))
        except ValueError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return number if math.isfinite(number) else None


def _text(value: Json) -> str:
    return "" if value is None else value.strip() if isinstance(value, str) else str(value)


def _number(value: Json, where: str) -> float | None:
    if value is None or value == "":
        return None
    try:
        return float(value if isinstance(value, int | float) else str(value))
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: {value!r} is no number") from error


def _rows_of(path: Path) -> tuple[Sequence[str], Iterator[TextRow]]:
    """The columns of a file, those of its first hundred rows if it is JSON, and its rows."""
    kind = path.suffix.lower()
    if kind in TABLES:
        return csv_rows(path)
    if kind not in (".jsonl", ".ndjson", ".json"):
        raise ConfigError.of("votes.ending", path=path)
    names = (name for row in itertools.islice(json_rows(path), 100) for name in row.value)
    return list(dict.fromkeys(names)), json_rows(path)


def votes_of_runs(places: Sequence[str], plugins: Catalogue | None = None) -> RawVotes:
    """Votes of runs that set a candidate against a baseline: one a sample and cell, by the task's win rate.

    A value above 0.5 is a vote for the candidate. Raises ConfigError for a run without such a metric or role.
    """
    runs = open_runs(places)
    tasks = load_tasks(runs, plugins or catalogue())
    values = {
        name: next((one.value for one in rows_of(task.metrics) if one.kind == "win_rate"), "")
        for name, task in tasks.items()
    }
    votes: list[RawVote] = []
    for _, run, _ in runs:
        opponents = run.manifest.roles.get("baseline")
        if not opponents or run.candidate is None:
            raise ConfigError(f"run {run.name} sets no candidate against a baseline")
        a, b = run.candidate.spec, opponents[0].spec
        value_of = {cell.cell: values[cell.task] for cell in run.manifest.cells if values[cell.task]}
        if not value_of:
            raise ConfigError(f"run {run.name} has no task with a win rate")
        for output, score in run.pairs():
            if score is None or output.cell not in value_of:
                continue
            x = score.values.get(value_of[output.cell])
            winner = None
            if x is not None and not isinstance(x, str | Unscored):
                winner = "a" if x > 0.5 else "b" if x < 0.5 else "tie"
            votes.append(RawVote(a, b, winner, output.sample))
    source = ", ".join(run.name for _, run, _ in runs)
    if not votes:
        raise DataError("the runs hold no verdicts", where=source)
    return RawVotes(votes, source)
