"""Does code follow an instruction? `check` answers one question, `check_many` thousands at once.

Two modes. `official` repeats the authors' scorer: ruff's exit code decides, so comments can switch
rules off, empty code passes what ruff passes, and any failure counts as "not followed". `strict` is
the one to rank by: comments switch nothing off (`directives`), a program that is empty, does not parse or
does nothing follows no instruction, and a failure of the tool is reported, not scored.
Both functions give equal verdicts for equal items; a property test holds them to it.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suite_vibechecker.vericode.directives import neutral
from suite_vibechecker.vericode.instructions import Instruction, instruction
from suite_vibechecker.vericode.linter import Linter, Outcome, open_linter
from suite_vibechecker.vericode.native import findings
from suite_vibechecker.vericode.parsing import Program, applicable, read
from suite_vibechecker.vericode.verdicts import Finding, Item, Mode, Verdict

STRICT_ARGUMENTS = ("--ignore-noqa", "--target-version", "py310")


def check(
    code: str,
    response: str,
    name: str,
    parameters: Mapping[str, Any] | None = None,
    mode: Mode = "official",
    *,
    failed: bool = False,
    linter: Linter | None = None,
    folder: Path | None = None,
) -> Verdict:
    """Check code against one instruction.

    code: the extracted program. response: the whole reply (doc_4 and doc_6 judge it).
    name: id of the instruction; parameters that are missing take their defaults.
    failed: the model gave no usable answer. folder: official mode reads ruff's configuration from
        there, as upstream does from the working folder; None reads none. Strict mode never reads any.
    Raises NotFound for an unknown instruction, ConfigError for a ruff of the wrong version.
    """
    item = Item(code, response, name, parameters or {}, mode, failed)
    question = _question(item, read(code))
    if isinstance(question, Verdict):
        return question
    ruff = linter or open_linter()
    where = folder if mode == "official" else None
    return _judged(item, ruff.one(question.source, question.arguments, where), question.program)


def check_many(
    items: Sequence[Item], *, linter: Linter | None = None, folder: Path | None = None
) -> list[Verdict]:
    """Check many items, one ruff call for all that share their arguments. HiddenTests in the order of items.

    folder: as in `check`. A configuration file may treat standard input and files differently, so
    official items with a folder are checked one call each.
    """
    ruff = linter or open_linter()
    programs = {code: read(code) for code in dict.fromkeys(item.code for item in items)}
    questions = [_question(item, programs[item.code]) for item in items]
    verdicts: list[Verdict | None] = [one if isinstance(one, Verdict) else None for one in questions]
    open_ones = [(index, one) for index, one in enumerate(questions) if isinstance(one, _Question)]
    if folder is not None:
        alone = [(index, one) for index, one in open_ones if items[index].mode == "official"]
        open_ones = [(index, one) for index, one in open_ones if items[index].mode != "official"]
        with ThreadPoolExecutor(2) as pool:
            outcomes = pool.map(lambda pair: ruff.one(pair[1].source, pair[1].arguments, folder), alone)
            for (index, question), outcome in zip(alone, outcomes, strict=True):
                verdicts[index] = _judged(items[index], outcome, question.program)
    for index, question, outcome in _batched(ruff, open_ones):
        verdicts[index] = _judged(items[index], outcome, question.program)
    return [verdict for verdict in verdicts if verdict is not None]


@dataclass(frozen=True, slots=True)
class _Question:
    """What is left for ruff: bytes, arguments, and the program they come from."""

    source: bytes
    arguments: tuple[str, ...]
    program: Program


def _batched(
    ruff: Linter, open_ones: Sequence[tuple[int, _Question]]
) -> list[tuple[int, _Question, Outcome]]:
    places: dict[bytes, int] = {}
    groups: dict[tuple[str, ...], dict[int, list[tuple[int, _Question]]]] = {}
    for index, question in open_ones:
        place = places.setdefault(question.source, len(places))
        groups.setdefault(question.arguments, {}).setdefault(place, []).append((index, question))
    answers = ruff.many(list(places), [(arguments, list(group)) for arguments, group in groups.items()])
    return [
        (index, question, outcome)
        for group, outcomes in zip(groups.values(), answers, strict=True)
        for askers, outcome in zip(group.values(), outcomes, strict=True)
        for index, question in askers
    ]


def _question(item: Item, program: Program) -> Verdict | _Question:
    """What ruff must be asked about an item, or the verdict where it need not be."""
    row = instruction(item.instruction)
    relevant = applicable(program, item.instruction)
    if item.mode == "strict" and (refused := _refused(item, program, relevant)):
        return refused
    problem = row.problem(item.parameters)
    if problem:
        return Verdict(None if item.mode == "strict" else False, (), relevant, problem)
    code, response = item.code, item.response
    if item.mode == "strict":
        code, response = code.removeprefix("\ufeff"), response.removeprefix("\ufeff")
    if not row.select:
        found = findings(row.id, code, response, item.mode)
        return Verdict(not found, found, relevant)
    try:
        source = (neutral(code) if item.mode == "strict" else code).encode()
    except UnicodeEncodeError as error:
        return Verdict(False, (), relevant, f"the program is not valid text: {error.reason}")
    return _Question(source, _arguments(row, item), program)


def _refused(item: Item, program: Program, relevant: bool) -> Verdict | None:
    """Strict mode: a program that cannot work follows nothing."""
    if item.failed or not item.code.strip():
        return Verdict(False, (), relevant, "there is no program")
    if program.problem is not None:
        return Verdict(False, (program.problem,), relevant, "the program does not parse")
    if not program.has_statement:
        return Verdict(False, (), relevant, "the program does nothing")
    return None


def _arguments(row: Instruction, item: Item) -> tuple[str, ...]:
    extra = STRICT_ARGUMENTS if item.mode == "strict" else ()
    return (*row.ruff_arguments(item.parameters), *extra)


def _judged(item: Item, outcome: Outcome, program: Program) -> Verdict:
    relevant = applicable(program, item.instruction)
    found: tuple[Finding, ...] = outcome.findings
    if not outcome.failure:
        return Verdict(not found, found, relevant)
    # A crash is a property of the code and counts against it; other failures are the tool's own.
    ours = item.mode == "strict" and outcome.failure != "crash"
    return Verdict(None if ours else False, found, relevant, outcome.detail)
