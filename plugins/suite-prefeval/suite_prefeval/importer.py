"""Result files of PrefEval's repository as records: other people's runs, re-scored by today's rules.

Each file is a topic's array with the fields upstream's scripts add. Folder and file names say the rest:
`{explicit | implicit/choice | implicit/persona}/{generation,mcq}_results/{method}/{topic}/
{model}_{topic}_{N}interturn.json`, with `error_` before the name once judged, and the fine-tuning set's
`single_pref_remind/{topic}/{model}_{topic}_{T}turn.json`, where T counts paper turns.
Not here: making a run of the records.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import suite
from suite_prefeval import letters, profiles, reading, verdicts
from suite_prefeval.parameters import ClassificationParameters, Form, GenerationParameters
from suite_prefeval.rows import Item

Record = dict[str, Any]

_RESULTS = {"generation_results": "generation", "mcq_results": "classification"}
_METHODS = ("zero-shot", "remind", "cot", "selfcritic")
# upstream's name of a check, ours, and the field with what the judge said
_CHECKS = (
    ("acknow", "acknowledge", "extract_pref"),
    ("violate", "violate", "explanation"),
    ("hallucinate", "hallucinate", "explanation"),
    ("helpful", "helpful", "explanation"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """What folder and file name say about a result file."""

    path: Path
    task: str
    form: Form
    method: str
    rag_k: int | None
    topic: str
    model: str
    inter_turns: int
    judged: bool

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for a result file and its judged copy."""
        return (self.task, self.form, self.method, self.rag_k, self.topic, self.model, self.inter_turns)


def read(path: Path) -> Iterator[Record]:
    """One record a sample, from one result file or every one below a folder, in path order.

    A judged file stands in for its unjudged copy. Keys of a record:

    task: "prefeval/generation" or "prefeval/classification". parameters: the cell's, all of them.
    model: upstream's short name. sample: "topic/index". tags: topic, form, gold.
    output: {"text", "finish"}, or None where the file holds no answer yet (pending).
    parts: the judge's checks as the task's own parts, with its answer and what it said; [] unless asked.
    values: the task's values by name: bool, str, None, or {"unscored": reason}; {} where nothing was scored.
    source, row: the file below `path`, and which item of it, from 0.

    Raises DataError for a file that is no result file, naming it, and where there is none.
    """
    places, copies = _places(path)
    if copies:
        yield {"note": f"left out {len(copies)} copies of other files, the first is {copies[0]}"}
    if not places:
        raise suite.DataError(
            "no PrefEval result files found",
            where=str(path),
            fix="give a file or folder laid out as explicit/generation_results/METHOD/TOPIC/",
        )
    for place in places:
        source = place.path.name if place.path == path else place.path.relative_to(path).as_posix()
        for index, row in enumerate(_rows(place.path)):
            try:
                yield {**_record(place, index, row), "source": source, "row": index}
            except (KeyError, TypeError, AttributeError) as error:
                raise suite.DataError(
                    f"item {index} is not what upstream writes: {type(error).__name__}: {error}",
                    where=str(place.path),
                ) from error


def _places(path: Path) -> tuple[list[Place], list[Path]]:
    """(result files, copies that are left out)."""
    files = [path] if path.is_file() else sorted(path.rglob("*.json"))
    found = {file: place for file in files if (place := locate(file)) is not None}
    judged = {place.key for place in found.values() if place.judged}
    wanted = [file for file, place in found.items() if place.judged or place.key not in judged]
    kept, copies = suite.without_copies(wanted, lambda file: found[file].key)
    return [found[file] for file in kept], copies


def locate(path: Path) -> Place | None:
    """What a path says, or None if it is no result file's."""
    parts = path.absolute().parts
    topic = parts[-2]
    # the model's name may hold underscores too: the folder says where the topic begins
    name = re.fullmatch(rf"(error_)?(.+)_{re.escape(topic)}_(\d+)(interturn|turn)", path.stem)
    if name is None:
        return None
    turns = int(name[3]) if name[4] == "interturn" else int(name[3]) - 2
    form, task, method = _folders(parts[:-2])
    if turns < 0 or not method:
        return None
    quoted = re.fullmatch(r"rag_(\d+)", method)
    return Place(
        path=path,
        task=task,
        form=form,
        method="rag" if quoted else method,
        rag_k=int(quoted[1]) if quoted else None,
        topic=topic,
        model=name[2],
        inter_turns=turns,
        judged=bool(name[1]),
    )


def _folders(parts: tuple[str, ...]) -> tuple[Form, str, str]:
    """Form, task and method folder; the method is "" where the layout is not upstream's."""
    if parts[-1] == "single_pref_remind":
        return "explicit", "generation", "remind"
    if len(parts) < 3 or parts[-2] not in _RESULTS:
        return "explicit", "", ""
    task, above = _RESULTS[parts[-2]], parts[-3]
    method = parts[-1] if parts[-1] in _METHODS or re.fullmatch(r"rag_\d+", parts[-1]) else ""
    forms: dict[str, Form] = {
        "explicit": "explicit",
        "choice": "implicit-choice",
        "persona": "implicit-persona",
    }
    return forms.get(above, "explicit"), task, method if above in forms else ""


