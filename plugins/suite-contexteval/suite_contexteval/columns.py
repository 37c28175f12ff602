"""Published judgement records of models, whatever their columns are called, as one type.

The Hub's file merges 45 files of the repository; its card misnames the columns of the two models and of
the judge, so they are looked for under several names, and can be given. Files of the repository itself
carry setting, judge and models in their names. Records hold no ids: within one file (or one block of
judge, pair and setting) the nth row of a query's text is the nth such query.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import suite
from suite_contexteval import official
from suite_contexteval.reading import text_id
from suite_contexteval.rows import Setting

ALIASES: Mapping[str, tuple[str, ...]] = {
    "one": ("candidate_one", "candidate_one_model", "candidate_one_name", "model_one", "model_1"),
    "two": ("candidate_two", "candidate_two_model", "candidate_two_name", "model_two", "model_2"),
    "judge": ("judge", "judge_model", "eval_model", "evaluator", "autorater", "evaluator_model"),
    "setting": ("setting", "eval_setting"),
}
_SETTINGS: Mapping[str, Setting] = {
    "gen_wo_ctx_eval_wo_ctx": "none",
    "wo_contexts": "none",
    "noctxgen-noctxeval": "none",
    "gen_wo_ctx_eval_w_ctx": "judge",
    "gen_wo_contexts_eval_w_contexts": "judge",
    "noctxgen-ctxeval": "judge",
    "gen_w_ctx_eval_w_ctx": "both",
    "w_contexts": "both",
    "ctxgen-ctxeval": "both",
}
_FILE = re.compile(
    r"sampled_evals_(wo_contexts|gen_wo_contexts_eval_w_contexts|w_contexts)_(.+)-judge_(.+)_vs_(.+)\.jsonl?"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """One judge's verdict on one pair. key: of the query. rand_choice 2: candidate two was Response 1."""

    one: str
    two: str
    judge: str
    setting: Setting
    key: str
    query: str
    context: str
    response_one: str
    response_two: str
    rand_choice: int
    text: str

    @property
    def label(self) -> str:
        """Upstream's label by candidate: "1", "2", "T", "I"."""
        return official.mapped(official.judgement(self.text), self.rand_choice)

    @property
    def shown(self) -> str:
        """Upstream's label by what was shown."""
        names = {"1": "Response 1", "2": "Response 2"}
        return names.get(official.judgement(self.text), "Tie")


def setting_of(text: str) -> Setting:
    """A setting by any of its published names. Raises DataError for another one."""
    name = text.strip().lower().removeprefix("sampled_evals_").rstrip("_")
    if name in _SETTINGS:
        return _SETTINGS[name]
    raise suite.DataError(f"no setting is called {text!r}", fix=f"known: {', '.join(_SETTINGS)}")


def named(path: PurePath) -> dict[str, str] | None:
    """What a file of the repository says in its name: setting, judge, one, two; None for another file."""
    match = _FILE.fullmatch(path.name)
    return (
        None if match is None else dict(zip(("setting", "judge", "one", "two"), match.groups(), strict=True))
    )


def judged(
    rows: Iterable[Mapping[str, Any]],
    known: Mapping[str, str] | None = None,
    called: Mapping[str, str] | None = None,
) -> Iterator[Judged]:
    """Records of rows, streamed.

    known: what the file's name says. called: field (one, two, judge, setting) -> column that holds it.
    Raises DataError for a row that lacks what is needed, naming its columns.
    """
    known = known or {}
    columns: dict[str, str] = {}
    counts: dict[tuple[str, str, str, str, str], int] = {}
    for number, row in enumerate(rows, 1):
        if not columns and len(known) < len(ALIASES):
            columns = _columns(row, known, called or {})
        try:
            told = {field: known.get(field) or str(row[columns[field]]) for field in ALIASES}
            block = (told["one"], told["two"], told["judge"], told["setting"], row["query"])
            counts[block] = counts.get(block, 0) + 1
            yield Judged(
                one=told["one"],
                two=told["two"],
                judge=told["judge"],
                setting=setting_of(told["setting"]),
                key=text_id(row["query"], counts[block]),
                query=row["query"],
                context=_text(row, "context"),
                response_one=_text(row, "candidate_one_response"),
                response_two=_text(row, "candidate_two_response"),
                rand_choice=_choice(row["rand_choice"]),
                text=_text(row, "eval_judgement"),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise suite.DataError(
                f"record {number} is no judgement: {type(error).__name__}: {error}",
                where=f"its columns: {', '.join(map(str, row))}",
            ) from error


def _text(row: Mapping[str, Any], name: str) -> str:
    """A text that may be absent or null."""
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value or ""


def _choice(value: Any) -> int:
    if value not in (1, 2) or isinstance(value, bool):
        raise ValueError(f"rand_choice is {value!r}, not 1 or 2")
    return int(value)


def _columns(row: Mapping[str, Any], known: Mapping[str, str], called: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for field, names in ALIASES.items():
        if field in known:
            continue
        wanted = (called[field],) if field in called else names
        name = next((one for one in wanted if isinstance(row.get(one), str)), None)
        if name is None:
            what = {"one": "the first model", "two": "the second model"}.get(field, f"the {field}")
            raise suite.DataError(
                f"no column with the name of {what}: looked for {', '.join(wanted)}",
                where=f"the columns are: {', '.join(map(str, row))}",
                fix=f"say which it is: --column {field}=NAME",
            )
        found[field] = name
    return found
