"""What a policy can find, before anything is paid: samples for its power, and how soon a loss is found.

Samples are those of a one-sided t test at the alpha that the policy leaves one claim of one night; how soon a
loss is found, by simulated nights that go through the gate's own evidence.
"""

import math
from collections.abc import Mapping, Sequence
from functools import cache, partial
from itertools import product

import numpy as np
from msgspec import Struct
from scipy.special import ndtri

from suite.errors import ConfigError
from suite.gates.claims import measure, need_reachable
from suite.gates.evidence import Evidence, held, influence
from suite.gates.nights import UnitValues
from suite.gates.policy import Claim, Policy
from suite.parameters import distinguishing
from suite.plugins import catalogue
from suite.report.numbers import percent
from suite.report.summary import label
from suite.report.text_templates import Macros
from suite.scoring.stats import means
from suite.scoring.stats.clusters import Floats
from suite.scoring.stats.estimate import Limits
from suite.scoring.stats.intervals import units_needed
from suite.scoring.stats.one_sided import WINDOWS
from suite.scoring.stats.paired_difference import bonett_price

POWERS = (0.8, 0.9)
POINTS = (0.01, 0.02, 0.03, 0.05)
NIGHTS = 3  # of a loss
SHARED = 0.5  # of the noise of a unit's difference: what one baseline run adds to all nights
MOST_DRAWS = 600  # simulated histories of all claims for one loss; at most half for one, at least 40
TEXTS = Macros("gates/templates/plan.j2", percent)
Row = Mapping[str, object]


class Scatter(Struct, frozen=True):
    """How units differ. deviation: of one unit's difference; of at-least, of its value. discordant: the share
    of pairs of 0/1 values that are not alike where nothing changed, None of graded ones: a loss comes on top.
    design: the variance of the mean over what it were without clusters. n: units seen. most: by how much two
    values can differ, None where nothing limits it."""

    deviation: float
    discordant: float | None = None
    design: float = 1.0
    n: int | None = None
    most: float | None = None

    @classmethod
    def of(cls, units: UnitValues, *, paired: bool, limits: Limits = None) -> "Scatter":
        """Of units that are not all alike. limits: of `d`."""
        d, deviation = units.d, float(units.d.std(ddof=1))
        binary = paired and bool(np.isin(d, (-1, 0, 1)).all())
        design = (influence(units).se / deviation) ** 2 * len(d)
        most = limits and (limits[1] - limits[0]) / (1 + paired)
        return cls(deviation, float((d != 0).mean()) if binary else None, design, len(d), most)

    def samples(self, effect: float, mean: float, alpha: float, worth: float) -> list[int] | None:
        """To find an effect with each of `POWERS`, None where none are enough. mean: of differences then.
        worth: independent nights that are tested together."""
        share, scale = self.discordant, self.design / worth
        sd = self.deviation if share is None else math.sqrt(max(min(share + mean, 1), mean**2) - mean**2)
        return [math.ceil(scale * units_needed(effect, sd, alpha, p)) for p in POWERS] if effect > 0 else None

    def differences(self, places: Floats, loss: float) -> Floats:
        """Of independent units, of mean -loss. places: of each unit, in (0, 1), where among all it lies."""
        if self.discordant is None:
            return np.asarray(self.deviation * ndtri(places) - loss, dtype=np.float64)
        either = max(min(self.discordant + loss, 1), loss)
        return (places > 1 - (either - loss) / 2).astype(np.float64) - (places < (either + loss) / 2)


PlannedClaim = tuple[Claim, str, Scatter]  # with cell and metric in words


def noise_of_runs(policy: Policy, candidate: Sequence[str], baseline: Sequence[str]) -> list[PlannedClaim]:
    """Of every claim in each cell, between runs. Raises as `measure`; ConfigError where nothing differs."""
    tested, found = measure(policy, candidate, baseline, catalogue()).tested, []
    for one, evidence in tested:
        if evidence is None or evidence.units is None or np.ptp(evidence.units.d) == 0:
            raise ConfigError.of("gates.plan.no-noise", one=one)
        it = Scatter.of(evidence.units, paired=one.kind != "at-least", limits=evidence.limits)
        apart = distinguishing([other.cell for other, _ in tested if other.task == one.task])
        found.append((policy.claims[one.claim - 1], f"{label(one.cell, apart)} {one.metric}", it))
    return found


