"""The knobs of both tasks and the cells of their presets."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, model_validator

import suite

Protocol = Literal["single", "multi"]
MOST = 5  # instructions a problem has


class Parameters(suite.Parameters):
    """How a problem is put, and how its tests run.

    The base question (k = 0) is the same in both modes. Passes of shared tests need the program in their own
    process (mocks, plots), where a hostile program could forge them: they are unscored unless asked for.
    A run scored with another interpreter can't be submitted: nobody else has it.
    """

    mode: Protocol = Field(
        "single", description="all requirements in one question (single), or one edit a turn (multi)"
    )
    k: int = Field(
        MOST, ge=0, le=MOST, description="how many of a problem's instructions, in their order; 0: none"
    )
    temperature: float | None = Field(
        None, ge=0, le=2, description="sampling temperature; none: the paper's (0.0 Big, 0.2 Live)"
    )
    max_tokens: int | None = Field(
        32768, ge=1, description="most new tokens of a call; none: as many as the engine allows"
    )
    interpreter: str = suite.at_score(
        "",
        local=True,
        description="Python whose packages the Big problems' tests import; empty: the one built, or this one",
    )
    test_seconds: float = suite.at_score(
        0.0, ge=0, description="seconds per hidden test; 0: the benchmark's own limits"
    )
    shared_tests: bool = suite.at_score(
        False,
        description="count passes of Big tests that a hostile program could forge",
    )

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
