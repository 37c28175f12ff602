"""What goes into a check and what comes out: items, findings, verdicts. Plain frozen records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Mode = Literal["official", "strict"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One place that breaks an instruction. line and column count from 1; code is the rule's."""

    line: int
    column: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether code follows one instruction.

    followed: None if the verifier itself failed, with the reason in `error`; never in official mode,
        where any failure counts as "not followed".
    findings: in order of lines. applicable: the code holds what the instruction speaks of at all
        (code that opens no file follows `style_7` vacuously); code that cannot be parsed counts as such.
    error: why the code could not be judged as it stands ("" otherwise).
    """

    followed: bool | None
    findings: tuple[Finding, ...] = ()
    applicable: bool = True
    error: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One check: extracted code and whole response, an instruction's id, its parameters, the mode.

    failed: the model gave no usable answer at all; strict mode then follows nothing.
    """

    code: str
    response: str
    instruction: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mode: Mode = "official"
    failed: bool = False
