"""A plan shown before it runs: cells, samples, models, data, estimated calls, what it can detect."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from suite.chat import Json, Usage
from suite.errors import SuiteError
from suite.journal.documents import ChangedPreset, RoleMember, Share, SkippedCell
from suite.models.prices import FREE, PER_USD, price_wanted, priced
from suite.run.estimate import Estimates, MemberEstimate
from suite.run.plan import Plan
from suite.run.role_members import Member
from suite.run.tools import check_sandbox


class PlannedCell(msgspec.Struct, kw_only=True):
    """One cell. samples: of one trial. detects: the smallest difference between two models on these samples
    that is found with 80 % power at the 5 % level, of 0/1 scores at their most uncertain, paired, correlation
    0.5 (docs/numbers.md).
    """

    cell: str
    task: str
    version: int
    parameters: Mapping[str, Json]
    score_parameters: Mapping[str, Json]
    samples: int
    detects: float | None
    sample_ids: list[str]


class PlannedCalls(msgspec.Struct):
    """What a member will be asked, about. most_new_tokens: None where a request sets no limit.

    usd: what that costs, from the prompts alone to the most that a budget would set aside (None where there
    is no limit); None where no price is known, and `price` says what to add, or when it was looked up.
    """

    calls: int
    prompt_tokens: int
    most_new_tokens: int | None
    usd: tuple[float, float | None] | None
    price: str


class ShownPlan(msgspec.Struct, kw_only=True):
    """Everything about a plan. data: dataset -> identity. estimate: by member; None where it is not known."""

    plan_sha256: str
    folder: str
    seed: int
    trials: int
    groups: Share
    cells: list[PlannedCell]
    skipped: Sequence[SkippedCell]
    changed_presets: Mapping[str, ChangedPreset]
    models: list[RoleMember]
    data: Mapping[str, Mapping[str, Json]]
    estimate: dict[str, PlannedCalls] | None
    usd: tuple[float, float | None] | None  # of all members; None where a price is not known


def shown_plan(plan: Plan, found: Estimates | None) -> ShownPlan:
    """A plan as it is shown. found: what it will ask, see `estimate`."""
    from suite.scoring.stats.intervals import mde  # with scipy: only what is shown needs it

    planned = {one.member: _calls(found[one.member], one) for one in plan.filled.members if found}
    ids: dict[str, list[str]] = {cell.id: [] for cell in plan.cells}
    for group in plan.groups():
        for item in group.items:
            ids[plan.cells[item.cell].id].append(item.sample.id)
    return ShownPlan(
        plan_sha256=plan.sha256,
        folder=plan.default_name(),
        seed=plan.request.seed,
        trials=plan.request.trials,
        groups=Share(taken=plan.counts.groups_taken, all=plan.counts.groups),
        cells=[
            PlannedCell(
                cell=cell.id,
                task=cell.plan.task,
                version=cell.plan.version,
                parameters=cell.plan.parameters,
                score_parameters=cell.plan.score_parameters,
                samples=plan.counts.samples[cell.id],
                detects=mde(plan.counts.samples[cell.id]),
                sample_ids=ids[cell.id],
            )
            for cell in plan.cells
        ],
        skipped=plan.skipped,
        changed_presets=plan.changed_presets,
        models=[one.record() for one in plan.filled.members],
        data=plan.data_identity,
        estimate=planned if found else None,
        usd=_in_all([one.usd for one in planned.values()]) if planned else None,
    )


def _calls(one: MemberEstimate, member: Member) -> PlannedCalls:
    identity, most = member.engine.identity(), one.most_new_tokens
    rates, price = priced(identity)
    usd: tuple[float, float | None] | None = None
    told = price_wanted(member.spec.text, identity) if rates is None else str((price and price.date) or "")
    if rates is not None:
        low = rates.cost(Usage(round(one.prompt_tokens))) / PER_USD
        bound = None if most is None else Usage(round(one.most_prompt_tokens), round(most))
        high = 0.0 if rates == FREE else None if bound is None else rates.cost(bound) / PER_USD
        usd = (low, high)
    tokens = round(one.prompt_tokens), None if most is None else round(most)
    return PlannedCalls(round(one.calls), *tokens, usd, told)


def _in_all(each: Sequence[tuple[float, float | None] | None]) -> tuple[float, float | None] | None:
    """The range of a sum; None where a part is not known, no upper end where one has none."""
    known = [one for one in each if one is not None]
    if len(known) < len(each):
        return None
    highs = [high for _, high in known if high is not None]
    return sum(low for low, _ in known), sum(highs) if len(highs) == len(known) else None


def lacking(plan: Plan) -> list[str]:
    """What this machine lacks to run the plan; of a dry run alone, which needs none of it."""
    found: list[str] = []
    looks: list[Callable[[], None]] = [one.check for one in plan.filled.engines()]
    looks.append(partial(check_sandbox, plan.cells))
    for look in looks:
        try:
            look()
        except SuiteError as error:
            found.append(str(error))
    return found
