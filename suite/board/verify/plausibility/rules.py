"""The rules of R9, as `rules.yaml` states them, with a board's thresholds.

Whoever walks the records counts; `OddRules` turns counts into findings.
"""

from typing import Unpack

import msgspec

from suite.board.bundle.rungs import Findings, Severity, Sides
from suite.board.define.parts import Thresholds
from suite.data import strict_syntax


class Odd(msgspec.Struct, frozen=True):
    """what: the words of the finding. threshold: its name among a board's, "" where nothing is measured.
    expected, found: the words of both sides, where they stand in the table.
    """

    code: str
    what: str
    threshold: str = ""
    severity: Severity = "warning"
    expected: str = ""
    found: str = ""


RULES = strict_syntax.read_table(__package__, "rules.yaml", dict[str, Odd])


class OddRules:
    """The rules with a board's thresholds, and where their findings go."""

    def __init__(self, thresholds: Thresholds, findings: Findings) -> None:
        self.thresholds, self._findings = thresholds, findings

    def __getitem__(self, name: str) -> float:
        """The threshold of a rule."""
        return self.thresholds[RULES[name].threshold]

    def tell(self, name: str, where: str, broken: object = True, **sides: Unpack[Sides]) -> None:
        """That a rule is broken, where it is."""
        if broken:
            rule = RULES[name]
            told: Sides = {**sides, "what": rule.what, "severity": rule.severity}
            self._findings.add(rule.code, where, **told)

    def compare(self, rule: str, where: str, /, **about: object) -> None:
        """The same, in the table's words for what should be there and for what is."""
        told = {"most": self[rule], **about}
        expected, found = (words.format_map(told) for words in (RULES[rule].expected, RULES[rule].found))
        self.tell(rule, where, expected=expected, found=found)

    def enough(self, count: int) -> bool:
        """Whether shares of so many samples say something."""
        return count >= self.thresholds["least"]
