"""Sentences about numbers, the same in every report: plain text, to be escaped by who shows it.

They stand in `templates/words.j2`.
"""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from suite.report.matrix import cell_name
from suite.report.numbers import interval, number, percent, plain
from suite.report.summary import TaskSummary

if TYPE_CHECKING:
    from jinja2.environment import TemplateModule


@cache
def _words() -> "TemplateModule":
    from jinja2 import Environment, StrictUndefined

    made = Environment(autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"interval": interval, "number": number, "percent": percent, "plain": plain}
    return made.from_string((files("suite.report") / "templates" / "words.j2").read_text("utf-8")).module


def told(name: str, *values: object) -> list[str]:
    """The lines of a macro of `words.j2`."""
    text: str = getattr(_words(), name)(*values)
    return [line for one in text.split("\n") if (line := " ".join(one.split()))]


def served_lines(task: TaskSummary) -> list[str]:
    """Who is served worst, and which cell is best for whom."""
    return told("served", task.served, {cell.id: cell_name(cell) for cell in task.cells})


def meanings(task: TaskSummary) -> list[tuple[str, list[str]]]:
    """(name, sentences) of each metric, as its task declares it; else only what results tell."""
    results = {one.name: one for cell in reversed(task.cells) for one in cell.metrics if not one.slice}
    declared = {
        row.name: (row, metric.__doc__)
        for metric in task.scores.declared(task.name)
        for row in metric.measures()
    }
    return [
        (name, told("meaning", found, *declared.get(name, (None, "")))) for name, found in results.items()
    ]
