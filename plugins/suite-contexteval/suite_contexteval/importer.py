"""Judgement files of ContextEval as records: the Hub's one file, or the repository's one a judge.

A record needs what five judges said, and these stand far apart in the file: a first pass notes where
each row begins, a second one reads the rows of one query together. Texts are never all in memory.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import suite
from suite_contexteval import columns, official, pairs, parsers
from suite_contexteval.columns import Judged
from suite_contexteval.parameters import PairwiseParameters
from suite_contexteval.rows import Asked, JudgeRecord, Setting

Record = dict[str, Any]
_Key = tuple[str, str, Setting, str]


def judged(path: Path, called: Mapping[str, str] | None = None) -> Iterator[Judged]:
    """All judgements of a file, or of every judgement file below a folder, streamed.

    called: see `columns.judged`. Raises DataError where there is none.
    """
    for one, _, _ in _judged_at(_files(path), called):
        yield one


def _files(path: Path) -> list[Path]:
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*.json*") if columns.named(one))
    if not files:
        raise suite.DataError(
            "no judgement files found",
            where=str(path),
            fix="give all_autorater_judgements.jsonl, or a folder with sampled_evals_…-judge_…_vs_….jsonl",
        )
    return files


def _judged_at(files: Sequence[Path], called: Mapping[str, str] | None) -> Iterator[tuple[Judged, Path, int]]:
    """(judgement, its file, where its line begins)."""
    for path in files:
        lines = _Lines(path)
        for one in columns.judged(lines, columns.named(path), called):
            yield one, path, lines.begin


class _Lines:
    """Rows of a JSON Lines file; `begin` is the offset of the line last given."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.begin = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in suite.json_lines(self.path, nan=True):
            self.begin = row.offset
            yield row.value


@dataclass(frozen=True, slots=True)
class _Where:
    path: Path
    begin: int
    judge: str


def read(path: Path) -> Iterator[Record]:
    """One record a query, pair of models and setting. Keys of a record:

    task: "contexteval/pairwise". parameters: the cell's. model, baseline: upstream's names.
    sample: made of the query's text. tags: pair. output: {"text", "finish", "data"} as the task leaves it,
    with what the judges said as `judges`. values, parts: as the task scores them. source: the file's name.
    """
    places: dict[_Key, list[_Where]] = {}
    files = _files(path)
    for one, file, begin in _judged_at(files, None):
        places.setdefault((one.one, one.two, one.setting, one.key), []).append(_Where(file, begin, one.judge))
    opened = {file: file.open("rb") for file in files}
    try:
        for (first, second, setting, key), wheres in places.items():
            rows = []
            for where in wheres:
                opened[where.path].seek(where.begin)
                rows.append(json.loads(opened[where.path].readline()))
            yield _record(first, second, setting, key, rows, wheres)
    finally:
        for handle in opened.values():
            handle.close()


def _record(
    first: str, second: str, setting: Setting, key: str, rows: Sequence[Record], wheres: Sequence[_Where]
) -> Record:
    own, other = rows[0].get("candidate_one_response") or "", rows[0].get("candidate_two_response") or ""
    records = [_said(row, where.judge) for row, where in zip(rows, wheres, strict=True)]
    failed, other_failed = official.failed(own), official.failed(other)
    score = (
        pairs.forfeited(failed, other_failed) if failed or other_failed else pairs.values(records, own, other)
    )
    return {
        "task": "contexteval/pairwise",
        "parameters": PairwiseParameters.model_validate(
            {"setting": setting, "temperature": None}
        ).solve_values(),
        "model": first,
        "baseline": second,
        "sample": key,
        "tags": {"pair": f"{first} vs {second}"},
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
        "source": wheres[0].path.name,
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
