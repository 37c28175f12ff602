"""A plan shown before it runs: cells, samples, models, data, estimated calls, what it can detect."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import click
import msgspec

from suite.chat import Json
from suite.errors import SuiteError
from suite.journal.documents import RoleMember, Share, SkippedCell
from suite.run.estimate import MemberEstimate, estimate
from suite.run.plan import Plan
from suite.run.tools import check_sandbox


class PlannedCell(msgspec.Struct, kw_only=True):
    """One cell. samples: of one trial. detects: see `detectable`."""

    cell: str
    task: str
    version: int
    parameters: Mapping[str, Json]
    score_parameters: Mapping[str, Json]
    samples: int
    detects: float | None
    sample_ids: list[str]


class PlannedCalls(msgspec.Struct):
    """What a member will be asked, about. most_new_tokens: None where a request sets no limit."""

    calls: int
    prompt_tokens: int
    most_new_tokens: int | None


class ShownPlan(msgspec.Struct, kw_only=True):
    """Everything about a plan. data: dataset -> identity. estimate: by member; None where it is not known."""

    plan_sha256: str
    folder: str
    seed: int
    trials: int
    groups: Share
    cells: list[PlannedCell]
    skipped: Sequence[SkippedCell]
    models: list[RoleMember]
    data: Mapping[str, Mapping[str, Json]]
    estimate: dict[str, PlannedCalls] | None


def shown_plan(plan: Plan) -> ShownPlan:
    """A plan as it is shown."""
    found = asyncio.run(estimate(plan))
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
                detects=detectable(plan.counts.samples[cell.id]),
                sample_ids=ids[cell.id],
            )
            for cell in plan.cells
        ],
        skipped=plan.skipped,
        models=[one.record() for one in plan.filled.members],
        data=plan.data_identity,
        estimate=None if found is None else {member: _calls(one) for member, one in found.items()},
    )


def _calls(one: MemberEstimate) -> PlannedCalls:
    most = one.most_new_tokens
    return PlannedCalls(round(one.calls), round(one.prompt_tokens), None if most is None else round(most))


def detectable(samples: int) -> float | None:
    """Smallest difference between two models on these samples found with 80 % power at the 5 % level.

    Of 0/1 scores at their most uncertain, paired, correlation 0.5. Source: docs/numbers.md.
    """
    from suite.scoring.stats.intervals import mde

    return mde(samples)


def print_plan(plan: Plan) -> None:
    """The plan for people."""
    shown = shown_plan(plan)
    click.echo(f"plan {shown.plan_sha256[:12]} -> runs/{shown.folder}")
    taken = f"{shown.groups.taken} of {shown.groups.all} groups"
    click.echo(f"{len(shown.cells)} cells, {taken}, trials {shown.trials}, seed {shown.seed}")
    for cell in shown.cells:
        detects = f", detects differences from {cell.detects:.2f}" if cell.detects else ""
        click.echo(f"  {cell.cell}  {cell.task} v{cell.version}  {cell.samples} samples{detects}")
        click.echo(f"    {_values({**cell.parameters, **cell.score_parameters})}")
    for skipped in shown.skipped:
        click.echo(f"  left out: {skipped.task} {_values(skipped.parameters)}: {skipped.reason}")
    for model in shown.models:
        needs, can = ", ".join(model.needs), ", ".join(model.capabilities)
        click.echo(f"  {model.member}: {model.spec} (asked for {needs}; can {can})")
    for name, data in shown.data.items():
        source = data.get("entry") or data.get("run") or data["source"]
        revision = str(data.get("revision") or data.get("plan_sha256") or "bundled")
        click.echo(f"  data {name}: {source} {revision[:12]} sha256 {str(data.get('sha256', ''))[:12]}")
    if shown.estimate is None:
        click.echo("  calls and tokens: not known before it runs")
        return
    for member, one in shown.estimate.items():
        most = one.most_new_tokens
        new = "no limit on new tokens" if most is None else f"at most {most:,} new tokens"
        click.echo(f"  {member}: about {one.calls:,} calls, {one.prompt_tokens:,} prompt tokens, {new}")
    click.echo("  (estimated from a few groups at 4 characters a token)")


def lacking(plan: Plan) -> list[str]:
    """What this machine lacks to run the plan; of a dry run alone, which needs none of it."""
    found: list[str] = []
    for look in (*(one.check for one in plan.filled.engines()), partial(check_sandbox, plan.cells)):
        try:
            look()
        except SuiteError as error:
            found.append(str(error))
    return found


def _values(values: Mapping[str, Json]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items() if value not in (None, "", []))
