"""What a reader must know before believing a number: partial, pending, imported, toy models, deviations."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from suite.chat import Json
from suite.errors import RunError, listed
from suite.journal.commands import scoring_command, solving_command
from suite.journal.documents import CellRecord, ScoredCell, Share
from suite.journal.lines import Lines
from suite.journal.records import BUDGET, OutputRecord, ScoreRecord
from suite.journal.run import RUNS, Run
from suite.report.findings import sentences
from suite.report.numbers import number, percent, plain
from suite.report.text_templates import Macros

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
    found = [*(("warning", text) for text in (*damage(run), *toys(run))), *_TEXTS.said("state", run)]
    found += [("warning" if bad else "note", text) for text, bad in sentences(run.results)]
    # what was asked otherwise than planned, since an endpoint refused a setting; each once
    adapted = dict.fromkeys(f"{one.detail}." for one in run.attempts() if one.event == "adapted")
    found += [*(("note", text) for text in adapted), *_TEXTS.said("scope", run)]
    every = [Remark("warning" if weight == "warning" else "note", text) for weight, text in found]
    return sorted(every, key=lambda one: one.weight != "warning")


def toys(run: Run) -> list[str]:
    """A sentence for each model whose scores mean nothing."""
    return [text for _, text in _TEXTS.said("toys", run)]


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
    if ends[-1:] != [BUDGET]:
        return command
    of_settings = _BUDGET.search(last.settings)
    if of_settings and not _BUDGET.search(command):
        command += f" {of_settings[0]}"
    return _BUDGET.sub(r"\1'more than \2'", command)


def covered(values: Mapping[str, Share]) -> str:
    """How much of a tag's values was taken, the least covered first: that is what a reader must know."""
    ordered = sorted(values.items(), key=lambda pair: pair[1].taken / max(pair[1].all, 1))
    return listed([f"{plain(value)} {one.taken:,}/{one.all:,}" for value, one in ordered], MOST_TAG_VALUES)


def called(run: Run) -> str:
    """What a run is called on a command line."""
    return run.name if run.folder.parent == RUNS else shlex.quote(str(run.folder))


_TEXTS = Macros(
    "report/templates/remarks.j2", called, covered, how_to_continue, listed, number, percent, plain
)


def parameters_of(cell: CellRecord, scored: ScoredCell | None = None) -> dict[str, Json]:
    """All parameters of a cell, those of the scoring in place of the run's."""
    at_score = {} if scored is None else scored.score_parameters
    return {**cell.parameters, **cell.usual, **cell.score_parameters, **at_score}


def deviations(cell: CellRecord, scored: ScoredCell | None) -> dict[str, str]:
    """What is shown with a cell's headline: protocol, prompts, and the facts its task told when opened, but
    for shots, which `run_facts` tells."""
    found: dict[str, str] = {}
    if "protocol" in cell.parameters:
        found["protocol"] = plain(cell.parameters["protocol"])
    if prompts := (scored.prompts if scored else "") or cell.prompts:
        found["prompts"] = plain(prompts)
    for facts in (cell.facts, scored.facts if scored else {}):
        for name, value in facts.items():
            if name != "shots" and plain(cell.parameters.get(name)) != plain(value):  # else it only repeats
                found[name] = plain(value)
    return found
