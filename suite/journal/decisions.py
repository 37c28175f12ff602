"""decision.json of a scoring: what a rule found that looked after every group, and may have ended the run.

Its intervals hold at all looks together, unlike those of results.json, which are of a size fixed before.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from suite.errors import worded
from suite.journal.documents import MetricResult, Share
from suite.journal.shapes import CellId, Count, Level, Name, Sha256, shaped

DECISION, DECISION_FORMAT = "decision.json", "suite-decision/1"
_IS = {"pass": "is", "fail": "is not", "undecided": "may be"}


class DecidedClaim(msgspec.Struct, frozen=True, kw_only=True):
    """One claim in one cell. told: the cell in words. wanted: such as "better than RUN". value: candidate
    minus baseline, or `own`, the candidate's alone; each a mean with its interval at `level`. missing: units
    without a score on either side. note: why nothing could be decided, if there is such a reason."""

    cell: CellId
    told: str
    metric: Name
    wanted: str
    verdict: Literal["pass", "fail", "undecided"]
    value: tuple[float, float, float]
    own: tuple[float, float, float]
    level: Level
    units: Count
    missing: Count
    note: str = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """until: what was asked for. against: baseline run -> its plan. level: chance of any false verdict.
    groups: looked at, of those of the plan. verdict: pass where all claims do, fail where one does."""

    format: Annotated[str, shaped(const=DECISION_FORMAT)]
    until: str
    policy_sha256: Sha256
    against: Mapping[str, Sha256]
    level: Level
    verdict: Literal["pass", "fail", "undecided"]
    groups: Share
    claims: Sequence[DecidedClaim]

    @property
    def when(self) -> str:
        """How far it looked."""
        return worded("gates.until.when", so="un" * (self.verdict == "undecided"), groups=self.groups)

    @property
    def words(self) -> str:
        """When and why it was decided: by which claims; all of them where it was not."""
        shown = ((one, one.note and f": {one.note}") for one in self.claims if one.verdict == self.verdict)
        told = (worded("gates.until.claim", one=one, so=_IS[one.verdict], why=why) for one, why in shown)
        return f"{self.when} ({self.until}){': ' * bool(self.claims)}{'; '.join(told)}"

    def shown(self, cell: str, row: MetricResult) -> MetricResult:
        """A row of results of a run that stopped early, with the interval of the looks where it has one."""
        for one in self.claims:
            if (one.cell, one.metric) == (cell, row.name) and not row.slice:
                note = f"anytime-valid at {100 * one.level:.4g} %"
                told = {"n": one.units, "method": "betting", "note": note, "level": one.level}
                row = msgspec.structs.replace(row, **told, value=one.own[0], low=one.own[1], high=one.own[2])
        return row
