"""R11: ask the model itself, or the judge alone, anew about random records, and see whether it says the same.

Two live passes over the same samples: how often who is asked agrees with itself is the yardstick for how
often it agrees with the record, since engines do not repeat themselves bit for bit. Where the samples can be
scored here too, the paired difference of the headline is a second look, for whoever seldom repeats itself.
Not proof: models and judges drift, samples are few. To ask the judge no candidate is needed.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from suite.board.bundle.rungs import Findings
from suite.board.verify.equality import same
from suite.board.verify.live_passes import (
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
from suite.board.verify.subject import VerifiedRun
from suite.chat import Json
from suite.errors import ConfigError
from suite.journal.document_files import write_json
from suite.journal.records import encode
from suite.journal.run import Run
from suite.plugins import Catalogue
from suite.run.plan import Plan, make_plan
from suite.run.request import EvalRequest
from suite.run.role_members import flag_of
from suite.scores import Unscored, Value


def rerun(
    subjects: Sequence[VerifiedRun],
    asked: Rerun,
    bundle_id: str,
    scratch: Path,
    plugins: Catalogue,
    findings: Findings,
    cells: Collection[tuple[str, str]] | None = None,
    *,
    judging: bool = False,
) -> Rerunning:
    """Climb R11, or with `judging` R11 for the judge. cells: (run, cell) to choose from, None for all.

    Raises SuiteError for models that cannot be had; for the judge ConfigError for one that lacks, or a panel
    of another size.
    """
    ready = [subject for subject in subjects if subject.plan is not None]
    count, mark = (asked.judged, "\x1fjudge") if judging else (asked.samples, "")
    picked = pick(ready, count, f"{asked.seed}\x1f{bundle_id}{mark}", cells, judged=judging)
    going = Rerunning()
    findings.ran("R11")
    for subject in ready:
        if subject.run_id in picked:
            again = _judge if judging else _run
            again(subject, asked, picked[subject.run_id], scratch / subject.run_id, plugins, going)
    if judging:
        conclude(going, "verdicts", "the judge", "no headline is a mean of samples")
        if not going.samples:
            going.why = "no record was judged by a model"
    else:
        conclude(going, "answers", "the model", "it was not scored: give --judge")
    told = _TOLD.get((judging, going.label))
    if told is not None:
        differs = going.label == "not_reproduced"
        findings.add(*told, severity="error" if differs else "warning", found=going.why)
    return going


_JUDGE_DIFFERS = "the judge does not say what the record says it said"
_TOLD = {  # (of the judge, label) -> code and words of the finding
    (False, "not_reproduced"): ("R11.not-reproduced", "the model does not answer like the record"),
    (False, "inconclusive"): ("R11.inconclusive", "the re-run settles nothing"),
    (True, "not_reproduced"): ("R11.judge-not-reproduced", _JUDGE_DIFFERS),
    (True, "inconclusive"): ("R11.judge-inconclusive", "asking the judge again settles nothing"),
}


def _run(
    subject: VerifiedRun, asked: Rerun, works: Picked, scratch: Path, plugins: Catalogue, going: Rerunning
) -> None:
    plan, stages = _plan(subject, asked, frozenset(works), plugins)
    passes = live_passes(plan, scratch, stages)
    recorded = _texts(subject.run, works)
    first, second = (_texts(run, dict.fromkeys(works, 0)) for run in passes)
    for key, text in first.items():
        going.samples += 1
        going.same += text == recorded.get(key)
        going.same_itself += text == second.get(key)
    if "score" in stages:
        compare_headlines(subject, plan, passes[0], going)


def _plan(
    subject: VerifiedRun, asked: Rerun, works: frozenset[tuple[str, str]], plugins: Catalogue
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


def _texts(run: Run, works: Picked) -> dict[tuple[str, str], str]:
    """Cell and sample -> the answer of its picked trial; outputs without a text by their data."""
    found: dict[tuple[str, str], str] = {}
    for one in run.outputs():
        if works.get((one.cell, one.sample)) == one.trial:
            data = json.dumps(one.output.data, sort_keys=True) if one.output.data is not None else ""
            found[one.cell, one.sample] = f"{run.text(one)}\x1f{data}"
    return found


def _judge(
    subject: VerifiedRun, asked: Rerun, works: Picked, scratch: Path, plugins: Catalogue, going: Rerunning
) -> None:
    plan = _judging_plan(subject, asked, works, plugins)
    passes = live_passes(
        plan,
        scratch,
        ("score",),
        prepare=lambda folder: _outputs(subject, works, folder),
        extra_recorded=(subject.run.folder,),  # where the texts of outputs stand
    )
    recorded = _verdicts(subject.run, works)
    first, second = (_verdicts(one, works) for one in passes)
    for key in first.keys() & second.keys():
        going.samples += 1
        going.same += same(first[key], recorded.get(key))
        going.same_itself += same(first[key], second[key])
    compare_headlines(subject, plan, passes[0], going, works)


def _judging_plan(subject: VerifiedRun, asked: Rerun, works: Picked, plugins: Catalogue) -> Plan:
    """The run's plan, to score these works with live models in the roles that judge."""
    plan = subject.plan
    assert plan is not None
    judging = subject.scoring_manifest.roles
    models: dict[str, Sequence[str]] = {}
    for role, records in judging.items():
        given = asked.models.get(role, ())
        if given and len(given) != len(records):
            raise ConfigError(
                f"{subject.run_id} was judged by {len(records)} in the role {role}, {len(given)} were given",
                fix="give as many, in the order of the manifest",
            )
        if not given and any(one.stage != "both" for one in records):
            raise ConfigError(
                f"nobody fills the role {role!r} of {subject.run_id}", fix=f"give {' '.join(flag_of(role))}"
            )
        # who was asked while solving, too, may stand in by its recorded replies
        models[role] = given or [f"replay/{subject.run.folder}?role={one.member}" for one in records]
    request = replace(
        plan.request,
        models=models,
        options=recorded_options([subject.scoring_manifest], asked, models),
        limit=None,
        concurrency=None,
    )
    live = make_plan(request, stages=("score", "both"), plugins=plugins, cells=plan.cells)
    return picked_plan(live, frozenset(works))


def _outputs(subject: VerifiedRun, works: Picked, folder: Path) -> None:
    """A run that holds the picked outputs and nothing else."""
    folder.mkdir(parents=True)
    write_json(folder / "manifest.json", subject.manifest)
    with (folder / "outputs.jsonl").open("wb") as file:
        for one in subject.run.outputs():
            if works.get((one.cell, one.sample)) == one.trial:
                file.write(encode(one))


def _verdicts(run: Run, works: Picked) -> dict[tuple[str, str], Json]:
    """Cell and sample -> all that was said of it, plain; of what is unscored, the reason."""
    return {
        (one.cell, one.sample): [
            _plain(one.values),
            [[part.id, dict(part.tags), _plain(part.values)] for part in one.parts],
        ]
        for one in run.scores()
        if works.get((one.cell, one.sample)) == one.trial
    }


def _plain(values: Mapping[str, Value]) -> dict[str, Json]:
    return {
        name: {"unscored": one.reason} if isinstance(one, Unscored) else msgspec.to_builtins(one)
        for name, one in values.items()
    }
