"""What a policy can find, before anything is paid: samples for its power, and how soon a loss is found.

Samples are those of a one-sided t test at the alpha that the policy leaves one claim of one night; how soon a
loss is found, by simulated nights that go through the gate's own evidence.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from scipy.special import ndtri

from suite.blocks import Section, Shown, Table
from suite.errors import ConfigError
from suite.gates.claims import measure
from suite.gates.evidence import Evidence, held, influence
from suite.gates.nights import UnitValues
from suite.gates.policy import Claim, Policy
from suite.plugins import catalogue
from suite.report.numbers import percent
from suite.report.section_templates import sections_of
from suite.report.summary import label
from suite.report.text_templates import Macros
from suite.scoring.stats import means
from suite.scoring.stats.clusters import Floats
from suite.scoring.stats.intervals import units_needed
from suite.scoring.stats.one_sided import WINDOWS
from suite.scoring.stats.paired_difference import bonett_price

POWERS = (0.8, 0.9)
NIGHTS = 3  # of a loss
SHARED = {"within": 0.0, "shared noise, within": 0.5}  # of a unit's noise, what a baseline adds to all nights
DRAWS, FEWEST_DRAWS = 300, 40  # histories of one claim; fewer where a policy has many


class PowerWanted(NamedTuple):
    """points: losses and gains, in the metric's unit. sizes: samples of a night; none: as many as seen."""

    points: Sequence[float]
    sizes: Sequence[int]


class Scatter(Struct, frozen=True):
    """How units differ. deviation: of one unit's difference; of at-least, of its value. discordant: the share
    of pairs of 0/1 values that are not alike, None of graded ones. design: the variance of the mean over what
    it were without clusters. n: units seen."""

    deviation: float
    discordant: float | None = None
    design: float = 1.0
    n: int | None = None

    @classmethod
    def of(cls, units: UnitValues, *, paired: bool) -> "Scatter":
        """Of units that are not all alike."""
        d, deviation = units.d, float(units.d.std(ddof=1))
        binary = paired and bool(np.isin(d, (-1, 0, 1)).all())
        design = (influence(units).se / deviation) ** 2 * len(d)
        return cls(deviation, float((d != 0).mean()) if binary else None, design, len(d))

    def samples(self, effect: float, mean: float, alpha: float, power: float) -> int | None:
        """To find an effect where the mean difference is so large; None where none are enough."""
        share = self.discordant
        sd = self.deviation if share is None else math.sqrt(max(share, mean) - mean**2)
        return math.ceil(self.design * units_needed(effect, sd, alpha, power)) if effect > 0 else None

    def differences(self, places: Floats, loss: float) -> Floats:
        """Of independent units, of mean -loss. places: of each unit, in (0, 1), where among all it lies."""
        if self.discordant is None:
            return np.asarray(self.deviation * ndtri(places) - loss, dtype=np.float64)
        either = max(self.discordant, loss)
        return (places > 1 - (either - loss) / 2).astype(np.float64) - (places < (either + loss) / 2)


class ClaimPower(Struct, frozen=True):
    """As rows by the names of their columns, needs: samples to find something in one night, None where no
    number does; nights: the chance to block within so many nights of a loss, in nightly policies."""

    claim: str
    noise: Scatter
    needs: Sequence[Mapping[str, Shown]]
    nights: Sequence[Mapping[str, Shown]]


def powers_on_runs(
    policy: Policy, candidate: Sequence[str], baseline: Sequence[str], wanted: PowerWanted
) -> list[ClaimPower]:
    """Of every claim in each cell, with the noise between runs. Raises as `measure`; ConfigError for none."""
    tested, found = measure(policy, candidate, baseline, catalogue()).tested, []
    for one, evidence in tested:
        if evidence is None or evidence.units is None or np.ptp(evidence.units.d) == 0:
            raise ConfigError.of("gates.plan.no-noise", one=one)
        it = Scatter.of(evidence.units, paired=one.kind != "at-least")
        name = f"{one.task} {label(one.cell, [*one.cell])}: {one.metric}"
        found.append(_power(policy, len(tested), policy.claims[one.claim - 1], name, it, wanted))
    return found