def noise_of_pairs(policy: Policy, discordance: float, design: float) -> list[PlannedClaim]:
    """Of every claim as one of a 0/1 metric, with a share of pairs that differ and a design effect."""
    pairs = Scatter(math.sqrt(discordance), discordance, design, most=1.0)
    alone = Scatter(0.5, None, design, most=1.0)
    for number, one in enumerate(policy.claims, 1):
        need_reachable(one, (0.0, 1.0), f"claim {number} of the policy")
    named = [(one, f"{label(one.cell, [*one.cell])} {one.metric}") for one in policy.claims]
    return [(one, name, alone if one.kind == "at-least" else pairs) for one, name in named]


def claim_powers(
    policy: Policy, planned: Sequence[PlannedClaim], points: Sequence[float], sizes: Sequence[int]
) -> list[Row]:
    """Of each claim, needs: samples to find something, of each power, None where no number does; nights: in
    nightly policies, the chances to block within one, two, three nights of a loss.

    points: losses and gains, in the metric's unit. sizes: samples of a night; (): as many as seen.
    """
    found, block, to_pass = list[Row](), policy.nightly / len(planned), policy.level / len(planned)
    draws, spans = min(max(MOST_DRAWS // len(planned), 40), 300), {"": (block, 1.0)}  # alpha, worth in nights
    if policy.alarms:
        one, *_, three = (block * share for share in WINDOWS[-1])
        spans = {" in one night": (one, 1.0), " in three": (three, 3.0)}
        spans[" in three, half the noise shared"] = (three, 3 / (1 + 2 * SHARED))
    special = {"better": {"": (to_pass, 1.0)}, "at-least": dict([*spans.items()][:1])}
    for claim, name, it in planned:
        if max(points) >= (it.most or math.inf):
            raise ConfigError.of("gates.plan.points", points=max(points), it=it, claim=claim, name=name)
        kind, threshold = claim.kind, claim.threshold(1)
        margin, what = abs(threshold) if kind != "at-least" else 0.0, "gain" if kind == "better" else "loss"
        own = special.get(kind, spans).items()
        rows = [(f"{what} of {p:g}{span}", p - margin, p, *how) for p in points for span, how in own]
        rows += [("pass without loss", margin, 0.0, to_pass, 1.0)] * (margin > 0 and what == "loss")
        needs = [{"to find": row[0], "alpha": row[3], "samples": it.samples(*row[1:])} for row in rows]
        nights, losses = [], points if policy.alarms and kind == "no-worse-than" else ()
        for n, loss in product(sizes or [it.n or 1000], losses):
            within = partial(found_within, it, n, loss, threshold, block, draws)
            nights.append({"samples": n, "loss": loss, "independent": within(0.0), "shared": within(SHARED)})
        title = f"{claim.task}: {name.strip()} {kind} {abs(threshold):g}"
        found.append({"claim": title, "noise": it, "needs": needs, "nights": nights})
    return found


@cache
def found_within(
    it: Scatter, n: int, loss: float, threshold: float, alpha: float, draws: int, shared: float
) -> list[float]:
    """The share of simulated histories in which a gate blocks within one, two, three nights of a loss.

    n: units, worth n/design. Two nights without a loss went before. shared: correlation of two nights'
    differences of one unit.
    """
    count, found, chance = max(round(n / it.design), 5), np.zeros(NIGHTS), np.random.default_rng(0)
    ids, groups = np.arange(count, dtype=np.uint64), np.zeros(count, dtype=np.uint64)
    limits, binary = (None, False) if it.discordant is None else ((-1.0, 1.0), True)
    for _ in range(draws):
        fixed, before = chance.random(count), list[UnitValues]()
        for night in range(1 - len(WINDOWS), NIGHTS):
            at = np.where(chance.random(count) < math.sqrt(shared), fixed, chance.random(count))
            units = UnitValues(ids, ids, groups, it.differences(at, loss if night >= 0 else 0.0))
            if night >= 0 and units.d.mean() < threshold:
                of = influence(units)
                interval = bonett_price(units.d) if binary else means.interval_of(of, count)[0]
                one = Evidence(of.mean, held(of, interval, limits, binary=binary), units, limits, binary)
                p = one.p_fail(threshold, one.windows(before))
                if p and p.p <= alpha:
                    found[night:] += 1
                    break
            before.insert(0, units)
    return [float(one) for one in found / draws]
