"""How often a nightly gate blocks a candidate that is as good as its baseline, and how soon it finds a loss.

    python benchmarks/gates.py [--years N] [--nights N] [--repeats N] [--markdown FILE]

Draws scores of 1,000 samples a claim and puts them through the very functions of `suite gate`: `pair`,
`of_pairs`, `decide`. Null years: 365 nights of a model against one fixed run of itself, policies of 1, 10 and
50 claims with one alarm a year. The mean of the false blocks must not be above 1 beyond the simulation's
error; single years differ much, since a lucky baseline stays lucky; few nights of many baselines (--nights 5
--years 100000) tell the same mean sooner. A loss: two nights without it, then three
with it; how often one of these is a block. Exits with 1 where a promise is broken.

Claims of which no window has a Student's t below -2.6 are not computed but given p = 0.5: every interval of a
gate holds Student's, so these p values are above 0.004, and a night may spend 0.0027.
"""

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from suite.comparisons.differences import Side, pair
from suite.gates.claims import WeighedClaim
from suite.gates.evidence import Evidence, of_pairs
from suite.gates.nights import ClaimNight, UnitValues
from suite.gates.policy import Alarms, Claim, Margin, Policy
from suite.gates.verdicts import decide
from suite.scoring.metrics.means import Rate
from suite.scoring.stats.one_sided import OneSided

N = 1000  # samples a claim
FAR = -2.6
IDS = np.arange(N, dtype=np.uint64)
MEASURE = Rate("kept").measures()[0]
NOTHING = Evidence(1.0, OneSided(lambda _: (-1.0, 1.0)))
Scores = NDArray[np.float64]  # shape (…, N), 0 or 1, or means of several runs


def policy_of(claims: int) -> Policy:
    """A policy with so many claims and one false block a year."""
    each = [Claim.model_validate({"task": f"task-{n}", "no-worse-than": Margin()}) for n in range(claims)]
    return Policy(alarms=Alarms(), claims=tuple(each))


def chances(discordant: float, hard: float) -> Scores:
    """Of each sample to be right, so that two runs disagree on that share. hard: share of samples that are at
    all uncertain; 1 for all alike.
    """
    q = (1 - math.sqrt(1 - 2 * discordant / hard)) / 2
    found = np.ones(N)
    found[: round(hard * N)] = 1 - q
    return found


def tested(mine: Scores, theirs: Scores) -> WeighedClaim:
    """One claim tonight, as a gate makes it of two sides."""
    sides = (Side(IDS, IDS, IDS, {"kept": one}) for one in (mine, theirs))
    found = of_pairs(pair(MEASURE, *sides, seed=0, level=0.95), MEASURE)
    return WeighedClaim(numbers_of(found.value), found)


def numbers_of(d: float | None) -> ClaimNight:
    """A claim's numbers, of which a verdict needs the threshold alone."""
    return ClaimNight(
        claim=1, task="task", version=1, cell={}, metric="kept", kind="no-worse-than", sign=1,
        threshold=0.0, d=d,
    )  # fmt: skip


def units(mine: Scores, theirs: Scores) -> UnitValues:
    """What a night leaves in the history."""
    return UnitValues(IDS, IDS, np.zeros(N, dtype=np.uint64), mine - theirs)


def null_year(
    chance: np.random.Generator, policy: Policy, right: Scores, nights: int = 365, runs: int = 1
) -> int:
    """The false blocks of nights against one fixed baseline of so many runs."""
    count = len(policy.claims)
    far = np.zeros((count, nights), dtype=bool)
    mine, theirs = [], []
    for claim in range(count):
        theirs.append((chance.random((runs, N)) < right).mean(axis=0))
        mine.append(chance.random((nights, N)) < right)
        d = mine[-1] - theirs[-1]
        for back in range(3):
            window = sum(d[2 - k : nights - k] for k in range(back + 1)) / (back + 1) if back else d[2:]
            spread = window.std(axis=1, ddof=1) / math.sqrt(N)
            far[claim, 2:] |= window.mean(axis=1) < FAR * np.maximum(spread, 1e-9)
    blocks = 0
    for night in np.flatnonzero(far.any(axis=0)):
        each, before = [WeighedClaim(numbers_of(1.0), NOTHING)] * count, {}
        for claim in map(int, np.flatnonzero(far[:, night])):
            each[claim] = tested(mine[claim][night].astype(np.float64), theirs[claim])
            before[claim] = [units(mine[claim][night - back], theirs[claim]) for back in (1, 2)]
        found = decide(policy, policy.nightly, each, before)
        blocks += any(one.verdict == "fail" for one in found)
    return blocks