def _rows(path: Path) -> list[Mapping[str, Any]]:
    rows = suite.json_document(path, nan=True)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise suite.DataError("is not a JSON array of objects", where=str(path))
    return rows


def _record(place: Place, index: int, row: Mapping[str, Any]) -> Record:
    # upstream saves implicit RAG choices in the generation folder: the fields tell
    task = "classification" if "shuffled_options" in row or "correct_idx" in row else place.task
    text = row.get("response_to_q", row.get("model_response"))
    record: Record = {
        "task": f"prefeval/{task}",
        "parameters": _parameters(place, task),
        "model": place.model,
        "sample": f"{place.topic}/{index}",
        "cluster": reading.cluster_of(str(row["question"])),
        "tags": {"topic": place.topic, "form": place.form},
        "output": None if text is None else {"text": text, "finish": "stop" if text.strip() else "empty"},
        "parts": [],
        "values": {},
    }
    if "preference" in row:
        record["payload"] = _item(place, index, row).model_dump(mode="json")
    if task == "classification":
        record.update(_chosen(row, record))
    elif "evaluation_error_analysis" in row and text is not None:
        record.update(_judged(row["evaluation_error_analysis"], answered=bool(text.strip())))
    return record


def _item(place: Place, index: int, row: Mapping[str, Any]) -> Item:
    """The pair as the task has it; the dialogue of an implicit form where the file holds it."""
    dialogue: tuple[Any, ...] = ()
    if isinstance(row.get("conversation"), dict):
        known = {**row, "topic": place.topic, "index": index}
        try:
            dialogue = reading.FORM_ROWS[place.form].model_validate(known).dialogue()
        except ValidationError:
            dialogue = ()
    return Item(
        topic=place.topic,
        index=index,
        preference=row["preference"],
        question=row["question"],
        dialogue=dialogue,
        options=tuple(row.get("shuffled_options") or ()),
        gold=row.get("correct_idx") or "",
    )


def _parameters(place: Place, task: str) -> dict[str, Any]:
    kind = ClassificationParameters if task == "classification" else GenerationParameters
    choice = task == "classification"
    profile = profiles.of_model(place.model)
    explicit = place.form == "explicit"
    # where only a fork of upstream's code can have asked, its form is anybody's guess
    unasked = profiles.problem(profile, explicit=explicit, method=place.method, choice=choice)
    given: dict[str, Any] = {
        "form": place.form,
        "method": place.method,
        "inter_turns": place.inter_turns,
        "rag_k": place.rag_k,
        "profile": "chat" if unasked else profile,
    }
    if choice and "claude" in place.model:
        given["prefill"] = True
    try:
        return kind.model_validate(given).solve_values()
    except suite.SkipCell as error:
        raise suite.DataError(error.reason, where=str(place.path)) from error


def _chosen(row: Mapping[str, Any], record: Record) -> Record:
    if "choice" not in row:
        return {"output": None}
    picked, gold = row["choice"], row["correct_idx"]
    text = record["output"]["text"] if record["output"] else f"<choice>{picked}</choice>" if picked else ""
    ours = letters.letter(text) if text else picked
    return {
        "tags": {**record["tags"], "gold": gold},
        "output": {"text": text, "finish": "stop" if text.strip() else "empty"},
        "values": letters.values(ours, picked, gold),
    }


def _judged(analysis: Mapping[str, Any], *, answered: bool) -> Record:
    replies = {ours: f"<answer>{analysis[theirs]['answer']}</answer>" for theirs, ours, _ in _CHECKS}
    said = {check: suite.read_verdict(suite.Reply(reply), verdicts.yes) for check, reply in replies.items()}
    read_ = {check: verdict.value_or_unscored() for check, verdict in said.items()}
    values = verdicts.values(verdicts.findings(read_))
    official = verdicts.compose(verdicts.official_findings(replies))["kept"]
    if not answered:  # follows nothing, whatever a judge says of it
        none = verdicts.Findings(acknowledged=False, violated=False, hallucinated=False, unhelpful=True)
        values = verdicts.values(none)
        return {"values": {**values, "kept_official": official, "answered": False}}
    return {
        "parts": [
            {
                "id": ours,
                "values": {
                    "yes": _plain(read_[ours]),
                    **said[ours].counts(),
                    "judge_retried": False,
                    "answer": analysis[theirs]["answer"],
                    "said": analysis[theirs].get(field, ""),
                },
                "tags": {"check": ours},
            }
            for theirs, ours, field in _CHECKS
        ],
        "values": {
            **{name: _plain(value) for name, value in values.items()},
            "kept_official": official,
            "answered": True,
        },
    }


def _plain(value: Any) -> Any:
    return {"unscored": value.reason} if isinstance(value, suite.Unscored) else value
