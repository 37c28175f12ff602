"""R8: every number of results.json and of the envelope computed again, from the scores of the replay.

Where a run could not be replayed as a whole, the recorded scores are taken and the rung says so.
Intervals are seeded by the plan, so they come out equal too.
"""

import re

import msgspec
from msgspec.structs import asdict, replace

from suite.board.bundle.documents_check import headline_of
from suite.board.bundle.submission import SubmittedRun
from suite.board.verify.equality import differences
from suite.board.verify.subject import VerifiedRun
from suite.chat import Json
from suite.errors import SuiteError
from suite.journal.document_files import read_bytes
from suite.journal.documents import KEPT, REASONING, Results
from suite.journal.shapes import Values
from suite.run.findings import OF_CELL
from suite.run.results import effort, make_results

_NAMES = frozenset({"run", "scoring"})  # what the folders are called
_LATER = frozenset({"counts", "tags"})  # kinds of findings that results of before do not have
_CODES = {"across": "R8.across", "calls": "R8.effort", "seconds": "R8.effort"}
_INTERVAL = frozenset({"low", "high", "method", "clusters", "n_effective", "note"})


def numbers(subject: VerifiedRun, entry: SubmittedRun, wanted: float | None = None) -> None:
    """Climb R8; sets `subject.recomputed`. Needs `subject.plan`. entry: the run in submission.json.

    wanted: level of the intervals that are recomputed, where the scoring may have had another.
    """
    plan = subject.planned
    subject.findings.ran("R8")
    metrics = {cell.plan.task: cell.task.metrics for cell in plan.cells}
    level = subject.run.scoring_manifest.level
    try:
        made = make_results(subject.counting, metrics, level=level)
        if subject.whole and subject.replayed is not None:
            calls, seconds, told = effort(subject.run)
            told += [one for one in made.findings if one.kind in OF_CELL]
            made = replace(made, calls=calls, seconds=round(seconds, 3), findings=told)
        else:
            subject.not_run("not replayed as a whole: computed from the recorded scores", "R8")
    except SuiteError as error:
        subject.add("R8.results", found=error.what)
        return
    subject.recomputed = made
    if wanted is not None and wanted != level:
        at = make_results(subject.counting, metrics, level=wanted)
        subject.recomputed = replace(made, level=wanted, cells=at.cells, across=at.across)
    theirs: dict[str, Json] = msgspec.json.decode(read_bytes(subject.run.judged.folder / "results.json"))
    later = _LATER - {one.kind for one in subject.run.results.findings}
    compared = replace(made, findings=[one for one in made.findings if one.kind not in later])
    mine: dict[str, Json] = msgspec.to_builtins(compared)
    counts = str(theirs.get("calls"))
    lacking = {name for name in (*REASONING, *KEPT) if name not in counts}  # those that came later
    by_role: dict[str, dict[str, int]] = msgspec.to_builtins(made.calls)
    known = dict(mine)
    known["calls"] = {role: {k: one[k] for k in one if k not in lacking} for role, one in by_role.items()}
    if "findings" not in theirs:  # of a run from before there were any
        known.pop("findings", None)
    if "intervals" not in theirs:  # made by earlier methods: the recomputed ones are shown in any case
        known.pop("intervals")
        subject.not_run("intervals were made by earlier methods: computed anew, not compared", "R8")
    here, there = ({key: one[key] for key in one if key not in _NAMES} for one in (known, theirs))
    _compare(subject, here, there)
    _envelope(subject, made, entry)


def _compare(subject: VerifiedRun, mine: Values, theirs: Values) -> None:
    for path, here, there in differences(mine, theirs):
        if "intervals" not in theirs and path.rpartition(".")[2] in _INTERVAL:
            continue
        where = subject.place("scoring/results.json", path)
        inside = "R8.metric" if ".metrics" in path else "R8.counts"
        code = _CODES.get(re.split(r"[.\[]", path)[0], inside)
        subject.add(code, where, what=_what(here, there), expected=here, found=there)


def _what(here: object, there: object) -> str:
    number = (int, float)
    if isinstance(here, number) and isinstance(there, number) and here and 99.9 < abs(there / here) < 100.1:
        return "a percentage stands where a proportion belongs"
    return "the number does not follow from the scores"


def _envelope(subject: VerifiedRun, mine: Results, entry: SubmittedRun) -> None:
    """The headlines that the envelope repeats."""
    cells = {cell.cell: cell for cell in mine.cells}
    for claimed in entry.cells:
        if (cell := cells.get(claimed.cell)) is None:
            continue  # R2 names cells that the run does not have
        where = f"submission.json runs[{subject.run_id}] cell {claimed.cell}"
        made, told = (asdict(one) for one in (headline_of(cell.headline, cell), claimed.headline))
        for path, right, there in differences(made, told):
            what = _what(right, there)
            subject.add("R8.headline", f"{where}, {path}", what=what, expected=right, found=there)
