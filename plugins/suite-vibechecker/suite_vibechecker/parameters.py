"""The knobs of both tasks and the cells of their presets."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, model_validator

import suite

Protocol = Literal["single", "multi"]
MOST = 5  # instructions a problem has


class Parameters(suite.Parameters):
    """mode: all requirements in one question, or one edit a turn. k: how many of a problem's
    instructions, in their order; 0 is the base question, which both modes share.

    temperature: None is the paper's (0.0 Big, 0.2 Live). max_tokens: most new tokens a call, the
    paper's 32,768; None leaves it to the engine.
    interpreter: Python whose packages the Big problems' tests import; "" for the one built, or this one.
    A run scored with another can't be submitted: nobody else has it.
    test_seconds: per hidden test in place of the benchmark's own limits; 0 for its own.
    shared_tests: count passes of Big tests that need the program in their own process (mocks, plots),
    which a hostile program could forge; otherwise they are unscored.
    """

    mode: Protocol = "single"
    k: int = Field(MOST, ge=0, le=MOST)
    temperature: float | None = Field(None, ge=0, le=2)
    max_tokens: int | None = Field(32768, ge=1)
    interpreter: str = suite.at_score(
        "", local=True, description="Python whose packages the Big problems' tests import"
    )
    test_seconds: float = suite.at_score(0.0, ge=0, description="Seconds per hidden test; 0: the benchmark's")
    shared_tests: bool = suite.at_score(False, description="Count Big passes that could be forged")

    @model_validator(mode="before")
    @classmethod
    def _one_base(cls, values: Any) -> Any:
        """The base question has no mode: `k=0` of both is one cell."""
        if isinstance(values, Mapping) and str(values.get("k", "")) == "0":
            return {**values, "mode": "single"}
        return values


def protocol_cells() -> Sequence[Mapping[str, Any]]:
    """The 11 cells of the paper: the base question, and k = 1 to 5 in both modes."""
    modes: tuple[Protocol, ...] = ("single", "multi")
    return (
        {"mode": "single", "k": 0},
        *({"mode": mode, "k": k} for mode in modes for k in range(1, MOST + 1)),
    )


PRESETS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "paper": protocol_cells(),
    "single": [cell for cell in protocol_cells() if cell["mode"] == "single"],
    "multi": [cell for cell in protocol_cells() if cell["mode"] == "multi" or cell["k"] == 0],
    "mini": [  # small enough for a small model on one processor: 4 short calls a problem
        {**cell, "max_tokens": 96, "test_seconds": 3.0} for cell in protocol_cells() if cell["k"] in (0, 2)
    ],
    "ends": [{"mode": "single", "k": 0}, {"mode": "single", "k": MOST}, {"mode": "multi", "k": MOST}],
}
