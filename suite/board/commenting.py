"""A verification report as a comment on a pull request.

The report is hostile: whoever sent the pull request could have written it. It is bounded, held to its shape,
and shown as text inside one block of code.
"""

import re
from pathlib import Path

import msgspec

from suite.board.entry import Verification, read_bytes
from suite.errors import DataError
from suite.report.cleaning import one_line

MOST_LINES = 60
MOST_CHARACTERS = 20_000


def comment(path: Path) -> str:
    """Markdown. Raises DataError for a report that is none."""
    try:
        found = msgspec.json.decode(read_bytes(path), type=Verification)
    except (msgspec.DecodeError, RecursionError) as error:
        raise DataError("this is no verification report", where=str(path)) from error
    lines = [f"bundle {one_line(found.bundle_id, 64)}", f"verdict {found.verdict}, class {found.kind}", ""]
    for rung in found.rungs[:20]:
        reason = f" ({one_line(rung.reason, 120)})" if rung.reason else ""
        lines.append(
            f"{one_line(rung.id, 4):4} {one_line(rung.status, 8):8} {one_line(rung.title, 70)}{reason}"
        )
    lines.append("")
    for one in found.findings[:MOST_LINES]:
        told = (one.code, one.severity, one.what, one.where, one.sample, one.expected, one.found)
        lines.append(" | ".join(one_line(text, 120) for text in told if text))
    if len(found.findings) > MOST_LINES:
        lines.append(f"and {len(found.findings) - MOST_LINES} more")
    text = "\n".join(lines)[:MOST_CHARACTERS]
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    head = "Verification of this pull request, to be repeated after a merge:"
    return f"{head}\n\n{fence}text\n{text}\n{fence}\n"
