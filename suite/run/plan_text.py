"""A plan shown before it runs: cells, samples, models, data, estimated calls, what it can detect."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import click
import msgspec

from suite.chat import Json, Usage
from suite.data.view import entry_told
from suite.errors import SuiteError
from suite.journal.documents import ChangedPreset, RoleMember, Share, SkippedCell
from suite.models.prices import FREE, PER_USD, price_wanted, priced, shown_usd
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
    if rates is not None:
        low = rates.cost(Usage(round(one.prompt_tokens))) / PER_USD
        bound = None if most is None else Usage(round(one.most_prompt_tokens), round(most))
        high = 0.0 if rates == FREE else None if bound is None else rates.cost(bound) / PER_USD
        usd = (low, high)
    told = (
        str((price and price.date) or "") if rates is not None else price_wanted(member.spec.text, identity)
    )
    tokens = round(one.prompt_tokens), None if most is None else round(most)
    return PlannedCalls(round(one.calls), *tokens, usd, told)


def _in_all(each: Sequence[tuple[float, float | None] | None]) -> tuple[float, float | None] | None:
    """The range of a sum; None where a part is not known, no upper end where one has none."""
    known = [one for one in each if one is not None]
    if len(known) < len(each):
        return None
    highs = [high for _, high in known if high is not None]
    return sum(low for low, _ in known), sum(highs) if len(highs) == len(known) else None


def _range(usd: tuple[float, float | None]) -> str:
    low, high = usd
    if high == 0:
        return "no money"
    if high is None:
        return f"from {shown_usd(low)}, no upper bound: a request sets no token limit (-o max_tokens=N)"
    return f"{shown_usd(low)} to {shown_usd(high)}"


def print_plan(plan: Plan, found: Estimates | None) -> None:
    """The plan for people. found: as for `shown_plan`."""
    shown = shown_plan(plan, found)
    click.echo(f"plan {shown.plan_sha256[:12]} -> runs/{shown.folder}")
    taken = f"{shown.groups.taken} of {shown.groups.all} groups"
    click.echo(f"{len(shown.cells)} cells, {taken}, trials {shown.trials}, seed {shown.seed}")
    for cell in shown.cells:
        detects = f", detects differences from {cell.detects:.2f}" if cell.detects else ""
        click.echo(f"  {cell.cell}  {cell.task} v{cell.version}  {cell.samples} samples{detects}")
        click.echo(f"    {_values({**cell.parameters, **cell.score_parameters})}")
    for skipped in shown.skipped:
        click.echo(f"  left out: {skipped.task} {_values(skipped.parameters)}: {skipped.reason}")
    for task, changed in shown.changed_presets.items():
        given = " -P ".join(changed.given)
        click.echo(f"  {task}: the preset {changed.preset} changed by -P {given}, so not that preset")
    if plan.request.mini and plan.request.parameters and not plan.request.preset:
        for task in {cell.plan.task: 0 for cell in plan.cells if "mini" in cell.task.info.presets}:
            click.echo(
                f"  {task}: the cells of -P alone; with --preset mini, -P changes the cells of that preset"
            )
    for model in shown.models:
        needs, can = ", ".join(model.needs), ", ".join(model.capabilities)
        click.echo(f"  {model.member}: {model.spec} (asked for {needs}; can {can})")
    for name, data in shown.data.items():
        if data["source"] == "file" and isinstance(files := data.get("files"), dict):
            told = ", ".join(f"{file} sha256 {str(sha256)[:12]}" for file, sha256 in files.items())
            click.echo(f"  data {name}: {told}")
            continue
        source = entry_told(data) or data.get("run") or data["source"]
        revision = str(data.get("revision") or data.get("plan_sha256") or "bundled")
        click.echo(f"  data {name}: {source} {revision[:12]} sha256 {str(data.get('sha256', ''))[:12]}")
    if shown.estimate is None:
        click.echo("  calls and tokens: not known before it runs")
        return
    for member, one in shown.estimate.items():
        most = one.most_new_tokens
        new = "no limit on new tokens" if most is None else f"at most {most:,} new tokens"
        click.echo(f"  {member}: about {one.calls:,} calls, {one.prompt_tokens:,} prompt tokens, {new}")
        cost = f"price unknown; {one.price}" if one.usd is None else _range(one.usd)
        click.echo(f"    cost: {cost}")
    total = "not known" if shown.usd is None else _range(shown.usd)
    click.echo(f"  cost in all: {total}")
    click.echo("  (estimated from a few groups at 4 characters a token; cost: from the prompts")
    click.echo("  alone to the upper bound that --budget reserves, one token per byte; see docs/cost.md)")


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


def _values(values: Mapping[str, Json]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items() if value not in (None, "", []))
