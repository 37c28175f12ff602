"""What a reader must know before believing a number: partial, pending, imported, toy models, deviations."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from suite.chat import Json
from suite.errors import RunError, listed
from suite.journal.commands import scoring_command, solving_command
from suite.journal.documents import CellRecord, ScoredCell
from suite.journal.lines import Lines
from suite.journal.records import BUDGET, OutputRecord, ScoreRecord
from suite.journal.run import RUNS, Run
from suite.journal.shards import shards_of
from suite.report.findings import sentences
from suite.report.merge_text import missing
from suite.report.numbers import percent, plain

MOST_TAG_VALUES = 8
RESTORE = "Restore the file from a copy, or score what is left anew with `suite score`."
_ENDS = ("stopped", "interrupted", "finish")
_BUDGET = re.compile(r"(--budget[ =]|\bbudget=)'?([^\s'][^',)]*?)(?:'|(?=[\s,)])|$)")


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence. `weight`: "warning" changes what the numbers mean, "note" is good to know."""

    weight: Literal["warning", "note"]
    text: str


def remarks(run: Run) -> list[Remark]:
    """All remarks on a run, warnings first."""
    told = [Remark("warning" if bad else "note", text) for text, bad in sentences(run.results)]
    # what was asked otherwise than planned, since an endpoint refused a setting; each once
    adapted = dict.fromkeys(f"{one.detail}." for one in run.attempts() if one.event == "adapted")
    lost = filter(None, map(missing, run.merges))
    wrong = [Remark("warning", text) for text in (*damage(run), *toys(run), *lost, *_state(run))]
    notes = [Remark("note", text) for text in adapted]
    return sorted(
        [*wrong, *told, *notes, *_coverage(run), *_notes(run)], key=lambda one: one.weight != "warning"
    )


def toys(run: Run) -> Iterator[str]:
    """A sentence for each model whose scores mean nothing."""
    # an embedded embedder is as good as any; an embedded chat model only proves that everything works
    specs = dict.fromkeys(
        one.spec for role, members in run.roles.items() if role != "embedder" for one in members
    )
    for spec in specs:
        if spec.startswith("embedded/"):
            yield f"{spec} is a small model for trying things out: these scores mean nothing."
        elif spec.startswith("scripted/"):
            yield f"{spec} answers by script, not by a model: these scores mean nothing."


def _counted(run: Run) -> Sequence[tuple[Lines[OutputRecord] | Lines[ScoreRecord], int]]:
    """The journals of samples, and how many records results.json counts in each."""
    solved, scored = zip((0, 0), *((one.solved, one.scored) for one in run.results.cells), strict=True)
    return (run.journal.outputs, sum(solved)), (run.judged.scores, sum(scored))


def lacking(run: Run) -> list[str]:
    """Names of journal files that results.json counts records of and that are not there; none is opened."""
    asked = run.results.calls.get("candidate")
    counted = [*_counted(run), (run.journal.calls, asked.calls if asked else 0)]
    return [lines.path.name for lines, count in counted if count and not lines.path.exists()]


def damage(run: Run) -> Iterator[str]:
    """A sentence for each journal that holds less than results.json counts, or is not what was written."""
    if "calls.jsonl" in lacking(run):
        yield f"calls.jsonl is missing: the journal is damaged. {RESTORE}"
    for lines, count in _counted(run):
        try:
            lost, told = count - sum(1 for _ in lines.raw()), f"in {lines.path.name}: the journal is damaged"
        except RunError as error:
            yield f"The journal is damaged: {error.what}. {RESTORE}"
            continue
        if lost > 0:
            are = "is" if lost == 1 else "are"
            yield f"{lost:,} of {count:,} samples that results.json counts {are} not {told}. {RESTORE}"


def _state(run: Run) -> Iterator[str]:
    results = run.results
    if run.manifest.imported or results.imported:
        yield "Imported: the answers were made elsewhere and can't be checked against their calls."
    place = run.name if run.folder.parent == RUNS else shlex.quote(str(run.folder))
    if shards_of(run.folder) and not run.merges:
        yield f"In shards that are not merged yet: suite runs merge {place}"
    elif not run.scoring:
        yield f"Not scored yet: suite score {place}"
    elif not run.has_results:
        yield f"The scoring {run.scoring} has no results yet: {how_to_continue(run)}"
    elif pending := results.pending:
        have, are = ("sample has", "is") if pending == 1 else ("samples have", "are")
        yield (
            f"{pending:,} {have} no result yet (not begun, no reply to a call, or an error of the task) and "
            f"{are} no part of the numbers. To continue: {how_to_continue(run)}"
        )
    elif not results.complete:
        yield f"This run is not complete. To continue: {how_to_continue(run)}"


