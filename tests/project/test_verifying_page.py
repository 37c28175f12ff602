"""docs/verifying.md names every finding that verification can make, and every threshold."""

import re
from pathlib import Path

from suite.board.define.parts import DEFAULTS
from suite.board.verify.deviations import COVERS
from suite.board.verify.plausibility.rules import RULES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/verifying.md").read_text(encoding="utf-8")
MADE = {  # codes that are put together when they are added
    "R4": {"payload", "group", "cluster", "tags", "repeated-output", "repeated-score", "unknown-output"}
    | {"unknown-score", "too-many-unscored", "too-many-failed"},
    "R5": set(COVERS),
    "R6": {"request", "failed", "calls", "parts", "score", "judged-output"},
    "R7": {"request", "failed", "calls", "parts", "score", "judged-output"},
}


def test_every_finding_is_told() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "suite/board/verify").rglob("*.py"))
    codes = set(re.findall(r'"(R(?:[3-9]|1[01])\.[a-z-]+)"', source))
    codes |= {f"{rung}.{name}" for rung, names in MADE.items() for name in names}
    codes |= {rule.code for rule in RULES.values()}
    told = set(re.findall(r"`(R(?:[3-9]|1[01])\.[a-z-]+)`", PAGE))
    assert told == codes


def test_every_threshold_is_told_with_its_value() -> None:
    told = {
        name: float(value) for name, value in re.findall(r"^\| `(\w+)` \| ([\d.e+-]+) \|", PAGE, re.MULTILINE)
    }
    assert told == DEFAULTS


def test_every_rule_is_at_work_and_measured_by_a_known_threshold() -> None:
    assert {rule.threshold for rule in RULES.values()} - {""} <= set(DEFAULTS)
    source = "\n".join(path.read_text() for path in (ROOT / "suite/board/verify/plausibility").glob("*.py"))
    assert all(f'"{name}"' in source for name in RULES)
