"""What a merge of shards saw, in words (`suite.journal.merges`)."""

from suite.journal.merges import Merge
from suite.report.text_templates import text_lines

_TEXTS = "report/templates/merge.j2"


def merge_lines(merge: Merge) -> list[str]:
    """For who merges: how much is there, and what is not."""
    return text_lines(_TEXTS, "merged", merge)


def missing(merge: Merge) -> str:
    """Which shards a run was merged without, and how much that is; "" of one that lacks none."""
    return "".join(text_lines(_TEXTS, "missing", merge))
