"""What a gate found, for people: sections in terminal, Markdown and HTML, and JUnit's XML for CI servers."""

from suite.blocks import Section
from suite.gates.nights import Night, Verdict
from suite.parameters import distinguishing
from suite.report.hostile_text import one_line
from suite.report.numbers import number
from suite.report.summary import label
from suite.report.text_templates import Macros

CODES: dict[Verdict, int] = {"pass": 0, "fail": 1, "undecided": 3}
_TEXTS = Macros("gates/templates/gate.j2", distinguishing, number, one_line, label)


def sections(night: Night) -> list[Section]:
    """The verdict, every claim with the number that decides, and what a reader must know."""
    return _TEXTS.sections("sections", night)


def junit(night: Night, undecided: Verdict, name: str) -> str:
    """One test case a claim and cell, as Jenkins and GitLab read it. undecided: what such a claim counts as;
    where it is itself, it is skipped. name: of the test suite.
    """
    return _TEXTS.text("junit", night, undecided, name)
