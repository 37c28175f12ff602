"""Pairwise votes from files and runs: CSV, JSON Lines, or runs whose samples say who won.

Columns go by their usual names (`a` or `model_a`, `winner`, `prompt` or `question_id`, `user` or `judge`, …).
A winner may be a side or a model's name; what is neither is an error with its line, never a tie. An empty
winner is unscored: counted, not a vote. Rows are put in order of time where there is one.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from suite.compare.loading import load_tasks, open_runs
from suite.errors import ConfigError, DataError, unknown
from suite.plugins import Catalogue, catalogue
from suite.scoring.metrics import WinRate
from suite.task import Unscored

NAMES: Mapping[str, Sequence[str]] = {
    "a": ("a", "model_a", "first", "left"),
    "b": ("b", "model_b", "second", "right"),
    "winner": ("winner", "verdict", "outcome", "vote"),
    "prompt": ("prompt", "prompt_id", "question_id", "question", "sample", "conversation_id", "pair"),
    "user": ("user", "user_id", "annotator", "judge_hash", "judge", "rater"),
    "time": ("time", "timestamp", "tstamp"),
    "id": ("id", "vote_id", "pair_id"),
}
SIDES = {
    "a": "a", "model_a": "a", "left": "a", "first": "a", "1": "a",
    "b": "b", "model_b": "b", "right": "b", "second": "b", "2": "b",
    "tie": "tie", "draw": "tie", "both": "tie",
    "both-good": "both-good", "bothgood": "both-good", "tie (bothgood)": "both-good",
    "both-bad": "both-bad", "bothbad": "both-bad", "tie (bothbad)": "both-bad", "both bad": "both-bad",
}  # fmt: skip
LARGEST_FIELD = 10_000_000


@dataclass
class RawVotes:
    """Votes as read, one entry each. winner: "a", "b", a kind of draw, or None. prompt, user: None where the
    file has no such column. styles: column -> values. ordered: whether the rows are in order of time.
    """

    a: list[str] = field(default_factory=list)
    b: list[str] = field(default_factory=list)
    winner: list[str | None] = field(default_factory=list)
    prompt: list[str] | None = None
    user: list[str] | None = None
    styles: dict[str, list[float | None]] = field(default_factory=dict)
    ordered: bool = False
    source: str = ""

    def __len__(self) -> int:
        return len(self.a)


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
    text = path.suffix.lower()
    if text in (".jsonl", ".ndjson", ".json"):
        header, rows = _json_lines(path)
    elif text in (".csv", ".tsv"):
        header, rows = _csv(path, "\t" if text == ".tsv" else ",")
    else:
        raise ConfigError(f"{path.name} is no .csv, .tsv or .jsonl file", where=str(path))
    columns = {role: next((name for name in known if name in header), "") for role, known in NAMES.items()}
    for role in ("a", "b", "winner"):
        if not columns[role]:
            raise DataError(
                f"{path.name} has no column for {role!r}: {', '.join(NAMES[role])}",
                where=f"its columns: {', '.join(list(header)[:20]) or 'none'}",
            )
    for name in styles:
        if name not in header:
            raise unknown("column", name, header, where=path.name)
    return _collect(path.name, rows, columns, styles)


def _collect(
    name: str,
    rows: Iterable[tuple[int, Mapping[str, Any]]],
    columns: Mapping[str, str],
    styles: Sequence[str],
) -> RawVotes:
    found = RawVotes(source=name)
    prompts: list[str] = []
    users: list[str] = []
    times: list[Any] = []
    values: dict[str, list[float | None]] = {style: [] for style in styles}
    first, second, winner = columns["a"], columns["b"], columns["winner"]
    prompt, user, time, identity = (columns[role] for role in ("prompt", "user", "time", "id"))
    seen: dict[str, int] = {}
    for line, row in rows:
        a, b = _text(row.get(first)), _text(row.get(second))
        if not a or not b:
            raise DataError(f"{name} line {line}: a vote names no {'a' if not a else 'b'}")
        found.a.append(a)
        found.b.append(b)
        found.winner.append(winner_of(row.get(winner), a, b, f"{name} line {line}"))
        if identity:
            key = _text(row.get(identity))
            if key and key in seen:
                raise DataError(
                    f"{name}: the vote {key!r} stands in lines {seen[key]} and {line}",
                    fix="leave one of them out: a vote counts once",
                )
            seen[key] = line
        if prompt:
            prompts.append(_text(row.get(prompt)) or f"line {line}")
        if user:
            users.append(_text(row.get(user)) or f"line {line}")
        if time:
            times.append(row.get(time))
        for style in styles:
            values[style].append(_number(row.get(style), f"{name} line {line}, column {style}"))
    if not found.a:
        raise DataError(f"{name} holds no votes")
    found.prompt, found.user = prompts if prompt else None, users if user else None
    found.styles = values
    return _in_time(found, times, name) if time else found


def winner_of(value: Any, a: str, b: str, where: str) -> str | None:
    """Who won. Raises DataError for what is neither a side, a draw nor one of the two models."""
    text = _text(value)
    if not text:
        return None
    if text == a and a != b:
        return "a"
    if text == b and a != b:
        return "b"
    found = SIDES.get(text.lower())
    if found is None:
        raise DataError(
            f"{where}: the winner {text!r} is neither of the two",
            where=f"a is {a!r}, b is {b!r}",
            fix="a winner is a, b, tie, both-good, both-bad, one of the two names, or empty for no verdict",
        )
    return found


def _in_time(found: RawVotes, times: Sequence[Any], name: str) -> RawVotes:
    try:
        keys = [float(one) for one in times]
    except (TypeError, ValueError):
        keys = [str(one) for one in times]  # type: ignore[misc]
    order = sorted(range(len(keys)), key=keys.__getitem__)

    def sort(values: list[Any] | None) -> Any:
        return None if values is None else [values[i] for i in order]

    return RawVotes(
        sort(found.a),
        sort(found.b),
        sort(found.winner),
        sort(found.prompt),
        sort(found.user),
        {style: sort(values) for style, values in found.styles.items()},
        True,
        name,
    )


def _text(value: Any) -> str:
    return "" if value is None else value.strip() if isinstance(value, str) else str(value)


def _number(value: Any, where: str) -> float | None:
    if value is None or value == "":
        return None
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: {value!r} is no number") from error


def _csv(path: Path, delimiter: str) -> tuple[Sequence[str], Iterator[tuple[int, Mapping[str, Any]]]]:
    csv.field_size_limit(LARGEST_FIELD)
    file = io.StringIO(_decoded(path), newline="")
    reader = csv.reader(file, delimiter=delimiter)
    header = [name.strip() for name in next(reader, [])]

    def rows() -> Iterator[tuple[int, Mapping[str, Any]]]:
        try:
            for row in reader:
                if row:
                    if len(row) != len(header):
                        raise DataError(
                            f"{path.name} line {reader.line_num}: {len(row)} fields, "
                            f"the header has {len(header)}"
                        )
                    yield reader.line_num, dict(zip(header, row, strict=True))
        except csv.Error as error:
            raise DataError(f"{path.name} line {reader.line_num}: {error}") from error

    return header, rows()


def _decoded(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not UTF-8: {error.reason} at byte {error.start}") from error


def _json_lines(path: Path) -> tuple[Sequence[str], Iterator[tuple[int, Mapping[str, Any]]]]:
    decoder = msgspec.json.Decoder(dict[str, Any])

    def rows() -> Iterator[tuple[int, Mapping[str, Any]]]:
        with path.open("rb") as file:
            for line, raw in enumerate(file, 1):
                if not raw.strip():
                    continue
                try:
                    yield line, decoder.decode(raw)
                except msgspec.MsgspecError as error:
                    raise DataError(f"{path.name} line {line} is no JSON object: {error}") from error

    names: dict[str, None] = {}
    for number, (_, row) in enumerate(rows()):
        names.update(dict.fromkeys(row))
        if number >= 100:
            break
    return list(names), rows()


def votes_of_runs(places: Sequence[str], plugins: Catalogue | None = None) -> RawVotes:
    """Votes of runs that set a candidate against a baseline: one a sample and cell, by the task's win rate.

    A value above 0.5 is a vote for the candidate. Raises ConfigError for a run without such a metric or role.
    """
    runs = open_runs(places)
    tasks = load_tasks(runs, plugins or catalogue())
    values = {
        name: next((metric.value for metric in task.metrics if isinstance(metric, WinRate)), "")
        for name, task in tasks.items()
    }
    found = RawVotes(prompt=[], source=", ".join(run.name for run in runs))
    assert found.prompt is not None
    for run in runs:
        opponents = run.manifest.get("roles", {}).get("baseline", ())
        if not opponents or not run.candidate:
            raise ConfigError(f"run {run.name} sets no candidate against a baseline")
        a, b = run.candidate, str(opponents[0]["spec"])
        value_of = {cell["cell"]: values[cell["task"]] for cell in run.cells if values[cell["task"]]}
        if not value_of:
            raise ConfigError(f"run {run.name} has no task with a win rate")
        for output, score in run.pairs():
            if score is None or output.cell not in value_of:
                continue
            x = score.values.get(value_of[output.cell])
            found.a.append(a)
            found.b.append(b)
            if x is None or isinstance(x, str | Unscored):
                found.winner.append(None)
            else:
                found.winner.append("a" if x > 0.5 else "b" if x < 0.5 else "tie")
            found.prompt.append(output.sample)
    if not found.a:
        raise DataError("the runs hold no verdicts", where=found.source)
    return found
