"""VeriCode: 30 verifiable instructions about code, and the checks that decide whether they are followed.

    from suite_vibechecker.vericode import check
    verdict = check(code, response, "style_3", {"line_length": 79}, mode="strict")

Checks are deterministic and run by a pinned ruff, the tokenizer and the parser; no model is asked.
"""

from suite_vibechecker.vericode.checks import check, check_many
from suite_vibechecker.vericode.instructions import (
    CATEGORY_TITLES,
    Instruction,
    Parameter,
    instruction,
    instructions,
    rules_sha256,
)
from suite_vibechecker.vericode.linter import RUFF_VERSION, Linter, open_linter
from suite_vibechecker.vericode.verdicts import Finding, Item, Mode, Verdict

__all__ = [
    "CATEGORY_TITLES",
    "RUFF_VERSION",
    "Finding",
    "Instruction",
    "Item",
    "Linter",
    "Mode",
    "Parameter",
    "Verdict",
    "check",
    "check_many",
    "instruction",
    "instructions",
    "open_linter",
    "rules_sha256",
]
