"""Good bundles of real tasks on mini data, answered by scripted models: what tampering starts from."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from suite.board.define.board import Board, load_board
from suite.board.pack import bundle_files
from suite.chat import Reply, Request, Usage
from suite.comparisons.runs import scored_runs
from suite.journal.shards import Shard
from suite.models.engine import Asking
from suite.models.scripted import ScriptedEngine
from suite.plugins import catalogue
from suite.run.cells import load_task
from suite.run.lease_folder import LeaseFolder
from suite.run.merging import merge_shards
from suite.run.outcome import RunSettings
from suite.run.plan import Plan, make_plan
from suite.run.request import EvalRequest
from suite.run.role_members import Filled
from suite.run.session import run_plan
from suite.testing.answers import plausible


@dataclass(frozen=True)
class Recipe:
    """A run to make. models: roles to fill; parameters as -P; board: the item of the board, as YAML."""

    task: str
    parameters: tuple[tuple[str, str, str], ...] = ()
    models: tuple[str, ...] = ("candidate",)
    judges: int = 1
    trials: int = 1
    temperature: float | None = None
    board: str = ""


RECIPES = {
    "choice": Recipe(
        "prefeval/classification",
        (("", "method", "zero-shot,remind"), ("", "inter_turns", "1")),
        board="parameters: {inter_turns: 1}\n    sweep: {method: [zero-shot, remind]}",
    ),
    "judged": Recipe(
        "prefeval/generation",
        (("", "inter_turns", "0"),),
        ("candidate", "judge"),
        trials=2,
        temperature=0.8,
        board="parameters: {inter_turns: 0}\n    trials: 2",
    ),
    "pairs": Recipe(
        "contexteval/pairwise",
        (("", "setting", "judge"), ("", "sources", '["own/kitchen"]')),
        ("candidate", "baseline", "judge"),
        judges=2,
        board="parameters: {setting: judge, sources: [own/kitchen]}",
    ),
    "dialogue": Recipe(
        "userbench/travel",
        (("", "user", "rules-v1"), ("", "tags", '["22"]'), ("", "max_steps", "4")),
        board='parameters: {user: rules-v1, tags: ["22"], max_steps: 4}',
    ),
}


def answer(request: Request, asking: Asking) -> Reply:
    """A plausible answer, with the usage that an engine would report and no two alike for two samples."""
    found = plausible(request, asking)
    if request.kind == "chat" and asking.member == "candidate" and len(found.text.split()) >= 8:
        text = f"{found.text} {asking.call[:8]}"
        most = request.options.max_tokens or 10**6
        found = Reply(text, usage=Usage(found.usage.prompt, min(len(text) // 4, most)))
    return found


def run(
    recipe: Recipe,
    folder: Path,
    *,
    spec: str = "",
    constant: str = "",
    judge: str = "",
    options: Sequence[tuple[str, str, str]] = (),
    limit: int | None = None,
    shards: int = 0,
) -> Path:
    """Make the run of a recipe. spec: another candidate. constant, judge: the candidate's and the judges'
    answer to everything. options, limit: as `-o` and `--limit`. shards: merged; 0 for none.
    """

    def said(request: Request, asking: Asking) -> Reply:
        if constant and asking.member == "candidate":
            return Reply(constant, usage=Usage(len(constant) // 4, len(constant) // 4))
        if judge and asking.member.startswith("judge"):
            return Reply(judge, usage=Usage(len(judge) // 4, len(judge) // 4))
        return answer(request, asking)

    specs = {
        role: [f"scripted/constant?text={role}{number or ''}" for number in range(recipe.judges)]
        if role == "judge"
        else [spec if spec and role == "candidate" else f"scripted/constant?text={role}"]
        for role in recipe.models
    }
    sampling = [("", "temperature", str(recipe.temperature))] if recipe.temperature is not None else []
    request = EvalRequest(
        (recipe.task,),
        parameters=recipe.parameters,
        mini=True,
        trials=recipe.trials,
        models=specs,
        options=[*sampling, *options],
        limit=limit,
    )
    plan = make_plan(request)
    members = tuple(
        replace(one, engine=ScriptedEngine(said, capabilities=one.engine.capabilities(), spec=one.spec))
        for one in plan.filled.members
    )
    plan = replace(plan, filled=Filled(members, plan.filled.roles))
    settings = RunSettings(cache=False, quiet=True, signals=False, backoff_s=0.0)
    stages = ("solve", "score")
    leases = [LeaseFolder(plan, folder, Shard(which, shards), stages) for which in range(shards)]
    works: list[tuple[Plan, Path | LeaseFolder]] = [(one.plan, one) for one in leases]
    for each, place in works or [(plan, folder)]:
        outcome = asyncio.run(run_plan(each, place, settings=settings))
        assert outcome.exit_code == 0, (outcome.error, outcome.reasons)
    if shards:
        merge_shards(folder)
    return folder


def board(name: str, recipe: Recipe, folder: Path) -> Board:
    """A board that asks for exactly this, and fetches large bundles from one host."""
    seats = ", ".join(f"{{spec: 'scripted/constant?text=judge{n or ''}'}}" for n in range(recipe.judges))
    given = [f"judge: [{seats}]"] if "judge" in recipe.models else []
    given += [
        f"{one}: {{spec: 'scripted/constant?text={one}'}}" for one in recipe.models if one == "baseline"
    ]
    roles = f"\n    roles: {{{', '.join(given)}}}" if given else ""
    version = load_task(catalogue(), recipe.task)[0].info.version
    sampling = "any" if recipe.temperature is None else f"{{temperature: {recipe.temperature}}}"
    path = folder / f"{name}.yaml"
    path.write_text(
        f"format: suite-board/1\nid: {name}\nversion: 1.0.0\ntitle: A board for tests\n"
        f"tasks:\n  - task: {recipe.task}\n    version: {version}\n    data: mini\n    seed: 0\n"
        f"    {recipe.board}{roles}\n"
        f"candidate: {{sampling: {sampling}}}\nhosts: [bundles.example.org]\n"
    )
    return load_board(path)


def declared(made_for: Board | None) -> dict[str, Any]:
    """Honest declarations."""
    return {
        "board": made_for
        and {"id": made_for.id, "version": made_for.version, "definition_sha256": made_for.sha256},
        "submission_type": "standard",
        "supersedes": None,
        "model": {
            "display_name": "Constant",
            "organization": "Nobody",
            "identity": {
                "kind": "local",
                "name": "constant?text=candidate",
                "revision": None,
                "weights_sha256": None,
            },
            "availability": "open_weights",
            "deployment": "self_deployed",
            "release_date": None,
            "parameters_total": None,
            "parameters_active": None,
            "licence": "Apache-2.0",
            "url": None,
        },
        "submitter": {"name": "A tester", "organization": None, "contact": None, "relationship": "other"},
        "created": "2026-11-24T12:00:00Z",
        "suite_version": "0.0",
        "disclosure": {
            "contamination": {},
            "selection": {"complete_runs": 1, "rule": "only_run", "note": ""},
            "changes": [],
            "references_access": "no",
        },
        "terms": {"traces_licence": "CC0-1.0"},
    }


def bundle(runs: list[Path], made_for: Board | None, folder: Path) -> Path:
    """The bundle folder of some runs."""
    folder.mkdir(parents=True)
    bundle_files.stage(scored_runs([str(one) for one in runs]), declared(made_for), b"", folder)
    return folder


def copy(good: Path, to: Path) -> Path:
    """A bundle folder to tamper with."""
    shutil.copytree(good, to)
    return to
