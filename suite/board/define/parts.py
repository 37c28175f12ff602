"""The parts of a board's definition: closed types for what an item asks and for the board's rules, and from
which numbers on something looks odd (`thresholds.yaml`), unless a board sets its own under `plausibility`.

Not here: an item and the board itself (`board`).
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from suite.board.bundle.submission import hidden
from suite.chat import Json
from suite.data import strict_syntax
from suite.data.entry import Strict
from suite.errors import unknown

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Semver = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$")]
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._/-]{0,79}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def seen(text: str) -> str:
    """The text. Raises ValueError if it holds what cannot be seen."""
    if text and (what := hidden(text)):
        raise ValueError(what)
    return text


Line = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+$",
    ),
    AfterValidator(seen),
]
Host = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")
]
Trust = Literal["L0", "L1", "L2", "L3", "L4"]
TRUST: tuple[Trust, ...] = get_args(Trust)
Method = Literal["mean_of_normalised", "mean_rank", "borda", "bradley_terry"]
Share = Annotated[float, Field(ge=0, le=1)]


Thresholds = Mapping[str, float]
DEFAULTS: Thresholds = strict_syntax.read_table(__package__, "thresholds.yaml", dict[str, float])


def _threshold(name: str) -> str:
    if name not in DEFAULTS:
        error = unknown("threshold", name, DEFAULTS)
        raise ValueError(f"{error.what}; {error.fix}")
    return name


Threshold = Annotated[str, AfterValidator(_threshold), Field(json_schema_extra={"enum": sorted(DEFAULTS)})]


class Closed(Strict):
    """Base of everything in the file: frozen, unknown keys forbidden, no infinities."""

    model_config = ConfigDict(allow_inf_nan=False, protected_namespaces=())


class Seat(Closed):
    """Who fills a role, exactly. spec: as in the run's manifest. identity: keys of the recorded identity that
    must be equal (revision, engine, …); others are free. sampling: the overrides that must be recorded.
    """

    spec: Line
    identity: dict[str, Json] = Field({})
    sampling: dict[str, Json] = Field({})


def _seats(value: Json) -> Json:
    if isinstance(value, dict):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Seats = Annotated[tuple[Seat, ...], BeforeValidator(_seats, json_schema_input_type=Seat | tuple[Seat, ...])]


class Normalise(Closed):
    """The ends of a value's scale, fixed by the board, never taken from entrants. Values are not clipped."""

    low: float = 0.0
    high: float = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")
        return self


class Caps(Closed):
    """Largest share of samples without a value, and of candidate failures, of an entry. null: any."""

    unscored: Share | None = None
    failed: Share | None = None


class Candidate(Closed):
    """What the measured model may be and how it may be asked.

    sampling: the overrides that must be recorded, or "any". max_tokens: the largest override allowed.
    """

    sampling: dict[str, Json] | Literal["any"] = "any"
    max_tokens: int | None = Field(default=None, ge=1)
    allow: tuple[Literal["hub", "endpoint", "local"], ...] = ("hub", "endpoint", "local")


class Overall(Closed):
    """How one number is made of all columns. missing: an entry without a column has no overall number
    ("exclude") or gets the worst possible there ("worst"). ties: of bradley_terry: half a win each, or
    Davidson's model.
    """

    method: Method = "mean_of_normalised"
    alternatives: tuple[Method, ...] = ("mean_rank", "borda", "bradley_terry")
    missing: Literal["exclude", "worst"] = "exclude"
    ties: Literal["half", "davidson"] = "half"


class Uncertainty(Closed):
    """level: of intervals and rank intervals. resamples: of the bootstrap. epsilon: the smallest difference
    that counts, as a share of a column's scale (`normalise`).
    """

    level: float = Field(default=0.95, gt=0.5, lt=1)
    resamples: int = Field(default=2000, ge=200, le=20_000)
    epsilon: float = Field(default=0.0, ge=0, lt=1)


class Eligibility(Closed):
    """Who is ranked. contamination: declared exposure to evaluation data is marked, or excludes.
    self_preference: a judge of the candidate's own family is marked. max_age_days: from run to acceptance.
    """

    types: tuple[Literal["standard", "custom"], ...] = ("standard", "custom")
    min_trust: Trust = "L1"
    max_age_days: int | None = Field(default=None, ge=1)
    contamination: Literal["mark", "exclude"] = "mark"
    self_preference: Literal["mark"] = "mark"


class BoardLimits(Closed):
    """bundle_mib: largest bundle, MiB. verify_seconds: how long verifying one may take (null: 1800)."""

    bundle_mib: int = Field(default=200, ge=1, le=200)
    verify_seconds: int | None = Field(default=None, ge=1, le=86_400)


class Publish(Closed):
    """What the site offers. per_sample: each entry's values by sample; false where a test set is hidden."""

    per_sample: bool = True
