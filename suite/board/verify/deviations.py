"""R5: is it what the board asks? Parameters, data, prompts, trials, seeds, roles, and one candidate.

What deviates makes an entry *custom*: refused where "standard" was declared, accepted and listed where a
declared change of that kind covers it. Decided from the records, not from the submitter's word.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from suite.board.bundle.documents_check import member_identity
from suite.board.bundle.rungs import Findings, Severity, Sides, shown
from suite.board.bundle.submission import Submission
from suite.board.define.board import Board, Item
from suite.board.define.parts import Seat
from suite.board.verify.equality import differences, same
from suite.board.verify.subject import VerifiedRun
from suite.data import strict_syntax
from suite.errors import SuiteError
from suite.journal.documents import CellRecord, RoleMember, ScoredCell
from suite.plugins import Catalogue
from suite.run.cells import Cell
from suite.trees import exactly

COVERS = strict_syntax.read_table(__package__, "deviations.yaml", dict[str, frozenset[str]])
_MOST_TOLD = 500
_MOST_RELATIVES = 20  # cells of other parameters that are held against one that is missing


@dataclass(frozen=True)
class Deviation:
    """One way in which a run is not what the board asks. kind: a key of the table of covers."""

    kind: str
    what: str
    where: str
    expected: object
    found: object


@dataclass(frozen=True)
class Place:
    """Where a cell of the board stands in the bundle."""

    item: Item
    cell: Cell
    subject: VerifiedRun
    record: CellRecord

    @property
    def headline(self) -> str:
        return self.item.headline or self.cell.task.info.headline


@dataclass(frozen=True)
class ClassStanding:
    """What R5 came to. places: by column and cell. custom: in which class the entry belongs. lacking:
    columns without all their cells: they get no number. partial: on other samples than the board's.
    """

    places: Mapping[str, tuple[Place, ...]]
    custom: bool
    differences: tuple[str, ...]
    lacking: frozenset[str] = frozenset()
    partial: bool = False


def asked(
    board: Board,
    submission: Submission,
    subjects: Sequence[VerifiedRun],
    findings: Findings,
    plugins: Catalogue,
    earlier: str = "",
) -> ClassStanding:
    """Climb R5. earlier: SHA-256 of a definition of this board that the bundle may have been packed for."""
    findings.ran("R5")
    _envelope(board, submission, findings, earlier)
    _one_candidate(board, submission, subjects, findings)
    try:
        wanted = board.cells(plugins)
    except SuiteError as error:
        findings.not_run(f"the board cannot be resolved here: {error.what}", "R5")
        return ClassStanding({}, False, ())
    places, deviations = _places(board, wanted, subjects, findings)
    for column in places.values():
        for place in column:
            deviations += _deviations(place)
    for subject in subjects:
        deviations += _candidate_deviations(board, subject)
    declared = {change.what for change in submission.disclosure.changes}
    standard = submission.submission_type == "standard"
    for one in deviations:
        sides: Sides = {"expected": one.expected, "found": one.found}
        if not standard and COVERS[one.kind] & declared:
            sides |= {"what": "declared as a change", "severity": "note"}
        else:
            sides |= {"what": "not what the board asks, and not declared as a change"}
        findings.add(f"R5.{one.kind}", one.where, **sides)
    if standard and declared:
        findings.add("R5.standard", "submission.json disclosure.changes", found=sorted(declared))
    shown_sides = (map(shown, (one.what, one.found, one.expected)) for one in deviations[:_MOST_TOLD])
    told = dict.fromkeys(f"{what}: {found} instead of {expected}" for what, found, expected in shown_sides)
    lacking = frozenset(name for name, column in places.items() if len(column) < len(wanted[name]))
    lacks = (f"{name}: no number, since not all its cells are there" for name in sorted(lacking))
    partial = any(one.kind in ("subset", "data") for one in deviations)
    return ClassStanding(places, not standard or bool(deviations), (*told, *lacks), lacking, partial)


def _envelope(board: Board, submission: Submission, findings: Findings, earlier: str) -> None:
    claimed = submission.board
    known = claimed is not None and (claimed.id, claimed.definition_sha256) == (board.id, earlier)
    severity: Severity = "note" if known else "error"
    for name, expected in board.exact_name.items():
        told = "no board" if claimed is None else getattr(claimed, name)
        if told != expected:
            where = f"submission.json board.{name}"
            findings.add("R5.board", where, severity=severity, expected=expected, found=told)
    kind, of = submission.model.identity.kind, submission.submission_type
    for code, field, given, taken in (
        ("R5.candidate", "model.identity.kind", kind, board.candidate.allow),
        ("R5.type", "submission_type", of, board.eligibility.types),
    ):
        if given not in taken:
            findings.add(code, f"submission.json {field}", expected=list(taken), found=given)


def _one_candidate(
    board: Board, submission: Submission, subjects: Sequence[VerifiedRun], findings: Findings
) -> None:
    """The model that the envelope names is the one that every run asked."""
    seated = [(one, candidate) for one in subjects if (candidate := one.run.candidate) is not None]
    if not seated:
        return
    first, candidate = seated[0]
    claimed, recorded, run = submission.model.identity, candidate.identity, first.run_id
    where = "submission.json model.identity"
    names = {str(recorded.get("name", "")), candidate.spec.partition("/")[2]}
    if claimed.name not in names:
        known = " or ".join(sorted(names))
        findings.add("R5.model-name", f"{where}.name", run, expected=known, found=claimed.name)
    for field, keys in (("revision", ("revision",)), ("weights_sha256", ("weights_sha256", "sha256"))):
        known = next((str(recorded[key]) for key in keys if recorded.get(key)), "")
        told = getattr(claimed, field)
        if told and known and told != known:
            findings.add("R5.model-revision", f"{where}.{field}", run, expected=known, found=told)
    allowed = list(board.candidate.allow)
    if candidate.spec.startswith("openai/") and "endpoint" not in allowed:
        where = first.place("manifest.json", "roles.candidate")
        findings.add("R5.candidate/endpoint", where, expected=allowed, found=candidate.spec)
    for subject, other in seated[1:]:
        # wherever it is served
        wanted, there = (member_identity(one, ("url",)) for one in (candidate, other))
        for path, expected, found in differences(wanted, there):
            where = subject.place("manifest.json", f"roles.candidate.{path}")
            findings.add("R5.one-candidate", where, run, expected=expected, found=found)


def _places(
    board: Board, wanted: Mapping[str, Sequence[Cell]], subjects: Sequence[VerifiedRun], findings: Findings
) -> tuple[dict[str, tuple[Place, ...]], list[Deviation]]:
    """Where each cell of the board is. A missing one with a relative of other parameters is a deviation."""
    boards = {one.id for column in wanted.values() for one in column}
    by_cell: dict[str, list[tuple[VerifiedRun, CellRecord]]] = {}
    for subject in subjects:
        for record in subject.run.manifest.cells:
            by_cell.setdefault(record.cell, []).append((subject, record))
    others = [place for cell, places in by_cell.items() if cell not in boards for place in places]
    deviations: list[Deviation] = []
    found: dict[str, tuple[Place, ...]] = {}
    for item in board.tasks:
        column = []
        for cell in wanted[item.name]:
            here = by_cell.get(cell.id, [])
            if len(here) > 1:
                where = ", ".join(subject.run_id for subject, _ in here)
                findings.add("R5.cell-twice", where, item.name, found=cell.id)
            column += [Place(item, cell, subject, record) for subject, record in here[:1]]
            if not here:
                near = [place for place in others if place[1].task == item.task]
                deviations += _missing(item, cell, near, findings)
        found[item.name] = tuple(column)
    for name, ((subject, record), *_) in by_cell.items():
        if name not in boards:
            where = subject.place("manifest.json", f"cell {name}")
            there = {"task": record.task, "parameters": record.parameters}
            findings.add("R5.other-cell", where, severity="note", found=there)
    return found, deviations


def _missing(
    item: Item, cell: Cell, near: Sequence[tuple[VerifiedRun, CellRecord]], findings: Findings
) -> Iterator[Deviation]:
    """near: cells of the same task that the board does not ask for."""
    if not near:
        lacking, where = {"task": item.task, **cell.plan.parameters}, f"board column {item.name}"
        findings.add("R5.missing-cell", where, item.name, expected=lacking, found="no run has it")
    for subject, record in near[:_MOST_RELATIVES]:
        for path, expected, found in differences(cell.plan.parameters, record.parameters):
            where = subject.place("manifest.json", f"cell {record.cell}.parameters.{path}")
            yield Deviation("parameters", f"parameter {path} of {item.task}", where, expected, found)


def _deviations(place: Place) -> Iterator[Deviation]:
    item, subject, record, manifest = place.item, place.subject, place.record, place.subject.run.manifest
    where = subject.place("manifest.json")
    scored: CellRecord | ScoredCell = subject.run.scored_cells.get(record.cell, record)
    for name, kind, expected, found in (
        ("mini", "data", item.data == "mini", manifest.mini),
        ("limit", "subset", item.limit, manifest.limit),
        ("trials", "trials", item.trials, manifest.trials),
        ("prompts", "prompts", item.prompts, manifest.prompts),
        ("seed", "seed", manifest.seed if item.seed is None else item.seed, manifest.seed),
    ):
        if not exactly(expected, found):
            yield Deviation(kind, f"{name} of {item.task}", f"{where} {name}", expected, found)
    given = item.prompts_sha256
    prompts = given.get(record.cell) if isinstance(given, dict) else given
    for manifest_cell in (record, scored):
        if prompts and (there := manifest_cell.prompts_sha256) != prompts:
            yield Deviation("prompts", f"prompts of {item.task}", where, prompts, there)
    expected_score = place.cell.plan.score_parameters
    for path, wanted, told in differences(expected_score, scored.score_parameters):
        yield Deviation("parameters", f"at-score parameter {path} of {item.task}", where, wanted, told)
    for role, seats in item.roles.items():
        yield from _seats(place, role, seats)


def _seats(place: Place, role: str, seats: Sequence[Seat]) -> Iterator[Deviation]:
    subject = place.subject
    if role not in place.cell.task.roles():
        return
    members: Sequence[RoleMember] = ()
    file = "manifest.json"
    for half in subject.halves:
        if role in half.manifest.roles:
            members, file = half.manifest.roles[role], f"{half.base}manifest.json"
    kind = role if role in ("judge", "user") else "role"
    where = subject.place(file, f"roles.{role}")
    if len(members) != len(seats):
        yield Deviation(kind, f"members of {role}", where, len(seats), len(members))
        return
    for seat, member in zip(seats, members, strict=True):
        if seat.spec != member.spec:
            yield Deviation(kind, f"the {role}", f"{where}.spec", seat.spec, member.spec)
        for key, value in seat.identity.items():
            if not same(there := member.identity.get(key), value):
                yield Deviation(kind, f"{key} of the {role}", f"{where}.identity", value, there)
        for path, expected, found in differences(seat.sampling, member.sampling):
            yield Deviation(kind, f"sampling of the {role}", f"{where}.sampling.{path}", expected, found)


def _candidate_deviations(board: Board, subject: VerifiedRun) -> Iterator[Deviation]:
    candidate = subject.run.candidate
    sampling = {} if candidate is None else candidate.sampling
    where = subject.place("manifest.json", "roles.candidate.sampling")
    wanted = board.candidate.sampling
    if not isinstance(wanted, str):
        for path, expected, found in differences(wanted, sampling):
            yield Deviation("sampling", f"{path} of the candidate", where, expected, found)
    most, asked = board.candidate.max_tokens, sampling.get("max_tokens")
    if most is not None and isinstance(asked, int | float) and asked > most:
        yield Deviation("sampling", "max_tokens of the candidate", where, f"<= {most}", asked)