def powers_of(policy: Policy, discordance: float, design: float, wanted: PowerWanted) -> list[ClaimPower]:
    """Of every claim as one of a 0/1 metric, with a share of pairs that differ and a design effect."""
    pairs, alone, found = Scatter(math.sqrt(discordance), discordance, design), Scatter(0.5, None, design), []
    for one in policy.claims:
        name = f"{one.task} {label(one.cell, [*one.cell])}: {one.metric or 'headline'}"
        it = alone if one.kind == "at-least" else pairs
        found.append(_power(policy, len(policy.claims), one, name, it, wanted))
    return found


def _power(
    policy: Policy, claims: int, claim: Claim, name: str, it: Scatter, wanted: PowerWanted
) -> ClaimPower:
    kind, threshold, block = claim.kind, claim.threshold(1), policy.nightly / claims
    margin, to_pass = abs(threshold) if kind != "at-least" else 0.0, policy.level / claims
    alpha = to_pass if kind == "better" else block * WINDOWS[-1 if policy.alarms else 0][0]
    what = "gain" if kind == "better" else "loss"
    rows = [(f"{what} of {point:g}", point - margin, point, alpha) for point in wanted.points]
    rows += [("pass without loss", margin, 0.0, to_pass)] * (margin > 0 and kind == "no-worse-than")
    needs: list[Mapping[str, Shown]] = [
        {"to find": what, "alpha": a, **{f"power {p}": it.samples(effect, mean, a, p) for p in POWERS}}
        for what, effect, mean, a in rows
    ]
    nights, draws = [], max(FEWEST_DRAWS, min(DRAWS, 2 * DRAWS // claims))
    losses = wanted.points if policy.alarms and kind == "no-worse-than" else ()
    for n, loss in product(wanted.sizes or [it.n or 1000], losses):
        row: dict[str, Shown] = {"samples": n, "loss": loss}
        for column, shared in SHARED.items():
            chances = found_within(it, n, loss, threshold, block, shared, draws)
            row |= {f"{column} {night}": chance for night, chance in enumerate(chances, 1)}
        nights.append(row)
    return ClaimPower(f"{name} {kind} {abs(threshold):g}", it, needs, nights)


@cache
def found_within(
    it: Scatter, n: int, loss: float, threshold: float, alpha: float, shared: float, draws: int
) -> list[float]:
    """The share of simulated histories in which a gate blocks within one, two, three nights of a loss.

    n: units, worth n/design. Two nights without a loss went before. shared: correlation of two nights'
    differences of one unit.
    """
    count, found, chance = max(round(n / it.design), 5), np.zeros(NIGHTS), np.random.default_rng(0)
    ids, groups = np.arange(count, dtype=np.uint64), np.zeros(count, dtype=np.uint64)
    for _ in range(draws):
        fixed, before = chance.random(count), list[UnitValues]()
        for night in range(1 - len(WINDOWS), NIGHTS):
            at = np.where(chance.random(count) < math.sqrt(shared), fixed, chance.random(count))
            units = UnitValues(ids, ids, groups, it.differences(at, loss if night >= 0 else 0.0))
            p = None
            if night >= 0 and units.d.mean() < threshold:
                tonight = _evidence(units, binary=it.discordant is not None)
                p = tonight.p_fail(threshold, tonight.windows(before))
            if p is not None and p.p <= alpha:
                found[night:] += 1
                break
            before.insert(0, units)
    return [float(one) for one in found / draws]


def _evidence(units: UnitValues, *, binary: bool) -> Evidence:
    found, limits = influence(units), (-1.0, 1.0) if binary else None
    interval = bonett_price(units.d) if binary else means.interval_of(found, len(units.d))[0]
    return Evidence(found.mean, held(found, interval, limits, binary=binary), units, limits, binary)


def sections(policy: Policy, found: Sequence[ClaimPower]) -> list[Section]:
    """For a report."""
    return sections_of(_TEXTS, "sections", policy, found)


_TEXTS = Macros("gates/templates/plan.j2", percent, Table=Table)
