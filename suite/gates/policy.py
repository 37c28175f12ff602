"""A policy: the claims that a candidate must meet, and how often a gate may be wrong; a YAML file as types.

The file is closed (unknown keys are errors). Not here: testing claims.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from suite.chat import Json, canonical_json, sha256_hex
from suite.data.entry import Strict
from suite.data.strict_syntax import read_model
from suite.errors import ConfigError

Kind = Literal["no-worse-than", "better", "at-least"]


class Margin(Strict):
    """margin: of the difference between candidate and baseline, in the metric's unit, at least 0."""

    margin: float = Field(default=0.0, ge=0)


class Claim(Strict):
    """What a candidate must meet, of exactly one kind.

    cell: parameters of the cells that it is about; every matching cell is tested. metric: default the task's
    headline. no-worse-than: worse than the baseline by the margin at most. better: by more than the margin.
    at-least: as good as this value, whatever the baseline; at most this where lower values are better.
    """

    task: str
    cell: dict[str, Json] = Field(default_factory=dict)
    metric: str = ""
    no_worse_than: Margin | None = Field(default=None, alias="no-worse-than")
    better: Margin | None = None
    at_least: float | None = Field(default=None, alias="at-least")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [one for one in (self.no_worse_than, self.better, self.at_least) if one is not None]
        if len(given) != 1:
            raise ValueError(f"a claim is one of no-worse-than, better and at-least; {len(given)} are given")
        return self

    @property
    def kind(self) -> Kind:
        return "no-worse-than" if self.no_worse_than else "better" if self.better else "at-least"

    @property
    def paired(self) -> bool:
        """Whether it is about a baseline."""
        return self.at_least is None

    def threshold(self, sign: int) -> float:
        """What sign times the difference, or the value, must be above."""
        if self.no_worse_than:
            return -self.no_worse_than.margin
        return self.better.margin if self.better else sign * (self.at_least or 0.0)


class Alarms(Strict):
    """per_year: false blocks a year on average, at most. nights: gates a year that share them evenly."""

    per_year: float = Field(default=1.0, gt=0, le=5)
    nights: int = Field(default=365, ge=12, le=100_000)


class Missing(Strict):
    """pending: what a claim is where a run did not finish its cell; `ignore` tests what is there. unscored:
    the largest share of the samples without a score; with more the claim is undecided.
    """

    pending: Literal["undecided", "fail", "ignore"] = "undecided"
    unscored: float = Field(default=0.02, ge=0, le=1)


class Policy(Strict):
    """level: the chance of a false verdict over the whole policy. control: of any false verdict (`family`,
    Holm) or of the share of false ones (`discovery`, Benjamini and Hochberg). alarms: of nightly use; then
    `level` is the chance of a false pass, and blocks have a budget a year.
    """

    format: Literal["suite-policy/1"] = "suite-policy/1"
    level: float = Field(default=0.05, gt=0, lt=0.5)
    control: Literal["family", "discovery"] = "family"
    alarms: Alarms | None = None
    missing: Missing = Missing()
    claims: tuple[Claim, ...] = Field(min_length=1, max_length=1000)

    @property
    def nightly(self) -> float:
        """The chance of a false block that one gate may spend."""
        return self.alarms.per_year / self.alarms.nights if self.alarms else self.level

    @property
    def sha256(self) -> str:
        """SHA-256 over the canonical JSON with all defaults: comments and order do not change it."""
        return sha256_hex(canonical_json(self.model_dump(mode="json", by_alias=True)))


def read_policy(path: Path) -> Policy:
    """The policy of a file. Raises ConfigError naming file, line and field."""
    fix = "schemas/policy.v1.json in the registry says what is allowed; docs/gates.md explains it"
    return read_model(path, Policy, ConfigError, "policy", fix)