def how_to_continue(run: Run) -> str:
    """What to do: the recorded command again, or, of a run without one, that it be repeated."""
    if run.manifest.imported_from:
        return "the imported files hold no result for them; import them again once they do"
    if run.manifest.imported:
        return "add their texts to the file of answers, and give it to the same command with another --output"
    last = scoring_command(run.folder, run.scoring) or solving_command(run.folder)
    ends = [one.kind for one in run.journal.attempts if one.event in _ENDS]
    if not last.command:
        return "repeat the command that began it (with --output FOLDER, if one was named)"
    command = re.sub(r"(?<= )--new\b", f"--output {shlex.quote(str(run.folder))}", last.command)
    command = re.sub(r"(, output=[^,]*)?, new=True", f", output={str(run.folder)!r}", command)
    if re.search(alone := r"(?<= --shard[ =])\S+", command):
        gone = [one.shard for merge in run.merges for one in merge.shards if one.state == "missing"]
        command = re.sub(alone, (*gone, "I/N")[0].replace("-of-", "/"), command)
        command += f", then suite runs merge {shlex.quote(str(run.folder))}"
    if ends[-1:] != [BUDGET]:
        return command
    of_settings = _BUDGET.search(last.settings)
    if of_settings and not _BUDGET.search(command):
        command += f" {of_settings[0]}"
    return _BUDGET.sub(r"\1'more than \2'", command)


def _coverage(run: Run) -> Iterator[Remark]:
    coverage = run.results.coverage
    taken, every = coverage.groups.taken, coverage.groups.all
    if not taken or taken >= every:
        return
    text = f"Partial: {taken:,} of {every:,} groups ({percent(taken / every)})"
    if run.manifest.limit:
        text += f", chosen at random by --limit {run.manifest.limit}"
    yield Remark("warning", text + ".")
    for tag, values in coverage.tags.items():
        if len(values) < 2:
            continue
        missing = sum(not one.taken for one in values.values())
        # the least covered first: that is what a reader must know
        ordered = sorted(values.items(), key=lambda pair: pair[1].taken / max(pair[1].all, 1))
        told = [f"{plain(value)} {one.taken:,}/{one.all:,}" for value, one in ordered]
        none = f"; {missing} not covered at all" if missing else ""
        yield Remark("note", f"Covered by {plain(tag)}: {listed(told, MOST_TAG_VALUES)}{none}.")


def _notes(run: Run) -> Iterator[Remark]:
    if run.manifest.mini:
        yield Remark("warning", "Run on the bundled mini data: a demonstration, comparable with nothing.")
    for task, changed in run.manifest.changed_presets.items():
        given = plain(" -P ".join(changed.given))
        text = f"{task}: the preset {plain(changed.preset)} changed by -P {given}, so not that preset: "
        yield Remark("warning", f"{text}don't compare with numbers published for it.")
    if run.manifest.shard:
        yield Remark("warning", f"One shard of a run: {plain(run.manifest.shard)}.")
    for task, note in {cell.task: cell.note for cell in run.manifest.cells}.items():
        if note:
            yield Remark("note", f"{task}: {note}")


def parameters_of(cell: CellRecord, scored: ScoredCell | None = None) -> dict[str, Json]:
    """All parameters of a cell, those of the scoring in place of the run's."""
    at_score = {} if scored is None else scored.score_parameters
    return {**cell.parameters, **cell.score_parameters, **at_score}


def deviations(cell: CellRecord, scored: ScoredCell | None) -> dict[str, str]:
    """What is shown with a cell's headline: protocol, prompts, and the facts its task told when opened."""
    found: dict[str, str] = {}
    if "protocol" in cell.parameters:
        found["protocol"] = plain(cell.parameters["protocol"])
    if prompts := (scored.prompts if scored else "") or cell.prompts:
        found["prompts"] = plain(prompts)
    for facts in (cell.facts, scored.facts if scored else {}):
        for name, value in facts.items():
            if plain(cell.parameters.get(name)) != plain(value):  # else it only repeats a parameter
                found[name] = plain(value)
    return found
