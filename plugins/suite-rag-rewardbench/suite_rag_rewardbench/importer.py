"""Score files of RewardBench as records: other people's runs, re-scored by today's rules.

Two forms hold rows: lines (`*_outputs.jsonl` of the `rewardbench` command) and one object of columns
(`eval-set-scores/ORG/MODEL.json` and `pref-sets-scores/…` of the results on the Hub, of both versions).
`eval-set/…` files hold accuracies by subset only: no rows, so no run; their sums are told in the refusal.
Not here: making a run of the records.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import suite
from suite_rag_rewardbench import credit, diagnostics, formulas
from suite_rag_rewardbench.pairs import cluster_of, told
from suite_rag_rewardbench.parameters import V1Parameters, V2Parameters
from suite_rag_rewardbench.rows import PairRow, text_of

Record = dict[str, Any]
Row = Mapping[str, Any]

_ABOUT = ("model", "model_type", "chat_template", "ref_model", "tokenizer")
_DOMAIN = {name.casefold(): name for name in formulas.DOMAINS}


def read(path: Path) -> Iterator[Record]:
    """One record a row, from one score file or every one below a folder, in path order.

    Keys of a record: task, parameters, model, sample ("subset/place"), cluster, tags, output {"text",
    "data", "finish"}, judge ({}), values by name (number, bool, None, {"unscored": reason}), source (the
    file below `path`), row (from 0). Files that are copies are left out, and {"note": text} says so.

    Raises DataError for a file that is no score file, naming it, and where there is none.
    """
    found = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.suffix in _READERS)
    if not found:
        raise suite.DataError("no RewardBench score files found", where=str(path))
    files, copies = suite.without_copies(found)
    if copies:
        yield {"note": f"left out {len(copies)} copies of other files, the first is {copies[0]}"}
    # a model whose prior sets are here too is one cell with them
    with_prior = {model for model, rows in map(_rows, files) if any(map(_is_prior, rows))}
    for file in files:
        model, rows = _rows(file)
        many = any("num_correct" in row for row in rows[:1])
        places: dict[str, int] = {}
        source = file.name if file == path else file.relative_to(path).as_posix()
        if not many and not all("prompt" in row for row in rows):
            yield {"note": f"{source} holds no prompts: pairs of one prompt are taken as independent"}
        for index, row in enumerate(rows):
            try:
                record = _many(row, index) if many else _pair(row, index, places, model in with_prior)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise suite.DataError(
                    f"row {index} is not what RewardBench writes: {type(error).__name__}: {error}",
                    where=str(file),
                ) from error
            yield {**record, "model": model, "judge": {}, "source": source, "row": index}


def _rows(path: Path) -> tuple[str, list[Row]]:
    if path.suffix == ".jsonl":
        return path.stem.removesuffix("_outputs"), _objects(path)
    found = suite.json_document(path, nan=True)
    if not isinstance(found, dict):
        raise suite.DataError("is not an object of columns", where=str(path))
    columns = {name: value for name, value in found.items() if isinstance(value, list)}
    lengths = {len(value) for value in columns.values()}
    if "subset" not in columns or len(lengths) != 1 or not {"results", "scores"} & set(columns):
        raise _no_rows(found, path)
    names = list(columns)
    rows: list[Row] = [
        dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]
    return str(found.get("model") or path.stem), rows


def _objects(path: Path) -> list[Row]:
    rows: list[Row] = [one.value for one in suite.json_lines(path, nan=True)]
    if not rows or not all("results" in row for row in rows):
        raise suite.DataError("holds no rows with `results`", where=str(path))
    return rows


_READERS = (".json", ".jsonl")


def sums(accuracies: Mapping[str, float]) -> dict[str, float]:
    """The sums of accuracies by subset: of RewardBench 2 the mean of its domains, else RewardBench's."""
    by_domain = {
        _DOMAIN[name.casefold()]: one for name, one in accuracies.items() if name.casefold() in _DOMAIN
    }
    if len(by_domain) == len(formulas.DOMAINS):
        return {"overall": sum(by_domain.values()) / len(by_domain)}
    found = {
        "overall_sections": formulas.overall_sections(accuracies),
        "overall_with_prior": formulas.overall_with_prior(accuracies),
    }
    whole = formulas.section_scores(accuracies)
    return {**whole, **{name: one for name, one in found.items() if one is not None}}


def _no_rows(found: Mapping[str, Any], path: Path) -> suite.DataError:
    numbers = {
        name: one for name, one in found.items() if isinstance(one, int | float) and name not in _ABOUT
    }
    composed = sums(numbers)
    if not composed:
        return suite.DataError("is no RewardBench score file: it has no column `subset`", where=str(path))
    told = ", ".join(f"{name} {one:.4f}" for name, one in composed.items())
    return suite.DataError(
        f"holds accuracies by subset and no rows, so no run can be made of it ({told})",
        where=str(path),
        fix="import the file of the same name under eval-set-scores/",
    )


