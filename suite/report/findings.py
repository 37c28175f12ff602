"""Findings of results.json in words, with the option that helps. Their data: `suite/run/findings.py`."""

from collections.abc import Iterator, Mapping, Sequence

from suite.errors import listed
from suite.journal.documents import ResultFinding, Results
from suite.report.numbers import number
from suite.report.text_templates import Macros

NOTES = ("cached", "wording", "room")  # the other kinds are warnings


def shares(counts: Mapping[str, int]) -> str:
    """Names by their counts, the largest first, with their parts of the whole."""
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    return listed([f"{name[:80]} {n:,} ({n / total:.0%})" for name, n in ordered], 6)


_TEXTS = Macros("report/templates/findings.j2", number, shares)


def sentences(
    results: Results, findings: Sequence[ResultFinding] | None = None
) -> Iterator[tuple[str, bool]]:
    """The findings of a scoring, or these of them, in words, each with whether it is a warning."""
    cells = {cell.cell: f"{cell.task} (cell {cell.cell})" for cell in results.cells}
    found = results.findings if findings is None else findings
    short = {one.who for one in found if one.kind == "short"}
    for one in found:
        if one.kind != "judged" or one.who not in short or "length" not in one.counts:
            yield _TEXTS.text("sentence", one, cells), one.kind not in NOTES