def found_by(
    chance: np.random.Generator, policy: Policy, discordant: float, loss: float, runs: int
) -> int | None:
    """On which of three nights with a loss the gate blocks, from 0. discordant: pairs that differ without the
    loss, which comes on top. runs: of the fixed baseline; 0 draws another one every night, so that nights are
    independent.
    """
    right = chances(discordant, 1.0)
    fixed = (chance.random((max(runs, 1), N)) < right).mean(axis=0)
    before: list[UnitValues] = []
    for night in range(-2, 3):
        if runs:
            mine, theirs = (chance.random(N) < right - loss * (night >= 0)).astype(np.float64), fixed
        else:
            u, lost = chance.random(N), discordant / 2 + loss * (night >= 0)
            mine = np.where(u < lost, 0.0, 1.0)
            theirs = np.where((u >= lost) & (u < lost + discordant / 2), 0.0, 1.0)
        if night >= 0:
            (found,) = decide(policy, policy.nightly, [tested(mine, theirs)], {0: before})
            if found.verdict == "fail":
                return night
        before = [units(mine, theirs), *before][:2]
    return None


NULLS = [(0.05, 1.0, 1), (0.05, 0.1, 1), (0.01, 1.0, 1), (0.1, 1.0, 1), (0.05, 1.0, 3)]
LOSSES = [(0.05, 0.02), (0.1, 0.025)]  # samples that differ without a loss, and the loss


def nulls(years: int, nights: int = 365, seed: int = 18) -> tuple[list[Sequence[object]], bool]:
    """A row for each world and policy, and whether all keep the promise. Of each baseline the first two
    nights have no full window: the others stand for a year.
    """
    rows: list[Sequence[object]] = []
    kept = True
    for claims, fewer in (1, 1), (10, 8), (50, 40):
        policy = policy_of(claims)
        for discordant, hard, runs in NULLS:
            chance = np.random.default_rng([seed, claims, round(1000 * discordant), round(10 * hard), runs])
            begun = time.perf_counter()
            right, scale = chances(discordant, hard), 365 / (nights - 2)
            each = [scale * null_year(chance, policy, right, nights, runs) for _ in range(years // fewer)]
            mean, error = float(np.mean(each)), float(np.std(each, ddof=1)) / math.sqrt(len(each))
            kept &= mean <= 1 + 2 * error
            rows.append((claims, discordant, hard, runs, f"{mean:.2f}", f"{error:.2f}"))
            print(*rows[-1], f"{time.perf_counter() - begun:.0f} s", flush=True)
    return rows, kept


def losses(repeats: int, seed: int = 18) -> tuple[list[Sequence[object]], bool]:
    """A row for each loss and baseline; the first with the loss inside the share that differs: whether
    independent nights find it often enough.
    """
    rows: list[Sequence[object]] = []
    kept, policy = True, policy_of(1)
    for share, loss in LOSSES:
        for inside, runs in ((True, 0), (False, 0), (False, 1), (False, 3), (False, 10)):
            discordant = share - loss * inside
            chance = np.random.default_rng([seed, round(1000 * discordant), runs])
            nights = [found_by(chance, policy, discordant, loss, runs) for _ in range(repeats)]
            by = [sum(one is not None and one <= last for one in nights) / repeats for last in range(3)]
            kept &= not inside or by[2] >= 0.9 - 2 * math.sqrt(0.09 / repeats)
            told = loss, f"{discordant:g}", f"{discordant + loss:g}", runs or "another every night"
            rows.append((*told, *(f"{one:.3f}" for one in by)))
            print(*rows[-1], flush=True)
    return rows, kept


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """As Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def main() -> int:
    """Simulate, print, and say whether every promise is kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--years", type=int, default=2000, help="null years of one claim; an 8th of 10, a 40th of 50"
    )
    parser.add_argument(
        "--nights", type=int, default=365, help="against one baseline; the mean stays a year's"
    )
    parser.add_argument("--repeats", type=int, default=2000, help="losses a row")
    parser.add_argument("--markdown", type=Path, help="write the tables")
    asked = parser.parse_args()
    found, soon = losses(asked.repeats)
    blocked, few = nulls(asked.years, asked.nights)
    if asked.markdown:
        heads: Sequence[str] = (
            "loss",
            "differ without it",
            "with it",
            "baseline runs",
            "1 night",
            "2 nights",
            "3 nights",
        )
        text = table(heads, found) + "\n"
        heads = "claims", "discordant", "uncertain samples", "baseline runs", "blocks a year", "error"
        asked.markdown.write_text(text + table(heads, blocked))
    return 0 if soon and few else 1


if __name__ == "__main__":
    sys.exit(main())
