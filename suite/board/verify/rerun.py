"""R11: ask the model itself, for a random sample of the records, and see whether it answers like that.

Two live passes over the same samples: how often the model agrees with itself is the yardstick for how often
it agrees with the record, since engines do not repeat themselves bit for bit. Where the samples can be scored
here too, the paired difference of the headline is a second look. Not proof: models drift, samples are few.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from suite.board.findings import Findings
from suite.board.verify.again import (
    Picked,
    Rerun,
    Rerunning,
    compare_headlines,
    conclude,
    live_passes,
    pick,
    picked_plan,
    recorded_options,
)
from suite.board.verify.subject import Subject
from suite.journal.reading import RunReader
from suite.plugins import Catalogue
from suite.run.calls import Recorded
from suite.run.plan import Plan, make_plan
from suite.run.request import EvalRequest


def rerun(
    subjects: Sequence[Subject],
    asked: Rerun,
    bundle_id: str,
    scratch: Path,
    plugins: Catalogue,
    findings: Findings,
    cells: Collection[tuple[str, str]] | None = None,
) -> Rerunning:
    """Climb R11. cells: (run, cell) to choose from, None for all.

    Raises SuiteError for models that cannot be had.
    """
    ready = [subject for subject in subjects if subject.plan is not None]
    picked = pick(ready, asked.samples, f"{asked.seed}\x1f{bundle_id}", cells)
    going = Rerunning()
    findings.ran("R11")
    for subject in ready:
        if subject.run_id in picked:
            _run(subject, asked, picked[subject.run_id], scratch / subject.run_id, plugins, going)
    conclude(going, "answers", "the model", "it was not scored: give --judge")
    if going.label == "not_reproduced":
        findings.add("R11.not-reproduced", "the model does not answer like the record", found=going.why)
    elif going.label == "inconclusive":
        findings.warn("R11.inconclusive", "the re-run settles nothing", found=going.why)
    return going


def _run(
    subject: Subject,
    asked: Rerun,
    works: Picked,
    scratch: Path,
    plugins: Catalogue,
    going: Rerunning,
) -> None:
    plan, stages = _plan(subject, asked, frozenset(works), plugins)
    passes = live_passes(plan, scratch, stages)
    recorded = _texts(subject.reader, works)
    first, second = (_texts(reader, dict.fromkeys(works, 0)) for reader in passes)
    for key, text in first.items():
        going.samples += 1
        going.same += text == recorded.get(key)
        going.same_itself += text == second.get(key)
    if "score" in stages:
        compare_headlines(subject, plan, passes[0], going)


def _plan(
    subject: Subject, asked: Rerun, works: frozenset[tuple[str, str]], plugins: Catalogue
) -> tuple[Plan, tuple[str, ...]]:
    """The run's plan with live models and these works. Without a judge only answers are compared."""
    plan = subject.plan
    assert plan is not None
    roles = {name: role for cell in plan.cells for name, role in cell.task.roles().items()}
    judged = [name for name, role in roles.items() if role.stage == "score" and not role.optional]
    stages = ("solve", "score") if all(name in asked.models for name in judged) else ("solve",)
    models = {role: specs for role, specs in asked.models.items() if role in roles}
    request: EvalRequest = replace(
        plan.request,
        models=models,
        options=recorded_options([subject.manifest, subject.scoring_manifest], asked, models),
        trials=1,
        limit=None,
        concurrency=None,
    )
    live = make_plan(request, stages=(*stages, "both"), plugins=plugins, cells=plan.cells)
    return picked_plan(live, works), stages


def _texts(reader: RunReader, works: Picked) -> dict[tuple[str, str], str]:
    """Cell and sample -> the answer of its picked trial; outputs without a text by their data."""
    recorded = Recorded(reader.calls)
    found: dict[tuple[str, str], str] = {}
    for one in reader.outputs:
        if works.get((one.cell, one.sample)) != one.trial:
            continue
        call = recorded.find(one.text_from) if one.text_from else None
        text = call.reply.text if call else one.output.text
        data = json.dumps(one.output.data, sort_keys=True) if one.output.data is not None else ""
        found[one.cell, one.sample] = f"{text}\x1f{data}"
    return found
