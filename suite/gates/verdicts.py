"""A gate: the claims of a policy tested tonight and with the nights before, within the year's alarms.

A claim fails where it is shown not to hold, passes where it is shown to hold; both are corrected over the
policy, apart from each other. Why the chances are what they are: docs/gates.md.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from suite.chat import canonical_json, sha256_hex
from suite.comparisons.runs import LabelledRun
from suite.gates.claims import WeighedClaim, measure
from suite.gates.nights import KEPT, ClaimNight, GatedRun, Night, UnitValues, Verdict, add_night, read_nights
from suite.gates.policy import Policy
from suite.plugins import Catalogue, catalogue
from suite.scoring.stats.one_sided import WINDOWS, OneSided, Windowed
from suite.scoring.stats.paired_difference import Method, adjust

Before = Mapping[int, Sequence[UnitValues]]  # place of a claim -> its units of the nights before, last first
YEAR = timedelta(days=365)
ROUNDED = 1 - 1e-9
NEW = "the night before had another policy, baseline, task version or cells: nights are pooled anew"
LATER = "the history has nights dated later than now: the alarms that they spent are not counted"
KEPT_SO = "given again: the nights pooled with it keep no samples any more, so the recorded night stands"
SPENT = "the false blocks of 365 days are spent: a claim fails by what is left of them, if anything"


def gate(
    policy: Policy, candidate: Sequence[str], baseline: Sequence[str], history: Path | None = None,
    plugins: Catalogue | None = None, when: datetime | None = None,
    show: Callable[[Night], None] = lambda _: None,
) -> Night:  # fmt: skip
    """Test a policy's claims on runs. history: a folder of nights, made where there is none, that keeps this
    one once `show` had it. Raises as `measure`, and DataError for a history that is damaged or not written.
    """
    tested, sides, remarks = measure(policy, candidate, baseline, plugins or catalogue())
    now = when or datetime.now(UTC)
    mine, theirs = (sorted(map(_gated, each), key=lambda one: one.identity) for each in sides)
    cells = [(one.numbers.task, one.numbers.version, one.numbers.cell) for one in tested]
    pool = _digest(policy.sha256, [[one.identity, one.scoring] for one in theirs], cells)
    identity = _digest(pool, *(one.identity for one in mine))
    nights, torn = read_nights(history) if history else ([], "")
    place = next((place for place, one in enumerate(nights) if one.night == identity), len(nights))
    earlier, again = nights[:place], nights[place : place + 1]
    pooled = [one for one in earlier if one.pool == pool]
    if again and any(one in nights[:-KEPT] for one in pooled[1 - len(WINDOWS) :]):
        show(night := msgspec.structs.replace(again[0], units={}, remarks=[*again[0].remarks, KEPT_SO]))
        return night
    alpha, since, until = policy.nightly, (now - YEAR).isoformat(), now.isoformat()
    if policy.alarms:
        spent = sum(one.alpha for one in nights if since < one.time <= until)
        alpha = again[0].alpha if again else max(0.0, min(alpha, policy.alarms.per_year - spent))
    claims = decide(policy, alpha, tested, _before(pooled))
    verdicts = {one.verdict for one in claims}
    new, later = bool(earlier) and earlier[-1].pool != pool, any(one.time > until for one in nights)
    told = torn, NEW * new, LATER * later, SPENT * (alpha < policy.nightly * ROUNDED)
    night = Night(
        night=identity, pool=pool, time=again[0].time if again else now.isoformat("T", "seconds"),
        policy_sha256=policy.sha256, control=policy.control, level=policy.level, alpha=alpha, candidate=mine,
        baseline=theirs, claims=claims,
        verdict="fail" if "fail" in verdicts else "undecided" if "undecided" in verdicts else "pass",
        remarks=[*remarks, *filter(None, told)],
    )  # fmt: skip
    show(night)
    if history:
        units = enumerate(one.evidence and one.evidence.units for one in tested)
        packed = {place: one.packed() for place, one in units if one}
        add_night(history, msgspec.structs.replace(night, units=packed))
    return night


def decide(policy: Policy, alpha: float, tested: Sequence[WeighedClaim], before: Before) -> list[ClaimNight]:
    """The verdict of every claim. alpha: the chance that any claim fails which holds."""
    method: Method = "holm" if policy.control == "family" else "bh"
    shown: list[tuple[list[OneSided], Windowed | None, float | None]] = []
    for place, (told, one) in enumerate(tested):
        windows = one.windows(before.get(place, ())) if one else []
        fail = one.p_fail(told.threshold, windows) if one else None
        shown.append((windows, fail, windows[0].mirrored.p_below(-told.threshold) if fail else None))
    fails = adjust([fail and fail.p for _, fail, _ in shown], method)
    passes = adjust([passed for *_, passed in shown], method)
    found = []
    for (told, _), (windows, fail, passed), fail_p, pass_p in zip(tested, shown, fails, passes, strict=True):
        if not (fail and passed and fail_p and pass_p):
            found.append(told)
            continue
        verdict: Verdict = "fail" if fail_p < alpha else "pass" if pass_p < policy.level else "undecided"
        if verdict == "fail":  # the bound at what correction and window leave of alpha
            bound = windows[fail.nights - 1].upper(alpha * fail.p / fail_p * fail.share)
        else:
            bound = -windows[0].mirrored.upper(policy.level * passed / pass_p)
        found.append(
            msgspec.structs.replace(
                told, p_fail=fail.p, p_fail_corrected=fail_p, p_pass=passed, p_pass_corrected=pass_p,
                window=fail.nights, verdict=verdict, side="upper" if verdict == "fail" else "lower",
                bound=bound,
            )
        )  # fmt: skip
    return found


def _before(pool: Sequence[Night]) -> Before:
    """Of the last nights of a pool, what each unit added to each claim; a claim that lacks one ends there."""
    found: dict[int, list[UnitValues]] = {}
    for back, night in enumerate(reversed(pool[1 - len(WINDOWS) :])):
        for place, packed in night.units.items():
            if len(found.setdefault(place, [])) == back:
                found[place].append(UnitValues.unpacked(packed))
    return found


def _gated(one: LabelledRun) -> GatedRun:
    return GatedRun(
        name=one.run.name, plan_sha256=one.run.manifest.plan_sha256, created=one.run.manifest.created,
        scoring=one.run.scoring, model=one.run.specs("candidate"),
    )  # fmt: skip


def _digest(*parts: object) -> str:
    return sha256_hex(canonical_json(msgspec.to_builtins(parts)))[:16]
