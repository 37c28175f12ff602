"""Judgement files of ContextEval as records: the Hub's one file, or the repository's one a judge.

A record needs what five judges said, and these stand far apart in the file: a first pass notes where
each row begins, a second one reads the rows of one query together. Texts are never all in memory.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import suite
from suite_contexteval import columns, official, pairs, parsers, published
from suite_contexteval.columns import Judged
from suite_contexteval.parameters import PairwiseParameters
from suite_contexteval.reading import Item
from suite_contexteval.rows import Asked, JudgeRecord, Setting

Record = dict[str, Any]
_Key = tuple[str, str, Setting, str]


def judged(
    path: Path, called: Mapping[str, str] | None = None, say: Callable[[str], None] = lambda _: None
) -> Iterator[Judged]:
    """All judgements of a file, or of every judgement file below a folder, streamed.

    called: see `columns.judged`. say: takes what is to be told of copies. Raises DataError if there is none.
    """
    files, copies = _files(path)
    if copies:
        say(_left_out(copies))
    for one, _, _ in _judged_at(files, called):
        yield one


def _files(path: Path) -> tuple[list[Path], list[Path]]:
    """(judgement files, copies that are left out)."""
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*.json*") if columns.named(one))
    if not files:
        raise suite.DataError(
            "no judgement files found",
            where=str(path),
            fix="give all_autorater_judgements.jsonl, or a folder with sampled_evals_…-judge_…_vs_….jsonl",
        )
    return suite.without_copies(files)


def _left_out(copies: Sequence[Path]) -> str:
    return f"left out {len(copies)} copies of other files, the first is {copies[0]}"


def _judged_at(files: Sequence[Path], called: Mapping[str, str] | None) -> Iterator[tuple[Judged, Path, Any]]:
    """(judgement, its file, its row there)."""
    for path in files:
        lines = _Lines(path)
        for one in columns.judged(lines, columns.named(path), called):
            yield one, path, lines.last


class _Lines:
    """Rows of a JSON Lines file; `last` is the one last given."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last: Any = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in suite.json_lines(self.path, nan=True):
            self.last = row
            yield row.value


@dataclass(frozen=True, slots=True)
class _Where:
    path: Path
    line: int
    offset: int
    judge: str


def read(path: Path) -> Iterator[Record]:
    """One record a query, pair of models and setting. Keys of a record:

    task: "contexteval/pairwise". parameters: the cell's; orders says how pairs were shown. model, baseline:
    upstream's names. sample: made of the query's text. tags: pair. output: {"text", "finish", "data"} as the
    task leaves it, with what the judges said as `judges`, in upstream's order. values, parts: as the task
    scores them. source, row: file and line. Files that are copies are left out, and {"note": text} says so.

    Raises DataError where a judge says two things of one query.
    """
    files, copies = _files(path)
    if copies:
        yield {"note": _left_out(copies)}
    places: dict[_Key, dict[str, _Where]] = {}
    met: dict[tuple[str, str, Setting], dict[str, None]] = {}
    alike: dict[tuple[str, str, Setting], bool] = {}  # whether all judges of a query see one order
    shown: dict[_Key, int] = {}
    for one, file, row in _judged_at(files, None):
        cell: tuple[str, str, Setting] = (one.one, one.two, one.setting)
        key: _Key = (*cell, one.key)
        where = _Where(file, row.line, row.offset, one.judge)
        before = places.setdefault(key, {}).setdefault(one.judge, where)
        if before is not where:
            raise suite.DataError(
                f"{one.judge} judges the query {one.key} twice ({one.one} vs {one.two}, {one.setting})",
                where=f"{before.path} line {before.line} and {file} line {row.line}",
                fix="leave one of the files out",
            )
        met.setdefault(cell, {})[one.judge] = None
        same = shown.setdefault(key, one.rand_choice) == one.rand_choice
        alike[cell] = alike.get(cell, True) and same
    opened = {file: file.open("rb") for file in files}
    try:
        for (first, second, setting, query), said in places.items():
            cell = (first, second, setting)
            wheres = [
                said[judge] for judge in published.in_order((first, second), met[cell]) if judge in said
            ]
            rows = []
            for where in wheres:
                opened[where.path].seek(where.offset)
                rows.append(json.loads(opened[where.path].readline().decode("utf-8-sig")))
            orders = "paper" if alike[cell] else "per-judge"
            source = wheres[0].path
            name = source.name if source == path else source.relative_to(path).as_posix()
            record = _record(first, second, setting, query, rows, wheres, orders)
            yield {**record, "source": name, "row": wheres[0].line}
    finally:
        for handle in opened.values():
            handle.close()


def _record(
    first: str,
    second: str,
    setting: Setting,
    key: str,
    rows: Sequence[Record],
    wheres: Sequence[_Where],
    orders: str,
) -> Record:
    own, other = rows[0].get("candidate_one_response") or "", rows[0].get("candidate_two_response") or ""
    records = [_said(row, where.judge) for row, where in zip(rows, wheres, strict=True)]
    failed, other_failed = official.failed(own), official.failed(other)
    score = (
        pairs.forfeited(failed, other_failed, records, published=True)
        if failed or other_failed
        else pairs.values(records, own, other, published=True)
    )
    return {
        "task": "contexteval/pairwise",
        "parameters": {
            **PairwiseParameters.model_validate({"setting": setting, "temperature": None}).solve_values(),
            "orders": orders,
            "judge_temperature": None,
        },
        "model": first,
        "baseline": second,
        "sample": key,
        "tags": {"pair": f"{first} vs {second}"},
        "payload": Item(
            example_id=key,
            query=rows[0]["query"],
            context=rows[0].get("context") or "",
            draw=rows[0]["rand_choice"],
        ).model_dump(mode="json"),
        "output": {
            "text": own,
            "finish": "empty" if failed else "stop",
            "data": {
                "baseline": other,
                "baseline_finish": "empty" if other_failed else "stop",
                "judges": [one.model_dump(mode="json") for one in records],
            },
        },
        "values": {name: _plain(value) for name, value in score.values.items()},
        "parts": [
            {
                "id": part.id,
                "values": {name: _plain(value) for name, value in part.values.items()},
                "tags": dict(part.tags),
            }
            for part in score.parts
        ],
    }


def _plain(value: Any) -> Any:
    return {"unscored": value.reason} if isinstance(value, suite.Unscored) else value


def _said(row: Mapping[str, Any], judge: str) -> JudgeRecord:
    """One order, as the judge was asked: strictly read."""
    text, swapped = row.get("eval_judgement") or "", row["rand_choice"] == 2
    try:
        slot = parsers.judgement(text)
    except ValueError as error:
        asked = Asked(swapped=swapped, state="unparsed", text=text, reason=str(error))
    else:
        tie = isinstance(slot, suite.Tie)
        value = None if isinstance(slot, suite.Tie) else slot
        asked = Asked(swapped=swapped, state="tie" if tie else "valid", value=value, text=text)
    return JudgeRecord(judge=judge, model=judge, orders=(asked,))
