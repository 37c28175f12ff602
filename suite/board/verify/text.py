"""A verification as text: every rung, every finding by sample, recomputed numbers, and what stays open."""

from collections.abc import Iterator

from suite.board.findings import Finding, Rung, shown
from suite.board.verify.report import CANNOT_SHOW, Verification

_STATUS = {"passed": "ok", "warned": "warnings", "failed": "FAILED", "not_run": "not run"}
_VERDICTS = {
    "verified": "verified: the records are complete and consistent, and the numbers follow from them",
    "verified_with_warnings": "verified, with warnings to look at",
    "incomplete": "incomplete: a rung could not be climbed here",
    "rejected": "rejected",
}


def as_text(found: Verification) -> Iterator[str]:
    """The lines."""
    ladder = found.ladder
    yield _head(found)
    for rung in ladder.findings.rungs.values():
        yield _rung(rung)
        yield from _findings(found, rung)
    yield ""
    if ladder.columns and found.exit_code() != 0:
        yield "numbers, as far as they can be recomputed, of what was not verified:"
    for column in ladder.columns:
        data = column.data
        if data["value"] is None:
            yield f"{data['key']}: {data['headline']} has no value"
            continue
        spread = "" if data["low"] is None else f" [{data['low']:.3f}, {data['high']:.3f}]"
        counted = f"n={data['n']}" + (f", {data['unscored']} unscored" if data["unscored"] else "")
        yield f"{data['key']}: {data['headline']} {data['value']:.3f}{spread}, {counted}"
    if ladder.kind == "custom":
        told = ladder.standing.differences if ladder.standing is not None else ()
        yield "class: custom" + (f" ({'; '.join(told)})" if told else "")
    if ladder.rerun is not None:
        yield f"re-run: {ladder.rerun.label.replace('_', ' ')} ({ladder.rerun.why})"
    if ladder.rejudge is not None:
        yield f"judged again: {ladder.rejudge.label.replace('_', ' ')} ({ladder.rejudge.why})"
    yield "This check cannot show:"
    yield from (f"- {one}" for one in CANNOT_SHOW)
    yield _VERDICTS[found.verdict]


def _head(found: Verification) -> str:
    submission, board = found.ladder.submission, found.ladder.board
    if not submission:
        return "not a bundle that can be read"
    model = submission["model"]
    against = f", for board {board.id} {board.version}" if board is not None else ""
    return (
        f"bundle {found.ladder.bundle_id[:12]}: {shown(model['display_name'])} of "
        f"{shown(model['organization'])}, {submission['submission_type']}, {len(submission['runs'])} "
        f"run{'' if len(submission['runs']) == 1 else 's'}{against}"
    )


def _rung(rung: Rung) -> str:
    from suite.board.findings import RUNGS

    counts = ", ".join(
        f"{n} {word}{'' if n == 1 else 's'}"
        for n, word in ((rung.errors, "error"), (rung.warnings, "warning"), (rung.notes, "note"))
        if n
    )
    told = rung.reason or rung.remark
    reason = f" ({told})" if told else ""
    return f"{rung.id:<3} {_STATUS[rung.status]:<8} {RUNGS[rung.id]}{reason}{f': {counts}' if counts else ''}"


def _findings(found: Verification, rung: Rung) -> Iterator[str]:
    told: dict[str, int] = {}
    for one in found.ladder.findings:
        if one.rung == rung.id:
            told[one.code] = told.get(one.code, 0) + 1
            yield from _finding(one)
    for code, count in rung.by_code.items():
        if count > told.get(code, 0):
            yield f"      {code}: and {count - told.get(code, 0)} more"


def told_of(found: Verification, rung: str) -> Iterator[str]:
    """The findings of one rung."""
    yield from _findings(found, found.ladder.findings.rungs[rung])


def _finding(one: Finding) -> Iterator[str]:
    mark = {"error": "", "warning": "warning: ", "note": "note: "}[one.severity]
    sample = f", sample {one.sample}" if one.sample else ""
    yield f"      {one.code}: {mark}{one.what}"
    if one.where or sample:
        yield f"          {one.where}{sample}"
    if one.expected or one.found:
        sides = [f"expected {one.expected}"] if one.expected else []
        yield f"          {', '.join([*sides, f'found {one.found}'] if one.found else sides)}"