def _is_prior(row: Row) -> bool:
    return row.get("subset") in formulas.PRIOR_SETS


def _pair(row: Row, index: int, places: dict[str, int], with_prior: bool) -> Record:
    subset = str(row.get("subset") or "unknown")
    prior = _is_prior(row)
    place = places.setdefault(subset, 0) if prior else index
    places[subset] = place + 1
    chosen, rejected = _number(row.get("scores_chosen")), _number(row.get("scores_rejected"))
    if chosen is None and rejected is None:
        data, values = {"kind": "pairwise", "results": row["results"]}, _result(float(row["results"]))
    else:
        data = _rated([chosen, rejected])
        values = {**credit.pair(data), **credit.likelihoods(data)}
    tags = {
        "subset": subset,
        "section": formulas.PRIOR if prior else formulas.SECTION_OF.get(subset, "other"),
    }
    if texts := _texts(row):
        tags["longer"] = diagnostics.longer(*texts)
        values |= diagnostics.length(*texts, _preferred(row, data))
    sample = f"{subset}/{place:05d}"
    return {
        "task": "reward-bench/v1",
        "parameters": V1Parameters(prior_sets=with_prior).solve_values(),
        "sample": sample,
        "cluster": _cluster(row) or sample,
        "tags": tags,
        "output": {"text": "", "data": data, "finish": "invalid" if data.get("failure") else "stop"},
        "values": _plain(values),
    }


def _preferred(row: Row, data: Mapping[str, Any]) -> int | None:
    """Which answer won, 0 or 1; None for neither."""
    if data["kind"] == "classifier":
        prefers: int | None = data["prefers"]
        return prefers
    return {1.0: 0, 0.0: 1}.get(float(row["results"]))


def _texts(row: Row) -> tuple[str, str] | None:
    """Both answers, perhaps behind their prompt, which is the same for both."""
    for names in (("text_chosen", "text_rejected"), ("chosen", "rejected")):
        good, bad = (text_of(row.get(name)) for name in names)
        if good is not None and bad is not None:
            return good, bad
    return None


def _cluster(row: Row) -> str:
    """The cluster that the task gives a prompt, "" where the file holds none."""
    messages = told(PairRow.model_validate({"prompt": row.get("prompt")}).messages())
    prompt = " ".join(text for _, text in messages)
    return cluster_of(prompt) if prompt else ""


def _many(row: Row, index: int) -> Record:
    subset = _DOMAIN.get(str(row["subset"]).casefold(), str(row["subset"]))
    ties = subset == formulas.TIES
    form, _, number = str(row["id"]).partition(":") if ties else ("best-of-n", "", "")
    data = _rated([_number(one) for one in row["scores"]])
    zero = dict.fromkeys(("ties_gap", "ties_spread", "ties_gap_official", "ties_spread_official"), 0.0)
    values = credit.ties(data, int(row["num_correct"])) if ties else {**credit.best_of(data), **zero}
    sample = f"{subset.casefold().replace(' ', '-')}/{index:05d}"
    return {
        "task": "reward-bench/v2",
        "parameters": V2Parameters().solve_values(),
        "sample": sample,
        "cluster": f"ties/{number}" if number else sample,
        "tags": {"subset": subset, "form": form},
        "output": {"text": "", "data": data, "finish": "invalid" if data["failure"] else "stop"},
        "values": _plain(values),
    }


def _number(value: Any) -> float | None:
    """A score; models with one label often write it as a list of one."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no score")
    return float(value)


def _rated(scores: Sequence[float | None]) -> dict[str, Any]:
    finite = [one if one is not None and math.isfinite(one) else None for one in scores]
    failure = "not-finite" if None in finite else ""
    best = [] if failure else [i for i, one in enumerate(finite) if one == max(finite, key=_high)]
    prefers = best[0] if len(best) == 1 else None
    return {"kind": "classifier", "scores": finite, "prefers": prefers, "failure": failure}


def _high(one: float | None) -> float:
    return -math.inf if one is None else one


def _result(result: float) -> dict[str, suite.Value]:
    """Values of a judged row, which keeps its credit only: 0.5 stands for whatever was no verdict."""
    sound: suite.Value = suite.Unscored("unparsed") if result == 0.5 else result
    return {
        "correct": sound,
        "correct_half": sound,
        "correct_official": result,
        "failed": result == 0.5,
        "tie": None,
        "consistent": None,
        "margin": None,
    }


def _plain(values: Mapping[str, suite.Value]) -> dict[str, Any]:
    return {
        name: {"unscored": value.reason} if isinstance(value, suite.Unscored) else value
        for name, value in values.items()
    }
