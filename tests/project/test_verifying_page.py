"""docs/verifying.md names every finding that verification can make, and every threshold."""

import re
from pathlib import Path

from suite.board.bundle.rungs import WORDS
from suite.board.define.parts import DEFAULTS
from suite.board.verify.deviations import COVERS
from suite.board.verify.plausibility.rules import RULES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/verifying.md").read_text(encoding="utf-8")


def test_every_finding_is_told() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "suite/board/verify").rglob("*.py"))
    codes = set(re.findall(r'"(R(?:[3-9]|1[01])\.[a-z-]+)"', source))
    codes |= {name.partition("/")[0] for name in WORDS if re.match(r"R(?:[3-9]|1[01])\.", name)}
    codes |= {f"R5.{name}" for name in COVERS} | {rule.code for rule in RULES.values()}
    told = set(re.findall(r"`(R(?:[3-9]|1[01])\.[a-z-]+)`", PAGE))
    assert told == codes


def test_every_wording_is_at_work() -> None:
    rooms = [ROOT / "suite/board/bundle", ROOT / "suite/board/verify"]
    source = "\n".join(path.read_text() for room in rooms for path in room.rglob("*.py"))
    put_together = ("R4.", "R11.")  # of what a record is, or of a label
    told = {name: name.partition(".")[2] or name for name in WORDS if not name.startswith(put_together)}
    assert [name for name, word in told.items() if word not in source] == []


def test_every_threshold_is_told_with_its_value() -> None:
    told = {
        name: float(value) for name, value in re.findall(r"^\| `(\w+)` \| ([\d.e+-]+) \|", PAGE, re.MULTILINE)
    }
    assert told == DEFAULTS


def test_every_rule_is_at_work_and_measured_by_a_known_threshold() -> None:
    assert {rule.threshold for rule in RULES.values()} - {""} <= set(DEFAULTS)
    source = "\n".join(path.read_text() for path in (ROOT / "suite/board/verify/plausibility").glob("*.py"))
    assert all(f'"{name}"' in source for name in RULES)
