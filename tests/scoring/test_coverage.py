"""A part of benchmarks/coverage.py: what the suite prints holds the truth where that is hardest."""

import importlib.util
import math
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = (
    Path(__file__).parents[2] / "benchmarks" / "coverage.py"
)  # not by its name, which another package has
spec = importlib.util.spec_from_file_location("benchmark_of_coverage", SCRIPT)
assert spec is not None
assert spec.loader is not None
script = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = script
spec.loader.exec_module(script)
LEAST, LISTED, DEFAULT = script.LEAST, script.LISTED, script.DEFAULT
measure, ratio = script.measure, script.ratio
REPEATS = 60
HARD = [(family.name, setting) for family in script.families() for setting in family.settings if setting.hard]


@pytest.mark.parametrize(("family", "setting"), HARD, ids=[f"{name}, {one.name}" for name, one in HARD])
def test_the_interval_holds_the_truth(family: str, setting: Any) -> None:
    found = [measure(setting.alone(), p, REPEATS)[DEFAULT] for p in setting.points or LISTED]
    shown = sum(one.n - one.none for one in found)
    held = sum(one.covered for one in found)
    assert held / shown >= LEAST - 3 * math.sqrt(LEAST * (1 - LEAST) / shown)
    if not setting.may_lack:
        assert [one.none for one in found] == [0] * len(found)


def test_what_was_printed_before_is_seen_to_miss() -> None:
    setting = next(one for name, one in HARD if name == "macro, 0/1")
    found = measure(setting, 0.95, 60)
    assert found["t of the smallest group"].coverage < 0.8
    assert found[DEFAULT].coverage >= LEAST - found[DEFAULT].error


def test_width_is_held_against_the_narrowest_that_covers_at_every_p() -> None:
    def one(covered: int, width: float) -> Any:
        return script.Measured(100, covered, width, 0)

    listed = {
        0.5: {DEFAULT: one(95, 0.3), "narrow": one(97, 0.1), "other": one(94, 0.2)},
        0.9: {DEFAULT: one(96, 0.2), "narrow": one(80, 0.1), "other": one(95, 0.16)},
    }
    assert [ratio(listed, p) for p in listed] == pytest.approx([1.5, 1.25])


def test_what_was_measured_crosses_processes_and_is_drawn_as_a_table() -> None:
    lines = pickle.loads(pickle.dumps(script.simulate("share", 20, quick=True)))
    assert [(line.family, line.name, line.few) for line in lines] == [("share", "n 10", False)]
    assert [row.count(" | ") for row in script.table(lines)] == [6, 6, 6]
    assert [row.count(" | ") for row in script.summary(lines)] == [6, 6, 6]
    low = script.Measured(100, 50, 0.2, 0)
    bad = script.Line("share", "n 10", False, False, {0.5: {DEFAULT: low}}, 0.995)
    assert [fault.split()[0] for fault in bad.faults()] == ["LOW", "HIGH"]
