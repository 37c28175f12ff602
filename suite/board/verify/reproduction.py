"""R11: ask the model itself, or the judge alone, anew about random records, and see whether it says the same.

Two live passes over the same samples: how often who is asked agrees with itself is the yardstick for how
often it agrees with the record, since engines do not repeat themselves bit for bit. Where the samples can be
scored here too, the paired difference of the headline is a second look, for whoever seldom repeats itself.
Not proof: models and judges drift, samples are few. To ask the judge no candidate is needed.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from msgspec import structs

from suite.board.bundle.rungs import Findings
from suite.board.entry.verification import RerunResult
from suite.board.verify.live_passes import (
    Picked,
    Rerun,
    Rerunning,
    Said,
    chosen,
    compare_headlines,
    conclude,
    live_passes,
    pick,
    picked_plan,
    recorded_options,
)
from suite.board.verify.subject import Half, VerifiedRun
from suite.chat import Json
from suite.errors import ConfigError
from suite.journal.document_files import write_json
from suite.journal.records import encode
from suite.journal.run import Run
from suite.plugins import Catalogue
from suite.run.plan import Plan, make_plan
from suite.run.role_members import flag_of
from suite.scores import Unscored, Value

_JUDGE_DIFFERS = "the judge does not say what the record says it said"
_TOLD = {  # (of the judge, label) -> code and words of the finding
    (False, "not_reproduced"): ("R11.not-reproduced", "the model does not answer like the record"),
    (False, "inconclusive"): ("R11.inconclusive", "the re-run settles nothing"),
    (True, "not_reproduced"): ("R11.judge-not-reproduced", _JUDGE_DIFFERS),
    (True, "inconclusive"): ("R11.judge-inconclusive", "asking the judge again settles nothing"),
}


@dataclass(frozen=True)
class Reproducer:
    """Asks again about a bundle, and whom. cells: (run, cell) to choose samples from, None for all."""

    asked: Rerun
    bundle_id: str
    plugins: Catalogue
    cells: Collection[tuple[str, str]] | None = None

    def again(
        self, subjects: Sequence[VerifiedRun], scratch: Path, findings: Findings, *, judging: bool = False
    ) -> RerunResult:
        """Climb R11, or with `judging` R11 for the judge.

        Raises SuiteError for models that cannot be had; for the judge ConfigError for one that lacks, or a
        panel of another size.
        """
        ready = [subject for subject in subjects if subject.plan is not None]
        count, mark = (self.asked.judged, "\x1fjudge") if judging else (self.asked.samples, "")
        seed = f"{self.asked.seed}\x1f{self.bundle_id}{mark}"
        picked = pick(ready, count, seed, self.cells, judged=judging)
        going = Rerunning()
        findings.ran("R11")
        for subject in ready:
            if works := picked.get(subject.run_id):
                ask = self._judge if judging else self._solve
                ask(subject, works, scratch / subject.run_id, going)
        if judging:
            found = conclude(going, "verdicts", "the judge", "no headline is a mean of samples")
            if not found.samples:
                found = structs.replace(found, why="no record was judged by a model")
        else:
            found = conclude(going, "answers", "the model", "it was not scored: give --judge")
        if told := _TOLD.get((judging, found.label)):
            differs = found.label == "not_reproduced"
            findings.add(*told, severity="error" if differs else "warning", found=found.why)
        return found

    def _solve(self, subject: VerifiedRun, works: Picked, scratch: Path, going: Rerunning) -> None:
        """Ask the candidate again. Without a judge only answers are compared."""
        given = self.asked.models
        cells = subject.planned.cells
        roles = {name: role for cell in cells for name, role in cell.task.roles().items()}
        judged = [name for name, role in roles.items() if role.stage == "score" and not role.optional]
        stages = ("solve", "score") if all(name in given for name in judged) else ("solve",)
        models = {role: specs for role, specs in given.items() if role in roles}
        plan = self._live(subject, works, stages, models, subject.halves, trials=1)
        passes = live_passes(plan, scratch, stages)
        first, second = (_texts(run, dict.fromkeys(works, 0)) for run in passes)
        going.count(first, second, _texts(subject.run, works))
        if "score" in stages:
            compare_headlines(subject, plan, passes[0], going)

    def _judge(self, subject: VerifiedRun, works: Picked, scratch: Path, going: Rerunning) -> None:
        """Ask the judge again about the recorded outputs."""
        plan = self._live(subject, works, ("score",), self._judges(subject), subject.halves[1:])
        passes = live_passes(
            plan,
            scratch,
            ("score",),
            prepare=lambda folder: _outputs(subject, works, folder),
            extra_recorded=(subject.run.folder,),  # where the texts of outputs stand
        )
        first, second = (_verdicts(one, works) for one in passes)
        both = {key: first[key] for key in first.keys() & second.keys()}
        going.count(both, second, _verdicts(subject.run, works))
        compare_headlines(subject, plan, passes[0], going, works)

    def _live(
        self,
        subject: VerifiedRun,
        works: Picked,
        stages: tuple[str, ...],
        models: Mapping[str, Sequence[str]],
        halves: Sequence[Half],
        trials: int | None = None,
    ) -> Plan:
        """The run's plan with live models and these works."""
        request = replace(
            subject.planned.request,
            models=models,
            options=recorded_options(halves, self.asked, models),
            trials=trials or subject.planned.request.trials,
            limit=None,
            concurrency=None,
        )
        cells = subject.planned.cells
        live = make_plan(request, stages=(*stages, "both"), plugins=self.plugins, cells=cells)
        return picked_plan(live, frozenset(works))

    def _judges(self, subject: VerifiedRun) -> dict[str, Sequence[str]]:
        """The models that are given for the roles that judge."""
        models: dict[str, Sequence[str]] = {}
        for role, records in subject.scoring_manifest.roles.items():
            given = self.asked.models.get(role, ())
            if given and len(given) != len(records):
                seated = f"{subject.run_id} was judged by {len(records)} in the role {role}"
                raise ConfigError(
                    f"{seated}, {len(given)} were given",
                    fix="give as many, in the order of the manifest",
                )
            if not given and any(one.stage != "both" for one in records):
                raise ConfigError(
                    f"nobody fills the role {role!r} of {subject.run_id}",
                    fix=f"give {' '.join(flag_of(role))}",
                )
            # who was asked while solving, too, may stand in by its recorded replies
            models[role] = given or [f"replay/{subject.run.folder}?role={one.member}" for one in records]
        return models


