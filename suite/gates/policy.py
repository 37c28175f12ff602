"""A policy: the claims that a candidate must meet, and how often a gate may be wrong; a YAML file as types.

The file is closed (unknown keys are errors). `Policy.sha256` is taken over the parsed file with all defaults
filled in, so comments and the order of keys do not change it. Not here: testing claims.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from suite.chat import Json, canonical_json, sha256_hex
from suite.data.entry import Strict
from suite.data.strict_syntax import read_model
from suite.errors import ConfigError

Kind = Literal["no-worse-than", "better", "at-least", "at-most"]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class PolicyPart(Strict):
    """Base of everything in the file: frozen, unknown keys forbidden, no infinities."""

    model_config = ConfigDict(allow_inf_nan=False)


class Margin(PolicyPart):
    """margin: of the difference between candidate and baseline, in the metric's unit, at least 0."""

    margin: float = Field(default=0.0, ge=0)


class Claim(PolicyPart):
    """What a candidate must meet, of exactly one kind.

    cell: parameters of the cells that it is about; every matching cell is tested. metric: default the task's
    headline. no-worse-than: worse than the baseline by the margin at most. better: by more than the margin.
    at-least, at-most: a value of the candidate alone, of a metric whose higher, lower values are better.
    """

    task: Text
    cell: dict[str, Json] = Field(default_factory=dict)
    metric: Text | Literal[""] = ""
    no_worse_than: Margin | None = Field(default=None, alias="no-worse-than")
    better: Margin | None = None
    at_least: float | None = Field(default=None, alias="at-least")
    at_most: float | None = Field(default=None, alias="at-most")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if len(self._kinds) != 1:
            given = ", ".join(self._kinds) or "none"
            raise ValueError(
                f"a claim has one of no-worse-than, better, at-least and at-most; this one has {given}"
            )
        return self

    @property
    def _kinds(self) -> dict[Kind, Margin | float]:
        kinds: dict[Kind, Margin | float | None] = {
            "no-worse-than": self.no_worse_than,
            "better": self.better,
            "at-least": self.at_least,
            "at-most": self.at_most,
        }
        return {name: one for name, one in kinds.items() if one is not None}

    @property
    def kind(self) -> Kind:
        """Which kind of claim it is."""
        return next(iter(self._kinds))

    @property
    def paired(self) -> bool:
        """Whether it compares with a baseline."""
        return self.kind in ("no-worse-than", "better")

    @property
    def threshold(self) -> float:
        """What the difference, or the value, must be above; of at-most: below."""
        (given,) = self._kinds.values()
        if isinstance(given, Margin):
            return -given.margin if self.kind == "no-worse-than" else given.margin
        return given

    @property
    def sentence(self) -> str:
        """The claim in words, without its task."""
        if isinstance(given := self._kinds[self.kind], Margin):
            return f"{self.kind} baseline" + (f", margin {given.margin:g}" if given.margin else "")
        return f"{self.kind} {given:g}"


class Alarms(PolicyPart):
    """per_year: false blocks a year on average, at most. nights: gates a year that share them evenly."""

    per_year: float = Field(default=1.0, gt=0)
    nights: int = Field(default=365, ge=1, le=100_000)

    @model_validator(mode="after")
    def _small(self) -> Self:
        if not self.per_year / self.nights < 0.5:
            raise ValueError("alarms: per_year must be less than half of nights")
        return self


class Missing(PolicyPart):
    """pending: what a claim is where a run did not finish its cell; `ignore` tests what is there. unscored:
    the largest share of the samples without a score; with more the claim is undecided.
    """

    pending: Literal["undecided", "fail", "ignore"] = "undecided"
    unscored: float = Field(default=0.02, ge=0, le=1)


class Policy(PolicyPart):
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

    @model_validator(mode="after")
    def _apart(self) -> Self:
        known: dict[bytes, int] = {}
        for number, one in enumerate(self.claims, 1):
            other = known.setdefault(canonical_json(one.model_dump(mode="json")), number)
            if other != number:
                raise ValueError(f"claims: claims {other} and {number} are the same")
        return self

    @property
    def nightly(self) -> float:
        """The chance of a false block that one gate may spend."""
        return self.alarms.per_year / self.alarms.nights if self.alarms else self.level

    @property
    def sha256(self) -> str:
        """SHA-256 over the canonical JSON of the policy with every default filled in."""
        return sha256_hex(canonical_json(self.model_dump(mode="json", by_alias=True)))


def read_policy(path: Path) -> Policy:
    """The policy of a file. Raises ConfigError naming file, line and field."""
    fix = "schemas/policy.v1.json in the registry says what is allowed; docs/gates.md explains it"
    return read_model(path, Policy, ConfigError, "policy", fix)
