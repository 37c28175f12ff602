"""What is reported: following and passing, together and apart, and what instructions cost.

Declarations and the formulas over cells; the paper's own numbers as plain functions are in `measures`.
"""

from collections.abc import Callable

import suite
from suite_vibechecker.composite import CONVENTION, composite
from suite_vibechecker.measures import regression
from suite_vibechecker.parameters import MOST, Protocol

MODES: tuple[Protocol, ...] = ("single", "multi")
BASE = {"mode": "single", "k": 0}
TAGS = ("category", "instruction", "position")


TWINS = ("", "_official")


def _regression(passed: str) -> Callable[[object], float | None]:
    return lambda cells: regression(*_means(cells, passed))


def _composite(part: str) -> Callable[[object], float | None]:
    def mixed(cells: object) -> float | None:
        functional, following = _means(cells, part)
        if functional is None or following is None:
            return None
        return composite(functional, following, CONVENTION)

    return mixed


def _means(cells: object, name: str) -> tuple[float | None, float | None]:
    """Means of a value in the cells "base" and "now", None of nothing."""
    assert isinstance(cells, dict)
    columns = [cells[role][name] for role in ("base", "now")]
    first, second = (float(one.mean()) if len(one) else None for one in columns)
    return first, second


METRICS = (
    suite.Rate("joint", about="The program passes its tests and follows all instructions."),
    suite.Rate("passed", about="The program passes the hidden tests."),
    suite.Rate("all_followed", about="The program follows all of its instructions."),
    suite.Mean("followed", range=(0.0, 1.0), about="The share of its instructions that a program follows."),
    suite.Rate(
        "followed", name="instructions_followed", over="parts", by=TAGS, about="An instruction is followed."
    ),
    suite.Rate(
        "applicable",
        name="instructions_applicable",
        over="parts",
        by="category",
        about="The code has something that the instruction speaks of.",
    ),
    suite.Rate("all_followed_official", about="As `all_followed`, by the published checks."),
    suite.Mean("followed_official", range=(0.0, 1.0), about="As `followed`, by the published checks."),
    suite.Rate(
        "followed_official",
        name="instructions_followed_official",
        over="parts",
        by=("category", "position"),
        about="An instruction is followed, by the published checks.",
    ),
    suite.Rate(
        "passed_official", about="The program passes the tests in the published harness, which is weaker."
    ),
    *(
        suite.Across(
            f"regression_{mode}_{k}{twin}",
            _regression(f"passed{twin}"),
            cells={"base": BASE, "now": {"mode": mode, "k": k}},
            needs=(f"passed{twin}",),
            direction="lower",
            about="The share of passing programs that the instructions cost.",
        )
        for twin in TWINS
        for mode in MODES
        for k in range(1, MOST + 1)
    ),
    *(
        suite.Across(
            f"composite{twin}",
            _composite(f"composite_part{twin}"),
            cells={"base": BASE, "now": {"mode": "single", "k": 1}},
            needs=(f"composite_part{twin}",),
            range=(0.0, 1.0),
            about="0.4 of following and 0.6 of passing.",
        )
        for twin in TWINS
    ),
)