def _texts(run: Run, works: Picked) -> Said:
    """The answer of the picked trial; outputs without a text by their data."""
    found: dict[tuple[str, str], Json] = {}
    for one in chosen(run.outputs(), works):
        data = json.dumps(one.output.data, sort_keys=True) if one.output.data is not None else ""
        found[one.cell, one.sample] = f"{run.text(one)}\x1f{data}"
    return found


def _outputs(subject: VerifiedRun, works: Picked, folder: Path) -> None:
    """A run that holds the picked outputs and nothing else."""
    folder.mkdir(parents=True)
    write_json(folder / "manifest.json", subject.manifest)
    with (folder / "outputs.jsonl").open("wb") as file:
        file.writelines(map(encode, chosen(subject.run.outputs(), works)))


def _verdicts(run: Run, works: Picked) -> Said:
    """All that was said of it, plain; of what is unscored, the reason."""
    return {
        (one.cell, one.sample): [
            _plain(one.values),
            [[part.id, dict(part.tags), _plain(part.values)] for part in one.parts],
        ]
        for one in chosen(run.scores(), works)
    }


def _plain(values: Mapping[str, Value]) -> dict[str, Json]:
    return {
        name: {"unscored": one.reason} if isinstance(one, Unscored) else msgspec.to_builtins(one)
        for name, one in values.items()
    }
